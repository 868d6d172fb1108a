"""What is owed on the day, how old it is, and how it stands against billing, habit and three months ago.

Open credit notes are left out throughout: they must not hide an overdue item. Days past due are `as_of` − `due_on` of
an open item, 0 when it is not due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import (
    NO_TABLE,
    NOTHING_BILLED,
    NOTHING_OPEN,
    NOTHING_OPEN_OR_NO_HABIT,
    NOTHING_PAID,
    NOTHING_PAID_ORDINARILY,
)
from pipeline.features.arithmetic import mean_counted, positive_ratio, ratio
from pipeline.features.balances import BALANCE
from pipeline.features.feature import FeatureFamily, Risk, Unit, feature
from pipeline.features.ledger_rows import OPEN, OPEN_AND_CREDITS
from pipeline.features.step import CLEAR_OVERDUE

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=BALANCE,
    unit=Unit.MONEY,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Open amount",
    title_zh="未清账款金额",
    en="{value:,.0f} is open",
    zh="未清账款为{value:,.0f}",
    without_rows=0.0,
    people_only=True,
)
def open_amount(balance: ir.Table) -> ir.Value:
    """Sum of open invoices and debit notes, base currency."""
    return balance.open_amount


@feature(
    source=OPEN,
    unit=Unit.COUNT,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Open items",
    title_zh="未清账款笔数",
    en="{value:.0f} open item{s}",
    zh="有{value:.0f}笔未清账款",
    without_rows=0.0,
    people_only=True,
)
def open_item_count(owed: ir.Table) -> ir.Value:
    """Number of open invoices and debit notes."""
    return owed.count()


@feature(
    source=OPEN,
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Overdue items",
    title_zh="逾期账款笔数",
    en="{value:.0f} overdue item{s}",
    zh="有{value:.0f}笔账款逾期",
    without_rows=0.0,
    step=CLEAR_OVERDUE,
)
def overdue_item_count(owed: ir.Table) -> ir.Value:
    """Number of open items past their due date."""
    return (owed.days_past_due > 0).sum()


@feature(
    source=OPEN,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Overdue share of open items, by number",
    title_zh="逾期笔数占未清笔数的比例",
    en="{value:.0%} of the open items are overdue",
    zh="未清账款中有{value:.0%}的笔数已逾期",
    without_rows=0.0,
    step=CLEAR_OVERDUE,
)
def overdue_item_share(owed: ir.Table) -> ir.Value:
    """Overdue items over open items, by number; 0 where nothing is open."""
    return ratio((owed.days_past_due > 0).sum(), owed.count())


def _open_share_over(days: int, *, people_only: bool = False) -> FeatureFamily:
    english, chinese = (f"more than {days} days past due", f"逾期超过{days}天") if days else ("past due", "已逾期")

    def share(owed: ir.Table) -> ir.Value:
        return ratio(owed.open_amount.sum(where=owed.days_past_due > days).fill_null(0), owed.open_amount.sum())

    share.__doc__ = f"Share of the open amount that is {english}; 0 where nothing is open."
    return feature(
        source=OPEN,
        idea=f"open_share_over_{days}_days_past_due",
        unit=Unit.SHARE,
        risk=Risk.RISES,
        null_means=NO_TABLE,
        title_en=f"Share of the open amount {english}",
        title_zh=f"未清金额中{chinese}的占比",
        en=f"{{value:.0%}} of the open amount is {english}",
        zh=f"未清金额中有{{value:.0%}}{chinese}",
        without_rows=0.0,
        people_only=people_only,
        step=CLEAR_OVERDUE,
    )(share)


open_share_over_0_days_past_due = _open_share_over(0)
open_share_over_30_days_past_due = _open_share_over(30)
open_share_over_60_days_past_due = _open_share_over(60)
open_share_over_90_days_past_due = _open_share_over(90, people_only=True)


@feature(
    source=OPEN,
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NOTHING_OPEN,
    title_en="Share of the open amount 1 to 30 days past due",
    title_zh="未清金额中逾期1至30天的占比",
    en="{value:.0%} of the open amount is 1 to 30 days past due",
    zh="未清金额中有{value:.0%}逾期1至30天",
    people_only=True,
)
def open_share_1_to_30_days_past_due(owed: ir.Table) -> ir.Value:
    """Share in the first ageing bucket; a low share is best with nothing overdue and worst with all of it older."""
    bucket = (owed.days_past_due > 0) & (owed.days_past_due <= 30)
    return ratio(owed.open_amount.sum(where=bucket).fill_null(0), owed.open_amount.sum())


@feature(
    source=OPEN,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Days past due of the oldest open item",
    title_zh="最长未付账款的逾期天数",
    en="The oldest open item is {value:.0f} day{s} past due",
    zh="最长的一笔未付账款已逾期{value:.0f}天",
    without_rows=0.0,
    step=CLEAR_OVERDUE,
)
def oldest_days_past_due(owed: ir.Table) -> ir.Value:
    """Days past due of the oldest open item; 0 when nothing open is due, or nothing is open."""
    return owed.days_past_due.max()


@feature(
    source=OPEN,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Mean days past due of the open amount",
    title_zh="未清金额的平均逾期天数",
    en="The open amount is {value:.0f} day{s} past due on average",
    zh="未清金额平均逾期{value:.0f}天",
    without_rows=0.0,
    step=CLEAR_OVERDUE,
)
def mean_days_past_due(owed: ir.Table) -> ir.Value:
    """Days past due, counted up to 90, weighted by open amount; what is not due counts 0, and so does nothing open."""
    return mean_counted(owed.days_past_due, owed.open_amount)


@feature(
    source=OPEN,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_OPEN_OR_NO_HABIT,
    title_en="Share of the open amount later than the customer's habit",
    title_zh="未清金额中超出自身付款习惯的占比",
    en="{value:.0%} of the open amount is more than 10 days later than this customer usually pays",
    zh="未清金额中有{value:.0%}比该客户通常的付款时间晚10天以上",
    people_only=True,
)
def open_share_beyond_habit(owed: ir.Table) -> ir.Value:
    """Share of the open amount past due by over 10 days more than the customer's mean days late of 12 months.

    A habit of paying early counts as paying on the due date; a payment more than 60 days late makes no habit.
    """
    habit = (owed.habit_days < 0).ifelse(0.0, owed.habit_days)
    is_beyond = owed.days_past_due > habit + 10
    known = owed.open_amount.sum(where=owed.habit_days.notnull())
    return ratio(owed.open_amount.sum(where=is_beyond).fill_null(0), known)


@feature(
    source=BALANCE,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID_ORDINARILY,
    title_en="Oldest open item against the customer's habit",
    title_zh="最长未付账款超出自身付款习惯的天数",
    en="The oldest open item is {value:.0f} day{s} later than this customer usually pays",
    zh="最长未付账款比该客户通常的付款时间晚{value:.0f}天",
    step=CLEAR_OVERDUE,
)
def oldest_days_past_due_over_habit(balance: ir.Table) -> ir.Value:
    """Days past due of the oldest open item less the mean days late of 12 months; 0 within it, or with nothing open.

    A habit of paying early counts as paying on the due date; a payment more than 60 days late makes no habit.
    """
    habit = (balance.habit_days < 0).ifelse(0.0, balance.habit_days)
    beyond = balance.oldest_days_past_due.fill_null(0).cast("float64") - habit
    return (beyond < 0).ifelse(0.0, beyond)


@feature(
    source=OPEN,
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NOTHING_OPEN,
    title_en="Largest item's share of the open amount",
    title_zh="最大一笔账款占未清金额的比例",
    en="The largest item makes up {value:.0%} of the open amount",
    zh="最大一笔账款占未清金额的{value:.0%}",
    people_only=True,
)
def largest_open_item_share(owed: ir.Table) -> ir.Value:
    """The largest open item over all open items."""
    return ratio(owed.open_amount.max(), owed.open_amount.sum())


@feature(
    source=OPEN_AND_CREDITS,
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NOTHING_OPEN,
    title_en="Credit notes not yet applied, over open items",
    title_zh="未核销贷项通知单占未清账款的比例",
    en="Credit notes not yet applied amount to {value:.0%} of the open items",
    zh="未核销的贷项通知单相当于未清账款的{value:.0%}",
    people_only=True,
)
def open_credit_share(items: ir.Table) -> ir.Value:
    """Open credit notes over open invoices and debit notes; may pass 1."""
    credit = (-items.open_amount).sum(where=items.open_amount < 0).fill_null(0)
    return ratio(credit, items.open_amount.sum(where=items.open_amount > 0))


@feature(
    source=BALANCE,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_BILLED,
    title_en="Days of sales outstanding, last 3 months' billing",
    title_zh="应收账款周转天数（按近3个月开票额）",
    en="Open items equal {value:.0f} day{s} of the last 3 months' billing",
    zh="未清账款相当于近3个月开票额的{value:.0f}天",
    people_only=True,
)
def dso_3m(balance: ir.Table) -> ir.Value:
    """Open amount over what was billed in 3 months, in days (91 to the quarter)."""
    return positive_ratio(_or_zero(balance.open_amount) * 91, balance.billed_3m_amount)


@feature(
    source=BALANCE,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_BILLED,
    title_en="Days of sales outstanding, last 12 months' billing",
    title_zh="应收账款周转天数（按近12个月开票额）",
    en="Open items equal {value:.0f} day{s} of the last 12 months' billing",
    zh="未清账款相当于近12个月开票额的{value:.0f}天",
    people_only=True,
)
def dso_12m(balance: ir.Table) -> ir.Value:
    """Open amount over what was billed in 12 months, in days."""
    return positive_ratio(_or_zero(balance.open_amount) * 365, balance.billed_12m_amount)


@feature(
    source=BALANCE,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_BILLED,
    title_en="Overdue in days of billing",
    title_zh="逾期账款相当于开票额的天数",
    en="Overdue items equal {value:.0f} day{s} of the last 12 months' billing",
    zh="逾期账款相当于近12个月开票额的{value:.0f}天",
    people_only=True,
)
def overdue_days_of_billing(balance: ir.Table) -> ir.Value:
    """Overdue amount over what was billed in 12 months, in days: average days delinquent, DSO less best-possible DSO.

    Source: Credit Research Foundation.
    """
    return positive_ratio(_or_zero(balance.overdue_amount) * 365, balance.billed_12m_amount)


@feature(
    source=BALANCE,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_BILLED,
    title_en="Growth of overdue in 3 months, over billing",
    title_zh="逾期账款3个月增量占开票额的比例",
    en="Overdue changed by {value:+.0%} of a year's billing within 3 months",
    zh="3个月内逾期账款变动相当于全年开票额的{value:+.0%}",
    people_only=True,
)
def overdue_growth_3m(balance: ir.Table) -> ir.Value:
    """Overdue amount less that of 3 months ago (as known then), over what was billed in 12 months."""
    growth = _or_zero(balance.overdue_amount) - _or_zero(balance.overdue_3m_ago_amount)
    return positive_ratio(growth, balance.billed_12m_amount)


@feature(
    source=BALANCE,
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NOTHING_BILLED,
    title_en="Growth of the open amount in 3 months, over billing",
    title_zh="未清账款3个月增量占开票额的比例",
    en="The open amount changed by {value:+.0%} of a year's billing within 3 months",
    zh="3个月内未清账款变动相当于全年开票额的{value:+.0%}",
    people_only=True,
)
def open_growth_3m(balance: ir.Table) -> ir.Value:
    """Open amount less that of 3 months ago (as known then), over what was billed in 12 months."""
    growth = _or_zero(balance.open_amount) - _or_zero(balance.open_3m_ago_amount)
    return positive_ratio(growth, balance.billed_12m_amount)


@feature(
    source=BALANCE,
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Due by 30 days from now, in usual months of payment",
    title_zh="30天内应付款相当于平时付款的月数",
    en="What is due within 30 days equals {value:.1f} usual months of payment",
    zh="30天内应付的款项相当于平时{value:.1f}个月的付款额",
    people_only=True,
)
def due_soon_in_months_of_payment(balance: ir.Table) -> ir.Value:
    """Overdue and due within 30 days, over a twelfth of what was paid in 12 months: the hump ahead."""
    return positive_ratio(_or_zero(balance.due_soon_amount) * 12, balance.paid_12m_amount)


@feature(
    source=BALANCE,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_BILLED,
    title_en="Paid over billed, 3 months",
    title_zh="近3个月付款额与开票额之比",
    en="Paid {value:.0%} of what was billed in the last 3 months",
    zh="近3个月付款额为开票额的{value:.0%}",
    people_only=True,
)
def paid_to_billed_3m(balance: ir.Table) -> ir.Value:
    """What was paid in 3 months over what was billed in them; below 1 the debt grows."""
    return positive_ratio(_or_zero(balance.paid_3m_amount), balance.billed_3m_amount)


def _or_zero(amount: ir.Value) -> ir.Value:
    """A sum over no rows is zero, not unknown."""
    return amount.fill_null(0)
