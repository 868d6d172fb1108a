"""How the customer pays: lateness by window, its spread and change, its distribution, parts, bounces.

Days late are `paid_on` − `due_on`, negative when early. Lateness is weighted by amount: ten late cents must not
outweigh one prompt million. A bounced payment is counted as such and left out of every lateness. Means and quantiles
count up to 90 days, and what a customer usually does is told by its ordinary payments, at most 60 days late: one more
invoice 90 days late must not make anybody look safer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features.absence import (
    NO_HABIT,
    NO_PAYMENT_COUNTS,
    NO_TABLE,
    NOTHING_DUE,
    NOTHING_PAID,
    NOTHING_SETTLED_ORDINARILY,
)
from pipeline.features.arithmetic import ORDINARY_DAYS, WIDE, change, counted, mean_counted, ratio, spread
from pipeline.features.feature import FeatureFamily, Risk, Unit, feature
from pipeline.features.ledger_rows import BOUNCED, DUE, LATENESS, PAID
from pipeline.features.step import LET_PAYMENTS_CLEAR, PAY_ON_TIME

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=PAID,
    months=(3, 6, 12),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Mean days late, {months} months",
    title_zh="近{months}个月平均付款逾期天数",
    en="Paid {value:.0f} day{s} late on average over {months} months",
    zh="近{months}个月平均逾期{value:.0f}天付款",
    people_only=True,
)
def mean_days_late(paid: ir.Table) -> ir.Value:
    """Days from due date to payment, counted up to 90, weighted by amount; early payment is negative."""
    return mean_counted(paid.days_late, paid.amount)


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Spread of days late, {months} months",
    title_zh="近{months}个月付款逾期天数的波动",
    en="Payment dates scatter by {value:.0f} day{s} around the customer's own average over {months} months",
    zh="近{months}个月付款时间围绕自身均值波动{value:.0f}天",
    people_only=True,
)
def spread_of_days_late(paid: ir.Table) -> ir.Value:
    """Standard deviation of days late, weighted by amount: irregular payers differ from steadily late ones."""
    weighted = paid.days_late * paid.amount
    return spread(paid.amount.sum(), weighted.sum(), (weighted.cast(WIDE) * paid.days_late).sum())


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_HABIT,
    title_en="Change of days late, last 3 months against the 9 before",
    title_zh="近3个月付款逾期天数较此前9个月的变化",
    en="Pays {value:+.0f} day{s} against its own habit: last 3 months compared with the 9 before",
    zh="近3个月付款比自身习惯（此前9个月）变化{value:+.0f}天",
    people_only=True,
)
def days_late_change(paid: ir.Table) -> ir.Value:
    """Mean days late of the last 3 months less that of the 9 before; who is always late is judged by its own habit."""
    is_recent = paid.within <= 3
    weighted = paid.days_late * paid.amount
    recent = ratio(weighted.sum(where=is_recent), paid.amount.sum(where=is_recent))
    return change(recent, ratio(weighted.sum(where=~is_recent), paid.amount.sum(where=~is_recent)))


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_SETTLED_ORDINARILY,
    title_en="Median days late, {months} months",
    title_zh="近{months}个月付款逾期天数中位数",
    en="Half of the invoices settled in {months} months were {value:.0f} day{s} late or more",
    zh="近{months}个月结清的发票中有一半逾期{value:.0f}天或更久",
    step=PAY_ON_TIME,
)
def median_days_late(paid: ir.Table) -> ir.Value:
    """Median of days late, counted up to 90, over invoices settled, each counted once at the payment that settled it.

    Null unless one of them was settled at most 60 days late: a median of trouble alone is not what the customer does.
    """
    median = counted(paid.days_late).quantile(0.5, where=paid.is_final)
    return _settled_ordinarily(paid).any().ifelse(median, None)


@feature(
    source=PAID,
    months=(12, 24),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_SETTLED_ORDINARILY,
    title_en="Range of days late, {months} months",
    title_zh="近{months}个月付款逾期天数的差距",
    en="This customer's prompt and its late payments of {months} months lie {value:.0f} day{s} apart",
    zh="近{months}个月该客户付款较早与较晚的发票相差{value:.0f}天",
    step=PAY_ON_TIME,
)
def range_of_days_late(paid: ir.Table) -> ir.Value:
    """90th percentile of days late, counted up to 90, less the 10th of those settled at most 60 days late.

    Over invoices settled; a few odd payments do not move it. Free of the customer's habit: who always pays 40 days late
    has a range of 0.
    """
    late = counted(paid.days_late).quantile(0.9, where=paid.is_final)
    return change(late, paid.days_late.quantile(0.1, where=_settled_ordinarily(paid)))


@feature(
    source=PAID,
    months=(24,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_SETTLED_ORDINARILY,
    title_en="Days late of 6 months above the customer's own best",
    title_zh="近6个月付款逾期天数超出自身最好水平的天数",
    en="Pays {value:.0f} day{s} later in the last 6 months than in its own best times of {months} months",
    zh="近6个月付款比自身近{months}个月的最好水平晚{value:.0f}天",
    step=PAY_ON_TIME,
)
def days_late_over_own_best(paid: ir.Table) -> ir.Value:
    """Median days late of the last 6 months, counted up to 90, less the 10th percentile of all at most 60 days late.

    Over invoices settled; null unless one of the last 6 months was settled at most 60 days late.
    """
    is_recent = paid.within <= 6
    recent = counted(paid.days_late).quantile(0.5, where=paid.is_final & is_recent)
    usual = _settled_ordinarily(paid)
    best = paid.days_late.quantile(0.1, where=usual)
    return (usual & is_recent).any().ifelse(change(recent, best), None)


def _settled_ordinarily(paid: ir.Table) -> ir.Value:
    return paid.is_final & (paid.days_late <= ORDINARY_DAYS)


def _share_paid_over(days: int, months: tuple[int, ...]) -> FeatureFamily:
    english, chinese = (
        (f"more than {days} days late", f"逾期超过{days}天") if days else ("after the due date", "晚于到期日")
    )

    def share(paid: ir.Table) -> ir.Value:
        return ratio(paid.amount.sum(where=paid.days_late > days).fill_null(0), paid.amount.sum())

    share.__doc__ = f"Share of the amount paid that came {english}."
    return feature(
        source=PAID,
        idea=f"share_paid_over_{days}_days_late",
        months=months,
        unit=Unit.SHARE,
        risk=Risk.RISES,
        null_means=NOTHING_PAID,
        title_en=f"Share paid {english}, {{months}} months",
        title_zh=f"近{{months}}个月{chinese}的付款占比",
        en=f"{{value:.0%}} of the amount paid in {{months}} months came {english}",
        zh=f"近{{months}}个月付款金额中有{{value:.0%}}{chinese}",
        people_only=True,
    )(share)


share_paid_over_0_days_late = _share_paid_over(0, (12,))
share_paid_over_10_days_late = _share_paid_over(10, (3, 12))
share_paid_over_30_days_late = _share_paid_over(30, (3, 12))
share_paid_over_60_days_late = _share_paid_over(60, (12,))
share_paid_over_90_days_late = _share_paid_over(90, (12,))


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.FALLS,
    null_means=NOTHING_PAID,
    title_en="Share paid 5 days early or more, {months} months",
    title_zh="近{months}个月提前5天以上付款的占比",
    en="Only {value:.0%} of the amount paid in {months} months came 5 days early or more",
    zh="近{months}个月付款金额中仅{value:.0%}提前5天以上支付",
    people_only=True,
)
def share_paid_early(paid: ir.Table) -> ir.Value:
    """Share of the amount paid at least five days before the due date, as for a cash discount."""
    return ratio(paid.amount.sum(where=paid.days_late <= -5).fill_null(0), paid.amount.sum())


# Dun & Bradstreet's published PAYDEX scale, from 30 days before terms (100) to 120 beyond (20), straight between its
# steps: up to so many days late, the points fall from a day on, by 84ths of a point per day (84 keeps them whole).
_PAYDEX_STEPS = (
    (-20, -30, 100, 84),
    (0, -20, 90, 42),
    (15, 0, 80, 56),
    (22, 15, 70, 120),
    (30, 22, 60, 105),
    (177, 30, 50, 28),
)
_PAYDEX_BEST, _PAYDEX_WORST, _PAYDEX_PARTS = 100, 1, 84


@feature(
    source=PAID,
    months=(3, 12),
    unit=Unit.POINTS,
    risk=Risk.FALLS,
    null_means=NOTHING_PAID,
    title_en="PAYDEX-like payment index, {months} months",
    title_zh="近{months}个月付款指数（类PAYDEX）",
    en="Payment index {value:.0f} of 100 over {months} months (80 is prompt)",
    zh="近{months}个月付款指数为{value:.0f}分（满分100分，80分为按时付款）",
    people_only=True,
)
def paydex(paid: ir.Table) -> ir.Value:
    """Payment index from 1 to 100, weighted by amount; 80 is prompt, 50 is 30 days beyond terms.

    Dun & Bradstreet's published PAYDEX scale, interpolated, over our own payments; theirs is over many suppliers'.
    """
    steps = [
        (paid.days_late <= last, (paid.days_late - first) * -slope + points * _PAYDEX_PARTS)
        for last, first, points, slope in _PAYDEX_STEPS
    ]
    best = (paid.days_late <= _PAYDEX_STEPS[0][1], ibis.literal(_PAYDEX_BEST * _PAYDEX_PARTS))
    parts = ibis.cases(best, *steps, else_=_PAYDEX_WORST * _PAYDEX_PARTS).cast("int32")
    return ratio((parts * paid.amount).sum(), paid.amount.sum() * _PAYDEX_PARTS)


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Longest delay of a payment, {months} months",
    title_zh="近{months}个月最长付款逾期天数",
    en="The most overdue payment of {months} months came {value:.0f} day{s} after its due date",
    zh="近{months}个月拖延最久的一笔付款逾期{value:.0f}天",
    people_only=True,
)
def worst_days_late(paid: ir.Table) -> ir.Value:
    """Most days late of any payment."""
    return paid.days_late.max()


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Days from invoice to payment, {months} months",
    title_zh="近{months}个月从开票到付款的天数",
    en="Takes {value:.0f} day{s} from invoice to payment over {months} months",
    zh="近{months}个月从开票到付款平均需{value:.0f}天",
    people_only=True,
)
def mean_days_to_pay(paid: ir.Table) -> ir.Value:
    """Days from issue to payment, weighted by amount: terms and lateness together."""
    return ratio((paid.days_to_pay * paid.amount).sum(), paid.amount.sum())


@feature(
    source=PAID,
    months=(12, 24),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_PAYMENT_COUNTS,
    title_en="Share of part payments, {months} months",
    title_zh="近{months}个月部分付款的占比",
    en="{value:.0%} of the payments in {months} months settled only part of an invoice",
    zh="近{months}个月有{value:.0%}的付款只清偿了发票的一部分",
    step=PAY_ON_TIME,
)
def part_payment_share(paid: ir.Table) -> ir.Value:
    """Share of payments, by number, that left part of their invoice open.

    A payment that settles its invoice more than 60 days late counts on neither side: it is no better than a part.
    """
    part = (~paid.is_final).sum()
    return ratio(part, part + _settled_ordinarily(paid).sum())


@feature(
    source=PAID,
    months=(12,),
    unit=Unit.COUNT,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Invoices settled, {months} months",
    title_zh="近{months}个月结清的发票数",
    en="{value:.0f} invoice{s} settled in {months} months",
    zh="近{months}个月结清{value:.0f}张发票",
    without_rows=0.0,
    people_only=True,
)
def settled_invoice_count(paid: ir.Table) -> ir.Value:
    """Number of invoices paid in full: how much evidence the lateness rests on."""
    return paid.is_final.sum()


@feature(
    source=BOUNCED,
    months=(3, 12, 24),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Bounced payments, {months} months",
    title_zh="近{months}个月退票或被退回的付款次数",
    en="{value:.0f} bounced or returned payment{s} in {months} months",
    zh="近{months}个月有{value:.0f}笔付款被退票或退回",
    without_rows=0.0,
    step=LET_PAYMENTS_CLEAR,
)
def bounced_payment_count(bounced: ir.Table) -> ir.Value:
    """Number of payments that bounced or were returned."""
    return bounced.count()


@feature(
    source=LATENESS,
    months=(3, 12),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Mean days late of paid and overdue items, {months} months",
    title_zh="近{months}个月已付与逾期未付账款的平均逾期天数",
    en="{value:.0f} day{s} late on average over {months} months, what is still overdue included",
    zh="近{months}个月连同尚未支付的逾期款，平均逾期{value:.0f}天",
    without_rows=0.0,
    step=PAY_ON_TIME,
)
def mean_days_late_with_overdue(lateness: ir.Table) -> ir.Value:
    """Days late of what was paid and days past due of what is overdue, counted up to 90, weighted by amount.

    Lateness of payments alone is blind to who stopped paying. 0 where nothing was paid and nothing is overdue.
    """
    return mean_counted(lateness.days, lateness.amount)


@feature(
    source=LATENESS,
    months=(6, 12),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Worst days late of paid and overdue items, {months} months",
    title_zh="近{months}个月已付与逾期未付账款的最长逾期天数",
    en="Up to {value:.0f} day{s} late in {months} months, what is still overdue included",
    zh="近{months}个月连同尚未支付的逾期款，最长逾期{value:.0f}天",
    without_rows=0.0,
    step=PAY_ON_TIME,
)
def worst_days_late_with_overdue(lateness: ir.Table) -> ir.Value:
    """Most days late of any payment in the window or of any item overdue now; 0 where there is neither."""
    return lateness.days.max()


@feature(
    source=DUE,
    months=(3, 6, 12),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_DUE,
    title_en="Unpaid share of what fell due, {months} months",
    title_zh="近{months}个月到期账款的未付占比",
    en="{value:.0%} of what fell due in {months} months is still unpaid",
    zh="近{months}个月到期的账款中有{value:.0%}尚未支付",
    people_only=True,
)
def unpaid_share_of_due(due: ir.Table) -> ir.Value:
    """What is overdue of the items that fell due in the window, over their amount."""
    return ratio(due.unpaid_amount.sum(), due.amount.sum())
