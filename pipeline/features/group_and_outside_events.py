"""What happens round the customer: its group, its industry, courts, agencies, promises and the economy.

Peers are all customers of the ledger known on the day, the customer itself left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import (
    NO_EARLIER_RATING,
    NO_GROUP,
    NO_GROUP_BALANCE,
    NO_GROUP_PAYMENT,
    NO_PEERS,
    NO_RATING,
    NO_SERIES,
    NO_TABLE,
)
from pipeline.features.arithmetic import change, days_between, in_months, positive_ratio, ratio
from pipeline.features.feature import FeatureFamily, Risk, Unit, feature
from pipeline.features.ledger_rows import EVENTS
from pipeline.features.outside_sources import INDUSTRY_INDEX, MACRO_INDEX, PLANS, PROMISES, RATINGS
from pipeline.features.peers import GROUP, INDUSTRY

if TYPE_CHECKING:
    import ibis.expr.types as ir

# --- group and industry


@feature(
    source=GROUP,
    unit=Unit.COUNT,
    risk=Risk.EITHER,
    null_means=NO_GROUP,
    title_en="Other customers of the group",
    title_zh="集团内其他客户数",
    en="{value:.0f} other customer{s} in the group",
    zh="集团内另有{value:.0f}家客户",
)
def group_member_count(group: ir.Table) -> ir.Value:
    """Number of other customers of the same group."""
    return group.is_member


@feature(
    source=GROUP,
    tables=("invoices", "payments"),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_GROUP_BALANCE,
    title_en="Overdue share of the rest of the group",
    title_zh="集团内其他客户的逾期占比",
    en="{value:.0%} of what the rest of the group owes is overdue",
    zh="集团内其他客户的未清账款中有{value:.0%}逾期",
)
def group_overdue_share(group: ir.Table) -> ir.Value:
    """Overdue over open amount of the group's other customers."""
    return ratio(group.overdue_amount, group.open_amount)


@feature(
    source=GROUP,
    tables=("invoices", "payments"),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_GROUP_BALANCE,
    title_en="Share more than 90 days past due in the rest of the group",
    title_zh="集团内其他客户逾期超过90天的占比",
    en="{value:.0%} of what the rest of the group owes is more than 90 days past due",
    zh="集团内其他客户的未清账款中有{value:.0%}逾期超过90天",
)
def group_share_over_90_days_past_due(group: ir.Table) -> ir.Value:
    """Amount more than 90 days past due over open amount of the group's other customers."""
    return ratio(group.over_90_amount, group.open_amount)


@feature(
    source=GROUP,
    tables=("events",),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_GROUP,
    title_en="Insolvencies in the rest of the group, 24 months",
    title_zh="近24个月集团内其他客户的破产事件数",
    en="{value:.0f} insolvency event{s} with other customers of the group in 24 months",
    zh="近24个月集团内其他客户发生{value:.0f}起破产事件",
)
def group_insolvency_count_24m(group: ir.Table) -> ir.Value:
    """Number of insolvency events of the group's other customers in 24 months."""
    return group.insolvency_count


@feature(
    source=GROUP,
    tables=("invoices", "payments", "events"),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_GROUP,
    title_en="Defaults in the rest of the group",
    title_zh="集团内其他客户的违约数",
    en="{value:.0f} other customer{s} of the group defaulted",
    zh="集团内另有{value:.0f}家客户违约",
)
def group_default_count(group: ir.Table) -> ir.Value:
    """Other customers of the group with an insolvency in 24 months, a write-off in 12 or an item over 90 days past due.

    Facts of the day; the policy's definition of default, with thresholds and probation, is stricter.
    """
    return group.has_defaulted


@feature(
    source=GROUP,
    tables=("invoices", "payments"),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_GROUP_PAYMENT,
    title_en="Mean days late of the rest of the group, 12 months",
    title_zh="近12个月集团内其他客户平均付款逾期天数",
    en="The rest of the group paid {value:.0f} day{s} late on average over 12 months",
    zh="近12个月集团内其他客户平均逾期{value:.0f}天付款",
)
def group_mean_days_late_12m(group: ir.Table) -> ir.Value:
    """Days from due date to payment of the group's other customers, weighted by amount."""
    return ratio(group.paid_12m_late_days, group.paid_12m_amount)


@feature(
    source=INDUSTRY,
    tables=("invoices", "payments", "events"),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_PEERS,
    title_en="Default share of the industry",
    title_zh="同行业客户的违约占比",
    en="{value:.1%} of the industry's other customers have defaulted",
    zh="同行业其他客户中有{value:.1%}违约",
)
def industry_default_share(industry: ir.Table) -> ir.Value:
    """Others of the industry section in default, as of the group, over those who owe, were billed or have defaulted."""
    return ratio(industry.has_defaulted, industry.is_active)


@feature(
    source=INDUSTRY,
    tables=("invoices", "payments"),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_PEERS,
    title_en="Overdue share of the industry",
    title_zh="同行业客户的逾期占比",
    en="{value:.0%} of what the industry's other customers owe is overdue",
    zh="同行业其他客户的未清账款中有{value:.0%}逾期",
)
def industry_overdue_share(industry: ir.Table) -> ir.Value:
    """Overdue over open amount of the other customers of the industry section."""
    return ratio(industry.overdue_amount, industry.open_amount)


@feature(
    source=INDUSTRY,
    tables=("invoices", "payments"),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NO_PEERS,
    title_en="Share of the industry's debtors more than 90 days past due",
    title_zh="同行业逾期超过90天的客户占比",
    en="{value:.1%} of the industry's other debtors are more than 90 days past due",
    zh="同行业其他客户中有{value:.1%}逾期超过90天",
)
def industry_share_over_90_days_past_due(industry: ir.Table) -> ir.Value:
    """Customers with an item over 90 days past due over customers with anything open, in the industry section."""
    return ratio(industry.is_over_90, industry.is_debtor)


@feature(
    source=INDUSTRY,
    tables=("invoices", "payments"),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NO_PEERS,
    title_en="Change of the industry's days late",
    title_zh="同行业付款逾期天数的变化",
    en="Over the last 3 months the industry paid {value:+.1f} days against its 12-month average",
    zh="同行业近3个月付款较其近12个月平均变化{value:+.1f}天",
)
def industry_days_late_change(industry: ir.Table) -> ir.Value:
    """Mean days late of the industry section's other customers, 3 months less 12, weighted by amount."""
    recent = ratio(industry.paid_3m_late_days, industry.paid_3m_amount)
    return change(recent, ratio(industry.paid_12m_late_days, industry.paid_12m_amount))


# --- courts, collection, master data


def _event_count(kinds: tuple[str, ...], months: tuple[int, ...], idea: str, words: tuple[str, str]) -> FeatureFamily:
    def count(events: ir.Table) -> ir.Value:
        """Number of such events in the window."""
        return events.kind.isin(kinds).sum()

    english, chinese = words
    return feature(
        source=EVENTS,
        idea=idea,
        months=months,
        unit=Unit.COUNT,
        risk=Risk.RISES,
        null_means=NO_TABLE,
        title_en=f"{english[0].upper()}{english[1:]}, {{months}} months".replace("{s}", "s"),
        title_zh=f"近{{months}}个月{chinese}次数",
        en=f"{{value:.0f}} {english} in {{months}} months",
        zh=f"近{{months}}个月有{{value:.0f}}次{chinese}",
        without_rows=0.0,
    )(count)


litigation_count = _event_count(("litigation",), (12, 24), "litigation_count", ("court case{s}", "诉讼"))
lien_count = _event_count(("lien",), (24,), "lien_count", ("lien{s} or seizure{s}", "资产抵押或查封"))
payment_plan_count = _event_count(("payment_plan",), (12,), "payment_plan_count", ("payment plan{s}", "分期还款安排"))
contact_count = _event_count(("contact",), (12,), "contact_count", ("collection contact{s}", "催收联系"))
master_change_count = _event_count(
    ("address_change", "ownership_change"),
    (12,),
    "master_change_count",
    ("change{s} of address or owner", "地址或股权变更"),
)
promise_count = _event_count(("promise_to_pay",), (12,), "promise_count", ("promise{s} to pay", "付款承诺"))


@feature(
    source=PROMISES,
    months=(12,),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Broken promises to pay, {months} months",
    title_zh="近{months}个月未兑现的付款承诺次数",
    en="{value:.0f} broken promise{s} to pay in {months} months",
    zh="近{months}个月有{value:.0f}次付款承诺未兑现",
    without_rows=0.0,
    people_only=True,
)
def broken_promise_count(promises: ir.Table) -> ir.Value:
    """Number of promises not followed in time by payments of the amount promised (by any payment, if it names none).

    In time is three days after the promised day, which the event's text tells, else two weeks after the promise.
    """
    return promises.is_broken.sum()


@feature(
    source=PLANS,
    months=(12,),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Broken payment plans, {months} months",
    title_zh="近{months}个月未履行的分期还款安排数",
    en="{value:.0f} broken payment plan{s} of {months} months",
    zh="近{months}个月有{value:.0f}项分期还款安排未履行",
    without_rows=0.0,
    people_only=True,
)
def broken_plan_count(plans: ir.Table) -> ir.Value:
    """Number of payment plans under which nothing came for 45 days while something is overdue."""
    return plans.is_broken.sum()


# --- ratings of others


@feature(
    source=RATINGS,
    unit=Unit.POINTS,
    risk=Risk.RISES,
    null_means=NO_RATING,
    title_en="External rating",
    title_zh="外部评级",
    en="External rating {value:.0f} (1 is best, 10 worst)",
    zh="外部评级为{value:.0f}（1最好，10最差）",
    in_confidence=True,
)
def external_rating(ratings: ir.Table) -> ir.Value:
    """The latest external rating of 36 months."""
    return ratings.rating


@feature(
    source=RATINGS,
    unit=Unit.POINTS,
    risk=Risk.RISES,
    null_means=NO_EARLIER_RATING,
    title_en="Change of the external rating in 12 months",
    title_zh="外部评级12个月内的变动",
    en="External rating moved {value:+.0f} step{s} in 12 months (up is worse)",
    zh="外部评级12个月内变动{value:+.0f}级（上升为恶化）",
    in_confidence=True,
)
def external_rating_change_12m(ratings: ir.Table) -> ir.Value:
    """The latest external rating less the latest of those a year old or older; above 0 is a downgrade."""
    return ratings.rating - ratings.rating_12m_ago


@feature(
    source=RATINGS,
    unit=Unit.MONTHS,
    risk=Risk.EITHER,
    null_means=NO_RATING,
    title_en="Months since the external rating",
    title_zh="外部评级距今月数",
    en="The external rating is {value:.0f} month{s} old",
    zh="外部评级距今{value:.0f}个月",
    in_confidence=True,
)
def external_rating_age_months(ratings: ir.Table) -> ir.Value:
    """Months from the day of the latest external rating to the day."""
    return in_months(days_between(ratings.as_of, ratings.occurred_on))


# --- the economy


@feature(
    source=INDUSTRY_INDEX,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NO_SERIES,
    title_en="Change of the industry's index in 12 months",
    title_zh="行业指数12个月变动",
    en="The industry's index changed by {value:+.1%} in 12 months",
    zh="行业指数12个月内变动{value:+.1%}",
)
def industry_index_change_12m(index: ir.Table) -> ir.Value:
    """Latest published value of the series `industry:<code>` (an index of activity) against that of a year before."""
    return positive_ratio(index.value - index.value_12m_ago, index.value_12m_ago)


@feature(
    source=INDUSTRY_INDEX,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NO_SERIES,
    title_en="Change of the industry's index in 3 months",
    title_zh="行业指数3个月变动",
    en="The industry's index changed by {value:+.1%} in 3 months",
    zh="行业指数3个月内变动{value:+.1%}",
)
def industry_index_change_3m(index: ir.Table) -> ir.Value:
    """Latest published value of the series `industry:<code>` against that of a quarter before."""
    return positive_ratio(index.value - index.value_3m_ago, index.value_3m_ago)


@feature(
    source=MACRO_INDEX,
    unit=Unit.POINTS,
    risk=Risk.FALLS,
    null_means=NO_SERIES,
    title_en="Purchasing managers' index",
    title_zh="采购经理指数（PMI）",
    en="Purchasing managers' index at {value:.1f}",
    zh="采购经理指数（PMI）为{value:.1f}",
)
def pmi(index: ir.Table) -> ir.Value:
    """Latest published value of the series `macro:pmi`; the same for every customer of a day."""
    return index.value


@feature(
    source=MACRO_INDEX,
    unit=Unit.POINTS,
    risk=Risk.FALLS,
    null_means=NO_SERIES,
    title_en="Change of the purchasing managers' index in 12 months",
    title_zh="采购经理指数（PMI）12个月变动",
    en="Purchasing managers' index {value:+.1f} points against a year before",
    zh="采购经理指数（PMI）较上年同期变动{value:+.1f}点",
)
def pmi_change_12m(index: ir.Table) -> ir.Value:
    """Latest published value of `macro:pmi` less that of a year before."""
    return change(index.value, index.value_12m_ago)
