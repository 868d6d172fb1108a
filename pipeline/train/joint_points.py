"""Points of every bin's own: all bins of a card fitted together, around the line that coefficients on WoE give.

WoE are weighed by one feature at a time; beside other features a bin may be worth more or less than its coefficient
times WoE, and the line cannot say so. Here each bin has an effect of its own, drawn to that line, and over the ranges
of a feature with a declared direction the points never turn against it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.score.scorecard import Characteristic, Scorecard
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

# How far the log odds of a bin lie from the line, and the coefficient of the line from 0 (standard deviations): a bin
# needs about 1/0.3² = 11 bad customers before its own data weigh as much as the line.
_STEP_SPREAD = 0.3
_COEFFICIENT_SPREAD = 1.0
_MOST_ITERATIONS = 5000


@dataclass(frozen=True)
class _Columns:
    """The design of one characteristic: `effects` maps parameters to log odds of good per bin (bins, parameters);
    `least` are their lower bounds, `spread` their standard deviations."""

    effects: Floats
    least: tuple[float, ...]
    spread: tuple[float, ...]


def with_own_points(card: Scorecard, sample: Sample) -> Scorecard:
    """The card with the points of all its bins fitted jointly on the training sample; bins without rows are neutral.

    Maximum of the log likelihood less ½ Σ (parameter / spread)², in which a customer counts once however many rows it
    has (rows weigh bad customers / bad rows). Parameters are, per characteristic: the coefficient of WoE; the step of
    each range over the one before it, not below 0 in the declared direction; the effect of each other bin. A penalty on
    steps is that of Gertheiss and Tutz 2009 on ordered categories. `coefficient` is that of the line.
    """
    designs = [_columns(c) for c in card.characteristics]
    bins = [c.bin_index(sample.rows) for c in card.characteristics]
    sizes = [design.effects.shape[1] for design in designs]
    ends = list(itertools.accumulate(sizes, initial=1))
    good, weight = 1.0 - sample.is_bad, sample.bad_customers / float(sample.is_bad.sum())
    penalty = np.concatenate([[0.0], *(np.array(design.spread) ** -2.0 for design in designs)]) / weight

    def objective(beta: Floats) -> tuple[float, Floats]:
        tables = [design.effects @ beta[a:b] for design, a, b in zip(designs, ends, ends[1:], strict=False)]
        logit = np.full(len(good), beta[0])
        for table, position in zip(tables, bins, strict=True):
            logit += table[position]
        residual = 1.0 / (1.0 + np.exp(-np.clip(logit, -700, 700))) - good
        gradient = [np.array([residual.sum()])]
        for design, position in zip(designs, bins, strict=True):
            gradient.append(np.bincount(position, residual, len(design.effects)) @ design.effects)
        loss = float(np.sum(np.logaddexp(0.0, logit) - good * logit)) + 0.5 * float(penalty @ beta**2)
        return loss / len(good), (np.concatenate(gradient) + penalty * beta) / len(good)

    beta = _least(objective, [-np.inf, *(low for design in designs for low in design.least)], float(good.mean()))
    characteristics = tuple(
        _repointed(c, design, beta[a:b], position, card.factor)
        for c, design, position, a, b in zip(card.characteristics, designs, bins, ends, ends[1:], strict=False)
    )
    start = card.base_score + card.factor * (float(beta[0]) - math.log(card.base_odds))
    return replace(card, characteristics=characteristics, intercept_points=start)


def _least(objective: object, least: list[float], share: float) -> Floats:
    from scipy import optimize

    start = np.zeros(len(least))
    start[0] = math.log(share / (1.0 - share))
    found = optimize.minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None if low == -np.inf else low, None) for low in least],
        options={"maxiter": _MOST_ITERATIONS, "ftol": 1e-13, "gtol": 1e-9},
    )
    return np.asarray(found.x, dtype=float)


def _columns(characteristic: Characteristic) -> _Columns:
    bins = characteristic.bins
    sign = {"rises": -1.0, "falls": 1.0}.get(characteristic.risk)
    columns, least, spread = [np.array([b.woe for b in bins])], [0.0], [_COEFFICIENT_SPREAD]
    ranges = [i for i, b in enumerate(bins) if b.kind == "range"]
    for first in ranges[1:]:
        columns.append(np.array([float(first <= i <= ranges[-1]) for i in range(len(bins))]) * (sign or 1.0))
        least.append(-np.inf if sign is None else 0.0)
        spread.append(_STEP_SPREAD)
    for i, b in enumerate(bins):
        if b.kind != "range" and b.count:
            columns.append(np.eye(len(bins))[i])
            least.append(-np.inf)
            spread.append(_STEP_SPREAD)
    return _Columns(np.column_stack(columns), tuple(least), tuple(spread))


def _repointed(
    characteristic: Characteristic, design: _Columns, beta: Floats, position: NDArray[np.int64], factor: float
) -> Characteristic:
    points = factor * (design.effects @ beta)
    bins = tuple(replace(b, points=float(p)) for b, p in zip(characteristic.bins, points, strict=True))
    mean = math.fsum(points[position].tolist()) / len(position)
    return replace(characteristic, bins=bins, coefficient=float(beta[0]), mean_points=mean)
