"""Are the forecasts right: observed against expected, in all and by grade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.calibration_segments import segment_levels
from pipeline.report.chapters.calibration_tests import how_calibrated, tests_of_level
from pipeline.report.chapters.measured import (
    ROLES,
    figure_cell,
    lies,
    measures,
    model_name,
    models,
    slope_interval,
    z_of,
)
from pipeline.report.drawing import chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_ROLE = "test"


def calibration(given: ReportInput, words: Words) -> Chapter:
    """Level and slope of both models by role, then the test grade by grade."""
    blocks: list[Block] = [
        Text(words("calibration.how")),
        *_chart(given, words),
        _level(given, words),
        tests_of_level(given, words),
        *how_calibrated(given, words),
        *segment_levels(given, words),
    ]
    for name, told in models(given):
        blocks.append(_grades(name, (told.get("grades") or {}).get(_ROLE) or (), given, words))
    remarks = [
        words("calibration.remark", model=model_name(name, given, words), remark=words.told(remark))
        for name, told in models(given)
        for remark in ((given.details.get(told["kind"]) or {}).get("calibration") or {}).get("remarks") or ()
    ]
    if remarks:
        blocks.append(Bullets(words("calibration.remarks"), tuple(remarks)))
    return Chapter("calibration", words("calibration.title"), tuple(blocks), words("calibration.lead"))


def _chart(given: ReportInput, words: Words) -> list[Block]:
    panels = []
    for name, told in models(given):
        points = [
            charts.GradePoint(str(g["grade"]), g["mean_pd"], g["observed_rate"], g["low"], g["high"])
            for g in (told.get("grades") or {}).get(_ROLE) or ()
            if g["rows"]
        ]
        if points:
            panels.append((model_name(name, given, words), points))
    if not panels:
        return [Missing(words("calibration.none"))]
    drawing = charts.calibration(panels, words("calibration.expected"), words("calibration.observed"))
    text = figures.in_turn(f"{name}: {_in_words(points, words)}" for name, points in panels)
    description = words("calibration.description", text=text)
    return [chart("calibration", words("calibration.chart_title"), words("calibration.caption"), description, drawing)]


def _in_words(points: Sequence[charts.GradePoint], words: Words) -> str:
    return figures.listed(
        words(
            "calibration.point",
            grade=p.grade,
            expected=figures.probability(p.expected),
            observed=figures.probability(p.observed),
            low=figures.probability(p.low),
            high=figures.probability(p.high),
        )
        for p in points
    )


def _level(given: ReportInput, words: Words) -> Table:
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    z = z_of(given)
    for role in ROLES:
        groups.append((len(rows), words(f"role.{role}")))
        for name, _ in models(given):
            rows.append(_level_row(name, measures(given, name, role), z, given, words))
    columns = (
        Column(words("discrimination.model")),
        *(Column(words(f"calibration.{name}"), is_number=True) for name in ("bads", "expected_bads", "ratio", "slope")),
        Column(words("calibration.reading")),
    )
    note = words("calibration.level_note", level=figures.share(given.confidence, 0))
    return Table(words("calibration.level_caption"), columns, tuple(rows), (note,), tuple(groups))


def _level_row(name: str, told: Mapping[str, Any], z: float, given: ReportInput, words: Words) -> tuple[Cell, ...]:
    expected = told["mean_pd"] * told["rows"] if figures.is_known(told.get("mean_pd")) else None
    ratio = told.get("observed_over_expected")
    slope = slope_interval(told, z)
    none = words("why.no_slope") if told.get("rows") else words("why.no_rows")
    shown_slope = figure_cell(slope, told, words) if slope else Cell(figures.DASH, note=none)
    return (
        Cell(model_name(name, given, words)),
        Cell(figures.count(told.get("bads"))),
        Cell(figures.decimal(expected, 1)),
        figure_cell(ratio, told, words),
        shown_slope,
        Cell(words(f"level.{lies(ratio, 1.0)}"), note=words(f"spread.{lies(slope, 1.0)}")),
    )


def _grades(name: str, told: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> Block:
    if not told:
        return Missing(words("calibration.no_grades", model=model_name(name, given, words)))
    columns = (
        Column(words("grades.grade")),
        *(
            Column(words(f"calibration.{title}"), is_number=True)
            for title in ("groups", "rows", "bads", "mean_pd", "rate", "p_value")
        ),
        Column(words("discrimination.reading")),
    )
    caption = words("calibration.grades_caption", model=model_name(name, given, words))
    rows = tuple(_grade_row(g, given.significance, words) for g in told)
    limits = {"low": f"{given.significance:g}", "high": f"{1 - given.significance:g}"}
    note = words("calibration.grades_note", level=figures.share(given.confidence, 0), **limits)
    return Table(caption, columns, rows, (note,))


def _grade_row(told: Mapping[str, Any], significance: float, words: Words) -> tuple[Cell, ...]:
    rate = figures.measured(
        {"value": told["observed_rate"], "low": told["low"], "high": told["high"]}, figures.probability
    )
    return (
        Cell(str(told["grade"])),
        Cell(figures.count(told["customers"])),
        Cell(figures.count(told["rows"])),
        Cell(figures.count(told["bads"])),
        Cell(figures.probability(told["mean_pd"])),
        Cell(rate.value, note=rate.interval),
        Cell(figures.decimal(told["p_value"], 3)),
        Cell(words(f"grade_reading.{_reading(told, significance)}")),
    )


def _reading(told: Mapping[str, Any], significance: float) -> str:
    """`low`: the PD is shown too low; `high`: too high; `open`: neither, at that level a side; `empty`: no rows."""
    p = told.get("p_value")
    if not figures.is_known(p):
        return "empty"
    value = float(p)  # type: ignore[arg-type]
    return "low" if value < significance else "high" if value > 1 - significance else "open"
