"""Leaf values of a symmetric tree in the catalogue's directions: isotonic regression on the corners of a cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.train.symmetric_kernels import project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def in_order(values: Floats, weights: Floats, directions: Sequence[int]) -> Floats:
    """The values nearest to `values` (least weighted squares) that follow the directions.

    Leaf i went right at question k where bit k of i is set. With direction +1 at k its value is not below that of the
    leaf that differs from it in that answer alone, with −1 not above, with 0 as it comes. Two rows that differ in one
    feature answer some of the questions about it otherwise, all in the same sense: where the leaves are in order, the
    tree is monotone in every feature that has a direction. Shapes (2^d,), (2^d,) and (d,); weights are above 0.

    >>> in_order(np.array([2.0, 0.0]), np.array([1.0, 3.0]), [1])
    array([0.5, 0.5])
    """
    now = values.copy()
    order = [_pairs(len(values), k, direction) for k, direction in enumerate(directions) if direction]
    if not order:
        return now
    low, high = (np.array([pair[side] for pair in order]) for side in (0, 1))
    if (now[low] > now[high]).any():
        project(now, weights, low, high)
    return now


def _pairs(leaves: int, k: int, direction: int) -> tuple[Ints, Ints]:
    """Leaves that differ in answer k alone: those whose value must not be above the other's, and the others."""
    numbers = np.arange(leaves)
    left = numbers[numbers >> k & 1 == 0]
    right = left | 1 << k
    return (left, right) if direction > 0 else (right, left)
