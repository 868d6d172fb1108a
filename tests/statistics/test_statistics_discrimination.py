"""Discrimination against naive loops, SciPy and scikit-learn."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from pipeline.statistics.bootstrap import (
    discrimination_intervals,
    gini_difference,
    gini_shares,
    ratio_interval,
    resamples,
)
from pipeline.statistics.discrimination import auc, gini, ks, ordered, roc_points

labelled = st.lists(
    st.tuples(st.integers(min_value=0, max_value=8), st.integers(min_value=0, max_value=1)), min_size=2, max_size=60
).filter(lambda rows: 0 < sum(label for _, label in rows) < len(rows))


def _split(rows):
    scores, labels = zip(*rows, strict=True)
    return np.array(scores, dtype=float), np.array(labels)


@given(labelled)
def test_auc_counts_pairs_won_and_half_of_the_ties(rows):
    risk, is_bad = _split(rows)
    pairs = [(b > g) + 0.5 * (b == g) for b in risk[is_bad == 1] for g in risk[is_bad == 0]]
    assert auc(risk, is_bad) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert gini(risk, is_bad) == pytest.approx(2 * np.mean(pairs) - 1, abs=1e-12)


@given(labelled)
def test_ks_is_the_two_sample_statistic_of_scipy(rows):
    risk, is_bad = _split(rows)
    expected = stats.ks_2samp(risk[is_bad == 1], risk[is_bad == 0]).statistic
    assert ks(risk, is_bad) == pytest.approx(expected, abs=1e-12)


@given(labelled)
def test_roc_points_are_those_of_scikit_learn_and_enclose_the_auc(rows):
    risk, is_bad = _split(rows)
    x, y, _ = metrics.roc_curve(is_bad, risk, drop_intermediate=False)
    points = roc_points(risk, is_bad)
    np.testing.assert_allclose(points, np.column_stack([x, y]), atol=1e-12)
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(auc(risk, is_bad), abs=1e-12)


def test_turning_the_score_round_turns_the_gini_round():
    rng = np.random.default_rng(0)
    risk, is_bad = rng.normal(size=200), rng.integers(0, 2, 200)
    assert gini(-risk, is_bad) == pytest.approx(-gini(risk, is_bad), abs=1e-12)


@pytest.mark.parametrize(
    ("risk", "is_bad", "told"),
    [
        ([0.1, np.nan], [0, 1], "1 of 2 scores are NaN"),
        ([0.1, 0.2], [0, 2], "labels must be"),
        ([0.1], [0, 1], "equally long"),
        ([0.1, 0.2], [0, 0], "needs bads and goods"),
    ],
)
def test_scores_and_labels_that_cannot_be_measured_are_refused(risk, is_bad, told):
    with pytest.raises(ValueError, match=told):
        auc(risk, is_bad)


def test_weights_count_as_repeated_rows():
    rng = np.random.default_rng(3)
    risk, is_bad, times = rng.integers(0, 5, 40).astype(float), rng.integers(0, 2, 40), rng.integers(0, 4, 40)
    from pipeline.statistics.discrimination import auc_of, ks_of

    cut = ordered(risk, is_bad).cumulated(times.astype(float))
    repeated = np.repeat(risk, times), np.repeat(is_bad, times)
    assert auc_of(*cut) == pytest.approx(auc(*repeated), abs=1e-12)
    assert ks_of(*cut) == pytest.approx(ks(*repeated), abs=1e-12)


def _clustered(rng, clusters=150, months=12):
    """Months of a customer share score and fate."""
    quality = np.repeat(rng.normal(size=clusters), months)
    is_bad = np.repeat((rng.random(clusters) < 1 / (1 + np.exp(1.5 + quality[::months]))).astype(int), months)
    return -quality + 0.3 * rng.normal(size=len(quality)), is_bad, np.repeat(np.arange(clusters), months)


def test_interval_by_customer_is_wider_than_one_by_row():
    risk, is_bad, customers = _clustered(np.random.default_rng(5))
    by_customer = discrimination_intervals(risk, is_bad, resamples(customers, 400, 0.95, 1))["auc"]
    by_row = discrimination_intervals(risk, is_bad, resamples(np.arange(len(risk)), 400, 0.95, 1))["auc"]
    assert by_customer.value == by_row.value == pytest.approx(auc(risk, is_bad))
    assert by_customer.high - by_customer.low > 2.5 * (by_row.high - by_row.low)


def test_bootstrap_equals_a_loop_over_resampled_rows():
    risk, is_bad, customers = _clustered(np.random.default_rng(6), clusters=30, months=3)
    draws = resamples(customers, 50, 0.9, 7)
    generator = np.random.Generator(np.random.PCG64(7))
    values = []
    for _ in range(50):
        picked = generator.integers(0, 30, size=30)
        rows = np.concatenate([np.flatnonzero(customers == c) for c in picked])
        if 0 < is_bad[rows].sum() < len(rows):
            values.append(auc(risk[rows], is_bad[rows]))
    found = discrimination_intervals(risk, is_bad, draws)["auc"]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(values, [5, 95])), abs=1e-12)


def test_same_seed_gives_the_same_interval_and_another_seed_another():
    risk, is_bad, customers = _clustered(np.random.default_rng(8))
    first, again, other = (
        discrimination_intervals(risk, is_bad, resamples(customers, 100, 0.95, s)) for s in (1, 1, 2)
    )
    assert first == again
    assert first["auc"] != other["auc"]


def test_chunks_of_rounds_do_not_change_the_draws(monkeypatch):
    _, _, customers = _clustered(np.random.default_rng(8))
    whole = np.vstack(list(resamples(customers, 40, 0.95, 1).weights()))
    monkeypatch.setattr("pipeline.statistics.bootstrap._CELLS", 5000)
    np.testing.assert_array_equal(whole, np.vstack(list(resamples(customers, 40, 0.95, 1).weights())))


def test_too_few_rounds_with_both_outcomes_leave_the_interval_open():
    draws = resamples(["a", "b"], 100, 0.95, 1)
    measured = np.where(np.arange(100) < 49, 0.7, np.nan)
    assert draws.interval(0.7, measured).as_json() == {"value": 0.7, "low": None, "high": None, "rounds": 49}
    assert draws.interval(0.7, np.where(np.arange(100) < 50, 0.7, np.nan)).low == 0.7


def test_difference_of_a_model_with_itself_is_nothing_and_pairs_are_tighter_than_ginis():
    risk, is_bad, customers = _clustered(np.random.default_rng(9))
    draws = resamples(customers, 200, 0.95, 1)
    same = gini_difference(risk, risk, is_bad, draws)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    noisy = risk + 0.2 * np.random.default_rng(1).normal(size=len(risk))
    paired = gini_difference(risk, noisy, is_bad, draws)
    alone = discrimination_intervals(risk, is_bad, draws)["gini"]
    assert paired.value == pytest.approx(gini(risk, is_bad) - gini(noisy, is_bad), abs=1e-12)
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)


def test_share_of_the_best_gini_is_paired_one_of_itself_and_unknown_of_a_best_that_orders_backwards():
    risk, is_bad, customers = _clustered(np.random.default_rng(9))
    noisy = risk + 0.2 * np.random.default_rng(1).normal(size=len(risk))
    draws = resamples(customers, 200, 0.95, 1)
    best, (same, near) = gini_shares([risk, noisy], risk, is_bad, draws)
    assert best.as_json() == pytest.approx(discrimination_intervals(risk, is_bad, draws)["gini"].as_json(), abs=1e-12)
    assert (same.value, same.low, same.high, same.rounds) == (1.0, 1.0, 1.0, 200)
    assert near.value == pytest.approx(gini(noisy, is_bad) / gini(risk, is_bad), abs=1e-12)
    assert near.high - near.low < 0.5 * (best.high - best.low) / best.value
    assert gini_shares([noisy], -risk, is_bad, draws)[1][0].as_json() == {
        "value": None,
        "low": None,
        "high": None,
        "rounds": 0,
    }
    without = gini_shares([noisy], risk, is_bad, resamples(customers, 0, 0.95, 1))
    assert (without[1][0].value, without[1][0].rounds) == (near.value, 0)


def test_ratio_interval_holds_the_ratio_and_narrows_with_more_customers():
    rng = np.random.default_rng(2)
    pd_ = np.full(4000, 0.1)
    is_bad = (rng.random(4000) < 0.1).astype(int)
    wide = ratio_interval(is_bad[:400], pd_[:400], resamples(np.arange(400), 300, 0.95, 1))
    narrow = ratio_interval(is_bad, pd_, resamples(np.arange(4000), 300, 0.95, 1))
    assert narrow.value == pytest.approx(is_bad.sum() / 400)
    assert narrow.low < narrow.value < narrow.high
    assert narrow.high - narrow.low < wide.high - wide.low


def test_five_hundred_rounds_on_ten_thousand_rows_take_less_than_three_seconds_of_work():
    rng = np.random.default_rng(0)
    risk, is_bad, customers = rng.normal(size=10_000), rng.random(10_000) < 0.04, rng.integers(0, 900, 10_000)
    start = time.process_time()
    discrimination_intervals(risk, is_bad, resamples(customers, 500, 0.95, 1))
    assert time.process_time() - start < 3.0


@settings(max_examples=30)
@given(st.integers(min_value=1, max_value=40), st.integers(min_value=0, max_value=5))
def test_every_round_draws_as_many_customers_as_there_are(clusters, seed):
    draws = resamples(np.arange(clusters), 20, 0.95, seed)
    np.testing.assert_array_equal(np.vstack(list(draws.weights())).sum(axis=1), np.full(20, clusters))
