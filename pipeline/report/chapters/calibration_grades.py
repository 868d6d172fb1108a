"""Forecast and outcome grade by grade: on the one-year cohort where there is one, and on the test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Cell, Column, Missing, Table
from pipeline.report.chapters.calibration_powers import grade_powers
from pipeline.report.chapters.calibration_readings import Grade, Reading, readings
from pipeline.report.chapters.measured import model_name, models
from pipeline.report.drawing import chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

COHORT = "cohort"
TEST = "test"


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
    rows = tuple(_row(*each, words) for each in zip(grades, readings(grades, given.significance), strict=True))
    return Table(caption, columns, rows, (note, *grade_powers(grades, given, words)))


def _row(told: Grade, found: Reading, words: Words) -> tuple[Cell, ...]:
    rate = figures.measured({"value": told.rate, "low": told.low, "high": told.high}, figures.probability)
    return (
        Cell(told.name),
        Cell(figures.count(told.witnesses)),
        *(() if told.rows is None else (Cell(figures.count(told.rows)),)),
        Cell(figures.count(told.bads)),
        Cell(figures.probability(told.mean_pd)),
        Cell(rate.value, note=rate.interval),
        Cell(figures.decimal(told.p_value, 3), note=_raised(found, words)),
        Cell(words(f"grade_reading.{found.says}")),
    )


def _raised(found: Reading, words: Words) -> str:
    """The p-value after Holm, on the side of the column: near 1 where the PD is too high."""
    if found.p_holm is None:
        return ""
    is_low = found.says in ("low", "perhaps_low")
    raised = found.p_holm if is_low else 1.0 - found.p_holm
    return words("tests.after_holm", value=figures.decimal(raised, 3))
