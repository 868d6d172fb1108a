"""Two risk scores on the same rows: the difference of their Ginis, and what so few defaults could have shown at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.discrimination import auc_of, ordered

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pipeline.statistics.bootstrap import Resamples

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """A paired difference, its percentile interval and its standard error over the resamples that had bads and goods.

    `low`, `high` and `error` are NaN when fewer than half of the rounds could be measured.
    """

    value: float
    low: float
    high: float
    error: float
    rounds: int

    @property
    def is_measured(self) -> bool:
        """There is an interval."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    def detectable(self, confidence: float, power: float) -> float:
        """The smallest true difference that these rows would have shown; see `smallest_shown`."""
        return smallest_shown(self.error, confidence, power)

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN is null."""
        told = {"value": self.value, "low": self.low, "high": self.high, "error": self.error}
        return {**{name: float(v) if np.isfinite(v) else None for name, v in told.items()}, "rounds": self.rounds}


def paired_gini(first: ArrayLike, second: ArrayLike, is_bad: ArrayLike, draws: Resamples) -> Difference:
    """Gini of the first score less that of the second on the same rows; every round draws the same clusters for both.

    Scores rise with the risk. Raises ValueError as `ordered` does; NaN throughout without a bad or without a good.
    """
    a, b = ordered(first, is_bad), ordered(second, is_bad)

    def difference(weights: Floats) -> Floats:
        found: Floats = 2.0 * np.atleast_1d(auc_of(*a.cumulated(weights)) - auc_of(*b.cumulated(weights)))
        return found

    value = float(difference(np.ones((1, len(a.order))))[0])
    samples = np.concatenate([difference(weights) for weights in draws.weights()])
    return difference_of(value, samples, draws)


def paired_sum(amounts: ArrayLike, draws: Resamples) -> Difference:
    """Σ amounts with its interval; a difference of two models' amounts row by row pairs itself."""
    values = np.asarray(amounts, dtype=float)
    samples = np.concatenate([np.sum(weights * values, axis=-1) for weights in draws.weights()])
    return difference_of(float(values.sum()), samples, draws)


def difference_of(value: float, samples: Floats, draws: Resamples) -> Difference:
    """The value with the spread of its resamples."""
    interval = draws.interval(value, samples)
    finite = samples[np.isfinite(samples)]
    is_measured = np.isfinite(interval.low) and len(finite) > 1
    error = float(np.std(finite, ddof=1)) if is_measured else float("nan")
    return Difference(value, interval.low, interval.high, error, interval.rounds)


def smallest_shown(error: float, confidence: float, power: float) -> float:
    """The true difference whose two-sided interval at `confidence` leaves zero out with probability `power`.

    (z of the interval + z of the power) times the standard error; NaN stays NaN. Source: Julious 2004, Sample sizes for
    clinical trials with Normal data, section 3, turned round.

    >>> round(smallest_shown(0.01, 0.95, 0.8), 4)
    0.028
    """
    return float((stats.norm.ppf(0.5 + confidence / 2.0) + stats.norm.ppf(power)) * error)


def smallest_shown_beside(low: float, high: float, confidence: float, power: float) -> float:
    """The same from the interval itself, whose half-width is the z of the interval times the standard error; of
    Student's t, whose half-width is wider, a little more than the exact one. NaN stays NaN.

    >>> round(smallest_shown_beside(-0.0196, 0.0196, 0.95, 0.8), 4)
    0.028
    """
    error = (high - low) / 2.0 / float(stats.norm.ppf(0.5 + confidence / 2.0))
    return smallest_shown(error, confidence, power)
