"""Fits the calibration from raw log odds to a PD, on customers and dates the model has not seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UnfitForTrainingError
from pipeline.score.calibration import Calibration
from pipeline.statistics.logistic import fit_logistic, satterthwaite
from pipeline.train.calibration_choice import SIMPLEST, Choice, choose
from pipeline.train.calibration_level import bads_of, level_at
from pipeline.train.calibration_segments import SegmentFit, fit_segments
from pipeline.train.calibration_shapes import SHAPES, Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.params import CalibrationParams

    Floats = NDArray[np.float64]
    Knots = tuple[tuple[float, float], ...]

__all__ = ["CalibrationFit", "Observed", "fit_calibration"]

# A slope below this would call all customers alike.
_LEAST_SLOPE = 0.1


@dataclass(frozen=True)
class CalibrationFit:
    """The calibration with what it rests on.

    `slope` and `intercept` are those of the line, or of the line through the shape's mean for a broken one;
    `slope_of_data`, `slope_error` and `slope_degrees` are Platt's slope on the calibration rows alone, its standard
    error by cluster and the degrees of Student's t for it;
    `shape_weight` is the weight of the shape the data gave against the slope 1, `level_weight` that of their level
    against the level of the training rows (null: the level is the long-run rate). Null where nothing was fitted.
    `tendency` tells what the level is set to, and `shift`, what a long-run rate adds to the ln odds of good against the
    level at which the same rows expect as many defaults as they hold (below 0: riskier; 0 without such a rate).
    `segments` tells the levels by segment of customers, null where none were asked for; their shifts belong to the
    predictor, and `calibration` is the one beside them.
    """

    calibration: Calibration
    choice: Choice
    intercept: float
    slope: float
    slope_of_data: float | None
    slope_error: float | None
    slope_degrees: float | None
    shape_weight: float
    level_of_data: float
    level_weight: float | None
    tendency: dict[str, Any]
    bads: int
    bad_customers: int
    remarks: tuple[str, ...]
    segments: SegmentFit | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        plain = asdict(self)
        del plain["calibration"]
        segments = self.segments.as_json() if self.segments else None
        return {**plain, "remarks": list(self.remarks), "segments": segments}


@dataclass(frozen=True)
class _Shape:
    """Knots drawn to the slope 1 by `weight`; the level is not yet set."""

    knots: Knots
    choice: Choice
    weight: float
    slope_of_data: float | None
    slope_error: float | None
    slope_degrees: float | None


def fit_calibration(
    observed: Observed,
    settings: CalibrationParams,
    training: Observed | None = None,
    *,
    segment_by: str | None = None,
    step: float | None = None,
) -> CalibrationFit:
    """Calibrates on rows the model was not fitted on: a shape, drawn to the slope 1 when defaults are few, and a level.

    The shape is that of `choose`. With fewer than `shrink_below_bads` bad customers it is drawn to the slope 1 with
    weight s²/(s² + e²) for the data, s the `slope_spread`, e the standard error of Platt's slope by cluster; with fewer
    than `min_bads` it is the slope 1. The level is the one at which expected equals observed defaults, with credibility
    v/(v + 1/D), v = `level_spread`² + 1/D₀, D and D₀ the bad customers of calibration and training: with few defaults
    it is drawn to the level at which the training rows are right. With `tendency: long_run` it is the one at which the
    mean PD of all these rows is the long-run rate. With `segment_by`, the column whose categories stand in `segments`
    of the rows, segments may have a level of their own (`fit_segments`, which also tells `step`); the mean PD stays
    what it was. Sources: Platt 1999; Bühlmann 1967 on credibility.
    Raises UnfitForTrainingError when there is no good row.
    """
    if not (observed.is_bad == 0).any():
        raise UnfitForTrainingError(
            f"calibration: {len(observed.is_bad):,} rows and no good one among them; hand in a longer history or "
            "other shares of the split"
        )
    remarks: list[str] = []
    shape = _shape(observed, settings, remarks)
    level = level_at(observed, shape.knots, bads_of(observed))
    if settings.tendency == "long_run":
        shift, weight = _long_run(observed, training, shape.knots, settings), None
    else:
        shift, weight = _credible(level, observed, training, shape.knots, settings.level_spread)
    if not observed.bad_customers:
        remarks.append("no default among the calibration customers: their level is that of half a bad customer")
    knots = _raised(shape.knots, shift)
    segments = fit_segments(observed, segment_by, knots, settings, step) if segment_by else None
    shifts = segments.shifts if segments else {}
    if shifts:
        rows = _level_rows(observed, training) if settings.tendency == "long_run" else observed
        knots = _raised(knots, _same_mean(rows, knots, shifts))
    calibration = Calibration(shape.choice.method, knots)
    slope = _mean_slope(calibration, observed)
    return CalibrationFit(
        calibration=calibration,
        choice=shape.choice,
        intercept=float(calibration.log_odds(np.array([0.0]))[0]),
        slope=slope,
        slope_of_data=shape.slope_of_data,
        slope_error=shape.slope_error,
        slope_degrees=shape.slope_degrees,
        shape_weight=shape.weight,
        level_of_data=level,
        level_weight=weight,
        tendency=_tendency(_level_rows(observed, training).shifted(shifts), knots, settings),
        bads=int(observed.is_bad.sum()),
        bad_customers=observed.bad_customers,
        remarks=tuple(remarks),
        segments=segments,
    )


def _raised(knots: Knots, shift: float) -> Knots:
    return tuple((x, y + shift) for x, y in knots)


def _same_mean(rows: Observed, knots: Knots, shifts: Mapping[str, float]) -> float:
    """What brings the expected defaults of the shifted rows back to those of the rows as they were."""
    expected = float(Calibration("shape", knots).pd(rows.raw_log_odds).sum())
    return level_at(rows.shifted(shifts), knots, expected)


def _shape(observed: Observed, settings: CalibrationParams, remarks: list[str]) -> _Shape:
    raw, bads = observed.raw_log_odds, observed.bad_customers
    if bads < settings.min_bads or np.ptp(raw) == 0:
        remarks.append(f"{bads} bad customer(s), fewer than {settings.min_bads}: only the level is calibrated")
        told = Choice(SIMPLEST, "too few bad customers for a shape", {}, {})
        return _Shape(((0.0, 0.0), (1.0, 1.0)), told, 0.0, None, None, None)
    columns = np.column_stack([np.ones(len(raw)), raw])
    goods, names = 1.0 - observed.is_bad, observed.clusters.astype(str)
    line = fit_logistic(columns, goods, names)
    degrees = float(satterthwaite(columns, goods, line, names)[1])
    own, error = float(line.coefficients[1]), float(line.standard_errors[1])
    weight = 1.0
    if bads < settings.shrink_below_bads:
        weight = settings.slope_spread**2 / (settings.slope_spread**2 + error**2)
        remarks.append(
            f"{bads} bad customers, fewer than {settings.shrink_below_bads}: the shape of the data has the weight "
            f"{weight:.2f}, the slope 1 the rest"
        )
    if 1.0 + (own - 1.0) * weight < _LEAST_SLOPE:
        told = Choice(SIMPLEST, "the model does not order these customers", {}, {})
        remarks.append(f"slope {own:.2f}: the model does not order these customers; {_LEAST_SLOPE:g} is used")
        return _Shape(((0.0, 0.0), (1.0, _LEAST_SLOPE)), told, weight, own, error, degrees)
    choice = choose(observed, settings)
    found = SHAPES[choice.method](observed) if choice.method != SIMPLEST else ((0.0, 0.0), (1.0, own))
    knots = tuple((x, x + weight * (y - x)) for x, y in found)
    return _Shape(knots, choice, weight, own, error, degrees)


def _credible(
    level: float, observed: Observed, training: Observed | None, knots: Knots, spread: float
) -> tuple[float, float]:
    """The level and the weight of the calibration rows in it."""
    if training is None:
        return level, 1.0
    before = spread**2 + 1.0 / max(training.bad_customers, 1)
    weight = before / (before + 1.0 / max(observed.bad_customers, 0.5))
    return weight * level + (1.0 - weight) * level_at(training, knots, bads_of(training)), weight


def _level_rows(observed: Observed, training: Observed | None) -> Observed:
    """The rows whose mean PD a long-run rate sets."""
    return observed if training is None else observed.with_rows_of(training)


def _long_run(observed: Observed, training: Observed | None, knots: Knots, settings: CalibrationParams) -> float:
    rows = _level_rows(observed, training)
    return level_at(rows, knots, float(settings.long_run_rate or 0.0) * len(rows.is_bad))


def _tendency(rows: Observed, knots: Knots, settings: CalibrationParams) -> dict[str, Any]:
    """What the level was set to: observed, or the long-run rate with its source and how far it moved these rows."""
    if settings.tendency == "observed":
        return {"kind": "observed", "rate": None, "source": None, "shift": 0.0}
    told = {"kind": "long_run", "rate": settings.long_run_rate, "source": settings.long_run_source}
    # What would bring the PDs back to the defaults of these rows is what the rate has added, turned round.
    return {**told, "shift": -level_at(rows, knots, bads_of(rows))}


def _mean_slope(calibration: Calibration, observed: Observed) -> float:
    """The slope of a line; of a broken one that between the 10 % and 90 % points of the raw log odds."""
    if calibration.is_straight:
        return calibration.segments[0][2]
    low, high = np.quantile(observed.raw_log_odds, [0.1, 0.9])
    below, above = calibration.log_odds(np.array([low, max(high, low + 1e-6)]))
    return float((above - below) / max(high - low, 1e-6))
