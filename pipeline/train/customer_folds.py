"""Folds of whole customer groups, drawn by a stable hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.train.splits import hashed_share

if TYPE_CHECKING:
    from numpy.typing import NDArray


def folds_of(clusters: NDArray[Any], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row, 0 to folds − 1, by a stable hash of its cluster."""
    names, codes = np.unique(clusters.astype(str), return_inverse=True)
    drawn = np.array([int(hashed_share(seed, f"fold:{name}") * folds) for name in names], dtype=np.int64)
    return drawn[codes]
