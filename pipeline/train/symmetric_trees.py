"""Grows symmetric trees: all nodes of a level ask the same question, so that a tree of d questions has 2^d leaves.

LightGBM grows leaf by leaf and refuses a split that goes against a direction. Here a question is asked of all leaves at
once, and a leaf that it would turn stays whole. Such trees err elsewhere, and the mean of both kinds is better than of
one (docs/decisions/0018-symmetric-trees-as-members.md). They are told in LightGBM's text (symmetric_text.py). Sources:
Kohavi and Li 1995 (oblivious trees); Friedman 2001 (boosting, Newton's step); Prokhorenkova and others 2018, and the
documentation of CatBoost (symmetric trees, cosine score, noise that dies away).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.statistics.calibration import log_loss
from pipeline.train.symmetric_cells import Cells
from pipeline.train.symmetric_kernels import add_up, goes_right, scores
from pipeline.train.symmetric_order import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pipeline.params import BoosterParams

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# What a leaf that no row came to weighs beside sums of p(1 − p) and the penalty, so that it goes where the order wants
# it, and the least penalty, so that its step is 0.
_NO_ROWS = 1e-6
# Of one Newton step, in log odds. The log loss of a leaf falls with every step up to there (its third derivative is not
# above its second: Bach 2010, self-concordant analysis for logistic regression); longer ones may overshoot.
_LONGEST_STEP = 1.0


@dataclass(frozen=True)
class SymmetricTree:
    """Questions (rows of `Cells.questions`) and, of every leaf, the value it adds to the log odds of bad, its training
    rows and their sums of first and second derivatives of the log loss. Leaf i went right at question k where bit k of
    i is set."""

    questions: Ints
    values: Floats
    rows: Ints
    gradient: Floats
    curvature: Floats


@dataclass(frozen=True)
class Ground:
    """What the trees of a fit are grown on: rows, outcomes (1 is bad), which features are categories, directions (+1,
    −1, 0), and of each feature the number of its group where a tree may ask those of one group alone (null: of all)."""

    matrix: Floats
    is_bad: Floats
    categories: frozenset[int]
    directions: tuple[int, ...]
    groups: Ints | None = None

    @cached_property
    def cells(self) -> Cells:
        """How the features are cut."""
        return Cells.of(self.matrix, self.categories)

    @cached_property
    def start(self) -> float:
        """Log odds of bad of all rows, from which boosting begins."""
        share = float(self.is_bad.mean())
        return math.log(share / (1.0 - share))


@dataclass(frozen=True)
class Watched:
    """Rows that the trees are not grown on, whose log loss says when to stop."""

    matrix: Floats
    is_bad: Floats


def grow(
    ground: Ground, settings: BoosterParams, rounds: int, watch: Callable[[object], None]
) -> tuple[SymmetricTree, ...]:
    """`rounds` trees, fewer where nothing is left to ask. `watch` is called in every round and may raise to end it."""
    return tuple(_Fit(ground, settings).trees(rounds, watch))


def grow_watched(
    ground: Ground, settings: BoosterParams, watch: Callable[[object], None], watched: Watched
) -> tuple[int, Floats]:
    """The number of trees, up to `max_rounds`, at which the log loss of the watched rows is least before it is not
    bettered for `early_stopping_rounds`, and the PD that each of these rows has then."""
    fit = _Fit(ground, settings)
    cells = ground.cells.cells(watched.matrix)
    odds = np.full(len(watched.is_bad), ground.start)
    best, least, pd = 0, math.inf, _pd(odds)
    for at, tree in enumerate(fit.trees(settings.max_rounds, watch), start=1):
        odds = odds + tree.values[fit.leaf_of(cells, tree.questions)]
        now = _pd(odds)
        loss = log_loss(now, watched.is_bad)
        if loss < least:
            best, least, pd = at, loss, now
        elif at - best >= settings.early_stopping_rounds:
            break
    return best, pd


def _pd(odds: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-odds))
    return found


def _summed(leaf: Ints, values: Floats, leaves: int) -> Floats:
    found: Floats = np.bincount(leaf, values, leaves).astype(np.float64)
    return found


class _Fit:
    """One boosting: the log odds so far, and the next tree from them."""

    def __init__(self, ground: Ground, settings: BoosterParams) -> None:
        self.ground, self.settings = ground, settings
        self.l2 = max(settings.l2, _NO_ROWS)
        self.random = np.random.default_rng(settings.seed)
        self.cells = ground.cells.cells(ground.matrix)
        self.kinds = np.column_stack([ground.cells.is_category, ground.directions]).astype(np.int64)
        self.odds = np.full(len(ground.is_bad), ground.start)

    def trees(self, rounds: int, watch: Callable[[object], None]) -> Iterator[SymmetricTree]:
        """One after the other, each grown on what those before leave."""
        for at in range(rounds):
            watch(None)
            pd = _pd(self.odds)
            tree, leaf = self._tree(pd, self._fading(at))
            if not len(tree.questions):
                return
            self.odds = self.odds + tree.values[leaf]
            yield tree

    def leaf_of(self, cells: NDArray[np.int16], questions: Ints) -> Ints:
        """The leaf of every row; `cells` has the shape (features, rows)."""
        leaf, right = (np.zeros(cells.shape[1], dtype=np.int64) for _ in range(2))
        for k, question in enumerate(questions):
            goes_right(cells[question[0]], question, self.kinds[question[0]], right)
            leaf |= right << k
        return leaf

    def _tree(self, pd: Floats, fading: float) -> tuple[SymmetricTree, Ints]:
        """Values are Newton steps of all rows of a leaf, each from where the one before led, in the order of the
        directions. Where bad rows are few the curvature p(1 − p) is small and soon another: one step goes astray."""
        gradient, curvature = pd - self.ground.is_bad, pd * (1.0 - pd)
        noise = self.settings.noise * fading * math.sqrt(float(np.mean(gradient**2)))
        questions, leaf = self._questions(gradient, noise)
        leaves = 1 << len(questions)
        g, h = _summed(leaf, gradient, leaves), _summed(leaf, curvature, leaves)
        directions = [int(self.kinds[question[0], 1]) for question in questions]
        values = self._step(np.zeros(leaves), g, h, directions)
        for _ in range(self.settings.newton_steps - 1):
            moved = _pd(self.odds + values[leaf])
            here = _summed(leaf, moved - self.ground.is_bad, leaves), _summed(leaf, moved * (1.0 - moved), leaves)
            values = self._step(values, *here, directions)
        rows = np.bincount(leaf, minlength=leaves)
        return SymmetricTree(questions, self.settings.learning_rate * values, rows, g, h), leaf

    def _step(self, values: Floats, g: Floats, h: Floats, directions: list[int]) -> Floats:
        """One Newton step of every leaf from `values`, where its derivatives are `g` and `h`.

        The goals are put in order first, each weighing its curvature: leaves that end as one then go where their common
        step leads. Only that move is shortened, and between values in order and goals in order all values are in order.
        """
        penalised = h + self.l2
        goals = in_order(values - g / penalised, np.where(h > 0.0, penalised, _NO_ROWS), directions)
        return values + np.clip(goals - values, -_LONGEST_STEP, _LONGEST_STEP)

    def _questions(self, gradient: Floats, noise: float) -> tuple[Ints, Ints]:
        """Up to `max_depth` questions, each the best for all leaves so far, and the leaf of every row."""
        told, weights = self.ground.cells.questions, self._weights()
        moves = np.column_stack([weights * gradient, weights])
        features, may_ask = told[:, 0], self._drawn_features()[told[:, 0]]
        leaf, asked = np.zeros(len(gradient), dtype=np.int64), told[:0]
        while len(asked) < self.settings.max_depth and may_ask.any():
            found = self._scores(told[may_ask], leaf, 1 << len(asked), moves)
            at = np.flatnonzero(may_ask)[np.argmax(found + noise * self.random.standard_normal(len(found)))]
            asked = np.vstack([asked, told[at]])
            leaf = self.leaf_of(self.cells, asked)
            may_ask[at] = False
            if self.ground.groups is not None:
                may_ask &= self.ground.groups[features] == self.ground.groups[features[at]]
        return asked, leaf

    def _scores(self, questions: Ints, leaf: Ints, leaves: int, moves: Floats) -> Floats:
        sums = add_up(self.cells, np.unique(questions[:, 0]), leaf, moves, leaves)
        totals = np.column_stack([_summed(leaf, moves[:, side], leaves) for side in (0, 1)])
        found: Floats = scores(sums, totals, questions, self.kinds, self.l2)
        return found

    def _weights(self) -> Floats:
        """All bad rows and the drawn good ones; bad ones weigh `row_share`, so that the rate stays the sample's."""
        share, is_bad = self.settings.row_share, self.ground.is_bad
        if share == 1.0:
            return np.ones(len(is_bad))
        return np.where(is_bad == 1.0, share, (self.random.random(len(is_bad)) < share).astype(float))

    def _drawn_features(self) -> NDArray[np.bool_]:
        """The features a tree may ask: `feature_share` of them, at least one."""
        drawn = np.zeros(len(self.kinds), dtype=bool)
        of = max(1, round(self.settings.feature_share * len(drawn)))
        drawn[self.random.permutation(len(drawn))[:of]] = True
        return drawn

    def _fading(self, at: int) -> float:
        """1 for the first tree, 0 in the end: noise dies away as the steps taken come to ln of the rows."""
        return 1.0 / (1.0 + math.exp(at * self.settings.learning_rate - math.log(len(self.ground.is_bad))))
