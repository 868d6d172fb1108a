"""Disputes raised: how many, how much, how long, and who was right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import NO_DISPUTE, NO_DISPUTE_OR_BILLING, NO_TABLE, NOTHING_OPEN
from pipeline.features.agreement_rows import DISPUTES
from pipeline.features.arithmetic import positive_ratio, ratio
from pipeline.features.balances import BALANCE
from pipeline.features.feature import Risk, Unit, feature

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=DISPUTES,
    months=(12,),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Disputes, {months} months",
    title_zh="近{months}个月争议次数",
    en="{value:.0f} invoice{s} disputed in {months} months",
    zh="近{months}个月提出{value:.0f}次发票争议",
    without_rows=0.0,
)
def dispute_count(disputes: ir.Table) -> ir.Value:
    """Number of disputes opened."""
    return disputes.count()


@feature(
    source=DISPUTES,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_DISPUTE,
    title_en="Share of settled disputes rejected, {months} months",
    title_zh="近{months}个月已结争议中被驳回的占比",
    en="Disputes of {months} months were settled, {value:.0%} of them by rejection",
    zh="近{months}个月有争议已结，其中{value:.0%}被驳回",
)
def rejected_dispute_share(disputes: ir.Table) -> ir.Value:
    """Disputes found groundless over disputes settled: a dispute may be a way to put off payment."""
    return ratio((disputes.outcome == "rejected").sum().fill_null(0), disputes.resolved_on.count())


@feature(
    source=DISPUTES,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NO_DISPUTE,
    title_en="Share of settled disputes upheld, {months} months",
    title_zh="近{months}个月已结争议中被认可的占比",
    en="Disputes of {months} months were settled, {value:.0%} of them upheld in full",
    zh="近{months}个月有争议已结，其中{value:.0%}被完全认可",
)
def upheld_dispute_share(disputes: ir.Table) -> ir.Value:
    """Disputes found right in full over disputes settled: the fault was ours, and says little of the customer."""
    return ratio((disputes.outcome == "upheld").sum().fill_null(0), disputes.resolved_on.count())


@feature(
    source=DISPUTES,
    tables=("invoices", "payments"),
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_DISPUTE_OR_BILLING,
    title_en="Disputed over billed, {months} months",
    title_zh="近{months}个月争议金额占开票额的比例",
    en="{value:.0%} of what was billed in {months} months was disputed",
    zh="近{months}个月开票额中有{value:.0%}被提出争议",
    people_only=True,
)
def disputed_to_billed(disputes: ir.Table) -> ir.Value:
    """Amount of the disputes opened, settled or not, over what was billed in 12 months; may pass 1."""
    return positive_ratio(disputes.amount.sum(), disputes.billed_12m_amount.max())


@feature(
    source=DISPUTES,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_DISPUTE,
    title_en="Mean length of disputes, {months} months",
    title_zh="近{months}个月争议平均持续天数",
    en="Disputes of {months} months last {value:.0f} day{s} on average",
    zh="近{months}个月的争议平均持续{value:.0f}天",
)
def mean_dispute_days(disputes: ir.Table) -> ir.Value:
    """Days from opening to settlement, or to the day where it is open."""
    return ratio(disputes.days_open.sum(), disputes.count())


@feature(
    source=BALANCE,
    tables=("disputes",),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_OPEN,
    title_en="Disputed share of the open amount",
    title_zh="未清金额中的争议占比",
    en="{value:.0%} of the open amount is disputed",
    zh="未清金额中有{value:.0%}存在争议",
    people_only=True,
)
def disputed_open_share(balance: ir.Table) -> ir.Value:
    """The part of open items under open dispute, over the open amount."""
    return ratio(balance.disputed_amount, balance.open_amount)
