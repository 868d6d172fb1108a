"""Errors by cluster without resampling agree with the bootstrap, and few witnesses stay few."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.statistics.bootstrap import discrimination_intervals, ratio_interval, resamples
from pipeline.statistics.clustered import clustered_auc, clustered_error, paired_estimate, rate_ratio
from pipeline.statistics.discrimination import auc


def _panel(seed=1, customers=300, rows=8):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(customers), rows)
    quality = rng.normal(size=customers)
    is_bad = (rng.random(len(codes)) < 1 / (1 + np.exp(2.5 - 1.5 * quality[codes]))).astype(float)
    levels = np.floor(20 + 4 * quality[codes] + 3 * rng.normal(size=len(codes))).astype(np.int64)
    return np.maximum(levels, 0), is_bad, codes


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_error_of_an_auc_is_that_of_the_bootstrap_by_customer(seed):
    levels, is_bad, codes = _panel(seed)
    found = clustered_auc(levels, is_bad, codes, 0.95)
    drawn = discrimination_intervals(levels, is_bad, resamples(codes, 1000, 0.95, 1))["auc"]
    assert found.value == pytest.approx(auc(levels, is_bad), abs=1e-12)
    assert found.error == pytest.approx((drawn.high - drawn.low) / 3.92, rel=0.12)
    assert found.low <= drawn.low + 0.01
    assert found.high >= drawn.high - 0.01
    assert found.high - found.low < 2.5 * (drawn.high - drawn.low)


def test_rows_repeated_within_a_customer_add_no_certainty():
    levels, is_bad, codes = _panel(rows=1)
    once = clustered_auc(levels, is_bad, codes, 0.95)
    tenfold = clustered_auc(np.tile(levels, 10), np.tile(is_bad, 10), np.tile(codes, 10), 0.95)
    assert (tenfold.low, tenfold.high, tenfold.error) == pytest.approx((once.low, once.high, once.error))


@pytest.mark.parametrize(("bads", "low", "high"), [(5, 0.6, 0.8), (20, 0.88, 0.93), (60, 0.95, 0.98)])
def test_a_perfect_order_of_few_bads_is_no_certainty(bads, low, high):
    levels = np.repeat(np.array([0, 1]), [500, bads])
    found = clustered_auc(levels, levels.astype(float), np.arange(len(levels)), 0.95)
    assert (found.value, found.error, found.high) == (1.0, 0.0, 1.0)
    assert low < found.low < high


def test_an_auc_needs_both_outcomes():
    assert clustered_auc(np.array([1, 2]), np.zeros(2), np.arange(2), 0.95) is None


def test_the_ratio_of_two_rates_is_that_of_the_bootstrap():
    _, is_bad, codes = _panel(5)
    is_late = np.tile(np.arange(8) >= 5, 300)
    found, z = rate_ratio(is_bad, is_late, codes, 0.95)
    late = ratio_interval(is_bad * is_late, is_late.astype(float), resamples(codes, 500, 0.95, 1)).value
    early = ratio_interval(is_bad * ~is_late, (~is_late).astype(float), resamples(codes, 500, 0.95, 1)).value
    assert found.value == pytest.approx(late / early, rel=0.01)
    assert found.low < 1 < found.high
    assert abs(z) < 2


def test_the_ratio_knows_a_fall_from_ten_to_five_per_cent():
    is_bad = np.repeat([1.0, 0.0, 1.0, 0.0], [100, 900, 50, 950])
    found, z = rate_ratio(is_bad, np.arange(2000) >= 1000, np.arange(2000), 0.95)
    assert found.value == pytest.approx(0.5, abs=0.005)
    # by hand: ln ratio ± 1.96 · √(1/100 − 1/1000 + 1/50 − 1/1000)
    assert (found.low, found.high) == pytest.approx((0.362, 0.699), abs=0.005)
    assert z == pytest.approx(-0.05 / np.sqrt(0.09 / 1000 + 0.0475 / 1000), rel=0.01)


def test_influences_of_one_cluster_add_up_before_they_are_squared():
    assert clustered_error(np.array([1.0, 1.0, -2.0]), np.array([0, 0, 1])) == pytest.approx(np.sqrt(8 * 2))


def test_a_paired_difference_of_few_bad_clusters_goes_by_students_t():
    """Three bad clusters leave two degrees: 4.303 errors on either side at 95 %; one leaves none, and no interval."""
    is_bad, codes = np.array([1.0, 1, 1, 0, 0, 0, 0]), np.array([0, 1, 2, 3, 4, 5, 6])
    influence = np.array([0.02, -0.01, 0.01, -0.01, 0.0, 0.01, -0.02])
    found = paired_estimate(0.05, influence, is_bad, codes, 0.95)
    error = np.sqrt(0.0012 * 7 / 6)
    assert (found.error, found.bads, found.goods) == (pytest.approx(error), 3, 4)
    assert [found.low, found.high] == pytest.approx([0.05 - 4.3027 * error, 0.05 + 4.3027 * error], abs=1e-5)
    alone = paired_estimate(0.05, influence, np.array([1.0, 0, 0, 0, 0, 0, 0]), codes, 0.95)
    assert np.isnan([alone.low, alone.high]).all()
