"""How the way of paying moves and what it is made of: slope and turn of lateness, round sums, what is paid first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features.absence import (
    NO_TABLE,
    NOTHING_LATE,
    NOTHING_PAID,
    NOTHING_PAID_IN_ONE_OF_THREE,
    NOTHING_PAID_ORDINARILY,
    NOTHING_SETTLED,
    ONE_PAYMENT_DAY,
    TOO_FEW_PAYMENTS,
)
from pipeline.features.arithmetic import ORDINARY_DAYS, change, days_between, in_months, positive_ratio, ratio, slope
from pipeline.features.balances import BALANCE
from pipeline.features.feature import Risk, Unit, feature
from pipeline.features.ledger_rows import LATENESS, PAID
from pipeline.features.step import PAY_ON_TIME

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=ONE_PAYMENT_DAY,
    title_en="Slope of days late, days per month over {months} months",
    title_zh="近{months}个月付款逾期天数的月度趋势",
    en="Lateness changes by {value:+.1f} days with every month of the last {months}",
    zh="近{months}个月内付款逾期天数平均每月变化{value:+.1f}天",
    people_only=True,
)
def days_late_slope(paid: ir.Table) -> ir.Value:
    """Days late gained per month (30.4375 days): least squares over the day of payment, weighted by amount."""
    days_ago = days_between(paid.as_of, paid.paid_on).cast("int32")
    return slope(paid.amount, days_ago, paid.days_late) * -30.4375


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID_IN_ONE_OF_THREE,
    title_en="Acceleration of days late over {months} months",
    title_zh="近{months}个月付款逾期天数的加速度",
    en="Lateness speeds up by {value:+.0f} day{s}: last 3 months against the 3 before, and those against the 6 before",
    zh="付款逾期加速{value:+.0f}天（近3个月对此前3个月，再与更早6个月相比）",
    people_only=True,
)
def days_late_acceleration(paid: ir.Table) -> ir.Value:
    """Change of mean days late from the 3 months before to the last 3, less the change into those 3 from the 6 before.

    Above 0 when lateness grows faster than it did, or has stopped falling.
    """
    weighted = paid.days_late * paid.amount
    periods = (paid.within <= 3, (paid.within > 3) & (paid.within <= 6), paid.within > 6)
    last, before, earlier = (ratio(weighted.sum(where=p), paid.amount.sum(where=p)) for p in periods)
    return change(last + earlier, before * 2)


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_SETTLED,
    title_en="Large invoices paid later than small ones, {months} months",
    title_zh="近{months}个月大额发票比小额发票晚付的天数",
    en="Large invoices are {value:+.0f} day{s} late beside invoices in general over {months} months",
    zh="近{months}个月大额发票的付款逾期较一般发票相差{value:+.0f}天",
    people_only=True,
)
def days_late_of_large_invoices(paid: ir.Table) -> ir.Value:
    """Mean days late weighted by amount less the plain mean over invoices settled; above 0 the large ones wait."""
    plain = ratio(paid.days_late.sum(where=paid.is_final), paid.is_final.sum())
    return change(ratio((paid.days_late * paid.amount).sum(), paid.amount.sum()), plain)


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Terms used, {months} months",
    title_zh="近{months}个月账期使用率",
    en="Takes {value:.0%} of the agreed terms to pay over {months} months",
    zh="近{months}个月实际付款用时为约定账期的{value:.0%}",
    people_only=True,
)
def terms_used(paid: ir.Table) -> ir.Value:
    """Days from issue to payment over days from issue to due date, both weighted by amount; above 1 is late.

    Ten days late is little on 90 days' terms and much on 14.
    """
    taken = (paid.days_to_pay * paid.amount).sum()
    return positive_ratio(taken, taken - (paid.days_late * paid.amount).sum())


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Share of payments in round sums, {months} months",
    title_zh="近{months}个月整数金额付款的占比",
    en="{value:.0%} of the payments in {months} months were round sums that no invoice asked for",
    zh="近{months}个月有{value:.0%}的付款为与发票金额不符的整数金额",
    people_only=True,
)
def round_payment_share(paid: ir.Table) -> ir.Value:
    """Share of payments, by number, that are two digits and zeros, two zeros more than their invoice ends in.

    In the currency of the document. 1,500.00 on an invoice of 1,483.20: who pays what there is, not what is owed.
    """
    return ratio(paid.is_round.sum(), paid.count())


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NOTHING_PAID_ORDINARILY,
    title_en="Share paid in the last 5 days of a month, {months} months",
    title_zh="近{months}个月月末5天内付款的占比",
    en="{value:.0%} of the amount paid in {months} months came in the last 5 days of a month",
    zh="近{months}个月付款金额中有{value:.0%}集中在月末5天",
)
def month_end_payment_share(paid: ir.Table) -> ir.Value:
    """Share of the amount paid on the last five days of a calendar month: payment runs, or dressed month ends.

    Of what was paid at most 60 days late; a payment later than that follows no calendar.
    """
    is_at_end = (paid.paid_on + ibis.interval(days=5)).month() != paid.paid_on.month()
    is_usual = paid.days_late <= ORDINARY_DAYS
    return ratio(paid.amount.sum(where=is_usual & is_at_end).fill_null(0), paid.amount.sum(where=is_usual))


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=TOO_FEW_PAYMENTS,
    title_en="Silence since the last payment, in usual gaps",
    title_zh="距上次付款的间隔相当于平时间隔的倍数",
    en="No payment for {value:.1f} times the customer's usual gap between payments",
    zh="距上次付款的时间为该客户平时付款间隔的{value:.1f}倍",
    people_only=True,
)
def payment_gap_over_habit(paid: ir.Table) -> ir.Value:
    """Days since the last payment over the mean gap between the days of payment; null under three such days."""
    days = days_between(paid.as_of.max(), paid.paid_on.max())
    paying_days = paid.paid_on.nunique()
    gaps = (paying_days >= 3).ifelse(paying_days - 1, None)
    return ratio(days * gaps, days_between(paid.paid_on.max(), paid.paid_on.min()))


@feature(
    source=BALANCE,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Paid for newer items past an older overdue one, 3 months",
    title_zh="近3个月越过较早逾期款先付新款的占比",
    en="{value:.0%} of what was paid in 3 months went to newer items while an older one stays overdue",
    zh="近3个月付款金额中有{value:.0%}用于支付较新的账款，而较早的账款仍逾期未付",
    people_only=True,
)
def paid_new_before_old_share_3m(balance: ir.Table) -> ir.Value:
    """Share of the amount paid in 3 months for items that fell due after the oldest item overdue on the day.

    Only payments made after that oldest item fell due count; 0 when nothing is overdue.
    """
    return positive_ratio(balance.paid_3m_for_newer_amount.fill_null(0), balance.paid_3m_amount)


# A number of days no window reaches, and a power of two, so that days and age share one whole number.
_AGES = 4096
# Who was not late within the window has waited at least as long as it.
_NEVER_MONTHS = 12.0


@feature(
    source=LATENESS,
    months=(12,),
    unit=Unit.MONTHS,
    risk=Risk.EITHER,
    null_means=NOTHING_LATE,
    title_en="Months since the worst delay of {months} months",
    title_zh="距近{months}个月最严重逾期的月数",
    en="The worst delay of {months} months was {value:.1f} months ago",
    zh="近{months}个月最严重的一次逾期发生在{value:.1f}个月前",
    people_only=True,
)
def months_since_worst_days_late(lateness: ir.Table) -> ir.Value:
    """Months from the payment that came latest to the day; 0 where the worst is overdue now, the last of equals counts.

    Either way of risk: a new delay that is less bad than an old one leaves it as it was.
    """
    # The largest days late first, then the smallest age: one maximum tells both, without a tie to break.
    worst = (lateness.days * _AGES - lateness.age_days).max()
    age = (_AGES - worst % _AGES) % _AGES
    return in_months((lateness.days.max() > 0).ifelse(age, None))


@feature(
    source=LATENESS,
    months=(12,),
    unit=Unit.MONTHS,
    risk=Risk.FALLS,
    null_means=NO_TABLE,
    title_en="Months since the last delay of over 30 days, of {months}",
    title_zh="距最近一次逾期超过30天的月数（近{months}个月）",
    en="The last delay of more than 30 days was {value:.1f} months ago",
    zh="最近一次逾期超过30天发生在{value:.1f}个月前",
    without_rows=_NEVER_MONTHS,
    step=PAY_ON_TIME,
)
def months_since_over_30_days_late(lateness: ir.Table) -> ir.Value:
    """Months from the last payment over 30 days late to the day; 0 where an item is over 30 days past due now.

    12, the whole window, where nothing was.
    """
    return in_months(lateness.age_days.min(where=lateness.days > 30)).fill_null(_NEVER_MONTHS)
