"""Contracts and obligations kept, limits used and covers held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import (
    NO_CONTRACT,
    NO_CONTRACT_OR_NOTHING_OPEN,
    NO_COVER,
    NO_EARLIER_COVER,
    NO_EARLIER_LIMIT,
    NO_LIMIT,
    NO_LIMIT_IN_YEAR,
    NO_OBLIGATION,
    NO_TABLE,
    NOTHING_BILLED,
)
from pipeline.features.agreement_rows import CONTRACTS, OBLIGATIONS
from pipeline.features.arithmetic import in_months, positive_ratio, ratio
from pipeline.features.balances import COVERS, LIMITS
from pipeline.features.feature import Risk, Unit, feature
from pipeline.features.step import BRING_COVER, CLEAR_OVERDUE, KEEP_OBLIGATIONS, STAY_WITHIN_LIMIT

if TYPE_CHECKING:
    import ibis.expr.types as ir

# --- contracts and obligations


@feature(
    source=CONTRACTS,
    unit=Unit.COUNT,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Contracts in force",
    title_zh="有效合同数",
    en="{value:.0f} contract{s} in force",
    zh="有{value:.0f}份有效合同",
    without_rows=0.0,
)
def contract_count(contracts: ir.Table) -> ir.Value:
    """Number of contracts in force on the day."""
    return contracts.count()


@feature(
    source=CONTRACTS,
    unit=Unit.MONTHS,
    risk=Risk.FALLS,
    null_means=NO_CONTRACT,
    title_en="Months left of the longest contract",
    title_zh="最长合同的剩余月数",
    en="The longest contract ends in {value:.0f} month{s}",
    zh="最长的合同还有{value:.0f}个月到期",
)
def contract_months_left(contracts: ir.Table) -> ir.Value:
    """Months to the last day of the contract that runs longest; null also when all are open-ended."""
    return in_months(contracts.days_left.max())


@feature(
    source=CONTRACTS,
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NO_CONTRACT,
    title_en="Deposit over contract value",
    title_zh="保证金占合同金额的比例",
    en="Deposits cover {value:.0%} of the contracts' value",
    zh="保证金为合同金额的{value:.0%}",
)
def deposit_share(contracts: ir.Table) -> ir.Value:
    """Deposits held over the value of contracts in force; a deposit lowers the loss, and is asked of the weak."""
    return ratio(contracts.deposit_amount.sum().fill_null(0), contracts.amount.sum())


@feature(
    source=CONTRACTS,
    tables=("invoices", "payments"),
    unit=Unit.RATIO,
    risk=Risk.EITHER,
    null_means=NO_CONTRACT_OR_NOTHING_OPEN,
    title_en="Deposit over the open amount",
    title_zh="保证金与未清账款之比",
    en="Deposits cover {value:.0%} of the open amount",
    zh="保证金为未清账款的{value:.0%}",
    people_only=True,
)
def deposit_to_open(contracts: ir.Table) -> ir.Value:
    """Deposits held under contracts in force over what is open: what the customer itself would lose."""
    return positive_ratio(contracts.deposit_amount.sum().fill_null(0), contracts.open_amount.max())


@feature(
    source=OBLIGATIONS,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_OBLIGATION,
    title_en="Obligations not kept in time, {months} months",
    title_zh="近{months}个月未按期履行的合同义务占比",
    en="{value:.0%} of the obligations due in {months} months were not kept in time",
    zh="近{months}个月到期的合同义务中有{value:.0%}未按期履行",
    step=KEEP_OBLIGATIONS,
)
def late_obligation_share(obligations: ir.Table) -> ir.Value:
    """Share, by number, of obligations fulfilled late or not at all."""
    return ratio((obligations.days_late > 0).sum(), obligations.count())


@feature(
    source=OBLIGATIONS,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_OBLIGATION,
    title_en="Mean days late with obligations, {months} months",
    title_zh="近{months}个月合同义务平均逾期天数",
    en="Obligations of {months} months were kept {value:.0f} day{s} late on average",
    zh="近{months}个月合同义务平均逾期{value:.0f}天履行",
    step=KEEP_OBLIGATIONS,
)
def mean_obligation_days_late(obligations: ir.Table) -> ir.Value:
    """Days from due to fulfilled, or to the day where it is not; negative when early."""
    return ratio(obligations.days_late.sum(), obligations.count())


@feature(
    source=OBLIGATIONS,
    months=(24,),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Obligations overdue, of {months} months",
    title_zh="近{months}个月到期而仍未履行的合同义务数",
    en="{value:.0f} obligation{s} overdue and not fulfilled",
    zh="有{value:.0f}项合同义务逾期未履行",
    without_rows=0.0,
    step=KEEP_OBLIGATIONS,
)
def overdue_obligation_count(obligations: ir.Table) -> ir.Value:
    """Number of obligations due in the window and not fulfilled on the day."""
    return (~obligations.is_fulfilled & (obligations.days_late > 0)).sum()


# --- limits


@feature(
    source=LIMITS,
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=NO_LIMIT,
    title_en="Utilisation of the limit",
    title_zh="信用额度使用率",
    en="{value:.0%} of the limit is used",
    zh="信用额度已使用{value:.0%}",
)
def utilisation(limits: ir.Table) -> ir.Value:
    """Open amount over limit; above 1 when overdrawn, null without a limit or with a limit of 0."""
    return ratio(limits.open_amount.fill_null(0), limits.limit_amount)


@feature(
    source=LIMITS,
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=NO_LIMIT,
    title_en="Overdue over the limit",
    title_zh="逾期金额占信用额度的比例",
    en="Overdue takes {value:.0%} of the limit",
    zh="逾期金额占信用额度的{value:.0%}",
    step=CLEAR_OVERDUE,
)
def overdue_to_limit(limits: ir.Table) -> ir.Value:
    """Overdue amount over limit; null without a limit or with a limit of 0."""
    return ratio(limits.overdue_amount.fill_null(0), limits.limit_amount)


@feature(
    source=LIMITS,
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=NO_LIMIT,
    title_en="Change of utilisation in 3 months",
    title_zh="信用额度使用率3个月变动",
    en="Use of the limit changed by {value:+.0%} of the limit within 3 months",
    zh="3个月内额度使用率变动{value:+.0%}",
    people_only=True,
)
def utilisation_change_3m(limits: ir.Table) -> ir.Value:
    """Open amount less that of 3 months ago, over the limit of the day."""
    change = limits.open_amount.fill_null(0) - limits.open_3m_ago_amount.fill_null(0)
    return ratio(change, limits.limit_amount)


@feature(
    source=LIMITS,
    tables=("invoices", "payments"),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_LIMIT_IN_YEAR,
    title_en="Share of 12 months over the limit",
    title_zh="近12个月超信用额度的天数占比",
    en="Over the limit on {value:.0%} of the days of 12 months with a limit",
    zh="近12个月有额度的天数中有{value:.0%}超出信用额度",
    step=STAY_WITHIN_LIMIT,
)
def days_over_limit_share_12m(limits: ir.Table) -> ir.Value:
    """Days on which the open amount passed the limit over days with a limit, each as it was known on that day."""
    return ratio(limits.over_limit_days, limits.limited_days)


@feature(
    source=LIMITS,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NO_EARLIER_LIMIT,
    title_en="Limit against that of 12 months ago",
    title_zh="当前信用额度与12个月前之比",
    en="The limit is {value:.0%} of what it was 12 months ago",
    zh="当前信用额度为12个月前的{value:.0%}",
)
def limit_change_12m(limits: ir.Table) -> ir.Value:
    """Limit of the day over that valid 12 months before, as known on the day; null when that was 0."""
    return ratio(limits.limit_amount, limits.limit_12m_ago_amount)


@feature(
    source=LIMITS,
    unit=Unit.MONTHS,
    risk=Risk.EITHER,
    null_means=NO_LIMIT,
    title_en="Months since the limit was set",
    title_zh="信用额度核定距今月数",
    en="The limit was set {value:.0f} month{s} ago",
    zh="信用额度于{value:.0f}个月前核定",
)
def limit_age_months(limits: ir.Table) -> ir.Value:
    """Months since the first day of the limit valid on the day."""
    return in_months(limits.limit_age_days)


@feature(
    source=LIMITS,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_BILLED,
    title_en="Limit in months of billing",
    title_zh="信用额度相当于开票额的月数",
    en="The limit equals {value:.1f} months of billing",
    zh="信用额度相当于{value:.1f}个月的开票额",
    people_only=True,
)
def limit_in_months_of_billing(limits: ir.Table) -> ir.Value:
    """Limit over a twelfth of what was billed in 12 months: how much others trusted the customer before."""
    return positive_ratio(limits.limit_amount * 12, limits.billed_12m_amount)


# --- covers


@feature(
    source=COVERS,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NO_COVER,
    title_en="Cover over the open amount",
    title_zh="信用保障与未清账款之比",
    en="Cover equals {value:.0%} of the open amount",
    zh="信用保障为未清账款的{value:.0%}",
    people_only=True,
)
def cover_to_open(covers: ir.Table) -> ir.Value:
    """Insurance, guarantees and collateral valid on the day over the open amount; null also when nothing is open."""
    return ratio(covers.cover_amount, covers.open_amount)


@feature(
    source=COVERS,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NO_EARLIER_COVER,
    title_en="Cover against that of 12 months ago",
    title_zh="当前信用保障与12个月前之比",
    en="Cover is {value:.0%} of what it was 12 months ago",
    zh="当前信用保障为12个月前的{value:.0%}",
    step=BRING_COVER,
)
def cover_change_12m(covers: ir.Table) -> ir.Value:
    """Cover of the day over that valid 12 months before: an insurer that withdraws knows something."""
    return ratio(covers.cover_amount.fill_null(0), covers.cover_12m_ago_amount)


@feature(
    source=COVERS,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_COVER,
    title_en="Premium rate of the cover",
    title_zh="保费费率",
    en="Cover costs {value:.2%} of the insured amount",
    zh="信用保障的费率为投保金额的{value:.2%}",
    in_confidence=True,
)
def premium_rate(covers: ir.Table) -> ir.Value:
    """Highest premium rate of the covers valid on the day: the insurer's own view of the risk."""
    return covers.premium_rate
