"""Shapes a calibration may take, each fitted on rows the model has not seen: Platt's line, beta, isotonic.

A shape is a list of knots (raw ln odds of good, calibrated ln odds of good), rising in both, straight between them and
beyond: what `score.calibration` applies. Which of them is taken is for `calibration_choice`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.segment_shifts import shifts_of
from pipeline.statistics.logistic import fit_logistic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Knots = tuple[tuple[float, float], ...]

# Between these raw log odds a beta curve is drawn by knots a quarter apart; beyond them it is straight to 1e-3.
_BETA_REACH = 8.0
_BETA_STEP = 0.25


@dataclass(frozen=True)
class Observed:
    """Raw ln odds of good, outcome (1 bad, 0 good) and cluster of some rows; `segments` the category that divides the
    customers, None on rows without one, null where nothing divides them."""

    raw_log_odds: Floats
    is_bad: Floats
    clusters: NDArray[Any]
    segments: NDArray[np.object_] | None = None

    @property
    def bad_customers(self) -> int:
        """Clusters with a bad row."""
        return len(np.unique(self.clusters[self.is_bad == 1].astype(str)))

    @property
    def customers(self) -> int:
        """Clusters in all."""
        return len(np.unique(self.clusters.astype(str)))

    def part(self, is_in: NDArray[np.bool_]) -> Observed:
        """The rows where the mask is true."""
        segments = None if self.segments is None else self.segments[is_in]
        return Observed(self.raw_log_odds[is_in], self.is_bad[is_in], self.clusters[is_in], segments)

    @property
    def segments_or_none(self) -> NDArray[np.object_]:
        """The category of each row; None on every row where nothing divides them."""
        return np.full(len(self.is_bad), None, dtype=object) if self.segments is None else self.segments

    def shifted(self, shifts: Mapping[str, float]) -> Observed:
        """The rows with the shift of their segment added to the raw ln odds."""
        if not shifts:
            return self
        return replace(self, raw_log_odds=self.raw_log_odds + shifts_of(self.segments_or_none, shifts))

    def with_rows_of(self, other: Observed) -> Observed:
        """These rows, then the other's."""
        return Observed(
            np.concatenate([self.raw_log_odds, other.raw_log_odds]),
            np.concatenate([self.is_bad, other.is_bad]),
            np.concatenate([self.clusters, other.clusters]),
            np.concatenate([self.segments_or_none, other.segments_or_none]),
        )


def platt(observed: Observed) -> Knots:
    """The line intercept + slope × raw by maximum likelihood, as knots at 0 and 1. Source: Platt 1999.

    A slope below 0.01, which would turn the order round, is 0.01. Raises ValueError with outcomes of one kind only.
    """
    raw = observed.raw_log_odds
    columns = np.column_stack([np.ones(len(raw)), raw])
    intercept, slope = fit_logistic(columns, 1.0 - observed.is_bad, observed.clusters.astype(str)).coefficients
    return ((0.0, float(intercept)), (1.0, float(intercept + max(slope, 0.01))))


def beta(observed: Observed) -> Knots:
    """Beta calibration: logit(bad) = c + a·ln p − b·ln(1 − p) with a, b ≥ 0, p the uncalibrated PD.

    A negative a or b is set to 0 and the rest fitted again, as in the source; with both 0 it is Platt's line.
    Source: Kull, Silva Filho and Flach 2017. Raises ValueError with outcomes of one kind only.
    """
    columns = _beta_columns(observed.raw_log_odds)
    kept = [0, 1, 2]
    names = observed.clusters.astype(str)
    while True:
        found = fit_logistic(columns[:, kept], observed.is_bad, names).coefficients
        wrong = [k for k, value in zip(kept, found, strict=True) if k and value < 0]
        if not wrong:
            break
        kept.remove(min(wrong, key=lambda k: found[kept.index(k)]))
    if kept == [0]:
        return platt(observed)
    coefficients = np.zeros(3)
    coefficients[kept] = found
    x = np.arange(-_BETA_REACH, _BETA_REACH + _BETA_STEP, _BETA_STEP)
    y = -np.einsum("ij,j->i", _beta_columns(x), coefficients)
    return _risen(x, y)


def isotonic(observed: Observed) -> Knots:
    """Blocks of equal rate by pooled adjacent violators, joined through the middle of each block.

    The middle is the mean raw log odds of the block (centred isotonic regression, Oron and Flournoy 2017); the rate
    of a block is smoothed by half a bad and half a good customer, so that no block says 0 or 1. Beyond the outermost
    blocks it goes on with Platt's slope. One block only is Platt's line.
    """
    from sklearn.isotonic import isotonic_regression

    order = np.lexsort([observed.clusters.astype(str), observed.raw_log_odds])
    raw, is_bad = observed.raw_log_odds[order], observed.is_bad[order]
    places, first = np.unique(raw, return_index=True)
    weight = np.diff(np.append(first, len(raw))).astype(float)
    rate = isotonic_regression(np.add.reduceat(is_bad, first) / weight, sample_weight=weight, increasing=False)
    block = np.concatenate([[0], np.cumsum(np.abs(np.diff(rate)) > 1e-12)])
    if block[-1] == 0:
        return platt(observed)
    rows = np.bincount(block, weights=weight)
    bads = np.bincount(block, weights=weight * rate)
    middle = np.bincount(block, weights=weight * places) / rows
    half = 0.5 * len(raw) / observed.customers
    level = np.log((rows - bads + half) / (bads + half))
    slope = platt(observed)[1][1] - platt(observed)[0][1]
    inner = _risen(middle, np.maximum.accumulate(level))
    (x0, y0), (x1, y1) = inner[0], inner[-1]
    return ((x0 - 1.0, y0 - slope), *inner, (x1 + 1.0, y1 + slope))


SHAPES: dict[str, Callable[[Observed], Knots]] = {"platt": platt, "beta": beta, "isotonic": isotonic}


def _beta_columns(raw: Floats) -> Floats:
    """1, ln p and −ln(1 − p) of p = 1 / (1 + exp(raw))."""
    return np.column_stack([np.ones(len(raw)), -np.logaddexp(0.0, raw), np.logaddexp(0.0, -raw)])


def _risen(x: Floats, y: Floats) -> Knots:
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))
