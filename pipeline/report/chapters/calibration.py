"""Are the forecasts right: observed against expected, in all and by grade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Table, Text
from pipeline.report.chapters.calibration_grades import COHORT, TEST, grades_chart, grades_tables, has_cohort
from pipeline.report.chapters.calibration_methods import methods_tried
from pipeline.report.chapters.calibration_segments import segment_levels
from pipeline.report.chapters.calibration_shown import level_shown, slope_shown
from pipeline.report.chapters.calibration_tests import how_calibrated, tests_of_level
from pipeline.report.chapters.measured import (
    ROLES,
    figure_cell,
    lies,
    measures,
    model_name,
    models,
    reads,
    slope_interval,
    times,
    z_of,
)
from pipeline.report.chapters.verdict_basis import basis_of, evidence, result_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def calibration(given: ReportInput, words: Words) -> Chapter:
    """Grades of the one-year cohort where there is one, level and slope of both models by role, then the test rows
    grade by grade."""
    is_cohort = has_cohort(given)
    first = COHORT if is_cohort else TEST
    blocks: list[Block] = [
        Text(words("calibration.how")),
        *((Text(words("calibration.how_cohort")),) if is_cohort else ()),
        grades_chart(given, first, words),
        *(grades_tables(given, COHORT, words) if is_cohort else ()),
        _level(given, words),
        tests_of_level(given, words),
        *how_calibrated(given, words),
        *methods_tried(given, words),
        *segment_levels(given, words),
        *((Text(words("calibration.test_second")), grades_chart(given, TEST, words)) if is_cohort else ()),
        *grades_tables(given, TEST, words),
    ]
    remarks = [
        words("calibration.remark", model=model_name(name, given, words), remark=words.told(remark))
        for name, told in models(given)
        for remark in ((given.details.get(told["kind"]) or {}).get("calibration") or {}).get("remarks") or ()
    ]
    if remarks:
        blocks.append(Bullets(words("calibration.remarks"), tuple(remarks)))
    return Chapter("calibration", words("calibration.title"), tuple(blocks), words("calibration.lead"))


def _level(given: ReportInput, words: Words) -> Table:
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    if basis_of(given) == COHORT:
        groups.append((0, words("tests.basis.cohort")))
        for name, _ in models(given):
            rows.append(_level_row(name, evidence(given, name), _cohort_shown(name, given, words), given, words))
    z = z_of(given)
    for role in ROLES:
        groups.append((len(rows), words(f"role.{role}")))
        for name, _ in models(given):
            told = measures(given, name, role)
            shown = level_shown(told.get("observed_over_expected"), given, words)
            rows.append(_level_row(name, {**told, "slope": slope_interval(told, z)}, shown, given, words))
    columns = (
        Column(words("discrimination.model")),
        *(Column(words(f"calibration.{name}"), is_number=True) for name in ("bads", "expected_bads", "ratio", "slope")),
        Column(words("tests.shown_head"), is_number=True),
        Column(words("calibration.reading")),
    )
    chances = {"level": figures.share(given.confidence, 0), "power": figures.as_set(given.power)}
    notes = [words("calibration.level_note", **chances)]
    if basis_of(given) == COHORT:
        notes.append(words("calibration.level_cohort_note"))
    return Table(words("calibration.level_caption"), columns, tuple(rows), tuple(notes), tuple(groups))


def _cohort_shown(name: str, given: ReportInput, words: Words) -> str:
    """The factor that the test of the whole cohort finds, as the first page tells it; a dash where it tells none."""
    shown = result_of(given, "jeffreys_total", name).get("shown")
    return times(float(shown or 0.0), words, 2) if figures.is_known(shown) else figures.DASH


def _level_row(name: str, told: Mapping[str, Any], shown: str, given: ReportInput, words: Words) -> tuple[Cell, ...]:
    """`told` with its slope; `shown`: the smallest deviation of the level that would have shown, in words."""
    slope = told.get("slope")
    expected = told["mean_pd"] * told["rows"] if figures.is_known(told.get("mean_pd")) else None
    ratio = told.get("observed_over_expected")
    none = words("why.no_slope") if told.get("rows") else words("why.no_rows")
    shown_slope = figure_cell(slope, told, words) if slope else Cell(figures.DASH, note=none)
    level = reads(ratio, 1.0)
    spread = level if level == "too_few" else lies(slope, 1.0)
    return (
        Cell(model_name(name, given, words)),
        Cell(figures.count(told.get("bads"))),
        Cell(figures.decimal(expected, 1)),
        figure_cell(ratio, told, words),
        shown_slope,
        Cell(shown, note=slope_shown(slope, given, words) if level != "too_few" else ""),
        Cell(words(f"level.{level}"), note=words(f"spread.{spread}")),
    )
