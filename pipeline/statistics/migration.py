"""How customers move between grades: the matrix, its mobility, and whether near moves are the likelier ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mobility:
    """Moves to worse (`upper`, right of the diagonal) and to better grades (`lower`), each 0 for none and 1 for the
    farthest there could be; NaN where nobody moved that way, so that nothing weighs the moves."""

    upper: float
    lower: float


@dataclass(frozen=True)
class Neighbour:
    """One pair of cells of a row: the farther one, `cell` (row, column), against the one next to it towards the
    diagonal. A small `p_value` says that the farther move is the likelier one, which no order of grades explains."""

    cell: tuple[int, int]
    z: float
    p_value: float


def migration_matrix(before: ArrayLike, after: ArrayLike, grades: int) -> Floats:
    """Customers by grade before (rows) and after (columns); grades are numbers from 0, best first.

    >>> migration_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    first, second = np.asarray(before, dtype=np.int64), np.asarray(after, dtype=np.int64)
    if first.shape != second.shape:
        raise ValueError(f"as many grades before as after are needed, found {first.shape} and {second.shape}")
    return np.bincount(first * grades + second, minlength=grades**2).astype(float).reshape(grades, grades)


def mobility(counts: ArrayLike) -> Mobility:
    """Matrix weighted bandwidth: Σ_{i<j} |i−j| N_i p_ij / Σ_i max(|i−K|, |i−1|) N_i Σ_{j>i} p_ij, and its mirror.

    `counts` holds customers by grade before and after, without default. Source: ECB, Instructions for reporting the
    validation results of internal models (2019), section 2.5.5.1.

    >>> mobility([[8, 2, 0], [1, 8, 1], [0, 0, 10]])
    Mobility(upper=0.6, lower=1.0)
    """
    moved = np.asarray(counts, dtype=float)
    k = len(moved)
    rows, columns = np.indices(moved.shape)
    distance = np.abs(rows - columns)
    farthest = np.maximum(k - 1 - rows, rows)

    def width(is_side: ArrayLike) -> float:
        below = float(np.sum(np.where(is_side, farthest * moved, 0.0)))
        return float(np.sum(np.where(is_side, distance * moved, 0.0))) / below if below > 0 else float("nan")

    return Mobility(width(columns > rows), width(columns < rows))


def neighbours(counts: ArrayLike) -> list[Neighbour]:
    """z-tests that each cell is no likelier than its neighbour nearer to the diagonal, rows without customers left out.

    z = (p_far − p_near) / √{[p_near(1 − p_near) + p_far(1 − p_far) + 2 p_near p_far] / N_i}, one-sided. Where all of a
    row stand in one of the two cells no variance is left: then ½^N, the chance that all fall there of cells as likely.
    Pairs of two empty cells are left out. Source: as `mobility`, section 2.5.5.2 (there with the other sign).

    >>> [(n.cell, round(n.z, 2)) for n in neighbours([[80, 5, 15], [0, 100, 0], [1, 2, 97]]) if n.z > 0]
    [((0, 2), 2.29)]
    """
    moved = np.asarray(counts, dtype=float)
    found = []
    for i, row in enumerate(moved):
        total = row.sum()
        for j in range(len(row)) if total else ():
            if j == i:
                continue
            near = j - 1 if j > i else j + 1
            p_near, p_far = row[near] / total, row[j] / total
            variance = (p_near * (1 - p_near) + p_far * (1 - p_far) + 2 * p_near * p_far) / total
            if p_far == p_near == 0:
                continue
            found.append(_neighbour((i, j), p_far - p_near, variance, total))
    return found


def _neighbour(cell: tuple[int, int], difference: float, variance: float, total: float) -> Neighbour:
    if variance > 0:
        z = float(difference / np.sqrt(variance))
        return Neighbour(cell, z, float(stats.norm.sf(z)))
    return Neighbour(cell, float(np.copysign(np.inf, difference)), float(0.5**total) if difference > 0 else 1.0)
