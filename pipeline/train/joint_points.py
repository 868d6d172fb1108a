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

from pipeline.train.binning import Evidence
from pipeline.train.customer_folds import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.score.scorecard import Characteristic, Scorecard
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

# How far the log odds of a bin may lie from the line (standard deviations), the strictest first: with 0.1 a bin needs
# about 1/0.1² = 100 bad customers before its own data weigh as much as the line, with 0.8 two.
_STEP_SPREADS = (0.1, 0.2, 0.4, 0.8)
# How far the coefficient of the line lies from 0, in the same; where bins are held to the line, the line is to 0.
_COEFFICIENT_OVER_STEP, _MOST_COEFFICIENT_SPREAD = 3.0, 1.0
_FOLDS = 5
_MOST_ITERATIONS = 5000


@dataclass(frozen=True)
class JointPoints:
    """The card with points of every bin's own, the spread of a bin around the line (log odds) that lost least on
    customers it was not fitted on, and the log loss a row (nats) of each spread there; empty where no fold could tell.
    """

    card: Scorecard
    step_spread: float
    losses: dict[str, float]


@dataclass(frozen=True)
class _Columns:
    """The design of one characteristic: `effects` maps parameters to log odds of good per bin (bins, parameters);
    `least` are their lower bounds, `is_line` marks the coefficient of WoE among them."""

    effects: Floats
    least: tuple[float, ...]
    is_line: tuple[bool, ...]


@dataclass(frozen=True)
class _Design:
    """All characteristics together: each row's bin in each, its outcome (1 good) and what a row weighs."""

    columns: list[_Columns]
    bins: list[Ints]
    good: Floats
    weight: float

    @property
    def ends(self) -> list[int]:
        """Where the parameters of each characteristic begin behind the intercept, and where the last ones end."""
        return list(itertools.accumulate((c.effects.shape[1] for c in self.columns), initial=1))

    def tables(self, beta: Floats) -> list[Floats]:
        """Log odds of good per bin of each characteristic."""
        ends = self.ends
        return [c.effects @ beta[a:b] for c, a, b in zip(self.columns, ends, ends[1:], strict=False)]

    def logit(self, beta: Floats) -> Floats:
        """Log odds of good of each row."""
        logit = np.full(len(self.good), beta[0])
        for table, position in zip(self.tables(beta), self.bins, strict=True):
            logit += table[position]
        return logit

    def of(self, mask: Mask) -> _Design:
        """The same of some rows."""
        return replace(self, bins=[position[mask] for position in self.bins], good=self.good[mask])

    def woe(self, card: Scorecard) -> list[Floats]:
        """WoE of each bin on these rows; a bin that is neutral in the card is so here."""
        bad, found = 1.0 - self.good, []
        told = Evidence(float(bad.sum()), float(self.good.sum()), 0.5 / self.weight)
        for c, position in zip(card.characteristics, self.bins, strict=True):
            bads, goods = (np.bincount(position, of, len(c.bins)).astype(float) for of in (bad, self.good))
            found.append(np.where([b.woe == 0.0 for b in c.bins], 0.0, told.woe(bads, goods)))
        return found

    def fitted(self, step_spread: float, start: Floats | None = None) -> Floats:
        """Parameters of greatest log likelihood less ½ Σ (parameter / spread)²."""
        line_spread = min(_MOST_COEFFICIENT_SPREAD, _COEFFICIENT_OVER_STEP * step_spread)
        is_line = np.concatenate([c.is_line for c in self.columns])
        penalty = np.concatenate([[0.0], np.where(is_line, line_spread, step_spread) ** -2.0 / self.weight])

        def objective(beta: Floats) -> tuple[float, Floats]:
            logit = self.logit(beta)
            residual = 1.0 / (1.0 + np.exp(-np.clip(logit, -700, 700))) - self.good
            gradient = [np.array([residual.sum()])]
            for c, position in zip(self.columns, self.bins, strict=True):
                gradient.append(np.bincount(position, residual, len(c.effects)) @ c.effects)
            loss = _loss(logit, self.good) + 0.5 * float(penalty @ beta**2)
            return loss / len(self.good), (np.concatenate(gradient) + penalty * beta) / len(self.good)

        least = [None, *(None if low == -np.inf else low for c in self.columns for low in c.least)]
        if start is None:
            share = float(self.good.mean())
            start = np.concatenate([[math.log(share / (1.0 - share))], np.zeros(len(least) - 1)])
        return _least(objective, least, start)


def with_own_points(card: Scorecard, sample: Sample, seed: int) -> JointPoints:
    """The card with the points of all its bins fitted jointly on the training sample; bins without rows are neutral.

    Maximum of the log likelihood less ½ Σ (parameter / spread)², in which a customer counts once however many rows it
    has (rows weigh bad customers / bad rows). Parameters are, per characteristic: the coefficient of WoE; the step of
    each range over the one before it, not below 0 in the declared direction; the effect of each other bin. A penalty on
    steps is that of Gertheiss and Tutz 2009 on ordered categories. The spread is the one of least log loss over folds
    of customers. `coefficient` is that of the line.
    """
    columns = [_columns(c, np.array([b.woe for b in c.bins])) for c in card.characteristics]
    bins = [c.bin_index(sample.rows) for c in card.characteristics]
    design = _Design(columns, bins, 1.0 - sample.is_bad, sample.bad_customers / float(sample.is_bad.sum()))
    losses = _held_out_losses(card, design, folds_of(sample.clusters, _FOLDS, seed))
    spread = min(_STEP_SPREADS, key=lambda s: (round(losses[f"{s:g}"], 9), s)) if losses else _STEP_SPREADS[0]
    beta = design.fitted(spread)
    characteristics = tuple(
        _repointed(c, table, float(beta[first]), position, card.factor)
        for c, table, first, position in zip(card.characteristics, design.tables(beta), design.ends, bins, strict=False)
    )
    start = card.base_score + card.factor * (float(beta[0]) - math.log(card.base_odds))
    return JointPoints(replace(card, characteristics=characteristics, intercept_points=start), spread, losses)


def _held_out_losses(card: Scorecard, design: _Design, fold: Ints) -> dict[str, float]:
    """Log loss a row (nats) of each spread on customers it was not fitted on; folds whose rest has one outcome are
    left out, and nothing is told when all are. Without WoE of the fold's own the line would know the held-out rows,
    and the strictest spread would seem the best."""
    totals = np.zeros(len(_STEP_SPREADS))
    rows = 0
    for k in range(_FOLDS):
        is_out = fold == k
        if not is_out.any() or is_out.all() or design.good[~is_out].min() == design.good[~is_out].max():
            continue
        rest = design.of(~is_out)
        rest = replace(
            rest, columns=[_columns(*told) for told in zip(card.characteristics, rest.woe(card), strict=True)]
        )
        held = replace(design.of(is_out), columns=rest.columns)
        rows += int(is_out.sum())
        beta = None
        for i, spread in enumerate(_STEP_SPREADS):
            beta = rest.fitted(spread, beta)
            totals[i] += _loss(held.logit(beta), held.good)
    return {f"{s:g}": float(total) / rows for s, total in zip(_STEP_SPREADS, totals, strict=True)} if rows else {}


def _loss(logit: Floats, good: Floats) -> float:
    return float(np.sum(np.logaddexp(0.0, logit) - good * logit))


def _least(objective: object, least: list[float | None], start: Floats) -> Floats:
    from scipy import optimize

    found = optimize.minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, None) for low in least],
        options={"maxiter": _MOST_ITERATIONS, "ftol": 1e-13, "gtol": 1e-9},
    )
    return np.asarray(found.x, dtype=float)


def _columns(characteristic: Characteristic, woe: Floats) -> _Columns:
    bins = characteristic.bins
    sign = {"rises": -1.0, "falls": 1.0}.get(characteristic.risk)
    columns, least = [woe], [0.0]
    ranges = [i for i, b in enumerate(bins) if b.kind == "range"]
    for first in ranges[1:]:
        columns.append(np.array([float(first <= i <= ranges[-1]) for i in range(len(bins))]) * (sign or 1.0))
        least.append(-np.inf if sign is None else 0.0)
    for i, b in enumerate(bins):
        if b.kind != "range" and b.count:
            columns.append(np.eye(len(bins))[i])
            least.append(-np.inf)
    return _Columns(np.column_stack(columns), tuple(least), (True, *(False for _ in columns[1:])))


def _repointed(
    characteristic: Characteristic, table: Floats, coefficient: float, position: Ints, factor: float
) -> Characteristic:
    points = factor * table
    bins = tuple(replace(b, points=float(p)) for b, p in zip(characteristic.bins, points, strict=True))
    mean = math.fsum(points[position].tolist()) / len(position)
    return replace(characteristic, bins=bins, coefficient=coefficient, mean_points=mean)
