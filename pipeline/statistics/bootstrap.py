"""Bootstrap intervals that resample whole customer groups, not rows: a customer seen in 24 months is one witness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.discrimination import auc_of, ks_of, ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

# Rows times rounds held in memory at once: 4 million doubles are 32 MB.
_CELLS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A value with its percentile interval; `rounds` counts the resamples that had both bads and goods.

    `low` and `high` are NaN when fewer than half of the rounds could be measured, or none was drawn.
    """

    value: float
    low: float
    high: float
    rounds: int

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN is null."""
        return {
            "value": _plain(self.value),
            "low": _plain(self.low),
            "high": _plain(self.high),
            "rounds": self.rounds,
        }


@dataclass(frozen=True)
class Resamples:
    """How often each cluster is drawn in each round; `codes` is the cluster of each row.

    Without a round there are values and no intervals.
    """

    codes: NDArray[np.int64]
    clusters: int
    rounds: int
    confidence: float
    seed: int

    def weights(self) -> Iterator[Floats]:
        """Row weights, shape (rounds of the chunk, rows): the same for the same seed, whatever the chunk.

        Poisson weights with mean 1 would vary the number of clusters; here exactly as many are drawn as there are.
        """
        if not self.rounds:
            yield np.empty((0, len(self.codes)))
        generator = np.random.Generator(np.random.PCG64(self.seed))
        chunk = max(1, _CELLS // max(len(self.codes), 1))
        done = 0
        while done < self.rounds:
            size = min(chunk, self.rounds - done)
            drawn = np.stack([self._draw(generator) for _ in range(size)])
            yield drawn[:, self.codes]
            done += size

    def _draw(self, generator: np.random.Generator) -> Floats:
        picked = generator.integers(0, self.clusters, size=self.clusters)
        return np.bincount(picked, minlength=self.clusters).astype(float)

    def interval(self, value: float, samples: Floats) -> Interval:
        """The percentile interval of the measured rounds around `value`."""
        finite = samples[np.isfinite(samples)]
        if not len(finite) or 2 * len(finite) < self.rounds:
            return Interval(value, float("nan"), float("nan"), len(finite))
        tail = 100.0 * (1.0 - self.confidence) / 2.0
        low, high = np.percentile(finite, [tail, 100.0 - tail])
        return Interval(value, float(low), float(high), len(finite))


def resamples(clusters: ArrayLike, rounds: int, confidence: float, seed: int) -> Resamples:
    """Prepares rounds of drawing clusters with replacement (pairs cluster bootstrap; Cameron, Gelbach, Miller 2008)."""
    names, codes = np.unique(np.asarray(clusters), return_inverse=True)
    if not len(names):
        raise ValueError("a bootstrap needs at least one cluster")
    return Resamples(codes.astype(np.int64), len(names), rounds, confidence, seed)


def discrimination_intervals(risk: ArrayLike, is_bad: ArrayLike, draws: Resamples) -> dict[str, Interval]:
    """AUC, Gini and KS of one score, with intervals from the same resamples.

    >>> draws = resamples(["a", "b", "c", "d"], 200, 0.9, seed=1)
    >>> discrimination_intervals([4, 3, 2, 1], [1, 0, 1, 0], draws)["auc"].value
    0.75
    """
    rows = ordered(risk, is_bad)
    whole = rows.cumulated(np.ones(len(rows.order)))
    samples = [(auc_of(*cut), ks_of(*cut)) for cut in (rows.cumulated(weights) for weights in draws.weights())]
    aucs, distances = (np.concatenate(parts) for parts in zip(*samples, strict=True))
    auc = draws.interval(float(auc_of(*whole)), aucs)
    return {
        "auc": auc,
        "gini": Interval(2 * auc.value - 1, 2 * auc.low - 1, 2 * auc.high - 1, auc.rounds),
        "ks": draws.interval(float(ks_of(*whole)), distances),
    }


def gini_difference(first: ArrayLike, second: ArrayLike, is_bad: ArrayLike, draws: Resamples) -> Interval:
    """Gini of the first score less that of the second on the same rows, paired: each round draws the same clusters."""
    a, b = ordered(first, is_bad), ordered(second, is_bad)
    ones = np.ones(len(a.order))
    value = 2.0 * (auc_of(*a.cumulated(ones)) - auc_of(*b.cumulated(ones)))
    samples = [2.0 * (auc_of(*a.cumulated(w)) - auc_of(*b.cumulated(w))) for w in draws.weights()]
    return draws.interval(float(value), np.concatenate(samples))


def gini_shares(
    risks: Sequence[ArrayLike], best: ArrayLike, is_bad: ArrayLike, draws: Resamples
) -> tuple[Interval, list[Interval]]:
    """Gini of `best`, and that of each of `risks` as a share of it: numerator and denominator of the same resamples.

    A share is NaN, and a round is not counted, where the Gini of `best` is not above 0.
    """
    rows = [ordered(risk, is_bad) for risk in (best, *risks)]

    def ginis(weights: Floats) -> Floats:
        """Shape (scores, rounds of the weights), `best` first."""
        return np.stack([2.0 * auc_of(*one.cumulated(weights)) - 1.0 for one in rows])

    def shares(of: Floats) -> Floats:
        return np.asarray(np.divide(of[1:], of[0], out=np.full_like(of[1:], np.nan), where=of[0] > 0))

    whole = ginis(np.ones((1, len(draws.codes))))
    drawn = np.concatenate([ginis(weights) for weights in draws.weights()], axis=1)
    found = zip(shares(whole)[:, 0], shares(drawn), strict=True)
    return draws.interval(float(whole[0, 0]), drawn[0]), [draws.interval(float(v), s) for v, s in found]


def ratio_interval(above: ArrayLike, below: ArrayLike, draws: Resamples) -> Interval:
    """Σ above / Σ below with its interval: a mean with `below` = 1, observed over expected with `below` = PD."""
    a, b = np.asarray(above, dtype=float), np.asarray(below, dtype=float)

    def ratio(weights: Floats) -> Floats:
        # Products summed along rows, not a matrix product: BLAS may sum in another order with other threads.
        bottom = np.sum(weights * b, axis=-1)
        out = np.full(len(weights), np.nan)
        return np.asarray(np.divide(np.sum(weights * a, axis=-1), bottom, out=out, where=bottom > 0))

    return statistic_interval(ratio, draws)


def statistic_interval(statistic: Callable[[Floats], Floats], draws: Resamples) -> Interval:
    """Any statistic of row weights (rounds, rows) -> (rounds,), measured on the whole and on every round."""
    value = statistic(np.ones((1, len(draws.codes))))
    return draws.interval(float(value[0]), np.concatenate([statistic(weights) for weights in draws.weights()]))


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
