"""Binning, selection and the scorecard: weights of evidence by hand, directions, every feature's fate."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import ContractError, UnfitForTrainingError
from pipeline.params import LabelParams, ScorecardParams, SplitParams
from pipeline.statistics.discrimination import gini
from pipeline.train.binning import Evidence, evidence, fit_bins, information_value
from pipeline.train.customer_folds import folds_of
from pipeline.train.sample import Sample, samples
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import mature_dates, timetable

PARAMS = ScorecardParams()


def _sample(columns, is_bad, clusters=None):
    n = len(is_bad)
    names = np.array([f"c{i:05d}" for i in range(n)] if clusters is None else clusters, dtype=object)
    rows = pd.DataFrame({"customer_id": names, **columns})
    return Sample(rows, np.asarray(is_bad, dtype=float), names, np.array([dt.date(2020, 1, 31)] * n, dtype=object))


def _feature(name, risk="rises", holds="number"):
    return {"name": name, "idea": name, "risk": risk, "holds": holds, "title_en": name}


def _stepped(n=4000, seed=0):
    """x in 0..9, bad rates 2 % below 5 and 20 % from 5 on."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 10, n).astype(float)
    return x, (rng.random(n) < np.where(x < 5, 0.02, 0.2)).astype(float)


@pytest.fixture(scope="module")
def parts(small_economy):
    table = timetable(mature_dates(small_economy.book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    return samples(small_economy.book, table)


@pytest.fixture(scope="module")
def fitted(parts, small_economy):
    return fit_scorecard(parts["train"], small_economy.catalogue, PARAMS, 1)


def test_weight_of_evidence_by_hand_with_half_a_bad_customer():
    # 40 bad rows of 20 bad customers, 400 goods: half a bad customer is 1 bad row, and 10 good ones at the book's odds.
    known = Evidence(bads=40, goods=400, prior_bads=1.0)
    woe = known.woe(np.array([9.0, 0.0, 0.0]), np.array([190.0, 0.0, 90.0]))
    assert woe.tolist() == pytest.approx([math.log(200 / 10 / 10), 0.0, math.log(100 / 1 / 10)])


def test_weights_of_a_fitted_feature_are_those_of_its_own_counts():
    x, y = _stepped()
    sample = _sample({"x": x}, y)
    found = fit_bins(sample, [_feature("x")], PARAMS).characteristics["x"]
    assert 5.0 in [b.lower for b in found.bins] or 4.5 in [b.lower for b in found.bins]
    bads, goods = y.sum(), (1 - y).sum()
    for b in found.bins:
        if b.kind != "range":
            continue
        is_in = (x >= (b.lower if b.lower is not None else -np.inf)) & (
            x < (b.upper if b.upper is not None else np.inf)
        )
        b_n, g_n = y[is_in].sum(), (1 - y[is_in]).sum()
        assert (b.count, b.bads) == (is_in.sum(), b_n)
        assert b.woe == pytest.approx(math.log((g_n + 0.5 * goods / bads) / (b_n + 0.5) * bads / goods))
    assert found.iv == pytest.approx(information_value(found.bins))


@pytest.mark.parametrize(("risk", "sign"), [("rises", -1), ("falls", 1)])
def test_bins_follow_the_declared_direction_even_against_the_data(risk, sign):
    x, y = _stepped()
    noisy = x + np.random.default_rng(1).normal(0, 3, len(x))
    binning = fit_bins(_sample({"x": noisy * (1 if risk == "rises" else -1)}, y), [_feature("x", risk)], PARAMS)
    woes = [b.woe for b in binning.characteristics["x"].bins if b.kind == "range"]
    assert (np.diff(woes) * sign > 0).all()
    against = fit_bins(_sample({"x": noisy}, y), [_feature("x", "falls")], PARAMS)
    assert "declared direction (falls)" in against.unbinnable["x"]


def test_missing_values_have_their_own_weight_when_there_are_enough_of_them():
    x, y = _stepped()
    is_null = np.random.default_rng(2).random(len(x)) < 0.2
    found = fit_bins(_sample({"x": np.where(is_null, np.nan, x)}, y), [_feature("x")], PARAMS).characteristics["x"]
    missing = next(b for b in found.bins if b.kind == "missing")
    assert (missing.count, missing.bads) == (is_null.sum(), y[is_null].sum())
    assert missing.woe == pytest.approx(evidence(_sample({}, y)).woe(y[is_null].sum(), (1 - y)[is_null].sum()))


def test_missing_values_of_few_bad_customers_are_neutral_and_it_is_said():
    x, y = _stepped()
    is_null = np.zeros(len(x), dtype=bool)
    is_null[np.flatnonzero(y == 1)[:4]] = True
    is_null[np.flatnonzero(y == 0)[:60]] = True
    binning = fit_bins(_sample({"x": np.where(is_null, np.nan, x)}, y), [_feature("x")], PARAMS)
    assert next(b for b in binning.characteristics["x"].bins if b.kind == "missing").woe == 0.0
    assert "64 rows without a value" in binning.remarks["x"]


def test_every_bin_holds_enough_customers_not_months():
    rng = np.random.default_rng(3)
    customers = np.repeat([f"c{i:03d}" for i in range(300)], 12)
    x = np.repeat(rng.normal(size=300), 12)
    y = np.repeat((rng.random(300) < 1 / (1 + np.exp(2.5 - x[::12]))).astype(float), 12)
    found = fit_bins(_sample({"x": x}, y, customers), [_feature("x")], PARAMS).characteristics["x"]
    for b in found.bins:
        if b.kind == "range":
            is_in = (x >= (b.lower if b.lower is not None else -9)) & (x < (b.upper if b.upper is not None else 9))
            assert len(set(customers[is_in & (y == 1)])) >= PARAMS.min_bads_per_bin
            assert len(set(customers[is_in & (y == 0)])) >= PARAMS.min_goods_per_bin


def test_rare_categories_are_pooled_and_unseen_ones_are_neutral():
    rng = np.random.default_rng(4)
    n = 4000
    kinds = rng.choice(["good trade", "bad trade", "rare 1", "rare 2"], n, p=[0.6, 0.39, 0.005, 0.005]).astype(object)
    y = (rng.random(n) < np.where(kinds == "bad trade", 0.15, 0.03)).astype(float)
    found = fit_bins(_sample({"k": kinds}, y), [_feature("k", "either", "category")], PARAMS).characteristics["k"]
    by_name = {name: b.woe for b in found.bins for name in (b.categories or ())}
    assert by_name["good trade"] > 0 > by_name["bad trade"]
    assert by_name["rare 1"] == by_name["rare 2"] == 0.0
    assert found.points(pd.DataFrame({"k": ["new", None, "good trade"]})).tolist() == [0.0, 0.0, by_name["good trade"]]


def test_what_cannot_be_binned_is_listed_with_the_reason():
    x, y = _stepped()
    columns = {"empty": np.full(len(x), np.nan), "constant": np.ones(len(x)), "one_sided": np.where(y == 0, x, np.nan)}
    found = fit_bins(_sample(columns, y), [_feature(name) for name in columns], PARAMS)
    assert not found.characteristics
    assert found.unbinnable["empty"] == "null on every row"
    assert found.unbinnable["constant"] == "all 4,000 rows with a value hold the same one"
    assert "have one outcome" in found.unbinnable["one_sided"]


def test_infinite_values_are_refused_by_name():
    x, y = _stepped()
    x[7] = np.inf
    with pytest.raises(ContractError, match=r"features\.x: 1 of 4000 values are infinite"):
        fit_bins(_sample({"x": x}, y), [_feature("x")], PARAMS)


def test_every_feature_of_the_catalogue_has_one_fate_with_a_reason(fitted, small_economy):
    assert [fate.feature for fate in fitted.selection] == [f["name"] for f in small_economy.catalogue]
    assert all(fate.reason for fate in fitted.selection)
    fates = {fate.feature: fate.fate for fate in fitted.selection}
    assert fates["always_null"] == fates["always_zero"] == "unbinnable"
    assert {fates["noise_count"], fates["noise_ratio"]} <= {"weak", "unbinnable", "not_significant", "wrong_sign"}
    assert {name for name, fate in fates.items() if fate == "selected"} == set(fitted.scorecard.features)


def test_two_windows_of_one_idea_that_correlate_leave_one(fitted):
    fates = {fate.feature: fate for fate in fitted.selection}
    pair = [fates["mean_days_late_3m"], fates["mean_days_late_12m"]]
    assert sum(fate.fate == "selected" for fate in pair) <= 1
    assert any(fate.fate in {"correlated", "same_idea"} for fate in pair) or pair[0].fate != "selected"


def test_coefficients_agree_with_their_weights_and_points_rise_with_safety(fitted):
    factor = PARAMS.pdo / math.log(2)
    for characteristic in fitted.scorecard.characteristics:
        assert characteristic.coefficient > 0
        for b in characteristic.bins:
            assert b.points == pytest.approx(factor * characteristic.coefficient * b.woe)
    assert len(fitted.scorecard.features) <= PARAMS.max_variables


def test_expected_defaults_of_the_training_rows_equal_observed_ones(fitted, parts):
    train = parts["train"]
    expected = 1 / (1 + np.exp(fitted.scorecard.log_odds(train.rows)))
    assert expected.sum() == pytest.approx(train.is_bad.sum(), rel=1e-6)


def test_mean_points_are_the_mean_over_the_training_rows(fitted, parts):
    points = fitted.scorecard.points_by_characteristic(parts["train"].rows).mean()
    for characteristic in fitted.scorecard.characteristics:
        assert characteristic.mean_points == pytest.approx(points[characteristic.feature])


def test_the_card_orders_customers_it_has_never_seen(make_economy):
    economy = make_economy(1500, 44, 5)
    table = timetable(mature_dates(economy.book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    held_out = samples(economy.book, table)["out_of_time"]
    card = fit_scorecard(samples(economy.book, table)["train"], economy.catalogue, PARAMS, 1).scorecard
    is_late = table.is_out_of_time(economy.book).to_numpy()
    best = gini(economy.truth[is_late], economy.book["is_bad"][is_late])
    assert gini(-card.log_odds(held_out.rows), held_out.is_bad) > 0.8 * best


def test_folds_keep_a_customer_whole():
    clusters = np.array(["a", "b", "a", "c", "b"], dtype=object)
    folds = folds_of(clusters, 5, 1)
    assert folds[0] == folds[2]
    assert folds[1] == folds[4]


def test_no_feature_that_survives_is_an_error_with_counts_and_remedy():
    rng = np.random.default_rng(6)
    y = (rng.random(1500) < 0.05).astype(float)
    with pytest.raises(UnfitForTrainingError, match=r"none of 2 features .*hand in more tables"):
        fit_scorecard(
            _sample({"a": np.zeros(1500), "b": np.full(1500, np.nan)}, y), [_feature("a"), _feature("b")], PARAMS, 1
        )
