"""Whether the model still holds: how published PDs came out, what it believes of itself, drift, and the gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Heading, Missing, Text, cells
from pipeline.report.drawing import chart
from pipeline.report.portfolio.drawings import lines, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.portfolio.telling import Teller


def monitoring(t: Teller) -> Chapter:
    """Gates of the day, observed over expected by cohort, the Gini believed and observed, drift of the score."""
    told, title = t.told.get("monitoring"), t.say("monitoring.title")
    if not told:
        return Chapter("monitoring", title, (Missing(t.say("monitoring.none")),))
    rows = told["performance"]
    blocks: list[Block] = [_gates(t, told["gates"])]
    blocks += [Heading(t.say("monitoring.cohort.title")), *_cohorts(t, told, rows)]
    blocks += [Heading(t.say("monitoring.believed.title")), *_believed(t, rows)]
    blocks += [Heading(t.say("monitoring.drift.title")), *_drift(t, told["drift"])]
    return Chapter("monitoring", title, tuple(blocks), t.say("monitoring.lead"))


def _gates(t: Teller, gates: Sequence[Mapping[str, Any]] | None) -> Block:
    if gates is None:
        return Missing(t.say("monitoring.other_day"))
    rows = [
        (
            Cell(t.name_of("monitoring.gate.name", gate["name"])),
            Cell(t.name_of("monitoring.light", gate["light"])),
            Cell(
                t.say("not_enough") if gate["value"] is None else figures.decimal(gate["value"], 3),
                note=_beside(t, gate),
            ),
        )
        for gate in gates
    ]
    return t.table("monitoring.gate", ("question", "light_text", "value"), rows, t.say("monitoring.gate.note"))


def _beside(t: Teller, gate: Mapping[str, Any]) -> str:
    """The interval; of a PSI what chance reaches; and, where the gate tests the value against an earlier one, that one
    and the p-value."""
    if gate.get("noise") is not None:
        return t.words("tests.held.monitored", value=_three(gate["noise"]))
    interval = t.range_of(gate["low"], gate["high"], _three)
    if gate.get("p_value") is None or gate.get("against") is None:
        return interval
    before, p_value = _three(gate["against"]), _three(gate["p_value"])
    return t.say("monitoring.gate.order_note", interval=interval, before=before, p=p_value)


def _three(value: float) -> str:
    return figures.decimal(value, 3)


def _cohorts(t: Teller, told: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    known = [row for row in rows if row["level"] is not None]
    if not known:
        return [Missing(t.say("monitoring.cohort.none"))]
    last = known[-1]
    drawing = ratios(
        [row["as_of"] for row in known], [(row["level"], row["level_low"], row["level_high"]) for row in known]
    )
    said = t.say(
        "monitoring.cohort.says", n=len(known), value=figures.decimal(last["level"], 2), day=t.day(last["as_of"])
    )
    blocks: list[Block] = [
        chart("level", t.say("monitoring.cohort.chart"), t.say("monitoring.cohort.note"), said, drawing),
        t.table("monitoring.cohort", ("day", "fit_text", "known", "bads", "expected", "level", "gini"), [
            (
                Cell(row["as_of"]),
                Cell(_after(t, row["is_after_fit"])),
                *cells(figures.count(row["known"]), figures.count(row["bads"])),
                Cell(figures.decimal(row["known_expected"], 1)),
                *(_interval(t, row, name) for name in ("level", "gini")),
            )
            for row in reversed(known)
        ]),
    ]  # fmt: skip
    pooled = told["matured"]
    if pooled and pooled["level"] and pooled["level"]["low"] is not None:
        level = pooled["level"]
        blocks.append(
            Text(
                t.say(
                    "monitoring.cohort.pooled",
                    n=pooled["cohorts"],
                    value=figures.decimal(level["value"], 2),
                    interval=t.aside(level["low"], level["high"], figures.decimal),
                    alone=figures.listed(t.day(day) for day in pooled["not_overlapping"]),
                )
            )
        )
    return blocks


def _interval(t: Teller, row: Mapping[str, Any], name: str) -> Cell:
    return t.measured({"value": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]}, figures.decimal)


def _after(t: Teller, is_after: bool | None) -> str:  # noqa: FBT001 - null where not known
    return (
        t.say("monitoring.cohort.unknown") if is_after is None else t.say(f"monitoring.cohort.{str(is_after).lower()}")
    )


def _believed(t: Teller, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    days = [row["as_of"] for row in rows]
    last = rows[-1] if rows else None
    if last is None or last["expected_gini"] is None:
        return [Missing(t.say("monitoring.believed.none"))]
    blocks: list[Block] = []
    if len(rows) > 1:
        series = [
            (t.say("monitoring.believed.gini"), [row["expected_gini"] for row in rows]),
            (t.say("monitoring.believed.observed"), [row["gini"] for row in rows]),
        ]
        ranges = [[_ends(row, name) for row in rows] for name in ("expected_gini", "gini")]
        drawing = lines(days, series, from_zero=True, ranges=ranges)
        said = t.say("monitoring.believed.says", value=figures.decimal(last["expected_gini"], 2))
        blocks.append(
            chart("believed", t.say("monitoring.believed.chart"), t.say("monitoring.believed.note"), said, drawing)
        )
    low, high = _ends(last, "expected_gini") or (None, None)
    told = t.say(
        "monitoring.believed.last",
        day=t.day(last["as_of"]),
        n=figures.count(last["customers"]),
        expected=figures.decimal(last["expected"], 0),
        interval=t.aside(last["expected_low"], last["expected_high"], figures.count),
        gini=figures.decimal(last["expected_gini"], 2),
        around=t.aside(low, high, figures.decimal),
    )
    return [*blocks, Text(told)]


def _ends(row: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The interval of a figure; null where there is none, or where monitoring kept none when it wrote the row."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return None if low is None or high is None else (low, high)


def _drift(t: Teller, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    kept = {(row["as_of"], row["against"]): row for row in rows if row["psi"] is not None}
    days = sorted({day for day, _ in kept})
    if not days:
        return [Missing(t.say("monitoring.drift.none"))]
    found = []
    for day in reversed(days):
        pair = [kept.get((day, against)) for against in ("development", "month")]
        lights = t.name_of("monitoring.light", (pair[0] or {}).get("light", "grey"))
        values = [figures.DASH if row is None else figures.decimal(row["psi"], 3) for row in pair]
        noise = figures.DASH if pair[0] is None else figures.decimal(pair[0]["noise"], 3)
        found.append(cells(day, lights, values[0], noise, values[1]))
    heads = ("day", "light_text", "development", "noise", "month")
    return [t.table("monitoring.drift", heads, found, t.say("monitoring.drift.note"))]
