"""The information value of bins with an interval: how far chance alone could have carried it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from pipeline.statistics.clustered import Estimate, clustered_error, distinct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]


def information_interval(index: Codes, woe: Floats, is_bad: Floats, codes: Codes, confidence: float) -> Estimate | None:
    """Information value Σ (share of goods − share of bads) · WoE of the bins that `index` names, by cluster.

    `woe` has the weight of each bin; a bin of weight 0 tells nothing. Null without a bad or without a good row.

    Where bins tell nothing the value found is about χ²(B − 1) · (1/bads + 1/goods) (see `noise_quantile`), never 0;
    where they tell something it is about non-central χ² of value / scale. The interval holds every true value under
    which what was found is neither too small nor too great. The scale is that of the counts of clusters, or, where
    larger, the one under which the non-central χ² spreads as widely as the clustered delta method says (its variance is
    4 · value · scale). That the bins were cut on these rows is not in it.

    >>> index, is_bad = np.repeat([0, 0, 1, 1], [40, 10, 10, 40]), np.repeat([0.0, 1, 0, 1], [40, 10, 10, 40])
    >>> found = information_interval(index, np.array([1.386, -1.386]), is_bad, np.arange(100), 0.95)
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (1.663, 0.79, 2.85)
    """
    bads = np.bincount(index, weights=is_bad, minlength=len(woe))
    goods = np.bincount(index, minlength=len(woe)) - bads
    if not (bads.sum() and goods.sum()):
        return None
    value = float(np.sum((goods / goods.sum() - bads / bads.sum()) * woe))
    # The derivative of (p − q) · ln(p / q) by a share of goods p and a share of bads q.
    of_good, of_bad = woe + 1.0 - np.exp(-woe), -woe + 1.0 - np.exp(woe)
    of_good = (of_good - np.average(of_good, weights=goods)) / goods.sum()
    of_bad = (of_bad - np.average(of_bad, weights=bads)) / bads.sum()
    error = clustered_error(np.where(is_bad == 1, of_bad[index], of_good[index]), codes)
    bad_clusters, good_clusters = distinct(codes[is_bad == 1]), distinct(codes[is_bad == 0])
    scale = 1.0 / bad_clusters + 1.0 / good_clusters
    if value > 0:
        scale = max(scale, error**2 / (4.0 * value))
    used = (bads + goods) > 0
    degrees = max(int(np.sum(used & (woe != 0))) + bool(np.any(used & (woe == 0))) - 1, 1)
    low, high = _centres(value / scale, degrees, confidence)
    return Estimate(value, low * scale, max(high * scale, value), error, bad_clusters, good_clusters)


def _centres(found: float, degrees: int, confidence: float) -> tuple[float, float]:
    """The non-centralities of χ² under which what was found is at neither end; 0 where even 0 is not ruled out."""
    tail = (1.0 - confidence) / 2.0
    below = float(stats.chi2.cdf(found, degrees))
    ends = (float(special.chndtrinc(found, degrees, level)) if below > level else 0.0 for level in (1.0 - tail, tail))
    low, high = ends
    return low, high
