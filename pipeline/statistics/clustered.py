"""Figures with errors by cluster and no resampling: quick enough for every column of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

_HALVINGS = 60


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval and standard error by cluster; `bads` and `goods` count clusters with such a row."""

    value: float
    low: float
    high: float
    error: float
    bads: int = 0
    goods: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"value": self.value, "low": self.low, "high": self.high, "bads": self.bads, "goods": self.goods}


def clustered_auc(levels: Codes, is_bad: Floats, codes: Codes, confidence: float) -> Estimate | None:
    """AUC of integer levels, risk rising with the level; null without a bad or without a good row.

    The error is that of DeLong et al. 1988 with its placements summed by cluster (Obuchowski 1997). The interval holds
    every AUC whose own error, that of Hanley and McNeil 1982 on the counts of clusters or the clustered one where it is
    larger, does not rule out what was found (Newcombe 2006, method 5): so a perfect order of few bads is no certainty.

    >>> found = clustered_auc(np.array([3, 2, 2, 1]), np.array([1.0, 1, 0, 0]), np.arange(4), 0.95)
    >>> found.value, found.low < 0.5
    (0.875, True)
    """
    if not is_bad.any() or is_bad.all():
        return None
    value, influence = auc_influence(levels, is_bad)
    witnesses = distinct(codes[is_bad == 1]), distinct(codes[is_bad == 0])
    return auc_estimate(value, clustered_error(influence, codes), *witnesses, confidence)


def auc_influence(levels: Codes, is_bad: Floats) -> tuple[float, Floats]:
    """AUC of integer levels, risk rising with the level, and what each row moves it by: the placements of DeLong et al.
    1988, centred. There must be a bad and a good row.

    >>> value, influence = auc_influence(np.array([3, 2, 2, 1]), np.array([1.0, 1, 0, 0]))
    >>> value, influence.tolist()
    (0.875, [0.0625, -0.0625, -0.0625, 0.0625])
    """
    bads = np.bincount(levels, weights=is_bad)
    goods = np.bincount(levels, minlength=len(bads)) - bads
    m, n = bads.sum(), goods.sum()
    above_goods = (np.cumsum(goods) - 0.5 * goods) / n
    below_bads = (m - np.cumsum(bads) + 0.5 * bads) / m
    value = float(np.sum(bads * above_goods) / m)
    return value, np.where(is_bad == 1, (above_goods[levels] - value) / m, (below_bads[levels] - value) / n)


def paired_estimate(value: float, influence: Floats, is_bad: Floats, codes: Codes, confidence: float) -> Estimate:
    """A paired difference whose rows' influences are known, with a symmetric interval by cluster.

    By Student's t with one degree less than there are bad or good clusters, whichever are fewer: both ends are NaN
    where that leaves none.
    """
    error = clustered_error(influence, codes)
    bads, goods = distinct(codes[is_bad == 1]), distinct(codes[is_bad == 0])
    degrees = min(bads, goods) - 1
    reach = float(stats.t.ppf(0.5 + confidence / 2.0, degrees)) * error if degrees > 0 else float("nan")
    return Estimate(value, value - reach, value + reach, error, bads, goods)


def auc_estimate(value: float, error: float, bads: int, goods: int, confidence: float) -> Estimate:
    """The interval described at `clustered_auc`, for an AUC whose clustered error is known."""
    z = float(stats.norm.ppf(0.5 + confidence / 2.0))

    def rules_out(true: float) -> bool:
        return bool((value - true) ** 2 > z**2 * max(_hanley_mcneil(true, bads, goods), error**2))

    return Estimate(value, _edge(value, 0.0, rules_out), _edge(value, 1.0, rules_out), error, bads, goods)


def rate_ratio(is_bad: Floats, is_late: NDArray[np.bool_], codes: Codes, confidence: float) -> tuple[Estimate, float]:
    """Rate of the late rows over that of the others with its interval, and z of the difference; errors by cluster.

    Half a bad row stands on either side, so that a rate of nothing has a logarithm. Both sides must hold rows.
    """
    late, n = is_late.astype(float), np.array([np.sum(~is_late), np.sum(is_late)], dtype=float)
    rates = np.array([np.sum(is_bad * (1 - late)), np.sum(is_bad * late)]) / n
    influence = (is_bad - rates[late.astype(np.int64)]) * np.where(is_late, 1.0, -1.0) / np.where(is_late, n[1], n[0])
    error = clustered_error(influence, codes)
    smooth = rates + 0.5 / n
    spread = clustered_error(influence / np.where(is_late, smooth[1], smooth[0]), codes)
    z = float(stats.norm.ppf(0.5 + confidence / 2.0))
    ratio = smooth[1] / smooth[0]
    found = Estimate(float(ratio), float(ratio * np.exp(-z * spread)), float(ratio * np.exp(z * spread)), spread)
    return found, float((rates[1] - rates[0]) / error) if error > 0 else 0.0


def rate_step(is_bad: Floats, is_second: NDArray[np.bool_], codes: Codes) -> tuple[float, float, int]:
    """Rate of the second rows less that of the others, its error if both were of one rate, and its degrees of freedom.

    The error is that of the score test by cluster, so that a side without a bad row is not taken as known. Degrees of
    Student's t are one less than there are bad or good clusters, whichever are fewer; 0 or −1 leave no test. Both sides
    must hold rows.

    >>> step, error, degrees = rate_step(np.array([0.0, 0, 0, 1]), np.array([False, False, True, True]), np.arange(4))
    >>> step, round(error, 3), degrees
    (0.5, 0.5, 0)
    """
    sides = np.where(is_second, 1.0 / np.sum(is_second), -1.0 / np.sum(~is_second))
    error = clustered_error((is_bad - is_bad.mean()) * sides, codes)
    degrees = min(distinct(codes[is_bad == 1]), distinct(codes[is_bad == 0])) - 1
    return float(is_bad[is_second].mean() - is_bad[~is_second].mean()), error, degrees


def clustered_error(influence: Floats, codes: Codes) -> float:
    """Standard error of a sum of influences that hang together within clusters, with the G/(G − 1) correction."""
    sums = np.bincount(codes, weights=influence)
    clusters = distinct(codes)
    return float(np.sqrt(np.sum(sums**2) * clusters / max(clusters - 1, 1)))


def distinct(codes: Codes) -> int:
    """How many different codes there are, without sorting them.

    >>> distinct(np.array([7, 7, 2]))
    2
    """
    return int(np.count_nonzero(np.bincount(codes))) if len(codes) else 0


def _hanley_mcneil(auc: float, bads: int, goods: int) -> float:
    both_bads, both_goods = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    above = auc * (1 - auc) + (bads - 1) * (both_bads - auc**2) + (goods - 1) * (both_goods - auc**2)
    return above / (bads * goods)


def _edge(inside: float, outside: float, rules_out: Any) -> float:
    """Halves its way to the end of the interval between a value that stands and one that may be ruled out."""
    if not rules_out(outside):
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rules_out(middle) else (middle, outside)
    return inside
