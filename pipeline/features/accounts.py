"""What the published accounts say: liquidity, leverage, coverage, profitability, turnover, growth, size, Altman Z″.

All of the latest accounts known on the day; flows are brought to a year. A ratio is null where a line is missing or
the whole is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import NO_ACCOUNTS, NO_DEBT, NO_EARLIER_ACCOUNTS, NO_INTEREST
from pipeline.features.arithmetic import change, positive_ratio
from pipeline.features.feature import FeatureFamily, Risk, Unit, feature
from pipeline.features.published_accounts import ACCOUNTS, debt, working_capital_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.features.absence import Absence
    from pipeline.features.step import Step


def of_accounts(
    unit: Unit,
    risk: Risk,
    titles: tuple[str, str],
    sentences: tuple[str, str],
    null_means: Absence = NO_ACCOUNTS,
    *,
    people_only: bool = False,
    step: Step | None = None,
) -> Callable[[Callable[[ir.Table], ir.Value]], FeatureFamily]:
    """A feature of the accounts; titles and sentences in English, then Chinese."""
    return feature(
        source=ACCOUNTS,
        unit=unit,
        risk=risk,
        null_means=null_means,
        title_en=titles[0],
        title_zh=titles[1],
        en=sentences[0],
        zh=sentences[1],
        people_only=people_only,
        step=step,
    )


# --- liquidity


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Current ratio", "流动比率"),
    ("Current assets are {value:.2f} times current liabilities", "流动资产为流动负债的{value:.2f}倍"),
)
def current_ratio(accounts: ir.Table) -> ir.Value:
    """Current assets over current liabilities."""
    return positive_ratio(accounts.current_assets, accounts.current_liabilities)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Quick ratio", "速动比率"),
    ("Current assets without inventory are {value:.2f} times current liabilities", "速动资产为流动负债的{value:.2f}倍"),
)
def quick_ratio(accounts: ir.Table) -> ir.Value:
    """Current assets less inventory, over current liabilities."""
    return positive_ratio(accounts.current_assets - accounts.inventory, accounts.current_liabilities)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Cash ratio", "现金比率"),
    ("Cash covers {value:.0%} of current liabilities", "货币资金为流动负债的{value:.0%}"),
)
def cash_ratio(accounts: ir.Table) -> ir.Value:
    """Cash over current liabilities."""
    return positive_ratio(accounts.cash, accounts.current_liabilities)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Working capital over assets", "营运资本占总资产的比例"),
    ("Working capital is {value:.0%} of total assets", "营运资本占总资产的{value:.0%}"),
)
def working_capital_to_assets(accounts: ir.Table) -> ir.Value:
    """Current assets less current liabilities, over total assets; Altman's X1."""
    return working_capital_ratio(accounts)


# --- leverage


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Equity ratio", "权益比率"),
    ("Equity is {value:.0%} of total assets", "所有者权益占总资产的{value:.0%}"),
)
def equity_ratio(accounts: ir.Table) -> ir.Value:
    """Equity over total assets; negative when liabilities pass assets."""
    return positive_ratio(accounts.equity, accounts.total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.RISES,
    ("Financial debt over assets", "有息负债占总资产的比例"),
    ("Financial debt is {value:.0%} of total assets", "有息负债占总资产的{value:.0%}"),
)
def debt_to_assets(accounts: ir.Table) -> ir.Value:
    """Short-term and long-term financial debt over total assets."""
    return positive_ratio(debt(accounts), accounts.total_assets)


@of_accounts(
    Unit.SHARE,
    Risk.RISES,
    ("Short-term share of financial debt", "短期债务占有息负债的比例"),
    ("{value:.0%} of the financial debt is short-term", "有息负债中有{value:.0%}为短期债务"),
    NO_DEBT,
)
def short_term_debt_share(accounts: ir.Table) -> ir.Value:
    """Short-term debt over all financial debt."""
    return positive_ratio(accounts.short_term_debt, debt(accounts))


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Retained earnings over assets", "留存收益占总资产的比例"),
    ("Retained earnings are {value:.0%} of total assets", "留存收益占总资产的{value:.0%}"),
)
def retained_earnings_to_assets(accounts: ir.Table) -> ir.Value:
    """Retained earnings over total assets; Altman's X2."""
    return positive_ratio(accounts.retained_earnings, accounts.total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.RISES,
    ("Our claim over the customer's equity", "我方债权占客户净资产的比例"),
    ("What is open with us equals {value:.1%} of the customer's equity", "我方未清账款相当于客户净资产的{value:.1%}"),
)
def open_to_equity(accounts: ir.Table) -> ir.Value:
    """Open amount over equity; null where equity is not above 0."""
    return positive_ratio(accounts.open_amount.fill_null(0), accounts.equity)


# --- coverage


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Interest coverage", "利息保障倍数"),
    ("Operating profit covers interest {value:.1f} times", "息税前利润为利息支出的{value:.1f}倍"),
    NO_INTEREST,
)
def interest_coverage(accounts: ir.Table) -> ir.Value:
    """EBIT over interest expense; null without interest."""
    return positive_ratio(accounts.ebit, accounts.interest_expense)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Cash flow over liabilities", "经营现金流与总负债之比"),
    ("Operating cash flow is {value:.0%} of total liabilities", "经营现金流为总负债的{value:.0%}"),
)
def cash_flow_to_liabilities(accounts: ir.Table) -> ir.Value:
    """Operating cash flow over total liabilities (Beaver 1966)."""
    return positive_ratio(accounts.operating_cash_flow, accounts.total_liabilities)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Cash flow less profit, over assets", "经营现金流与净利润之差占总资产的比例"),
    (
        "Operating cash flow differs from profit by {value:+.0%} of total assets",
        "经营现金流与净利润之差为总资产的{value:+.0%}",
    ),
)
def cash_quality(accounts: ir.Table) -> ir.Value:
    """Operating cash flow less net income, over total assets: profit that brings no cash (Sloan 1996, sign turned)."""
    return positive_ratio(accounts.operating_cash_flow - accounts.net_income, accounts.total_assets)


# --- profitability


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Return on assets", "总资产收益率"),
    ("Net income is {value:.1%} of total assets", "净利润为总资产的{value:.1%}"),
)
def return_on_assets(accounts: ir.Table) -> ir.Value:
    """Net income over total assets."""
    return positive_ratio(accounts.net_income, accounts.total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("EBIT over assets", "息税前利润与总资产之比"),
    ("Operating profit is {value:.1%} of total assets", "息税前利润为总资产的{value:.1%}"),
)
def ebit_to_assets(accounts: ir.Table) -> ir.Value:
    """EBIT over total assets; Altman's X3."""
    return positive_ratio(accounts.ebit, accounts.total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Net margin", "净利率"),
    ("Net income is {value:.1%} of revenue", "净利润为营业收入的{value:.1%}"),
)
def net_margin(accounts: ir.Table) -> ir.Value:
    """Net income over revenue."""
    return positive_ratio(accounts.net_income, accounts.revenue)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Gross margin", "毛利率"),
    ("Gross profit is {value:.1%} of revenue", "毛利为营业收入的{value:.1%}"),
)
def gross_margin(accounts: ir.Table) -> ir.Value:
    """Revenue less cost of sales, over revenue."""
    return positive_ratio(accounts.revenue - accounts.cost_of_sales, accounts.revenue)


# --- turnover


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Asset turnover", "总资产周转率"),
    ("Revenue is {value:.2f} times total assets", "营业收入为总资产的{value:.2f}倍"),
)
def asset_turnover(accounts: ir.Table) -> ir.Value:
    """Revenue of a year over total assets."""
    return positive_ratio(accounts.revenue, accounts.total_assets)


@of_accounts(
    Unit.DAYS,
    Risk.RISES,
    ("The customer's receivable days", "客户自身应收账款周转天数"),
    ("The customer waits {value:.0f} day{s} for its own receivables", "客户自身应收账款周转需{value:.0f}天"),
)
def receivable_days(accounts: ir.Table) -> ir.Value:
    """Receivables over revenue of a year, in days."""
    return positive_ratio(accounts.receivables * 365, accounts.revenue)


@of_accounts(
    Unit.DAYS,
    Risk.RISES,
    ("Inventory days", "存货周转天数"),
    ("Inventory stands for {value:.0f} day{s}", "存货周转需{value:.0f}天"),
)
def inventory_days(accounts: ir.Table) -> ir.Value:
    """Inventory over cost of sales of a year, in days."""
    return positive_ratio(accounts.inventory * 365, accounts.cost_of_sales)


@of_accounts(
    Unit.RATIO,
    Risk.EITHER,
    ("Our billing over the customer's cost of sales", "我方开票额占客户营业成本的比例"),
    ("Buys {value:.1%} of its cost of sales from us", "客户营业成本中有{value:.1%}向我方采购"),
    people_only=True,
)
def billing_to_cost_of_sales(accounts: ir.Table) -> ir.Value:
    """What we billed in 12 months over the customer's cost of sales of a year: how much hangs on us."""
    return positive_ratio(accounts.billed_12m_amount.fill_null(0), accounts.cost_of_sales)


# --- growth


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Revenue growth", "营业收入增长率"),
    ("Revenue changed by {value:+.1%} in a year", "营业收入一年内变动{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def revenue_growth(accounts: ir.Table) -> ir.Value:
    """Revenue less that of the year before, over that of the year before."""
    return positive_ratio(accounts.revenue - accounts.previous_revenue, accounts.previous_revenue)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Change of equity over assets", "净资产变动占总资产的比例"),
    ("Equity changed by {value:+.1%} of total assets in a year", "净资产一年内变动为总资产的{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def equity_change(accounts: ir.Table) -> ir.Value:
    """Equity less that of the year before, over total assets of the year before."""
    return positive_ratio(accounts.equity - accounts.previous_equity, accounts.previous_total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Change of net margin", "净利率变动"),
    ("Net margin changed by {value:+.1%} of revenue in a year", "净利率一年内变动{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def net_margin_change(accounts: ir.Table) -> ir.Value:
    """Net margin less that of the year before."""
    before = positive_ratio(accounts.previous_net_income, accounts.previous_revenue)
    return change(positive_ratio(accounts.net_income, accounts.revenue), before)


# --- size


@of_accounts(
    Unit.MONEY,
    Risk.FALLS,
    ("Total assets", "总资产"),
    ("Total assets of {value:,.0f}", "总资产为{value:,.0f}"),
)
def total_assets(accounts: ir.Table) -> ir.Value:
    """Total assets, base currency: the firm's size."""
    return accounts.total_assets


@of_accounts(
    Unit.POINTS,
    Risk.FALLS,
    ("Altman Z″", "奥特曼Z″值"),
    (
        "Altman Z″ of {value:.1f} (below 1.1 distress, above 2.6 safe)",
        "奥特曼Z″值为{value:.1f}（低于1.1为危险区，高于2.6为安全区）",
    ),
)
def altman_z_double_prime(accounts: ir.Table) -> ir.Value:
    """6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4, for firms that are not listed or do not manufacture.

    X1 working capital, X2 retained earnings, X3 EBIT, each over total assets; X4 book equity over total liabilities.
    Source: Altman, Hartzell and Peck (1995); Altman and Hotchkiss, Corporate Financial Distress and Bankruptcy (2006).
    """
    x1 = working_capital_ratio(accounts)
    x2 = positive_ratio(accounts.retained_earnings, accounts.total_assets)
    x3 = positive_ratio(accounts.ebit, accounts.total_assets)
    x4 = positive_ratio(accounts.equity, accounts.total_liabilities)
    return x1 * 6.56 + x2 * 3.26 + x3 * 6.72 + x4 * 1.05
