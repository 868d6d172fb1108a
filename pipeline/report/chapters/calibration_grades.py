"""Forecast and outcome grade by grade: on the one-year cohort where there is one, and on the test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Cell, Column, Missing, Table
from pipeline.report.chapters.measured import model_name, models
from pipeline.report.chapters.tests_details import powers
from pipeline.report.drawing import chart
from pipeline.statistics.proportions import jeffreys_p_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

COHORT = "cohort"
TEST = "test"


@dataclass(frozen=True)
class Grade:
    """One grade of one model: `witnesses` are customer groups on the test rows, customers of the cohort.

    `rows` is null where it is the same number. Mean PD, rate, its interval and p are null for an empty grade.
    """

    name: str
    witnesses: int
    rows: int | None
    bads: int
    mean_pd: float | None
    rate: float | None
    low: float | None
    high: float | None
    p_value: float | None


def has_cohort(given: ReportInput) -> bool:
    """The validation tests told grades of a one-year cohort, of either model."""
    return any(_filled(grades) for _, grades in grades_of(given, COHORT))


def grades_of(given: ReportInput, basis: str) -> list[tuple[str, list[Grade]]]:
    """The grades of each model on those rows, the champion first; no grades where none were told."""
    read = _of_cohort if basis == COHORT else _of_test
    return [(name, read(given, name)) for name, _ in models(given)]


def grades_chart(given: ReportInput, basis: str, words: Words) -> Block:
    """One panel a model; or that there is no row to draw."""
    panels = []
    for name, grades in grades_of(given, basis):
        points = [charts.GradePoint(g.name, g.mean_pd, g.rate, g.low, g.high) for g in _filled(grades)]  # type: ignore[arg-type]
        if points:
            panels.append((model_name(name, given, words), points))
    if not panels:
        return Missing(words("calibration.none"))
    drawing = charts.calibration(panels, words("calibration.expected"), words("calibration.observed"))
    text = figures.in_turn(f"{name}: {_in_words(points, words)}" for name, points in panels)
    description = words("calibration.description", text=text)
    # The first chart of the chapter has its plain name, whichever rows it is of.
    name = "calibration" if basis == COHORT or not has_cohort(given) else "calibration_test"
    title = words(f"calibration.chart_title_{basis}")
    return chart(name, title, words("calibration.caption"), description, drawing)


def grades_tables(given: ReportInput, basis: str, words: Words) -> list[Block]:
    """One table a model, or why there is none."""
    return [_table(name, grades, given, basis, words) for name, grades in grades_of(given, basis)]


def _filled(grades: Sequence[Grade]) -> list[Grade]:
    return [g for g in grades if g.rate is not None]


def _of_test(given: ReportInput, model: str) -> list[Grade]:
    told = (given.validation["models"][model].get("grades") or {}).get(TEST) or ()
    return [
        Grade(str(g["grade"]), g["customers"], g["rows"], g["bads"], g["mean_pd"], g["observed_rate"], g["low"],
              g["high"], g["p_value"])
        for g in told
    ]  # fmt: skip


def _of_cohort(given: ReportInput, model: str) -> list[Grade]:
    return [
        Grade(str(g["grade"]), g["rows"], None, g["bads"], g["mean_pd"], g["rate"], g["low"], g["high"], g["p_value"])
        for g in _result(given, model).get("details") or ()
    ]


def _result(given: ReportInput, model: str) -> Any:
    told = given.validation.get("tests") or ()
    return next((one for one in told if (one["id"], one["model"]) == ("jeffreys_grades", model)), {})


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


def _table(name: str, grades: Sequence[Grade], given: ReportInput, basis: str, words: Words) -> Block:
    if not grades:
        return Missing(words(f"calibration.no_grades_{basis}", model=model_name(name, given, words)))
    heads = ("customers",) if basis == COHORT else ("groups", "rows")
    columns = (
        Column(words("grades.grade")),
        *(
            Column(words(f"calibration.{title}"), is_number=True)
            for title in (*heads, "bads", "mean_pd", "rate", "p_value")
        ),
        Column(words("discrimination.reading")),
    )
    caption = words(f"calibration.grades_caption_{basis}", model=model_name(name, given, words))
    limits = {"low": f"{given.significance:g}", "high": f"{1 - given.significance:g}"}
    note = words(f"calibration.grades_note_{basis}", level=figures.share(given.confidence, 0), **limits)
    told = powers(_result(given, name), words) if basis == COHORT else ()
    return Table(caption, columns, tuple(_row(g, given.significance, words) for g in grades), (note, *told))


def _row(told: Grade, significance: float, words: Words) -> tuple[Cell, ...]:
    rate = figures.measured({"value": told.rate, "low": told.low, "high": told.high}, figures.probability)
    return (
        Cell(told.name),
        Cell(figures.count(told.witnesses)),
        *(() if told.rows is None else (Cell(figures.count(told.rows)),)),
        Cell(figures.count(told.bads)),
        Cell(figures.probability(told.mean_pd)),
        Cell(rate.value, note=rate.interval),
        Cell(figures.decimal(told.p_value, 3)),
        Cell(words(f"grade_reading.{reading(told, significance)}")),
    )


def reading(told: Grade, significance: float) -> str:
    """`low`: the PD is shown too low; `high`: too high; `open`: neither, at that level a side; `empty`: no rows.

    Without a bad p is 1 by rule, which says nothing of a PD that is too high: there the posterior itself is asked.
    """
    if told.p_value is None or told.mean_pd is None:
        return "empty"
    p = told.p_value if told.bads else jeffreys_p_value(told.mean_pd, 0, told.witnesses)
    if told.bads and p < significance:
        return "low"
    return "high" if p > 1 - significance else "open"
