"""Size and power of the paired difference of two scores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmarks.sizes_book import SETTINGS, TESTED, rows_of, sample_of
from benchmarks.sizes_counts import Counts
from benchmarks.sizes_tenures import drawn
from benchmarks.sizes_wrong import auc_of, blur_for
from pipeline.statistics.paired import difference_of
from pipeline.train.measures import draws_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.sizes_tenures import Design
    from pipeline.statistics.bootstrap import Resamples
    from pipeline.statistics.paired import Difference

    Floats = NDArray[np.float64]

RIVAL = ("rival.panel",)
ROUNDS, BLUR = 500, 0.5
_BOOKS = 20


def rivals(design: Design, gini: float, batch: int) -> Counts:
    """Whether the interval of the Gini difference of two blurred scores leaves zero out, of which one is better by
    `gini`; at 0 they are equally good. Their errors are independent."""
    counts = Counts(_BOOKS)
    settings = replace(SETTINGS, bootstrap_rounds=ROUNDS)
    blurs = np.array([[BLUR], [blur_for(design, auc_of(design, BLUR) - gini / 2) if gini else BLUR]])
    for number in range(batch * _BOOKS, (batch + 1) * _BOOKS):
        rng = np.random.default_rng([11, design.customers, number])
        sample = sample_of(rows_of(drawn(design, rng, 1), TESTED))
        if sample.bad_customers < SETTINGS.min_bad_customers:
            continue
        # A score errs about a customer, not about a month.
        errors = blurs * rng.normal(size=(2, sample.customers))
        scores = special.logit(sample.rows["pd"].to_numpy()) + errors[:, sample.codes]
        found = paired(scores[0], scores[1], sample.is_bad, draws_of(sample, settings))
        counts.add(*RIVAL, not found.low <= 0 <= found.high, found.value)
    return counts


def paired(first: Floats, second: Floats, is_bad: Floats, draws: Resamples) -> Difference:
    """As `paired_gini`, the pairs of bad and good rows counted once by cluster instead of in every round: quicker where
    bad rows are few."""
    bad = is_bad == 1
    codes, rows = draws.codes, np.arange(len(is_bad))
    bads, goods = (rows[side][np.argsort(codes[side], kind="stable")] for side in (bad, ~bad))
    sums = [_summed(_won(score[bads], score[goods]), codes[bads], codes[goods]) for score in (first, second)]
    of_bads, of_goods = (np.unique(codes[side], return_counts=True) for side in (bads, goods))
    firsts = np.unique(codes, return_index=True)[1]

    def difference(weights: Floats) -> Floats:
        over, under = weights[:, of_bads[0]], weights[:, of_goods[0]]
        pairs = (over * of_bads[1]).sum(axis=1) * (under * of_goods[1]).sum(axis=1)
        won = np.sum((under @ (sums[0] - sums[1]).T) * over, axis=1)
        return np.asarray(2.0 * np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0))

    value = float(difference(np.ones((1, draws.clusters)))[0])
    samples = np.concatenate([difference(weights[:, firsts]) for weights in draws.weights()])
    return difference_of(value, samples, draws)


def _won(bads: Floats, goods: Floats) -> Floats:
    """Of each pair: 1 where the bad row has the higher score, one half for equal ones."""
    return np.asarray((bads[:, None] > goods) + 0.5 * (bads[:, None] == goods))


def _summed(won: Floats, bads: NDArray[np.int64], goods: NDArray[np.int64]) -> Floats:
    """The same by cluster of bad rows (down) and of good ones (across); the rows of each stand together."""
    starts = [np.unique(codes, return_index=True)[1] for codes in (bads, goods)]
    return np.asarray(np.add.reduceat(np.add.reduceat(won, starts[0], axis=0), starts[1], axis=1))
