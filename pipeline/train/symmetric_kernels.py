"""What growing symmetric trees spends its time on, compiled: sums by cell, scores of questions, values in order.

No sum is shared out among threads and no operation reordered, so that the trees are the same on any number of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_SWEEPS = 300
_AT_REST = 1e-7
_Function = TypeVar("_Function", bound="Callable[..., object]")


def compiled(function: _Function) -> _Function:
    """Compiled at the first call, without Python's lock; kept on disk where a folder for it may be written.

    Dividing by 0 gives what it does in numpy, so that loops need not look out for it.
    """
    try:
        return cast("_Function", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        # numba finds no folder that it may write to.
        return cast("_Function", njit(nogil=True, error_model="numpy")(function))


@compiled
def add_up(cells: NDArray[np.int16], features: Ints, leaf: Ints, moves: Floats, leaves: int) -> Floats:
    """Sums of `moves`, a gradient and a weight a row, shape (features, leaves, cells, 2); zeros but for `features`.

    `cells` has the shape (features, rows).
    """
    sums = np.zeros((cells.shape[0], leaves, cells.max() + 1, 2))
    for j in features:
        for i in range(cells.shape[1]):
            sums[j, leaf[i], cells[j, i], 0] += moves[i, 0]
            sums[j, leaf[i], cells[j, i], 1] += moves[i, 1]
    return sums


@compiled
def scores(sums: Floats, totals: Floats, questions: Ints, kinds: Ints, l2: float) -> Floats:
    """Of every question, how far the steps of all leaves point along their gradients: Σ g·s / √(Σ n·s²).

    s = g / (n + l2) for both sides of every leaf, g the sum of gradients and n of weights. A leaf whose sides would go
    against the feature's direction stays whole. `totals` are g and n of each leaf, `kinds` of each feature whether it
    is a category and its direction. Questions of one feature stand together, the lowest cell first.
    """
    along, length = np.zeros(len(questions)), np.zeros(len(questions))
    left, direction = np.empty((2, len(questions))), np.empty(len(questions))
    for q in range(len(questions)):
        direction[q] = kinds[questions[q, 0], 1]
    for leaf in range(len(totals)):
        g_whole, n_whole = totals[leaf, 0], totals[leaf, 1]
        if n_whole == 0.0:
            continue
        _left_sides(sums[:, leaf], questions, kinds, left)
        whole = g_whole / (n_whole + l2)
        for q in range(len(questions)):
            g, n = left[0, q], left[1, q]
            step, other = g / (n + l2), (g_whole - g) / (n_whole - n + l2)
            is_against = direction[q] * (step - other) < 0.0
            along[q] += g_whole * whole if is_against else g * step + (g_whole - g) * other
            length[q] += n_whole * whole * whole if is_against else n * step * step + (n_whole - n) * other * other
    for q in range(len(questions)):
        along[q] = along[q] / np.sqrt(length[q]) if length[q] > 0.0 else 0.0
    return along


@compiled
def _left_sides(sums: Floats, questions: Ints, kinds: Ints, left: Floats) -> None:
    """Gradient and weight that go left at every question, of one leaf; shape (2, questions)."""
    g, n, before, null_before, reached = 0.0, 0.0, -1, -1, 0
    for q in range(len(questions)):
        feature, cell, null_left = questions[q, 0], questions[q, 1], questions[q, 2]
        if kinds[feature, 0]:
            left[0, q], left[1, q] = sums[feature, cell, 0], sums[feature, cell, 1]
            continue
        if feature != before or null_left != null_before:
            g = sums[feature, 0, 0] if null_left else 0.0
            n = sums[feature, 0, 1] if null_left else 0.0
            before, null_before, reached = feature, null_left, 0
        while reached < cell:
            reached += 1
            g += sums[feature, reached, 0]
            n += sums[feature, reached, 1]
        left[0, q], left[1, q] = g, n


@compiled
def goes_right(column: NDArray[np.int16], question: Ints, kind: Ints, right: Ints) -> None:
    """1 for every row that goes right, else 0. Null is cell 0; of a category only its own cell goes left."""
    for i in range(len(column)):
        if kind[0]:
            right[i] = 1 if column[i] != question[1] else 0
        elif column[i] == 0:
            right[i] = 1 - question[2]
        else:
            right[i] = 1 if column[i] > question[1] else 0


@compiled
def project(values: Floats, weights: Floats, low: Ints, high: Ints) -> None:
    """Moves `values` to the nearest (weighted squares) at which none of `low` is above its partner of `high`.

    Shapes (d, pairs): Dykstra's projections (Dykstra 1983), one pair after the other; then a running maximum by each of
    the d in turn, so that rounding leaves nothing out of order.
    """
    corrections = np.zeros((low.shape[0], len(values)))
    for _ in range(_SWEEPS):
        moved = 0.0
        for k in range(low.shape[0]):
            for i in range(low.shape[1]):
                a, b = low[k, i], high[k, i]
                x, y = values[a] + corrections[k, a], values[b] + corrections[k, b]
                at_a, at_b = x, y
                if x > y:
                    at_a = (weights[a] * x + weights[b] * y) / (weights[a] + weights[b])
                    at_b = at_a
                moved = max(moved, abs(at_a - values[a]), abs(at_b - values[b]))
                corrections[k, a], corrections[k, b] = x - at_a, y - at_b
                values[a], values[b] = at_a, at_b
        if moved < _AT_REST:
            break
    for k in range(low.shape[0]):
        for i in range(low.shape[1]):
            values[high[k, i]] = max(values[low[k, i]], values[high[k, i]])
