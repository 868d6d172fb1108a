"""Paired differences against counting by hand, and the smallest difference against simulation."""

import numpy as np
import pytest

from pipeline.statistics.bootstrap import resamples
from pipeline.statistics.paired import Difference, paired_gini, paired_sum, smallest_shown


def slow_gini(risk, is_bad):
    """Pairs of a bad and a good, counted one by one."""
    pairs = [(a > b) + 0.5 * (a == b) for a in risk[is_bad == 1] for b in risk[is_bad == 0]]
    return 2 * sum(pairs) / len(pairs) - 1


def rounds_by_hand(clusters, rounds, seed):
    """The rows of every round, written out: as many clusters drawn as there are, all months of each."""
    names = np.unique(clusters)
    generator = np.random.Generator(np.random.PCG64(seed))
    for _ in range(rounds):
        picked = generator.integers(0, len(names), size=len(names))
        yield np.concatenate([np.flatnonzero(clusters == names[pick]) for pick in picked])


@pytest.fixture
def book():
    draw = np.random.default_rng(4)
    clusters = np.repeat(np.arange(30), 3)
    quality = np.repeat(draw.normal(size=30), 3)
    is_bad = (draw.random(90) < 1 / (1 + np.exp(1 - quality))).astype(float)
    first = np.round(quality + draw.normal(size=90), 1)
    return first, np.round(quality + 2 * draw.normal(size=90), 1), is_bad, clusters


def test_the_difference_of_ginis_is_that_of_every_round_counted_by_hand(book):
    first, second, is_bad, clusters = book
    found = paired_gini(first, second, is_bad, resamples(clusters, 60, 0.9, seed=7))
    by_hand = [
        slow_gini(first[rows], is_bad[rows]) - slow_gini(second[rows], is_bad[rows])
        for rows in rounds_by_hand(clusters, 60, seed=7)
    ]
    assert found.value == pytest.approx(slow_gini(first, is_bad) - slow_gini(second, is_bad))
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(by_hand, [5, 95])))
    assert found.error == pytest.approx(np.std(by_hand, ddof=1))
    assert found.rounds == 60


def test_pairing_leaves_no_difference_between_scores_of_one_order(book):
    first, _, is_bad, clusters = book
    found = paired_gini(first, np.exp(first), is_bad, resamples(clusters, 50, 0.9, seed=7))
    assert (found.value, found.low, found.high, found.error) == (0, 0, 0, 0)


def test_months_of_one_customer_are_one_witness(book):
    first, second, is_bad, clusters = book
    once = paired_gini(first, second, is_bad, resamples(clusters, 200, 0.9, seed=1))
    repeated = [np.tile(values, 5) for values in (first, second, is_bad, clusters)]
    again = paired_gini(*repeated[:3], resamples(repeated[3], 200, 0.9, seed=1))
    assert (again.value, again.low, again.high) == pytest.approx((once.value, once.low, once.high))


def test_too_few_rounds_with_both_outcomes_give_no_interval():
    is_bad = np.array([1.0] + [0.0] * 3)
    found = paired_gini([4, 3, 2, 1], [1, 2, 3, 4], is_bad, resamples(np.arange(4), 200, 0.9, seed=1))
    assert found.is_measured  # the one bad row is drawn in most rounds
    rare = paired_gini([2, 1], [1, 2], [1, 0], resamples(np.array([0, 0]), 10, 0.9, seed=1))
    assert rare.is_measured
    none = Difference(0.1, float("nan"), float("nan"), float("nan"), 3)
    assert not none.is_measured
    assert none.as_json() == {"value": 0.1, "low": None, "high": None, "error": None, "rounds": 3}


def test_a_sum_is_that_of_every_round_written_out(book):
    amounts, clusters = book[0], book[3]
    found = paired_sum(amounts, resamples(clusters, 40, 0.9, seed=3))
    by_hand = [amounts[rows].sum() for rows in rounds_by_hand(clusters, 40, seed=3)]
    assert found.value == pytest.approx(amounts.sum())
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(by_hand, [5, 95])))


def test_the_smallest_difference_is_shown_as_often_as_the_power_says():
    error, confidence, power = 0.03, 0.9, 0.8
    true = smallest_shown(error, confidence, power)
    found = np.random.default_rng(1).normal(true, error, size=40_000)
    shown = found - 1.6448536 * error > 0
    assert shown.mean() == pytest.approx(power, abs=0.01)
