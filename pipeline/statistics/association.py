"""How two rankings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Rank correlation with average ranks for ties; NaN when a side is constant. Source: Spearman 1904.

    >>> round(spearman([1, 2, 3, 4], [10, 20, 40, 30]), 6)
    0.8
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"rank correlation needs two equally long vectors, found {a.shape} and {b.shape}")
    ranks_a, ranks_b = stats.rankdata(a), stats.rankdata(b)
    spread = ranks_a.std() * ranks_b.std()
    if spread == 0:
        return float("nan")
    return float(np.mean((ranks_a - ranks_a.mean()) * (ranks_b - ranks_b.mean())) / spread)
