"""Symmetric trees in LightGBM's text, so that they are scored, explained, kept and read as any booster is."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.train.symmetric_cells import Cells
    from pipeline.train.symmetric_trees import SymmetricTree

    Ints = NDArray[np.int64]

# LightGBM's bits of a decision: a category, null goes left, null has a side of its own.
_CATEGORY, _NULL_LEFT, _NULL = 1, 2, 8
_WORD = 32


def text_of(host: str, trees: Sequence[SymmetricTree], cells: Cells, start: float, l2: float) -> str:
    """`host`, the text of any LightGBM booster of the same features, with these trees in the place of its own.

    The log odds `start` stand in the first tree, as LightGBM has it. Sides on which all leaves have one value are one
    leaf. A leaf that no training row came to counts as one row, for an explanation divides by the rows of a leaf.
    """
    head = host.split("\nTree=0\n", maxsplit=1)[0]
    kept = "\n".join(line for line in head.splitlines() if not line.startswith("tree_sizes="))
    starts = [start] + [0.0] * (len(trees) - 1)
    told = [dataclasses.replace(tree, values=tree.values + at) for tree, at in zip(trees, starts, strict=True)]
    bodies = [f"Tree={at}\n{_Writer(tree, cells, l2).text()}\n\n" for at, tree in enumerate(told)]
    return f"{kept}\n\n{''.join(bodies)}end of trees\n"


@dataclass
class _Writer:
    """One tree on its way into text: nodes from the root on, the left side of each first."""

    tree: SymmetricTree
    cells: Cells
    l2: float
    nodes: list[dict[str, str]] = field(default_factory=list)
    leaves: list[dict[str, str]] = field(default_factory=list)
    sets: list[list[int]] = field(default_factory=list)

    def text(self) -> str:
        """The lines below the number of the tree."""
        self._add(np.arange(len(self.tree.values)), 0)
        lines = [f"num_leaves={len(self.leaves)}", f"num_cat={len(self.sets)}"]
        for lot in (self.nodes, self.leaves):
            lines += [f"{name}={' '.join(each[name] for each in lot)}" for name in (lot[0] if lot else {})]
        if self.sets:
            bounds = np.cumsum([0, *(len(words) for words in self.sets)])
            lines.append(f"cat_boundaries={' '.join(map(str, bounds))}")
            lines.append(f"cat_threshold={' '.join(str(word) for words in self.sets for word in words)}")
        return "\n".join([*lines, "is_linear=0", "shrinkage=1"])

    def _add(self, leaves: Ints, k: int) -> int:
        """Writes what stands below answer k of these leaves: the number of the node, or −1 − that of the leaf."""
        values = self.tree.values[leaves]
        if (values == values[0]).all():
            self.leaves.append(self._sums("leaf", leaves))
            return -len(self.leaves)
        at = len(self.nodes)
        node = self._question(k)
        self.nodes.append(node)
        is_right = (leaves >> k & 1).astype(bool)
        left, right = leaves[~is_right], leaves[is_right]
        gain = self._gain(left) + self._gain(right) - self._gain(leaves)
        node["split_gain"] = repr(max(0.0, gain))
        node["left_child"] = str(self._add(left, k + 1))
        node["right_child"] = str(self._add(right, k + 1))
        node.update(self._sums("internal", leaves))
        return at

    def _question(self, k: int) -> dict[str, str]:
        feature, cell, null_left = (int(part) for part in self.tree.questions[k])
        cuts = self.cells.cuts[feature]
        if self.cells.is_category[feature]:
            code = int(cuts[cell - 1])
            threshold, kind = str(len(self.sets)), _CATEGORY | _NULL
            self.sets.append([0] * (code // _WORD) + [1 << code % _WORD])
        else:
            # All numbers against null: none is above the largest there is.
            threshold = repr(float(cuts[cell - 1] if cell <= len(cuts) else np.finfo(np.float64).max))
            kind = _NULL | (_NULL_LEFT if null_left else 0)
        return {"split_feature": str(feature), "threshold": threshold, "decision_type": str(kind)}

    def _sums(self, kind: str, leaves: Ints) -> dict[str, str]:
        values, rows = self.tree.values[leaves], np.maximum(self.tree.rows[leaves], 1)
        return {
            f"{kind}_value": repr(float(values[0] if kind == "leaf" else (rows * values).sum() / rows.sum())),
            f"{kind}_weight": repr(math.fsum(self.tree.curvature[leaves])),
            f"{kind}_count": str(int(rows.sum())),
        }

    def _gain(self, leaves: Ints) -> float:
        """What these leaves take from the log loss by one step of their own, twice: g² / (h + l2)."""
        curvature = math.fsum(self.tree.curvature[leaves]) + self.l2
        return math.fsum(self.tree.gradient[leaves]) ** 2 / curvature if curvature else 0.0
