"""SHAP values of trees, tabulated: for each group of leaves a cell for every way in which a row can answer them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from pipeline.score.tree_text import Node, Tree

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

MOST_CELLS = 2048
"""Of one table: larger ones are fewer, but leave the processor's near memory."""
_BITS = 50
"""Of a whole number that stays exact while it counts patterns."""


@dataclass(frozen=True)
class Scale:
    """How one feature's values are told apart by all questions to it: by thresholds in rising order, or as codes.

    Numbers have `len(thresholds) + 1` places, categories one for each of `codes` codes and one for others; null is the
    last place.
    """

    thresholds: Floats
    codes: int | None

    @property
    def places(self) -> int:
        """How many there are."""
        return (len(self.thresholds) + 1 if self.codes is None else self.codes + 1) + 1

    def place(self, values: Floats) -> Ints:
        """Where each value stands; null is NaN."""
        is_null = np.isnan(values)
        if self.codes is None:
            found = np.searchsorted(self.thresholds, values, side="left")
        else:
            found = np.where(is_null, 0, values).clip(-1, self.codes).astype(np.intp)
            found[found < 0] = self.codes
        found[is_null] = self.places - 1
        return found

    def goes_left(self, node: Node) -> Bools:
        """Which places the question sends left."""
        at = np.arange(self.places)
        left = np.isin(at, list(node.codes)) if node.codes is not None else at <= self._position(node.threshold)
        left[-1] = node.null_goes_left
        return left

    def _position(self, threshold: float) -> int:
        return int(np.searchsorted(self.thresholds, threshold))


def scales_of(trees: Sequence[Tree]) -> dict[int, Scale]:
    """The scale of every feature that a tree asks, by its position in the matrix."""
    asked: dict[int, list[Node]] = {}
    for tree in trees:
        for node in tree.nodes:
            asked.setdefault(node.feature, []).append(node)
    scales = {}
    for feature, nodes in sorted(asked.items()):
        codes = [max(node.codes, default=0) + 1 for node in nodes if node.codes is not None]
        thresholds = np.unique([node.threshold for node in nodes if node.codes is None])
        scales[feature] = Scale(thresholds, max(codes) if codes else None)
    return scales


@dataclass(frozen=True)
class Branch:
    """A node or leaf (`at`, below 0) and the way to it: for each feature asked, the share of training rows that went on
    and the places that lead on."""

    at: int
    shares: Mapping[int, float]
    leads_on: Mapping[int, Bools]


@dataclass(frozen=True)
class Table:
    """SHAP values of some leaves of a tree summed up, a row per feature and a column per cell.

    A row of the book belongs to the cell that is the sum of `steps` at its places, feature by feature.
    """

    features: tuple[int, ...]
    steps: tuple[Ints, ...]
    values: Floats


def tables_of(tree: Tree, scales: Mapping[int, Scale], unit: float) -> Iterator[Table]:
    """One table for the whole tree, or several for branches of it where that had more than MOST_CELLS cells; values are
    rounded to whole multiples of `unit`."""
    masks = [scales[node.feature].goes_left(node) for node in tree.nodes]
    waiting = [Branch(0, {}, {})]
    while waiting:
        branch = waiting.pop()
        leaves = list(_leaves(tree, masks, branch))
        kinds = _kinds(leaves)
        sizes = [int(kind.max()) + 1 for kind in kinds.values()]
        if branch.at < 0 or math.prod(sizes) <= MOST_CELLS:
            yield _table(tree, leaves, kinds, unit)
        else:
            waiting += _children(tree, masks, branch)


def longest_path(tree: Tree) -> int:
    """The most features that stand on the way to one leaf; 0 for a tree of one leaf."""
    longest, waiting = 0, [(0, frozenset[int]())] if tree.nodes else []
    while waiting:
        at, asked = waiting.pop()
        if at < 0:
            longest = max(longest, len(asked))
            continue
        node = tree.nodes[at]
        waiting += [(child, asked | {node.feature}) for child in (node.left, node.right)]
    return longest


def _children(tree: Tree, masks: Sequence[Bools], branch: Branch) -> tuple[Branch, Branch]:
    node, mask = tree.nodes[branch.at], masks[branch.at]
    share, leads_on = branch.shares.get(node.feature, 1.0), branch.leads_on.get(node.feature, True)
    sides = (
        (node.left, node.left_share, mask & leads_on),
        (node.right, 1.0 - node.left_share, ~mask & leads_on),
    )
    left, right = (
        Branch(at, {**branch.shares, node.feature: share * part}, {**branch.leads_on, node.feature: on})
        for at, part, on in sides
    )
    return left, right


def _leaves(tree: Tree, masks: Sequence[Bools], branch: Branch) -> Iterator[Branch]:
    if branch.at < 0:
        yield branch
        return
    for child in _children(tree, masks, branch):
        yield from _leaves(tree, masks, child)


def _kinds(leaves: Sequence[Branch]) -> dict[int, Ints]:
    """For each feature asked on the way to a leaf: which of its places are one to all of the leaves, numbered."""
    asked: dict[int, dict[bytes, Bools]] = {}
    for leaf in leaves:
        for feature, leads_on in leaf.leads_on.items():
            asked.setdefault(feature, {})[leads_on.tobytes()] = leads_on
    kinds = {}
    for feature, ways in sorted(asked.items()):
        pattern = np.zeros(len(next(iter(ways.values()))), dtype=np.int64)
        for i, leads_on in enumerate(ways.values()):
            if i % _BITS == _BITS - 1:
                pattern = np.unique(pattern, return_inverse=True)[1]
            pattern = pattern * 2 + leads_on
        kinds[feature] = np.unique(pattern, return_inverse=True)[1]
    return kinds


def _table(tree: Tree, leaves: Sequence[Branch], kinds: Mapping[int, Ints], unit: float) -> Table:
    features = tuple(kinds)
    sizes = [int(kind.max()) + 1 for kind in kinds.values()]
    values = np.zeros((len(features), *sizes))
    # One place of each kind speaks for all of it.
    speakers = {feature: np.unique(kind, return_index=True)[1] for feature, kind in kinds.items()}
    for leaf in leaves:
        shares = np.array(list(leaf.shares.values()))
        answers = np.rint(path_values(shares) * (tree.leaves[~leaf.at] / unit)) * unit
        pattern = np.zeros([1] * len(features), dtype=np.intp)
        for place, (feature, leads_on) in enumerate(leaf.leads_on.items()):
            shape = np.ones(len(features), dtype=np.intp)
            shape[features.index(feature)] = -1
            pattern = pattern + (leads_on[speakers[feature]].astype(np.intp) << place).reshape(shape)
        for place, feature in enumerate(leaf.leads_on):
            values[features.index(feature)] += answers[place][pattern]
    strides = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    steps = tuple((kind * stride).astype(np.intp) for kind, stride in zip(kinds.values(), strides, strict=True))
    return Table(features, steps, values.reshape(len(features), -1))


def path_values(shares: Floats) -> Floats:
    """SHAP values of a leaf of value 1, of shape (features, patterns): bit j of a pattern says that feature j leads on.

    With r the share of training rows that went on and o = 1 where the row itself does: (o_j − r_j) · Σ over subsets S
    of the others of |S|! (d − 1 − |S|)! / d! · Π_S o · Π_rest r. The weights are ∫ t^|S| (1 − t)^(d−1−|S|) dt, so the
    sum is the integral of a polynomial of degree d − 1, which Gauss–Legendre nodes give exactly.

    >>> path_values(np.array([0.25, 0.5])).round(4).tolist()
    [[-0.0625, 0.1875, -0.1875, 0.5625], [-0.0625, -0.3125, 0.0625, 0.3125]]
    """
    d = len(shares)
    leads_on, nodes = _patterns_and_nodes(d)
    found = np.zeros((d, 2**d))
    for t, weight in nodes:
        factors = leads_on * t + shares[:, None] * (1.0 - t)
        before = np.ones((d, 2**d))
        np.cumprod(factors[:-1], axis=0, out=before[1:])
        after = np.ones((d, 2**d))
        np.cumprod(factors[:0:-1], axis=0, out=after[1:])
        found += weight * before * after[::-1]
    return (leads_on - shares[:, None]) * found


@lru_cache
def _patterns_and_nodes(d: int) -> tuple[Floats, list[tuple[float, float]]]:
    """The 2^d patterns as a row of ones and noughts per feature; Gauss–Legendre nodes and weights on 0 to 1."""
    leads_on = (np.arange(2**d) >> np.arange(d)[:, None] & 1).astype(float)
    nodes, weights = np.polynomial.legendre.leggauss(d // 2 + 1)
    return leads_on, list(zip(((nodes + 1.0) / 2.0).tolist(), (weights / 2.0).tolist(), strict=True))
