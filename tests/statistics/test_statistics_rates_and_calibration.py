"""Rates, stability, rank correlation, calibration and logistic regression against libraries and known truth."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

import pipeline.statistics
from pipeline.statistics.association import spearman
from pipeline.statistics.calibration import (
    brier,
    calibration_error,
    calibration_line,
    log_loss,
    observed_over_expected,
    spiegelhalter,
)
from pipeline.statistics.logistic import fit_logistic
from pipeline.statistics.proportions import jeffreys_interval, jeffreys_p_value, jeffreys_too_low, jeffreys_upper
from pipeline.statistics.stability import noise_quantile, psi


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(pipeline.statistics.__path__)])
def test_examples_in_the_docstrings_hold(name):
    failed, _ = doctest.testmod(importlib.import_module(f"pipeline.statistics.{name}"))
    assert not failed


def test_jeffreys_interval_is_the_beta_quantile_inside_and_reaches_the_ends():
    low, high = jeffreys_interval(5, 100, 0.95)
    assert (low, high) == pytest.approx(tuple(stats.beta.ppf([0.025, 0.975], 5.5, 95.5)))
    assert jeffreys_interval(0, 50)[0] == 0.0
    assert jeffreys_interval(50, 50)[1] == 1.0
    assert jeffreys_upper(5, 100, 0.975) == pytest.approx(high)


def test_jeffreys_interval_covers_the_true_rate_about_as_often_as_it_says():
    true, n = 0.03, 400
    chances = stats.binom.pmf(np.arange(n + 1), n, true)
    covered = [low <= true <= high for low, high in (jeffreys_interval(k, n, 0.9) for k in range(60))]
    assert 0.86 < chances[:60] @ np.array(covered) < 0.94


def test_p_value_is_small_where_the_forecast_is_too_low_and_half_where_it_is_right():
    assert jeffreys_p_value(0.01, 10, 100) < 0.001
    assert jeffreys_p_value(0.2, 10, 100) > 0.99
    assert jeffreys_p_value(0.1, 100, 1000) == pytest.approx(0.5, abs=0.03)


def test_no_bad_is_no_evidence_of_a_pd_too_low_and_one_bad_is():
    # The prior alone would say 0.022: one customer, no bad, PD 0.03 %.
    assert jeffreys_p_value(0.0003, 0, 1) < 0.05
    assert jeffreys_too_low(0.0003, 0, 1) == 1.0
    assert jeffreys_too_low(0.0003, 1, 1) == jeffreys_p_value(0.0003, 1, 1) < 0.001


@pytest.mark.parametrize("call", [jeffreys_interval, lambda b, n: jeffreys_upper(b, n, 0.9)])
def test_more_bads_than_customers_are_refused(call):
    with pytest.raises(ValueError, match="0 <= bads <= n"):
        call(3, 2)


def test_psi_by_hand_and_symmetric():
    assert psi([500, 500], [800, 200]) == pytest.approx(0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5), abs=0.002)
    assert psi([30, 50, 20], [10, 60, 30]) == pytest.approx(psi([10, 60, 30], [30, 50, 20]))
    assert np.isfinite(psi([100, 0, 50], [10, 20, 0]))


def test_psi_noise_is_exceeded_about_as_often_as_the_level_says():
    rng = np.random.default_rng(4)
    shares = np.full(10, 0.1)
    pairs = [(rng.multinomial(400, shares), rng.multinomial(300, shares)) for _ in range(1500)]
    exceeded = np.mean([psi(a, b) > noise_quantile(10, 400, 300, 0.05) for a, b in pairs])
    assert 0.03 < exceeded < 0.07


def test_psi_noise_of_one_bin_is_nothing_and_bad_counts_are_refused():
    assert noise_quantile(1, 100, 100, 0.01) == 0.0
    with pytest.raises(ValueError, match="same bins"):
        psi([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="at least one row"):
        psi([0, 0], [1, 2])


def test_rank_correlation_is_that_of_scipy_with_ties():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 6, 200), rng.integers(0, 6, 200)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert np.isnan(spearman([1, 1, 1], [1, 2, 3]))


def _book(n=20_000, seed=2):
    rng = np.random.default_rng(seed)
    logit = -3 + 1.2 * rng.normal(size=n)
    p = 1 / (1 + np.exp(-logit))
    return logit, p, (rng.random(n) < p).astype(float)


def test_true_probabilities_are_found_calibrated():
    _, p, y = _book()
    line = calibration_line(p, y)
    assert line.slope == pytest.approx(1, abs=3 * line.slope_error)
    assert line.at_large == pytest.approx(0, abs=0.1)
    assert observed_over_expected(p, y) == pytest.approx(1, abs=0.08)


def test_the_slope_is_known_with_few_degrees_where_few_turned_bad_and_with_as_many_for_copies_of_a_row():
    _, p, y = _book(400, seed=3)
    line = calibration_line(p, y)
    assert y.sum() / 3 < line.slope_degrees < 2 * y.sum()
    each = np.arange(400)
    tied = calibration_line(np.tile(p, 4), np.tile(y, 4), np.tile(each, 4))
    assert (tied.slope_error, tied.slope_degrees) == pytest.approx((line.slope_error, line.slope_degrees))


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_of_the_slope_ends_where_the_p_value_is_what_the_confidence_leaves(confidence):
    _, p, y = _book(400, seed=3)
    line = calibration_line(p, y)
    low, high = line.slope_interval(confidence)
    for end in (low, high):
        held = dataclasses.replace(line, slope=line.slope - end + 1.0)
        assert held.slope_p_value == pytest.approx(1 - confidence)
    reach = stats.norm.ppf(0.5 + confidence / 2) * line.slope_error
    assert low < line.slope - reach < line.slope + reach < high


def test_overconfident_and_optimistic_forecasts_are_found_out():
    logit, p, y = _book()
    doubled = 1 / (1 + np.exp(-2 * logit))
    assert calibration_line(doubled, y).slope == pytest.approx(0.5, abs=0.03)
    assert observed_over_expected(p / 2, y) > 1.8
    assert calibration_line(1 / (1 + np.exp(-(logit - 0.7))), y).at_large == pytest.approx(0.7, abs=0.1)


def _error_of(factor, seed, **asked):
    """A book of 300 whose true rates are the forecasts times a factor, and the error of all its true rates by bin."""
    draw = np.random.default_rng(seed)
    pd = np.clip(draw.beta(1, 12, size=300), 1e-3, 0.9)
    truth = np.clip(pd * factor, 0, 0.95)
    found = calibration_error(pd, (draw.random(300) < truth).astype(float), np.arange(300), rounds=199, **asked)
    cuts = np.unique(np.quantile(pd, np.arange(1, 10) / 10, method="inverted_cdf"))
    apart = np.bincount(np.searchsorted(cuts, pd), weights=truth - pd)
    return found, float(np.abs(apart).sum() / 300)


@pytest.mark.parametrize("factor", [1.0, 1.3, 2.0])
def test_the_interval_of_the_calibration_error_covers_that_of_the_true_rates(factor):
    books = [_error_of(factor, seed) for seed in range(120)]
    covered = np.mean([found.low - 1e-12 <= truth <= found.high + 1e-12 for found, truth in books])
    assert 0.87 <= covered <= 1.0
    # It tells something: nothing is seldom ruled out where nothing is wrong, and mostly where the level is off by two.
    ruled_out = np.mean([found.low > 0 for found, _ in books])
    least, most = {1.0: (0.0, 0.08), 1.3: (0.02, 0.3), 2.0: (0.6, 1.0)}[factor]
    assert least <= ruled_out <= most


def test_the_calibration_error_that_is_told_as_shown_is_found_about_as_often_as_the_power_says():
    """The error told as the smallest shown is made true, by the same pattern, and tested a hundred times."""
    draw = np.random.default_rng(5)
    pd = np.repeat([0.05, 0.1, 0.2, 0.3], 250)
    wrong = np.array([0.05, -0.05, 0.05, -0.05]).repeat(250)
    codes, asked = np.arange(1000), {"rounds": 199, "bins": 4}
    outcome = (draw.random(1000) < pd + wrong).astype(float)
    shown = [calibration_error(pd, outcome, codes, power=power, **asked).shown for power in (0.5, 0.8, 0.95)]
    assert shown == sorted(shown)
    # 5 % is the true error of this draw; made as large as the one told for 80 %, it is found about 80 times.
    scale = shown[1] / 0.05
    found = [
        calibration_error(pd, (draw.random(1000) < pd + scale * wrong).astype(float), codes, **asked).p_value < 0.05
        for _ in range(100)
    ]
    assert 0.65 <= np.mean(found) <= 0.95


def test_forecasts_that_are_all_met_show_no_pattern_to_enlarge():
    found = calibration_error([0.5] * 4, [0, 1, 0, 1], range(4), bins=1)
    assert (found.value, found.shown) == (0.0, np.inf)


def test_the_error_of_the_common_factor_is_that_of_a_hand_count():
    # 10 % of 100 rows each its own customer: √(100 × 0.8² × 0.09) over 100 × 0.8 × 0.1 is 2.4 over 8.
    found = spiegelhalter([0.1] * 100, [1] * 10 + [0] * 90)
    assert found.factor_error == pytest.approx(0.3)
    # Every row twice, as one customer: twice the sum, twice the spread of the rows as they came out.
    twice = spiegelhalter([0.1] * 200, [1] * 20 + [0] * 180, np.repeat(np.arange(100), 2))
    assert twice.factor_error == pytest.approx(0.3)


def test_the_interval_of_the_calibration_error_begins_at_nothing_where_the_test_does_not_reject_at_its_level():
    for seed in range(40):
        for confidence in (0.8, 0.95):
            found, _ = _error_of(1.5, seed, confidence=confidence)
            assert (found.low == 0) == (found.p_value > (1 - confidence) / 2)
            assert found.low <= found.value <= found.high
        assert _error_of(1.5, seed, confidence=0.5)[0].high <= found.high


def test_brier_and_log_loss_are_least_for_the_truth():
    _, p, y = _book()
    assert brier(p, y) < min(brier(p**1.5, y), brier(np.sqrt(p), y))
    assert log_loss(p, y) < min(log_loss(p**1.5, y), log_loss(np.sqrt(p), y))
    assert np.isfinite(log_loss([0.0, 1.0], [1, 0]))


def test_forecasts_outside_zero_to_one_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        brier([1.2], [1])


def test_constant_forecast_has_a_level_and_no_slope():
    line = calibration_line(np.full(100, 0.1), np.arange(100) < 20)
    assert np.isnan(line.slope)
    assert line.at_large == pytest.approx(np.log(0.25) - np.log(1 / 9))


def test_logistic_coefficients_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 3))
    y = (rng.random(3000) < 1 / (1 + np.exp(2 - x @ [1.0, -0.5, 0.2]))).astype(float)
    ours = fit_logistic(np.column_stack([np.ones(3000), x]), y, np.arange(3000))
    theirs = LogisticRegression(C=1e9, tol=1e-12, solver="newton-cholesky").fit(x, y)
    np.testing.assert_allclose(ours.coefficients, [theirs.intercept_[0], *theirs.coef_[0]], atol=1e-5)


def test_repeating_every_row_does_not_make_a_clustered_error_smaller():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(500), rng.normal(size=500)])
    y = (rng.random(500) < 1 / (1 + np.exp(1 - x[:, 1]))).astype(float)
    once = fit_logistic(x, y, np.arange(500))
    twelve = fit_logistic(np.repeat(x, 12, axis=0), np.repeat(y, 12), np.repeat(np.arange(500), 12))
    naive = fit_logistic(np.repeat(x, 12, axis=0), np.repeat(y, 12), np.arange(6000))
    np.testing.assert_allclose(once.standard_errors, twelve.standard_errors, rtol=1e-6)
    assert (naive.standard_errors < 0.35 * once.standard_errors).all()


def test_separated_outcomes_stay_finite_and_one_outcome_is_refused():
    x = np.column_stack([np.ones(20), np.arange(20.0)])
    assert np.isfinite(fit_logistic(x, (np.arange(20) > 9).astype(float), np.arange(20)).coefficients).all()
    with pytest.raises(ValueError, match="needs both outcomes"):
        fit_logistic(x, np.zeros(20), np.arange(20))
