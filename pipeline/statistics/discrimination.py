"""How well a risk score orders bad before good: ROC, AUC, Gini, KS. A higher score means a riskier customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ordered:
    """Rows sorted by falling score. `order` sorts them, `ends` is the last sorted row of each run of equal scores."""

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    is_bad: Floats

    def cumulated(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight of bads and of goods at or above each distinct score, riskiest first.

        `weights` has the rows (unsorted) on its last axis; a leading axis of rounds is kept.
        """
        sorted_weights = weights[..., self.order]
        bads = np.cumsum(sorted_weights * self.is_bad, axis=-1)[..., self.ends]
        goods = np.cumsum(sorted_weights * (1.0 - self.is_bad), axis=-1)[..., self.ends]
        return bads, goods


def ordered(risk: ArrayLike, is_bad: ArrayLike) -> Ordered:
    """Sorts once what many weightings share. Raises ValueError on unequal lengths, NaN or labels other than 0 and 1."""
    scores, labels = _checked(risk, is_bad)
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    is_end = np.append(falling[1:] != falling[:-1], True)
    return Ordered(order, np.flatnonzero(is_end), labels[order])


def roc_points(risk: ArrayLike, is_bad: ArrayLike) -> Floats:
    """Points (false alarm rate, hit rate), one per distinct score from (0, 0) to (1, 1); shape (k, 2).

    >>> roc_points([0.9, 0.4, 0.4], [1, 1, 0]).tolist()
    [[0.0, 0.0], [0.0, 0.5], [1.0, 1.0]]
    """
    rows = ordered(risk, is_bad)
    bads, goods = rows.cumulated(np.ones(len(rows.order)))
    _need_both(bads[-1], goods[-1])
    return np.column_stack([np.append(0.0, goods / goods[-1]), np.append(0.0, bads / bads[-1])])


def auc(risk: ArrayLike, is_bad: ArrayLike) -> float:
    """Chance that a random bad scores riskier than a random good; a tie counts one half (Mann and Whitney 1947).

    >>> auc([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.875
    """
    rows = ordered(risk, is_bad)
    bads, goods = rows.cumulated(np.ones(len(rows.order)))
    _need_both(bads[-1], goods[-1])
    return float(auc_of(bads, goods))


def gini(risk: ArrayLike, is_bad: ArrayLike) -> float:
    """Accuracy ratio, 2 AUC − 1: 0 is no order at all, 1 a perfect one.

    >>> gini([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.75
    """
    return 2.0 * auc(risk, is_bad) - 1.0


def ks(risk: ArrayLike, is_bad: ArrayLike) -> float:
    """Largest distance between the score distributions of bads and goods (two-sample Kolmogorov–Smirnov).

    >>> ks([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.5
    """
    rows = ordered(risk, is_bad)
    bads, goods = rows.cumulated(np.ones(len(rows.order)))
    _need_both(bads[-1], goods[-1])
    return float(ks_of(bads, goods))


def auc_of(bads: Floats, goods: Floats) -> Any:
    """AUC from cumulated weights (see `Ordered.cumulated`); NaN for a round without bads or without goods."""
    more_bads = np.diff(bads, axis=-1, prepend=0.0)
    below = goods[..., -1:] - goods
    ties = np.diff(goods, axis=-1, prepend=0.0)
    pairs = bads[..., -1] * goods[..., -1]
    won = np.sum(more_bads * (below + 0.5 * ties), axis=-1)
    return _over(won, pairs)


def ks_of(bads: Floats, goods: Floats) -> Any:
    """KS from cumulated weights; NaN for a round without bads or without goods."""
    distance = np.abs(bads * goods[..., -1:] - goods * bads[..., -1:]).max(axis=-1)
    return _over(distance, bads[..., -1] * goods[..., -1])


def _over(above: Floats, below: Floats) -> Floats:
    out = np.full_like(np.asarray(above, dtype=float), np.nan)
    return np.asarray(np.divide(above, below, out=out, where=below > 0))


def _checked(risk: ArrayLike, is_bad: ArrayLike) -> tuple[Floats, Floats]:
    scores, labels = np.asarray(risk, dtype=float), np.asarray(is_bad, dtype=float)
    if scores.ndim != 1 or scores.shape != labels.shape or not scores.size:
        raise ValueError(f"scores {scores.shape} and labels {labels.shape} must be two equally long, non-empty vectors")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {scores.size} scores are NaN")
    if not np.isin(labels, (0.0, 1.0)).all():
        raise ValueError("labels must be 0 (good) or 1 (bad)")
    return scores, labels


def _need_both(bads: float, goods: float) -> None:
    if bads == 0 or goods == 0:
        raise ValueError(f"discrimination needs bads and goods, found {bads:.0f} bads and {goods:.0f} goods")
