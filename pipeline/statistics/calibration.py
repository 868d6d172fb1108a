"""Whether forecast default probabilities are right: Brier score, observed over expected, slope and intercept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.statistics.logistic import fit_logistic

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationLine:
    """logit(observed) = intercept + slope × logit(forecast): 0 and 1 when right; a slope below 1 tells of overfitting.

    `slope_error` is the standard error by cluster; `at_large` is the intercept with the slope held at 1.
    """

    slope: float
    intercept: float
    slope_error: float
    at_large: float


def brier(pd: ArrayLike, is_bad: ArrayLike) -> float:
    """Mean squared distance of forecast and outcome. Source: Brier 1950.

    >>> brier([0.5, 0.5], [0, 1])
    0.25
    """
    p, y = _checked(pd, is_bad)
    return float(np.mean((p - y) ** 2))


def log_loss(pd: ArrayLike, is_bad: ArrayLike) -> float:
    """Mean negative log-likelihood, in nats a row. Forecasts of exactly 0 or 1 count as 1e-15 off.

    >>> round(log_loss([0.5, 0.5], [0, 1]), 4)
    0.6931
    """
    p, y = _checked(pd, is_bad)
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))


def observed_over_expected(pd: ArrayLike, is_bad: ArrayLike) -> float:
    """Defaults observed over defaults forecast; above 1 the model is too optimistic.

    >>> observed_over_expected([0.25, 0.25], [0, 1])
    2.0
    """
    p, y = _checked(pd, is_bad)
    return float(y.sum() / p.sum())


def calibration_line(pd: ArrayLike, is_bad: ArrayLike, clusters: ArrayLike | None = None) -> CalibrationLine:
    """Logistic regression of the outcome on the forecast's log odds, errors by cluster. Source: Cox 1958.

    Raises ValueError without a bad or without a good.
    """
    p, y = _checked(pd, is_bad)
    logit = np.log(p / (1 - p))
    constant = np.ones((len(y), 1))
    groups = np.arange(len(y)) if clusters is None else np.asarray(clusters)
    if np.ptp(logit) == 0:
        level = fit_logistic(constant, y, groups, offset=logit)
        return CalibrationLine(float("nan"), float("nan"), float("nan"), float(level.coefficients[0]))
    line = fit_logistic(np.column_stack([constant, logit]), y, groups)
    level = fit_logistic(constant, y, groups, offset=logit)
    return CalibrationLine(
        float(line.coefficients[1]),
        float(line.coefficients[0]),
        float(line.standard_errors[1]),
        float(level.coefficients[0]),
    )


def _checked(pd: ArrayLike, is_bad: ArrayLike) -> tuple[Floats, Floats]:
    p, y = np.asarray(pd, dtype=float), np.asarray(is_bad, dtype=float)
    if p.shape != y.shape or p.ndim != 1 or not p.size:
        raise ValueError(f"forecasts {p.shape} and outcomes {y.shape} must be two equally long, non-empty vectors")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("forecasts must be probabilities between 0 and 1")
    return p, y
