"""Fine bins before the optimum is sought: the cuts of scikit-learn's best-first classification tree on one feature."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_CLOSE = np.float32(1e-7)
"""Values nearer to each other than this are one value to scikit-learn (FEATURE_THRESHOLD in tree/_partitioner.pxd)."""
_PURE = float(np.finfo(np.float64).eps)
"""A node of less impurity is not split (EPSILON in tree/_tree.pyx)."""
_NO_FEATURE = -2.0
"""How scikit-learn marks a leaf's threshold; optbinning drops every cut that looks like it."""


@dataclass(frozen=True)
class Prebins:
    """Cuts in rising order, and the goods and bads in each of the `len(cuts) + 1` bins (lower <= value < upper).

    Without a cut the counts are empty too, as optbinning has it. `is_certain` is false where equal nodes competed for
    the last split, so that only the library itself can say which it takes.
    """

    cuts: Floats
    goods: Ints
    bads: Ints
    is_certain: bool = True


def prebins(values: Floats, is_bad: Floats, most_bins: int, fewest_rows: int) -> Prebins:
    """The cuts that optbinning takes from `DecisionTreeClassifier(max_leaf_nodes=most_bins)` on one column, less those
    that leave a bin without a good or without a bad.

    `values` hold no null. optbinning hands `fewest_rows` on as a share of the rows, which the tree multiplies out
    again; the product may lie a hair above a whole number, and then a leaf needs one row more.

    scikit-learn sorts every node anew and looks at every row; here rows are sorted once, and only cuts between values
    of differing outcomes are looked at: between two of them the Gini impurity is concave, so no cut inside is better
    (Fayyad and Irani 1992, Machine Learning 8, theorem 1). Equal in every digit, for the impurities are computed in
    the same order of operations.
    """
    order = np.argsort(values)
    ordered, bad = values[order], is_bad[order]
    sums = np.concatenate([[0.0], np.cumsum(bad)])
    tree = _Tree(ordered.astype(np.float32), sums, min(0.5, fewest_rows / len(values)) * len(values))
    cuts, is_certain = tree.grown(most_bins)
    cuts = np.unique(cuts)
    return _refined(cuts[cuts != _NO_FEATURE], ordered, sums, is_certain=is_certain)


@dataclass(frozen=True)
class _Split:
    """The best split of the rows `start` to `end`: left of `at`; impurities of both sides and what it improves."""

    start: int
    end: int
    at: int
    left: float
    right: float
    improvement: float


class _Tree:
    """Best-first growth on sorted values; `sums` are the bads before each position, `least` the rows of a leaf."""

    def __init__(self, values: NDArray[np.float32], sums: Floats, least: float) -> None:
        self.values, self.sums, self.least = values, sums, least
        # A cut at position p parts the rows before p from those from p on.
        self.cuts = np.flatnonzero(values[1:] > values[:-1] + _CLOSE) + 1
        self.turns = self.cuts[self._differ()]

    def _differ(self) -> NDArray[np.bool_]:
        """Whether the values on both sides of a cut differ in outcome, or one of them in itself."""
        edges = np.concatenate([[0], self.cuts, [len(self.values)]])
        rows, bads = np.diff(edges), np.diff(self.sums[edges])
        share = np.where(bads == 0, 0, np.where(bads == rows, 1, 2))
        differ: NDArray[np.bool_] = (share[1:] != share[:-1]) | (share[1:] == 2)
        return differ

    def grown(self, most_leaves: int) -> tuple[Floats, bool]:
        """Thresholds in the order of growth, and whether no tie decided which node was the last to be split."""
        n, bads = len(self.values), float(self.sums[-1])
        first = self._best(0, n, 1.0 - ((n - bads) * (n - bads) + bads * bads) / (float(n) * n))
        frontier = [(-first.improvement, 0, first)] if first else []
        found: list[float] = []
        pushed = 0
        while frontier and len(found) < most_leaves - 1:
            worth, _, split = heapq.heappop(frontier)
            found.append(float(self.values[split.at - 1]) / 2.0 + float(self.values[split.at]) / 2.0)
            if len(found) == most_leaves - 1:
                return np.array(found), not (frontier and frontier[0][0] == worth)
            for start, end, impurity in ((split.start, split.at, split.left), (split.at, split.end, split.right)):
                best = self._best(start, end, impurity)
                if best:
                    pushed += 1
                    heapq.heappush(frontier, (-best.improvement, pushed, best))
        return np.array(found), True

    def _best(self, start: int, end: int, impurity: float) -> _Split | None:
        """The first of the best splits of a node; none where it is pure, too small or of one value."""
        if impurity <= _PURE or end - start < 2 * self.least:
            return None
        low, high = start + math.ceil(self.least), end - math.ceil(self.least)
        allowed = self.cuts[np.searchsorted(self.cuts, low) : np.searchsorted(self.cuts, high, side="right")]
        if not len(allowed):
            return None
        turns = self.turns[np.searchsorted(self.turns, low) : np.searchsorted(self.turns, high, side="right")]
        at = np.concatenate([allowed[:1], turns[turns != allowed[0]]])
        at = at if at[-1] == allowed[-1] else np.append(at, allowed[-1])
        left, right, n_left, n_right = self._impurities(start, end, at)
        best = int(np.argmax(-n_right * right - n_left * left))
        total, node = float(len(self.values)), float(end - start)
        gain = (
            impurity - float(n_right[best]) / node * float(right[best]) - float(n_left[best]) / node * float(left[best])
        )
        return _Split(start, end, int(at[best]), float(left[best]), float(right[best]), node / total * gain)

    def _impurities(self, start: int, end: int, at: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """Gini impurity of both sides of each cut, 1 − (goods² + bads²) / rows², and their rows."""
        n_left, n_right = (at - start).astype(float), (end - at).astype(float)
        bad_left, bad_right = self.sums[at] - self.sums[start], self.sums[end] - self.sums[at]
        good_left, good_right = n_left - bad_left, n_right - bad_right
        left = 1.0 - (good_left * good_left + bad_left * bad_left) / (n_left * n_left)
        right = 1.0 - (good_right * good_right + bad_right * bad_right) / (n_right * n_right)
        return left, right, n_left, n_right


def _refined(cuts: Floats, ordered: Floats, sums: Floats, *, is_certain: bool) -> Prebins:
    """Takes away the upper cut of every bin of one outcome (of the last bin its lower cut) until none is left."""
    while len(cuts):
        edges = np.concatenate([[0], np.searchsorted(ordered, cuts, side="left"), [len(ordered)]])
        bads = np.diff(sums[edges]).astype(np.int64)
        goods = np.diff(edges) - bads
        is_one_sided = (bads == 0) | (goods == 0)
        if not is_one_sided.any():
            return Prebins(cuts, goods, bads, is_certain)
        cuts = cuts[~np.append(is_one_sided[:-2], is_one_sided[-2] | is_one_sided[-1])]
    return Prebins(cuts, np.empty(0, np.int64), np.empty(0, np.int64), is_certain)
