"""How customers of each grade are treated, by the policy of the run, and how much of the book that concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.score.portfolio.amounts import told

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.score.limit_sections import Strategy
    from pipeline.score.policy import Policy


def strategies(book: pd.DataFrame, policy: Policy | None) -> list[dict[str, Any]] | None:
    """One line per grade from best to worst, the default grade last: segment, strategy and action in both languages,
    customers, what they owe, EAD and expected loss; 0 where no customer has the grade.

    `book` is `portfolio.book_frame`; who has no grade stands in no line. Null where the policy of the run can no longer
    be read.
    """
    if policy is None:
        return None
    names = policy.scale.names_with_default
    return [
        _line(book[book["grade"] == grade], grade, str(segment), strategy)
        for grade, segment in zip(names, policy.scale.segment(names), strict=True)
        # A policy is refused unless every grade has one.
        if (strategy := policy.strategy_of(grade)) is not None
    ]


def _line(rows: pd.DataFrame, grade: str, segment: str, strategy: Strategy) -> dict[str, Any]:
    amounts = {name: told(float(rows[f"{name}_cents"].sum())) for name in ("open", "ead", "loss")}
    return {
        "grade": grade,
        "segment": segment,
        "strategy": {"en": strategy.title.en, "zh": strategy.title.zh},
        "action": {"en": strategy.action.en, "zh": strategy.action.zh},
        "customers": len(rows),
        **amounts,
    }
