"""Fits the line from raw log odds to the observed default rate, on customers and dates the model has not seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UnfitForTrainingError
from pipeline.score.calibration import Calibration
from pipeline.statistics.logistic import fit_logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.params import CalibrationParams

    Floats = NDArray[np.float64]

# How far from 1 the slopes of honest models lie, and by how much the level of log odds moves between spells of years
# beyond what features see (standard deviations): the weight of what we knew before against few defaults.
_SLOPE_SPREAD = 0.3
_LEVEL_SPREAD = 0.25
_LEAST_SLOPE = 0.1


@dataclass(frozen=True)
class Observed:
    """Raw ln odds of good, outcome (1 bad, 0 good) and cluster of some rows."""

    raw_log_odds: Floats
    is_bad: Floats
    clusters: NDArray[Any]

    @property
    def bad_customers(self) -> int:
        """Clusters with a bad row."""
        return len(np.unique(self.clusters[self.is_bad == 1].astype(str)))


@dataclass(frozen=True)
class CalibrationFit:
    """The line with what it rests on. `slope_of_data` and `level_of_data` are what the calibration rows alone say,
    `level_weight` their weight against the level of the training rows; null where nothing was fitted."""

    calibration: Calibration
    intercept: float
    slope: float
    slope_of_data: float | None
    slope_error: float | None
    level_of_data: float
    level_weight: float
    bads: int
    bad_customers: int
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        plain = asdict(self)
        del plain["calibration"]
        return {**plain, "remarks": list(self.remarks)}


def fit_calibration(
    observed: Observed, settings: CalibrationParams, training: Observed | None = None
) -> CalibrationFit:
    """Platt's line in ln odds of good, calibrated = intercept + slope × raw, on rows the model was not fitted on.

    The slope is drawn to 1 with weight 0.3²/(0.3² + e²) for the data, e its standard error by cluster; with fewer than
    `min_bads` bad customers it is 1. The level at which expected equals observed defaults has credibility
    v/(v + 1/D), v = 0.25² + 1/D₀, with D and D₀ the bad customers of calibration and training: with few defaults it is
    drawn to the level at which the training rows are right. Sources: Platt 1999; Bühlmann 1967 on credibility.
    Raises UnfitForTrainingError when there is no good row.
    """
    if not (observed.is_bad == 0).any():
        raise UnfitForTrainingError(
            f"calibration: {len(observed.is_bad):,} rows and no good one among them; hand in a longer history or "
            "other shares of the split"
        )
    bad_customers = observed.bad_customers
    remarks: list[str] = []
    slope, own, error = _slope(observed, settings, remarks)
    level = _level(observed, slope)
    intercept, weight = level, 1.0
    if training is not None:
        before = _LEVEL_SPREAD**2 + 1.0 / max(training.bad_customers, 1)
        weight = before / (before + 1.0 / max(bad_customers, 0.5))
        intercept = weight * level + (1.0 - weight) * _level(training, slope)
    if not bad_customers:
        remarks.append("no default among the calibration customers: their level is that of half a bad customer")
    return CalibrationFit(
        Calibration.line("platt", intercept, slope),
        intercept,
        slope,
        own,
        error,
        level,
        weight,
        int(observed.is_bad.sum()),
        bad_customers,
        tuple(remarks),
    )


def _slope(
    observed: Observed, settings: CalibrationParams, remarks: list[str]
) -> tuple[float, float | None, float | None]:
    raw = observed.raw_log_odds
    if observed.bad_customers < settings.min_bads or np.ptp(raw) == 0:
        remarks.append(
            f"{observed.bad_customers} bad customer(s), fewer than {settings.min_bads}: only the level is calibrated"
        )
        return 1.0, None, None
    columns = np.column_stack([np.ones(len(raw)), raw])
    fit = fit_logistic(columns, 1.0 - observed.is_bad, observed.clusters.astype(str))
    own, error = float(fit.coefficients[1]), float(fit.standard_errors[1])
    slope = 1.0 + (own - 1.0) * _SLOPE_SPREAD**2 / (_SLOPE_SPREAD**2 + error**2)
    if slope < _LEAST_SLOPE:
        remarks.append(f"slope {slope:.2f}: the model does not order these customers; {_LEAST_SLOPE:g} is used")
    return max(slope, _LEAST_SLOPE), own, error


def _level(observed: Observed, slope: float) -> float:
    """The intercept at which the mean PD equals the default rate, found by bisection (the mean falls with it)."""
    rows_per_customer = len(observed.is_bad) / len(np.unique(observed.clusters.astype(str)))
    bads = max(float(observed.is_bad.sum()), 0.5 * rows_per_customer)
    low, high = -60.0, 60.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        logit = np.clip(middle + slope * observed.raw_log_odds, -700, 700)
        expected = float(np.sum(1.0 / (1.0 + np.exp(logit))))
        low, high = (middle, high) if expected > bads else (low, middle)
    return 0.5 * (low + high)
