"""What each grade means for deliveries: strategy, ceiling, terms, deposit and validity, by policy/limits.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table
from pipeline.score.master_scale import DEFAULT_GRADE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.words import Words


def treatment(policy: Mapping[str, Any], words: Words) -> list[Block]:
    """One row per grade and one for default; nothing without a limit policy."""
    if not policy:
        return []
    rows = [_row(grade, told, policy, words) for grade, told in policy["grades"].items()]
    rows.append(_row(DEFAULT_GRADE, policy["in_default"], policy, words))
    columns = (
        Column(words("grades.grade")),
        Column(words("limits.treatment.strategy")),
        *(
            Column(words(f"limits.treatment.{name}"), is_number=True)
            for name in ("ceiling", "terms", "deposit", "valid")
        ),
        Column(words("limits.treatment.action")),
    )
    note = words("limits.treatment.note", valid_from=figures.day(policy["valid_from"]))
    return [Table(words("limits.treatment.caption"), columns, tuple(rows), (note,), is_fixed=True)]


def _row(grade: str, told: Mapping[str, Any], policy: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    strategy = policy["strategies"][told["strategy"]]
    return (
        Cell(grade),
        Cell(strategy["title"][words.language]),
        Cell(figures.count(told["amount"]) if "amount" in told else figures.DASH),
        Cell(figures.count(told["terms_days"])),
        Cell(figures.share(told["deposit_share"], 0)),
        Cell(figures.count(told["valid_months"]) if "valid_months" in told else figures.DASH),
        Cell(strategy["action"][words.language]),
    )
