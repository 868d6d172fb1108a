"""Cumulative accuracy profile: which part of the defaults lies among the riskiest part of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.statistics.discrimination import ordered

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def cap_points(risk: ArrayLike, is_bad: ArrayLike) -> Floats:
    """Points (share of rows, share of bads), riskiest first, one per distinct score; shape (k, 2).

    Source: Sobehart, Keenan and Stein 2000. Raises ValueError as `ordered` does, and without a bad or a good.

    >>> cap_points([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0]).tolist()
    [[0.0, 0.0], [0.25, 0.5], [0.75, 1.0], [1.0, 1.0]]
    """
    rows = ordered(risk, is_bad)
    bads, goods = rows.cumulated(np.ones(len(rows.order)))
    if not (bads[-1] and goods[-1]):
        raise ValueError(f"a profile needs bads and goods, found {bads[-1]:.0f} bads and {goods[-1]:.0f} goods")
    both = bads + goods
    return np.column_stack([np.append(0.0, both / both[-1]), np.append(0.0, bads / bads[-1])])


def cap_of_roc(roc: ArrayLike, bad_rate: float) -> Floats:
    """The profile's points (share of rows, share of bads) from the ROC's (false alarm rate, hit rate), shape (k, 2).

    Share of rows = bad rate x hit rate + (1 - bad rate) x false alarm rate (Engelmann, Hayden and Tasche 2003).

    >>> cap_of_roc([(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)], 0.5).tolist()
    [[0.0, 0.0], [0.25, 0.5], [0.75, 1.0], [1.0, 1.0]]
    """
    alarms, hits = np.asarray(roc, dtype=float).T
    return np.column_stack([bad_rate * hits + (1.0 - bad_rate) * alarms, hits])


def accuracy_ratio(risk: ArrayLike, is_bad: ArrayLike) -> float:
    """Area between the profile and the diagonal over that of a perfect order: equals 2 AUC − 1 (Engelmann et al. 2003).

    >>> accuracy_ratio([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.75
    """
    points = cap_points(risk, is_bad)
    area = float(np.sum(np.diff(points[:, 0]) * (points[1:, 1] + points[:-1, 1]) / 2.0))
    rate = float(np.mean(np.asarray(is_bad, dtype=float)))
    return (area - 0.5) / ((1.0 - rate) / 2.0)
