"""The chance level of a PSI whose rows hang together: by hand, against independent rows, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.statistics.power import spread_shown
from pipeline.statistics.stability import Spread, clustered_spread, counted_spread, noise_quantile, psi

BINS = 6
EVEN = np.repeat(np.arange(BINS), 100)


def test_rows_that_are_all_clusters_of_their_own_have_the_noise_of_independent_rows():
    found = clustered_spread(EVEN, EVEN, (np.arange(600), np.arange(600, 1200)), BINS)
    assert found.scale == pytest.approx(2 / 600, rel=2e-3)
    assert found.degrees == pytest.approx(BINS - 1)
    assert found.noise(0.01) == pytest.approx(noise_quantile(BINS, 600, 600, 0.01), rel=2e-3)
    # Chi square with 5 degrees of freedom: 15.086 at 1 %, exceeded with 80 % at a noncentrality of 17.87.
    assert spread_shown(found, 0.01, 0.8) == pytest.approx(17.87 * 2 / 600, rel=5e-3)


def test_months_that_only_repeat_a_customer_add_no_evidence():
    once = clustered_spread(EVEN, EVEN, (np.arange(600), np.arange(600, 1200)), BINS)
    months = clustered_spread(np.tile(EVEN, 12), EVEN, (np.tile(np.arange(600), 12), np.arange(600, 1200)), BINS)
    assert months.noise(0.01) == pytest.approx(once.noise(0.01))


def test_what_a_customer_has_in_common_on_both_sides_adds_nothing():
    same = clustered_spread(EVEN, EVEN, (np.arange(600), np.arange(600)), BINS)
    assert same == Spread(0.0, 0.0)
    assert same.noise(0.01) == 0.0
    assert spread_shown(same, 0.01, 0.8) == np.inf


def test_bins_that_are_empty_on_both_sides_are_left_out():
    wide = clustered_spread(2 * EVEN, 2 * EVEN, (np.arange(600), np.arange(600, 1200)), 2 * BINS)
    assert wide.degrees == pytest.approx(BINS - 1)


NOBODY = np.zeros((0, BINS))
COUNTS = [100] * BINS


def by_group(bins, groups):
    """Rows of each group (down) in each bin (across)."""
    return np.bincount(groups * BINS + bins, minlength=BINS * (groups.max() + 1)).reshape(-1, BINS)


def test_counts_of_rows_that_are_all_clusters_of_their_own_have_the_noise_of_independent_rows():
    found = counted_spread(COUNTS, 600, COUNTS, NOBODY)
    assert found.degrees == pytest.approx(BINS - 1)
    assert found.noise(0.01) == pytest.approx(noise_quantile(BINS, 600, 600, 0.01), rel=2e-3)


def test_months_behind_the_counts_and_groups_of_ten_that_move_as_one_are_one_witness_each():
    months = counted_spread([12 * count for count in COUNTS], 600, COUNTS, NOBODY)
    assert months.noise(0.01) == pytest.approx(noise_quantile(BINS, 600, 600, 0.01), rel=2e-3)
    groups = counted_spread(COUNTS, 600, COUNTS, by_group(EVEN, np.arange(600) // 10))
    # 60 groups less one: the variance of a sample.
    assert groups.noise(0.01) == pytest.approx(noise_quantile(BINS, 600, 59, 0.01), rel=2e-3)


def test_groups_whose_customers_stand_as_far_apart_as_any_others_count_customer_by_customer():
    # Each of the 100 groups has one customer in every bin: their shares have no spread at all.
    found = counted_spread(COUNTS, 600, COUNTS, by_group(EVEN, np.tile(np.arange(100), BINS)))
    assert found.noise(0.01) == pytest.approx(noise_quantile(BINS, 600, np.inf, 0.01), rel=2e-3)


def test_groups_thrown_together_at_random_tell_the_same_noise():
    # 400 groups of five that stand in one bin each, in 100 lots of about four groups.
    rng = np.random.default_rng(4)
    groups, bins = np.repeat(np.arange(400), 5), np.repeat(rng.integers(0, BINS, 400), 5)
    now = np.bincount(bins, minlength=BINS)
    exact = counted_spread(COUNTS, 600, now, by_group(bins, groups)).noise(0.01)
    lots = [by_group(bins, rng.integers(0, 100, 400)[groups]) for _ in range(60)]
    found = [counted_spread(COUNTS, 600, now, tied).noise(0.01) for tied in lots]
    assert np.mean(found) == pytest.approx(exact, rel=0.03)
    assert np.std(found) < 0.1 * exact


def test_a_book_of_groups_exceeds_its_noise_as_often_as_the_level_says_and_that_of_rows_far_more_often():
    """Development: twelve months of 150 customers whose level stays. Now: 60 customers alone and 12 groups of five
    that share most of theirs."""
    rng, cuts = np.random.default_rng(8), np.array([-1.0, -0.4, 0.0, 0.4, 1.0])
    by_cluster, by_row = [], []
    for _ in range(400):
        before = 12 * np.bincount(np.searchsorted(cuts, rng.normal(size=150)), minlength=BINS)
        shared = np.repeat(rng.normal(size=12), 5) * np.sqrt(0.9) + rng.normal(size=60) * np.sqrt(0.1)
        tied, alone = np.searchsorted(cuts, shared), np.searchsorted(cuts, rng.normal(size=60))
        now = np.bincount(np.concatenate([tied, alone]), minlength=BINS)
        value, groups = psi(before, now), np.repeat(np.arange(12), 5)
        by_cluster.append(value > counted_spread(before, 150, now, by_group(tied, groups)).noise(0.05))
        by_row.append(value > noise_quantile(BINS, before.sum(), now.sum(), 0.05))
    assert np.mean(by_cluster) == pytest.approx(0.05, abs=0.03)
    assert np.mean(by_row) > 0.3


def wandering(seed: int) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Twelve months of 150 customers against 250 of whom they are a part, a year later; a level that wanders slowly."""
    rng = np.random.default_rng([seed, 5])
    stays, level, months = 0.97, rng.normal(size=250), []
    for _ in range(12):
        months.append(level[:150].copy())
        level = stays * level + np.sqrt(1 - stays**2) * rng.normal(size=250)
    far = stays**12
    now = far * level + np.sqrt(1 - far**2) * rng.normal(size=250)
    cuts = np.array([-1.0, -0.4, 0.0, 0.4, 1.0])
    before, after = (np.searchsorted(cuts, x) for x in (np.concatenate(months), now))
    return before, after, (np.tile(np.arange(150), 12), np.arange(250))


def test_on_clustered_rows_that_have_not_moved_chance_exceeds_the_clustered_noise_as_often_as_the_level_says():
    by_cluster, by_row = [], []
    for seed in range(400):
        before, after, clusters = wandering(seed)
        counts = [np.bincount(x, minlength=BINS) for x in (before, after)]
        value = psi(*counts)
        by_cluster.append(value > clustered_spread(before, after, clusters, BINS).noise(0.05))
        by_row.append(value > noise_quantile(BINS, len(before), len(after), 0.05))
    # Of 400 draws a size of 0.05 has a standard error of one point.
    assert np.mean(by_cluster) == pytest.approx(0.05, abs=0.03)
    assert np.mean(by_row) > 0.10
