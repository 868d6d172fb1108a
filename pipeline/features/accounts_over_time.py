"""Published accounts against those of the year before, debt and what it costs, and an O-score after Ohlson."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import NO_DEBT, NO_EARLIER_ACCOUNTS
from pipeline.features.accounts import of_accounts
from pipeline.features.arithmetic import change, positive_ratio
from pipeline.features.feature import Risk, Unit
from pipeline.features.published_accounts import debt, working_capital_ratio

if TYPE_CHECKING:
    import ibis.expr.types as ir

# --- margins, debt and cash of the latest accounts


@of_accounts(
    Unit.RATIO,
    Risk.RISES,
    ("Interest paid over financial debt", "有息负债的利息率"),
    ("Pays {value:.1%} interest on its debt", "有息负债的利息率为{value:.1%}"),
    NO_DEBT,
)
def interest_rate_paid(accounts: ir.Table) -> ir.Value:
    """Interest expense of a year over financial debt: what the customer's banks think of it."""
    return positive_ratio(accounts.interest_expense, debt(accounts))


@of_accounts(
    Unit.RATIO,
    Risk.RISES,
    ("Current share of liabilities", "流动负债占总负债的比例"),
    ("{value:.0%} of the liabilities are current", "总负债中有{value:.0%}为流动负债"),
)
def current_liability_share(accounts: ir.Table) -> ir.Value:
    """Current liabilities over total liabilities: how soon what is owed is due."""
    return positive_ratio(accounts.current_liabilities, accounts.total_liabilities)


# --- against the year before


@of_accounts(
    Unit.RATIO,
    Risk.EITHER,
    ("Growth of assets", "总资产增长率"),
    ("Total assets changed by {value:+.1%} in a year", "总资产一年内变动{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def asset_growth(accounts: ir.Table) -> ir.Value:
    """Total assets less those of the year before, over those; firms fail shrinking and by growing too fast."""
    return positive_ratio(accounts.total_assets - accounts.previous_total_assets, accounts.previous_total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.RISES,
    ("Change of financial debt over assets", "有息负债变动占总资产的比例"),
    ("Financial debt changed by {value:+.1%} of total assets in a year", "有息负债一年内变动为总资产的{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def debt_change(accounts: ir.Table) -> ir.Value:
    """Financial debt less that of the year before, over total assets of the year before."""
    before = accounts.previous_short_term_debt + accounts.previous_long_term_debt
    return positive_ratio(debt(accounts) - before, accounts.previous_total_assets)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Change of cash over assets", "货币资金变动占总资产的比例"),
    ("Cash changed by {value:+.1%} of total assets in a year", "货币资金一年内变动为总资产的{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def cash_change(accounts: ir.Table) -> ir.Value:
    """Cash less that of the year before, over total assets of the year before."""
    return positive_ratio(accounts.cash - accounts.previous_cash, accounts.previous_total_assets)


@of_accounts(
    Unit.DAYS,
    Risk.RISES,
    ("Change of the customer's receivable days", "客户自身应收账款周转天数的变动"),
    (
        "The customer waits {value:+.0f} day{s} against the year before",
        "客户自身应收账款周转天数较上年变动{value:+.0f}天",
    ),
    NO_EARLIER_ACCOUNTS,
)
def receivable_days_change(accounts: ir.Table) -> ir.Value:
    """Receivable days less those of the year before: its own customers pay later, or are pressed to take goods."""
    before = positive_ratio(accounts.previous_receivables * 365, accounts.previous_revenue)
    return change(positive_ratio(accounts.receivables * 365, accounts.revenue), before)


@of_accounts(
    Unit.RATIO,
    Risk.FALLS,
    ("Change of gross margin", "毛利率变动"),
    ("Gross margin changed by {value:+.1%} of revenue in a year", "毛利率一年内变动{value:+.1%}"),
    NO_EARLIER_ACCOUNTS,
)
def gross_margin_change(accounts: ir.Table) -> ir.Value:
    """Gross margin less that of the year before."""
    before = positive_ratio(accounts.previous_revenue - accounts.previous_cost_of_sales, accounts.previous_revenue)
    return change(positive_ratio(accounts.revenue - accounts.cost_of_sales, accounts.revenue), before)


@of_accounts(
    Unit.COUNT,
    Risk.RISES,
    ("Losses in two years running", "连续两年亏损次数"),
    ("{value:.0f} of the last two years ended in a loss", "最近两年中有{value:.0f}年亏损"),
    NO_EARLIER_ACCOUNTS,
)
def loss_year_count(accounts: ir.Table) -> ir.Value:
    """How many of the latest accounts and those of the year before show a loss: 0, 1 or 2."""
    return (accounts.net_income < 0).cast("int8") + (accounts.previous_net_income < 0).cast("int8")


# Ohlson (1980), table 4, model 1: failure within one year.
_OHLSON = {
    "constant": -1.32,
    "liabilities_to_assets": 6.03,
    "working_capital_to_assets": -1.43,
    "current_liabilities_to_current_assets": 0.0757,
    "is_in_debt": -1.72,
    "income_to_assets": -2.37,
    "funds_to_liabilities": -1.83,
    "lost_twice": 0.285,
    "income_change": -0.521,
}


@of_accounts(
    Unit.POINTS,
    Risk.RISES,
    ("O-score after Ohlson, without size", "奥尔森O值（不含规模项）"),
    ("O-score of {value:.1f} (higher is nearer to failure)", "奥尔森O值为{value:.1f}（越高越接近破产）"),
    NO_EARLIER_ACCOUNTS,
)
def ohlson_o_without_size(accounts: ir.Table) -> ir.Value:
    """Ohlson's nine-factor score, model 1, less its size term: log odds of failure but for a constant.

    Left out is −0.407 ln(assets over a price index of the whole economy): there is no such deflator in the ledger, and
    without one the term would measure the currency. Funds from operations are the operating cash flow. Source: Ohlson,
    Financial Ratios and the Probabilistic Prediction of Bankruptcy, Journal of Accounting Research 18 (1980).
    """
    now, before = accounts.net_income, accounts.previous_net_income
    is_in_debt = accounts.total_liabilities > accounts.total_assets
    terms = {
        "liabilities_to_assets": positive_ratio(accounts.total_liabilities, accounts.total_assets),
        "working_capital_to_assets": working_capital_ratio(accounts),
        "current_liabilities_to_current_assets": positive_ratio(accounts.current_liabilities, accounts.current_assets),
        "is_in_debt": is_in_debt.cast("float64"),
        "income_to_assets": positive_ratio(now, accounts.total_assets),
        "funds_to_liabilities": positive_ratio(accounts.operating_cash_flow, accounts.total_liabilities),
        "lost_twice": ((now < 0) & (before < 0)).cast("float64"),
        "income_change": positive_ratio(now - before, now.abs() + before.abs()),
    }
    score = terms["liabilities_to_assets"] * _OHLSON["liabilities_to_assets"] + _OHLSON["constant"]
    for name in tuple(terms)[1:]:
        score = score + terms[name] * _OHLSON[name]
    return score
