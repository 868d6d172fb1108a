"""What the calibration tests say, and how each model was calibrated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table
from pipeline.report.chapters.calibration_methods import undecided
from pipeline.report.chapters.calibration_shown import brier_shown, error_shown
from pipeline.report.chapters.measured import (
    ROLES,
    figure_cell,
    measures,
    model_name,
    models,
    normal_interval,
    slope_interval,
    z_of,
)
from pipeline.statistics.calibration import CalibrationLine
from pipeline.statistics.paired import smallest_shown_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_TESTS = ("intercept", "slope", "at_large", "error", "z")
_FIT = ("bad_groups", "own_slope", "weight", "level_weight")


def tests_of_level(given: ReportInput, words: Words) -> Table:
    """Intercept, slope, calibration error and Spiegelhalter's Z of both models by role."""
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for role in ROLES:
        groups.append((len(rows), words(f"role.{role}")))
        for name, _ in models(given):
            told = measures(given, name, role)
            rows.append((Cell(model_name(name, given, words)), *_tests_row(told, given, words)))
    columns = (
        Column(words("discrimination.model")),
        *(Column(words(f"calibration.{name}"), is_number=True) for name in _TESTS),
    )
    chances = {"level": figures.share(given.confidence, 0), "power": figures.as_set(given.power)}
    reach = figures.decimal(smallest_shown_beside(-1.0, 1.0, given.confidence, given.power))
    note = words("calibration.tests_note", reach=reach, **chances)
    return Table(words("calibration.tests_caption"), columns, tuple(rows), (note,), tuple(groups))


def how_calibrated(given: ReportInput, words: Words) -> list[Block]:
    """Method, reason and weights of each model's calibration; nothing for a model that does not tell them."""
    rows = [
        (Cell(model_name(name, given, words)), *_fit_row(fit, given, words))
        for name, told in models(given)
        if "choice" in (fit := (given.details.get(told["kind"]) or {}).get("calibration") or {})
    ]
    if not rows:
        return []
    columns = (
        Column(words("discrimination.model")),
        *(Column(words(f"calibration.{name}")) for name in ("method", "why")),
        *(Column(words(f"calibration.{name}"), is_number=True) for name in _FIT),
        Column(words("calibration.tendency")),
    )
    note = words("calibration.fit_note", level=figures.share(given.confidence, 0))
    return [Table(words("calibration.fit_caption"), columns, tuple(rows), (note,))]


def _tests_row(told: Mapping[str, Any], given: ReportInput, words: Words) -> tuple[Cell, ...]:
    z = z_of(given)
    error, brier = told.get("calibration_error") or {}, told.get("spiegelhalter") or {}
    chance = words(
        "calibration.by_chance",
        value=figures.probability(error.get("by_chance")),
        p=figures.decimal(error.get("p_value"), 3),
    )
    is_told, few = error.get("p_value") is not None, words("calibration.few_bads")
    p = words("calibration.z_p", p=figures.decimal(brier.get("p_value_by_cluster"), 3))
    z_note = figures.in_turn(text for text in (p, brier_shown(brier, given, words)) if text)
    return (
        figure_cell(normal_interval(told, "calibration_intercept", z), told, words),
        figure_cell(slope_interval(told, z), told, words),
        figure_cell(normal_interval(told, "calibration_at_large", z), told, words),
        Cell(figures.probability(error.get("value")), note=_error_note(error, chance, words) if is_told else few),
        Cell(figures.decimal(brier.get("z_by_cluster")), note=z_note if is_told else few),
    )


def _error_note(error: Mapping[str, Any], chance: str, words: Words) -> str:
    """The interval of the calibration error, which a validation of an earlier make has not, and what chance shows."""
    interval = figures.measured(error, figures.probability).interval
    told = words("calibration.error_note", interval=interval, chance=chance) if interval else chance
    return figures.in_turn(text for text in (told, error_shown(error, words)) if text)


def _fit_row(fit: Mapping[str, Any], given: ReportInput, words: Words) -> tuple[Cell, ...]:
    tendency = fit["tendency"]
    level = words(
        f"calibration.tendency_{tendency['kind']}",
        rate=figures.probability(tendency["rate"]),
        source=words.told(tendency["source"] or ""),
    )
    # A fit of an earlier version did not tell it.
    shift = tendency.get("shift")
    return (
        Cell(words.or_name("calibration.method_name", fit["choice"]["method"])),
        Cell(words.told(fit["choice"]["reason"]), note=undecided(fit["choice"], given, words)),
        Cell(figures.count(fit["bad_customers"])),
        _own_slope(fit, given.confidence),
        Cell(figures.decimal(fit["shape_weight"])),
        Cell(figures.decimal(fit["level_weight"])),
        Cell(level, note=words("calibration.tendency_shift", shift=figures.signed(shift)) if shift else ""),
    )


def _own_slope(fit: Mapping[str, Any], confidence: float) -> Cell:
    """The slope of the calibration rows with its interval by Student's t; a fit of an earlier make tells no degrees of
    freedom, so that its interval is normal."""
    slope, error = fit["slope_of_data"], fit.get("slope_error")
    if not (figures.is_known(slope) and figures.is_known(error)):
        return Cell(figures.decimal(slope))
    degrees = fit.get("slope_degrees")
    line = CalibrationLine(slope, math.nan, float(error or 0.0), math.nan, slope_degrees=degrees or math.inf)
    low, high = line.slope_interval(confidence)
    told = figures.measured({"value": slope, "low": low, "high": high})
    return Cell(told.value, note=told.interval)
