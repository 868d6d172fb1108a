"""SHAP values of a whole book: the trees' answers are tabulated once, then every row looks its own up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.cores import for_each
from pipeline.score.tree_tables import longest_path, scales_of, tables_of
from pipeline.score.tree_text import trees_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.score.tree_text import Tree

    Floats = npt.NDArray[np.float64]

_LONGEST_PATH = 12
_ROWS_AT_A_TIME = 8192


class TreeShap:
    """Path-dependent SHAP values (Lundberg and others 2020, Nature Machine Intelligence 2, algorithm 2), as LightGBM's
    `pred_contrib` gives them.

    For a leaf on whose path d features stand, the values hang only on which of the d lead a row on: 2^d patterns, as
    WOODELF has it (Nadel and Wettenstein, the package woodelf-explainer). Leaves of a tree are put together as long as
    their patterns stay few. Every tabulated value is a whole multiple of one power of two, so small that it moves no
    value by 1e-8 and so large that sums are exact in whatever order they are taken: a row alone, in any batch and on
    any number of threads has the same values, bit for bit.
    """

    def __init__(self, trees: Sequence[Tree], features: int) -> None:
        self.features = features
        self.base = math.fsum(tree.mean for tree in trees)
        self._scales = scales_of(trees)
        total = math.fsum(float(np.abs(tree.leaves).sum()) for tree in trees)
        # Sums stay below the total of all leaves, which takes all but one of a double's 53 bits.
        unit = 2.0 ** (math.ceil(math.log2(total + 1.0)) - 52)
        self._tables = [table for tree in trees if tree.nodes for table in tables_of(tree, self._scales, unit)]

    @classmethod
    def of(cls, text: str, features: int) -> TreeShap | None:
        """Of a LightGBM text whose hash was checked. Null where a tree is of a kind that is not read here, or asks more
        than 12 features on one path, whose patterns are too many to tabulate."""
        trees = trees_of(text)
        if trees is None or max((longest_path(tree) for tree in trees), default=0) > _LONGEST_PATH:
            return None
        return cls(trees, features)

    def values(self, matrix: Floats) -> Floats:
        """SHAP values in raw score, shape (rows, features + 1), the last column the base; null is NaN in the matrix.

        A row adds up to its raw score.
        """
        found = np.zeros((self.features + 1, len(matrix)))
        found[-1] = self.base
        parts = [slice(start, start + _ROWS_AT_A_TIME) for start in range(0, len(matrix), _ROWS_AT_A_TIME)]
        for_each(parts, lambda part: self._fill(matrix[part], found[:, part]))
        return found.T

    def _fill(self, matrix: Floats, found: Floats) -> None:
        places = {feature: scale.place(matrix[:, feature]) for feature, scale in self._scales.items()}
        cell, step = np.empty((2, len(matrix)), dtype=np.intp)
        value = np.empty(len(matrix))
        for table in self._tables:
            cell[:] = 0
            for feature, steps in zip(table.features, table.steps, strict=True):
                # The places are within bounds; "clip" spares NumPy the check and a copy.
                np.take(steps, places[feature], out=step, mode="clip")
                np.add(cell, step, out=cell)
            for feature, values in zip(table.features, table.values, strict=True):
                np.take(values, cell, out=value, mode="clip")
                np.add(found[feature], value, out=found[feature])
