"""What became of what stood open a month and a quarter ago, and what of the open items is not yet due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import NOTHING_BILLED, NOTHING_IN_BUCKET
from pipeline.features.arithmetic import positive_ratio
from pipeline.features.balances import BALANCE
from pipeline.features.feature import FeatureFamily, Risk, Unit, feature
from pipeline.features.rolls import ROLLS
from pipeline.features.step import CLEAR_OVERDUE

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _roll_rate(
    bucket: str, idea: str, english: tuple[str, str], chinese: tuple[str, str], *, people_only: bool = False
) -> FeatureFamily:
    """Words say where the amount stood, and where of it a part stands now."""

    def rate(rolls: ir.Table) -> ir.Value:
        return positive_ratio(rolls[f"{bucket}_rolled_amount"], rolls[f"{bucket}_amount"])

    rate.__doc__ = (
        f"Of the amount that was {english[0]}, the share that is {english[1]}.\n\n"
        "As it was known then and is known now; a part paid since has not moved on."
    )
    return feature(
        source=ROLLS,
        idea=idea,
        unit=Unit.SHARE,
        risk=Risk.RISES,
        null_means=NOTHING_IN_BUCKET,
        title_en=f"Roll rate: {english[0]}, {english[1]}",
        title_zh=f"滚动率：{chinese[0]}、{chinese[1]}",
        en=f"{{value:.0%}} of what was {english[0]} is {english[1]}",
        zh=f"{chinese[0]}的金额中有{{value:.0%}}{chinese[1]}",
        people_only=people_only,
        step=CLEAR_OVERDUE,
    )(rate)


roll_rate_not_due_1m = _roll_rate(
    "not_due",
    "roll_rate_not_due_1m",
    ("not yet due a month ago", "overdue today"),
    ("一个月前未到期", "如今已逾期"),
)
roll_rate_1_to_30_1m = _roll_rate(
    "to_30",
    "roll_rate_1_to_30_1m",
    ("1 to 30 days past due a month ago", "over 30 days past due today"),
    ("一个月前逾期1至30天", "如今逾期超过30天"),
)
roll_rate_not_due_3m = _roll_rate(
    "not_due_3m",
    "roll_rate_not_due_3m",
    ("not yet due three months ago", "overdue today"),
    ("三个月前未到期", "如今已逾期"),
    people_only=True,
)


@feature(
    source=BALANCE,
    unit=Unit.DAYS,
    risk=Risk.EITHER,
    null_means=NOTHING_BILLED,
    title_en="Best-possible days of sales outstanding",
    title_zh="最佳可能应收账款周转天数",
    en="Open items not yet due equal {value:.0f} day{s} of the last 12 months' billing",
    zh="未到期账款相当于近12个月开票额的{value:.0f}天",
    people_only=True,
)
def best_possible_dso_12m(balance: ir.Table) -> ir.Value:
    """Open items not past due over what was billed in 12 months, in days: the DSO if everybody paid in time.

    DSO less this is the average days delinquent, `overdue_days_of_billing`. Source: Credit Research Foundation.
    """
    current = balance.open_amount.fill_null(0) - balance.overdue_amount.fill_null(0)
    return positive_ratio(current * 365, balance.billed_12m_amount)
