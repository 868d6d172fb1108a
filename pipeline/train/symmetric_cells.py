"""The matrix as symmetric trees see it: numbers in cells, every category in a cell of its own, null in cell 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# Cuts of one number, half of LightGBM's: every cut is scored anew on every level of every tree.
_MOST_CUTS = 127


@dataclass(frozen=True)
class Cells:
    """How each feature is cut.

    `cuts` are, of a number, the highest value of each cell from 1 on but the last, which has none; of a category its
    codes, each a cell. `questions` are all that can be asked, a row for each: the feature, the last cell on the left
    (of a category: the one cell that goes left), 1 where null goes left.
    """

    cuts: tuple[Floats, ...]
    is_category: NDArray[np.bool_]
    questions: Ints

    @classmethod
    def of(cls, matrix: Floats, categories: Collection[int]) -> Cells:
        """Cuts halfway between neighbouring values, or at quantiles where there are too many values."""
        is_category = np.array([j in categories for j in range(matrix.shape[1])], dtype=bool)
        told = [column[~np.isnan(column)] for column in matrix.T]
        cuts = tuple(np.unique(own) if j in categories else _cuts(own) for j, own in enumerate(told))
        asked: list[tuple[int, int, int]] = []
        for j, own in enumerate(cuts):
            # Where training has nulls, they may go either way, and all numbers against null is a question.
            ends = len(own) + int(j not in categories and len(told[j]) < len(matrix))
            asked += [(j, cell, 0) for cell in range(1, ends + 1)]
            asked += [(j, cell, 1) for cell in range(1, len(own) + 1) if ends > len(own)]
        return cls(cuts, is_category, np.array(asked, dtype=np.int64).reshape(-1, 3))

    def cells(self, matrix: Floats) -> NDArray[np.int16]:
        """The cell of every value, shape (features, rows); what training never saw is in cell 0, as null is."""
        found = np.zeros(matrix.T.shape, dtype=np.int16)
        for j, cuts in enumerate(self.cuts):
            column = matrix[:, j]
            at = np.searchsorted(cuts, column)
            is_told = np.append(cuts, np.nan)[at] == column if self.is_category[j] else ~np.isnan(column)
            found[j] = np.where(is_told, at + 1, 0)
        return found


def _cuts(told: Floats) -> Floats:
    values: Floats = np.unique(told)
    if len(values) <= _MOST_CUTS + 1:
        halfway: Floats = values[:-1] / 2 + values[1:] / 2
        return halfway
    quantiles: Floats = np.unique(np.quantile(told, np.linspace(0.0, 1.0, _MOST_CUTS + 2)[1:-1], method="lower"))
    below: Floats = quantiles[quantiles < values[-1]]
    return below
