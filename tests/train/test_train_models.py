"""Boosters, calibration, the thin pool and whole models: known truth, directions, equal bytes, errors with remedies."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import MissingInputError, UnfitForTrainingError
from pipeline.params import BoosterParams, CalibrationParams, LabelParams, ScorecardParams, SplitParams
from pipeline.score.applied import PD
from pipeline.score.drift import Cuts, binned, drift_of
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.points import Scaling
from pipeline.score.thin_file import ThinFileRule
from pipeline.statistics.discrimination import auc
from pipeline.statistics.proportions import jeffreys_upper
from pipeline.train.booster import fit_booster, normalised
from pipeline.train.booster_grower import side_by_side, thread_share, time_folds
from pipeline.train.calibration import Observed, fit_calibration
from pipeline.train.development import numbers_distribution, quantile_splits
from pipeline.train.fit import Setting, train_booster, train_scorecard
from pipeline.train.sample import Sample, samples
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import hashed_share, mature_dates, timetable, timetable_tested_later
from pipeline.train.thin_file import fit_thin_file

BOOSTER = BoosterParams(trials=0, max_rounds=60, early_stopping_rounds=10, min_rows_per_leaf=50)
SETTING = Setting(LabelParams(), Scaling(), CalibrationParams(), ThinFileRule(3, 3), 0.75)


@pytest.fixture(scope="module")
def book(small_economy):
    return small_economy.book.assign(
        invoices_due_12m_count=small_economy.book["noise_count"].astype(int), history_months=20
    )


@pytest.fixture(scope="module")
def table(book):
    return timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))


@pytest.fixture(scope="module")
def parts(book, table):
    return samples(book, table)


@pytest.fixture(scope="module")
def card(book, table, small_economy):
    return train_scorecard(book, small_economy.catalogue, table, ScorecardParams(), SETTING)


@pytest.fixture(scope="module")
def boosted(book, table, small_economy):
    return train_booster(book, small_economy.catalogue, table, BOOSTER, SETTING)


def _files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", ["card", "boosted"])
def test_a_fitted_model_is_written_and_read_again(name, request, tmp_path, parts):
    fitted = request.getfixturevalue(name)
    version = write_model(tmp_path, fitted.model, fitted.golden_rows)
    again = read_model(tmp_path / version)
    rows = parts["test"].rows
    np.testing.assert_allclose(again.pd(rows), fitted.model.pd(rows), rtol=0, atol=1e-12)
    assert len(again.golden.features) == 100


def test_a_card_that_later_months_test_keeps_nothing_back(book, small_economy):
    dates = mature_dates(book)
    table = timetable_tested_later(dates, LabelParams(), SplitParams(0.5, 0.25, 0.25))
    told = train_scorecard(book, small_economy.catalogue, table, ScorecardParams(), SETTING).details
    rows = {role: counts["rows"] for role, counts in told["samples"].items()}
    labelled = book[book["is_bad"].notna() & book["as_of"].isin(dates)]
    assert rows["train"] + rows["calibration"] == len(labelled)
    assert (rows["test"], rows["out_of_time"]) == (0, 0)
    # What whole points cost is told on the customers of a test.
    assert "whole_points" not in told


@pytest.mark.parametrize("kind", ["scorecard", "booster"])
def test_two_fits_and_shuffled_rows_give_equal_bytes(kind, book, table, tmp_path, request):
    first = request.getfixturevalue("card" if kind == "scorecard" else "boosted")
    small_economy = request.getfixturevalue("small_economy")
    shuffled = book.sample(frac=1, random_state=1)
    train, params = (train_scorecard, ScorecardParams()) if kind == "scorecard" else (train_booster, BOOSTER)
    second = train(shuffled, small_economy.catalogue, table, params, SETTING)
    versions = [
        write_model(tmp_path / str(i), fitted.model, fitted.golden_rows) for i, fitted in enumerate([first, second])
    ]
    assert versions[0] == versions[1]
    assert _files(tmp_path / "0" / versions[0]) == _files(tmp_path / "1" / versions[1])
    assert first.details == second.details


def test_one_or_two_threads_grow_the_same_text(parts, small_economy):
    texts = {
        fit_booster(parts["train"], small_economy.catalogue, dataclasses.replace(BOOSTER, threads=n)).booster.text
        for n in (1, 2)
    }
    assert len(texts) == 1
    assert "[num_threads: 1]" in texts.pop()
    assert normalised("a\n[num_threads: 8]\nb") == "a\n[num_threads: 1]\nb"


def test_boosters_are_grown_side_by_side_each_by_its_share_of_the_threads(parts, small_economy, monkeypatch):
    """Two of few rows at once on one thread each; a single one takes two only where its cells pay for it."""
    import lightgbm

    real, told, running = lightgbm.train, [], set()

    def watched(parameters, *given, **more):
        running.add(threading.get_ident())
        told.append((parameters["num_threads"], len(running)))
        try:
            return real(parameters, *given, **more)
        finally:
            running.discard(threading.get_ident())

    monkeypatch.setattr(lightgbm, "train", watched)
    fit_booster(parts["train"], small_economy.catalogue, dataclasses.replace(BOOSTER, threads=2))
    assert {threads for threads, _ in told} == {1}
    assert max(at_once for _, at_once in told) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_boosters_at_work_end_at_their_next_round_when_one_fails_or_the_user_breaks_off(error):
    begun, rounds = threading.Event(), []

    def fails(_):
        begun.wait(10)
        raise error

    def works(watch):
        begun.set()
        for i in range(1000):
            rounds.append(i)
            time.sleep(0.01)
            watch(None)

    never = []
    with pytest.raises(error):
        side_by_side([fails, works, never.append], threads=2)
    assert 0 < len(rounds) < 1000
    assert side_by_side([lambda _, i=i: i for i in range(5)], threads=2) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("threads", "tasks", "cells", "share"), [
    (2, 3, 10**9, 1), (2, 1, 10**9, 2), (2, 1, 4_000_000, 1), (16, 3, 10**9, 5), (16, 3, 6_000_000, 2),
    (1, 9, 10**9, 1),
])  # fmt: skip
def test_threads_are_shared_out_among_the_boosters_at_work(threads, tasks, cells, share):
    assert thread_share(threads, tasks, cells) == share


@pytest.mark.slow
def test_another_hash_seed_and_time_zone_give_the_same_versions(tmp_path):
    script = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import conftest as c\n"
        "from pipeline.params import *; from pipeline.train.fit import *; from pipeline.train.splits import *\n"
        "from pipeline.score.points import Scaling; from pipeline.score.thin_file import ThinFileRule\n"
        "from pipeline.score.model_folder import write_model\n"
        "e = c.economy(); b = e.book.assign(invoices_due_12m_count=5, history_months=20)\n"
        "t = timetable(mature_dates(b), LabelParams(), SplitParams(0.5, 0.25, 0.25))\n"
        "s = Setting(LabelParams(), Scaling(), CalibrationParams(), ThinFileRule(3, 3), 0.75)\n"
        "p = BoosterParams(trials=1, max_rounds=40, early_stopping_rounds=10, min_rows_per_leaf=50)\n"
        "for f in (train_scorecard(b, e.catalogue, t, ScorecardParams(), s), train_booster(b, e.catalogue, t, p, s)):\n"
        "    print(write_model(pathlib.Path(sys.argv[2]), f.model, f.golden_rows))\n"
    )
    here = Path(__file__).parent
    told = set()
    for seed, zone, threads in (("0", "UTC", "1"), ("7", "Asia/Shanghai", "2")):
        varied = {"PYTHONHASHSEED": seed, "TZ": zone, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", script, str(here), str(tmp_path / seed)]
        done = subprocess.run(
            command, env={**os.environ, **varied}, capture_output=True, text=True, check=True, cwd=here.parents[1]
        )
        told.add(done.stdout)
    assert len(told) == 1


@pytest.mark.parametrize(("feature", "sign"), [("overdue_share", 1), ("equity_ratio", -1), ("age_years", -1)])
def test_the_booster_moves_in_the_declared_direction_everywhere(boosted, parts, feature, sign):
    rows = parts["test"].rows.head(50)
    grid = np.linspace(rows[feature].min(), rows[feature].max(), 40)
    pds = np.column_stack([boosted.model.pd(rows.assign(**{feature: value})) for value in grid])
    assert (np.diff(pds, axis=1) * sign >= -1e-15).all()


def test_the_booster_leaves_out_what_never_varies_and_keeps_categories(boosted):
    assert set(boosted.details["unused"]) == {"always_null", "always_zero"}
    assert boosted.model.predictor.categories["industry"] == ("A", "C", "F", "G")
    assert boosted.details["rounds"] >= 10


def test_what_is_never_to_be_used_is_used_by_neither_model(book, small_economy, table):
    banned = ("overdue_share", "industry")
    setting = dataclasses.replace(SETTING, never_use=banned)
    quick = dataclasses.replace(BOOSTER, trials=0, max_rounds=20)
    boosted = train_booster(book, small_economy.catalogue, table, quick, setting)
    carded = train_scorecard(book, small_economy.catalogue, table, ScorecardParams(never_use=banned), setting)
    for fitted in (boosted, carded):
        assert not set(banned) & set(fitted.model.reads)
        assert fitted.details["never_use"] == list(banned)
    assert not set(banned) & set(boosted.details["unused"])


def test_folds_check_later_months_of_other_customers(parts):
    train = parts["train"]
    folds = time_folds(train, BOOSTER)
    assert folds
    for grow, check in folds:
        assert max(train.days[grow]) < min(train.days[check])
        assert not set(train.clusters[grow]) & set(train.clusters[check])


def test_folds_of_a_short_history_share_months_and_keep_customers_apart(parts):
    train = parts["train"]
    short = train.part(np.isin(train.days, sorted(set(train.days))[:3]))
    for grow, check in time_folds(short, BOOSTER):
        assert not set(short.clusters[grow]) & set(short.clusters[check])


def test_labels_drawn_by_lot_cannot_be_predicted(make_economy):
    economy = make_economy(1200, 30, 3)
    lot = economy.book["group_key"].map(lambda key: int(hashed_share(5, key) < 0.12))
    fair = economy.book.assign(is_bad=lot)
    # A window of three months leaves enough dates in thirty months.
    table = timetable(mature_dates(fair), LabelParams(window_months=3), SplitParams(0.5, 0.25, 0.25))
    parts = samples(fair, table)
    test = parts["test"]
    booster = fit_booster(parts["train"], economy.catalogue, BOOSTER).booster
    assert auc(-booster.log_odds(test.rows), test.is_bad) == pytest.approx(0.5, abs=0.1)
    try:
        card = fit_scorecard(parts["train"], economy.catalogue, ScorecardParams(), 1).scorecard
    except UnfitForTrainingError:
        return
    assert auc(-card.log_odds(test.rows), test.is_bad) == pytest.approx(0.5, abs=0.1)


def _observed(n=6000, slope=1.0, shift=0.0, seed=0):
    """Customers with one row each, whose true ln odds of good are shift + slope × raw."""
    rng = np.random.default_rng(seed)
    raw = 3 + 1.2 * rng.normal(size=n)
    is_bad = (rng.random(n) < 1 / (1 + np.exp(shift + slope * raw))).astype(float)
    return Observed(raw, is_bad, np.array([f"c{i}" for i in range(n)], dtype=object))


def test_the_line_of_a_known_truth_is_found_again():
    fit = fit_calibration(_observed(20_000, slope=0.7, shift=0.5), CalibrationParams())
    assert fit.slope == pytest.approx(0.7, abs=0.06)
    assert fit.intercept == pytest.approx(0.5, abs=0.2)
    assert fit.level_weight == 1.0
    observed = _observed(20_000, slope=0.7, shift=0.5)
    assert fit.calibration.pd(observed.raw_log_odds).sum() == pytest.approx(observed.is_bad.sum(), rel=1e-9)


def test_few_defaults_calibrate_the_level_only_and_it_is_said():
    few = _observed(150, seed=3)
    assert few.bad_customers < 20
    fit = fit_calibration(few, CalibrationParams(min_bads=20))
    assert (fit.slope, fit.slope_of_data) == (pytest.approx(1.0), None)
    assert "only the level is calibrated" in fit.remarks[0]
    assert fit.calibration.pd(few.raw_log_odds).sum() == pytest.approx(few.is_bad.sum(), rel=1e-9)


def test_an_uncertain_slope_is_drawn_to_one_and_a_sure_one_stays():
    small, large = (fit_calibration(_observed(n, slope=0.5, seed=4), CalibrationParams()) for n in (300, 20_000))
    trust = 0.3**2 / (0.3**2 + small.slope_error**2)
    assert 0.3 < trust < 0.9
    assert 2 < small.slope_degrees < large.slope_degrees
    assert small.slope == pytest.approx(1 + trust * (small.slope_of_data - 1))
    assert abs(large.slope - large.slope_of_data) < 0.03


def test_a_level_of_few_defaults_is_drawn_to_that_of_the_training_by_credibility():
    training = _observed(5000, shift=0.0, seed=5)
    small, large = _observed(600, shift=-0.8, seed=6), _observed(30_000, shift=-0.8, seed=7)
    alone = fit_calibration(small, CalibrationParams(min_bads=10_000))
    drawn = fit_calibration(small, CalibrationParams(min_bads=10_000), training)
    assert alone.intercept < drawn.intercept < 0.1
    before = 0.25**2 + 1 / training.bad_customers
    assert drawn.level_weight == pytest.approx(before / (before + 1 / small.bad_customers))
    assert fit_calibration(large, CalibrationParams(), training).level_weight > 0.97


def test_no_default_among_the_calibration_customers_is_half_a_bad_customer():
    safe = Observed(np.full(300, 4.0), np.zeros(300), np.repeat([f"c{i}" for i in range(100)], 3).astype(object))
    fit = fit_calibration(safe, CalibrationParams())
    assert fit.calibration.pd(np.array([4.0]))[0] == pytest.approx(0.5 / 100)
    assert "half a bad customer" in fit.remarks[-1]


def test_a_line_that_turns_the_order_round_is_held_up():
    fit = fit_calibration(_observed(20_000, slope=-0.5, shift=4.0), CalibrationParams())
    assert fit.slope == pytest.approx(0.1)
    assert "does not order" in fit.remarks[0]


def test_calibration_without_a_good_row_is_an_error():
    nothing = Observed(np.zeros(3), np.ones(3), np.array(["a", "b", "c"], dtype=object))
    with pytest.raises(UnfitForTrainingError, match="3 rows and no good one"):
        fit_calibration(nothing, CalibrationParams())


@pytest.mark.parametrize("name", ["card", "boosted"])
def test_calibrated_models_expect_about_what_happens(name, request, parts):
    model = request.getfixturevalue(name).model
    late = parts["out_of_time"]
    assert 0.5 < late.is_bad.sum() / model.pd(late.rows).sum() < 2.0


def _thin_sample(customers, bad_customers, months):
    names = np.repeat([f"c{i:03d}" for i in range(customers)], months)
    is_bad = np.repeat((np.arange(customers) < bad_customers).astype(float), months)
    rows = pd.DataFrame({"invoices_due_12m_count": 1, "history_months": 12}, index=range(len(names)))
    return Sample(rows, is_bad, names.astype(object), np.array([dt.date(2020, 1, 31)] * len(names), dtype=object))


def test_the_thin_pool_takes_the_upper_bound_by_customers_not_by_months():
    pool = fit_thin_file(_thin_sample(100, 4, 12), ThinFileRule(3, 3), 0.75)
    assert pool.pd == pytest.approx(jeffreys_upper(4, 100, 0.75))
    assert (pool.bads, pool.customers) == (4, 100)


def test_an_empty_thin_pool_takes_the_bound_of_the_book():
    pool = fit_thin_file(_thin_sample(100, 4, 12), ThinFileRule(0, 0), 0.75)
    assert pool.pd == pytest.approx(jeffreys_upper(4, 100, 0.75))
    assert (pool.bads, pool.customers) == (0, 0)


def test_the_thin_rule_needs_its_columns(book, table, small_economy):
    with pytest.raises(MissingInputError, match="the book lacks history_months"):
        train_scorecard(book.drop(columns="history_months"), small_economy.catalogue, table, ScorecardParams(), SETTING)


def test_no_default_in_the_training_window_is_told_with_counts_and_remedy(book, table, small_economy):
    in_training = table.role(book) == "train"
    safe = book.assign(is_bad=book["is_bad"].where(~in_training, 0))
    told = r"training from 2018-01-31 to 2018-\d\d-\d\d: [\d,]+ rows .* none of which defaulted.*longer history"
    for train, params in ((train_scorecard, ScorecardParams()), (train_booster, BOOSTER)):
        with pytest.raises(UnfitForTrainingError, match=told):
            train(safe, small_economy.catalogue, table, params, SETTING)


def test_all_rows_of_one_customer_are_refused(book, table, small_economy):
    one = book.assign(customer_id="C-1", group_key="C-1")
    with pytest.raises(UnfitForTrainingError, match=r"(0|1) customer group\(s\).*a model needs 30 or more"):
        train_scorecard(one, small_economy.catalogue, table, ScorecardParams(), SETTING)


def test_too_few_customers_and_too_few_bad_ones_are_refused(book, table, small_economy):
    few = book[book["customer_id"] < "C-0040"]
    with pytest.raises(UnfitForTrainingError, match="a model needs 30 or more: hand in more customers"):
        train_scorecard(few, small_economy.catalogue, table, ScorecardParams(), SETTING)
    bad = sorted(book.loc[(book["is_bad"] == 1) & (table.role(book) == "train"), "group_key"].unique())[:3]
    rare = book.assign(is_bad=book["is_bad"].where(book["group_key"].isin(bad), 0))
    with pytest.raises(UnfitForTrainingError, match=re.escape("3 group(s) are bad; a model needs 5 bad groups")):
        train_booster(rare, small_economy.catalogue, table, BOOSTER, SETTING)


def test_a_role_without_rows_is_told(book, table, small_economy):
    only = book[table.role(book) != "calibration"]
    with pytest.raises(UnfitForTrainingError, match="falls to calibration, whose customers are 25% of the groups"):
        train_scorecard(only, small_economy.catalogue, table, ScorecardParams(), SETTING)


def test_development_keeps_counts_that_add_up(card, boosted, parts):
    for fitted in (card, boosted):
        held = fitted.model.development
        assert held["rows"] == sum(held["score"]["counts"]) == len(parts["train"].is_bad)
        for name in fitted.model.features:
            entry = held["features"][name]
            assert sum(entry["counts"]) + entry["missing"] == held["rows"]
    held = card.model.development["features"]
    for characteristic in card.model.predictor.characteristics:
        if characteristic.splits:
            counts = [b.count for b in characteristic.bins if b.kind == "range"]
            assert held[characteristic.feature]["counts"] == counts


def test_quantile_splits_of_repeated_values_stay_apart():
    values = np.array([0.0] * 90 + [1.0] * 5 + [2.0] * 5)
    assert quantile_splits(values) == []
    assert numbers_distribution(values, [1.0, 2.0])["counts"] == [90, 5, 5]
    assert quantile_splits(np.arange(100.0)) == [9.0, 19.0, 29.0, 39.0, 49.0, 59.0, 69.0, 79.0, 89.0]


def test_rows_without_outcome_are_never_trained_on(book, table, small_economy, card):
    more = pd.concat([book, book.tail(50).assign(customer_id="X", group_key="X", is_bad=np.nan)], ignore_index=True)
    again = train_scorecard(more, small_economy.catalogue, table, ScorecardParams(), SETTING)
    assert again.model.predictor == card.model.predictor


def alone(rows):
    """No customer of the rows belongs to a group."""
    return np.full(len(rows), None)


@pytest.mark.parametrize("name", ["card", "boosted"])
def test_the_rows_a_model_was_fitted_on_have_not_drifted_and_riskier_ones_have(name, request, parts, tmp_path):
    """After writing, too: folding the calibration into the points moves the raw scale, not the score."""
    fitted = request.getfixturevalue(name)
    model = read_model(tmp_path / write_model(tmp_path, fitted.model, fitted.golden_rows))
    cuts = Cuts(watch=0.10, act=0.25, significance=0.01)
    rows = parts["train"].rows
    rows = rows.assign(**{PD: model.pd(rows)})
    assert [drift.psi for drift in drift_of(model, binned(model, rows, alone(rows)), cuts)] == [0.0] * (
        1 + len(model.features)
    )
    riskiest = rows[rows[PD] > np.quantile(rows[PD], 0.7)]
    score, *_ = drift_of(model, binned(model, riskiest, alone(riskiest)), cuts)
    assert (score.quantity, score.light) == ("score", "red")
    nobody = rows.head(0)
    assert drift_of(model, binned(model, nobody, alone(nobody)), cuts)[0].light == "grey"
