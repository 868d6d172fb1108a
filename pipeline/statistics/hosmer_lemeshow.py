"""Whether default rates agree with forecasts in all grades at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class ChiSquare:
    """A sum of squares with its degrees of freedom; `p_value` is small where the forecasts are contradicted."""

    statistic: float
    degrees: int
    p_value: float


def hosmer_lemeshow(pd: ArrayLike, bads: ArrayLike, n: ArrayLike) -> ChiSquare:
    """Σ (D − N·PD)² / (N·PD·(1 − PD)) over grades, χ² with as many degrees as grades: the PDs are forecasts, nothing
    was fitted on these rows.

    Empty grades are left out. Rows must be independent, and an expected number of defaults near 5 or more a grade is
    needed for the χ²: `merged` puts grades together until it is there. Source: Hosmer and Lemeshow 1980; BCBS Working
    Paper 14 (2005), section III.

    >>> found = hosmer_lemeshow([0.01, 0.05, 0.2], [1, 8, 20], [100, 100, 100])
    >>> round(found.statistic, 3), found.degrees, round(found.p_value, 3)
    (1.895, 3, 0.595)
    """
    p, d, k = (np.asarray(x, dtype=float) for x in (pd, bads, n))
    if not (p.shape == d.shape == k.shape and p.ndim == 1):
        raise ValueError(f"PD, bads and n must be equally long vectors, found {p.shape}, {d.shape} and {k.shape}")
    used = k > 0
    p, d, k = p[used], d[used], k[used]
    if ((p <= 0) | (p >= 1)).any():
        raise ValueError("forecasts must lie strictly between 0 and 1")
    statistic = float(np.sum((d - k * p) ** 2 / (k * p * (1.0 - p))))
    return ChiSquare(statistic, len(p), float(stats.chi2.sf(statistic, len(p))) if len(p) else float("nan"))


def merged(pd: ArrayLike, bads: ArrayLike, n: ArrayLike, least: float = 5.0) -> tuple[np.ndarray, ...]:
    """Neighbouring grades (best first) put together until each expects `least` defaults; what is left joins the last.

    Gives PD (weighted by n), bads and n. Source of the bound of 5: Cochran 1954.

    >>> [x.tolist() for x in merged([0.01, 0.02, 0.1], [0, 3, 9], [100, 200, 100])]
    [[0.016666666666666666, 0.1], [3.0, 9.0], [300.0, 100.0]]
    """
    groups: list[np.ndarray] = []
    open_one = np.zeros(3)
    for p, d, k in zip(*(np.asarray(x, dtype=float) for x in (pd, bads, n)), strict=True):
        open_one = open_one + np.array([p * k if k else 0.0, d, k])
        if open_one[0] >= least:
            groups.append(open_one)
            open_one = np.zeros(3)
    if open_one[2]:
        if groups:
            groups[-1] = groups[-1] + open_one
        else:
            groups.append(open_one)
    if not groups:
        return np.empty(0), np.empty(0), np.empty(0)
    expected, defaults, counts = np.array(groups).T
    return expected / counts, defaults, counts
