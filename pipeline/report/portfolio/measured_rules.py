"""The table of the alert rules as history measured them, for the portfolio report and the page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Missing, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.report.portfolio.telling import Teller

HEADS = ("rule", "opened", "precision", "lift", "recall", "reach", "lead_days", "load", "standing")


def measured_rules(t: Teller, told: Mapping[str, Any]) -> list[Block]:
    """The table, and a sentence on all rules together; `told` is what warnings.json holds."""
    rows = [
        _row(t, Cell(rule_title(t, row), note=t.name_of("severity", row["severity"])), row) for row in told["rules"]
    ]
    pooled = told["all"]
    if pooled is None:
        return [Missing(t.say("measured.none"))]
    rows.append(_row(t, Cell(t.say("measured.any")), {"why_not": None, **pooled}))
    table = t.table(
        "measured", HEADS, rows, t.say("measured.note", fewest=told["fewest"], months=told["months"]),
        first=t.day(told["first"]), last=t.day(told["last"]),
    )  # fmt: skip
    return [table, Text(_sentence(t, told, pooled))]


def rule_title(t: Teller, row: Mapping[str, Any]) -> str:
    """The rule's title in the report's language, as policy words it."""
    return str(row["zh" if t.language == "zh" else "en"])


def _row(t: Teller, head: Cell, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    if row["why_not"] is not None:
        return (head, Cell(t.say(f"measured.why.{row['why_not']}")), *(Cell(figures.DASH) for _ in HEADS[2:]))
    return (
        head,
        Cell(figures.count(row["opened"])),
        t.measured(row["precision"], figures.share),
        t.measured(row["lift"], _times),
        t.measured(row["recall"], figures.share),
        t.measured(row["reach"], figures.share),
        t.measured(row["lead"], _days),
        t.measured(row["load"], _per_hundred),
        t.measured(row["standing"], figures.share),
    )


def _sentence(t: Teller, told: Mapping[str, Any], pooled: Mapping[str, Any]) -> str:
    recall, base = pooled["recall"], pooled["base"]
    if recall["value"] is None or base["value"] is None:
        return t.say("measured.few", n=figures.count(recall["n"]), fewest=told["fewest"])
    return t.say(
        "measured.together",
        hits=figures.count(recall["hits"]),
        n=figures.count(recall["n"]),
        share=figures.share(recall["value"]),
        reach=figures.share(pooled["reach"]["value"]),
        months=told["months"],
        standing=figures.share(pooled["standing"]["value"]),
        base=figures.share(base["value"]),
        load=_per_hundred(pooled["load"]["value"]),
        warned=_per_hundred(pooled["warned"]["value"]),
        rules=figures.count(pooled["rules"]),
        judged=figures.count(pooled["days_judged"]),
        first=t.day(pooled["first_judged"]),
    )


def _digits(places: int) -> Callable[[Any], str]:
    return lambda value: figures.decimal(value, places)


_times, _days, _per_hundred = _digits(1), _digits(0), _digits(2)
