"""Validation and explanation of a fitted pair on a book with known truth."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.errors import MissingInputError
from pipeline.flows.validate import headline
from pipeline.params import BoosterParams, CalibrationParams, LabelParams, ScorecardParams, SplitParams, ValidateParams
from pipeline.score.master_scale import MasterScale
from pipeline.score.points import Scaling
from pipeline.score.thin_file import ThinFileRule
from pipeline.statistics.calibration import calibration_error
from pipeline.statistics.discrimination import gini
from pipeline.statistics.proportions import jeffreys_interval
from pipeline.train.explanation import MOST_ROWS, explanation_plots, mean_weights, sampled
from pipeline.train.fit import Setting, train_booster, train_scorecard
from pipeline.train.measures import pd_measures
from pipeline.train.sample import samples
from pipeline.train.splits import mature_dates, timetable
from pipeline.train.validation import default_rate_by_date, validate

QUICK = ValidateParams(bootstrap_rounds=60, min_bad_customers=2)
SCALE = MasterScale.load(
    yaml.safe_load(
        "grades: [{grade: A, pd_below: 0.02, pd: 0.01, segment: low}, {grade: B, pd_below: 0.1, pd: 0.05, "
        "segment: medium}, {grade: C, pd_below: 0.9, pd: 0.2, segment: high}, "
        "{grade: E, pd_below: 1.0, pd: 0.95, segment: high}]"
    )
)


@pytest.fixture(scope="module")
def world(make_economy):
    economy = make_economy(900, 44, 2)
    book = economy.book.assign(invoices_due_12m_count=5, history_months=20)
    table = timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    setting = Setting(LabelParams(), Scaling(), CalibrationParams(), ThinFileRule(3, 3), 0.75)
    small = BoosterParams(trials=0, max_rounds=60, early_stopping_rounds=10)
    models = {
        "champion": train_scorecard(book, economy.catalogue, table, ScorecardParams(), setting).model,
        "challenger": train_booster(book, economy.catalogue, table, small, setting).model,
    }
    truth = book[["customer_id", "as_of"]].assign(pd=economy.truth)
    return models, book, table, truth


@pytest.fixture(scope="module")
def validation(world):
    models, book, table, truth = world
    naive = {"worst days past due": ["max_days_past_due"], "either": ["max_days_past_due", "not_there"]}
    return validate(models, book, table, SCALE, QUICK, naive=naive, truth=truth)


def test_the_report_is_json_without_nan_and_the_same_twice(world, validation):
    models, book, table, truth = world
    naive = {"worst days past due": ["max_days_past_due"], "either": ["max_days_past_due", "not_there"]}
    shuffled = book.sample(frac=1, random_state=0)
    again = validate(models, shuffled, table, SCALE, QUICK, naive=naive, truth=truth)
    assert json.dumps(again.report, allow_nan=False) == json.dumps(validation.report, allow_nan=False)
    for name, frame in validation.frames.items():
        pd.testing.assert_frame_equal(frame, again.frames[name])


def test_figures_are_those_of_the_statistics_on_the_held_out_rows(world, validation):
    models, book, table, _ = world
    test = samples(book, table)["test"]
    pds = models["champion"].pd(test.rows)
    found = validation.report["models"]["champion"]["roles"]["test"]
    assert found["rows"] == len(pds)
    assert found["gini"]["value"] == pytest.approx(gini(pds, test.is_bad))
    assert found["gini"]["low"] < found["gini"]["value"] < found["gini"]["high"]
    assert found["observed_over_expected"]["value"] == pytest.approx(test.is_bad.sum() / pds.sum())
    assert validation.metrics["champion.test.gini"] == found["gini"]["value"]


def test_out_of_time_holds_all_customers_of_the_test_dates(world, validation):
    _, book, table, _ = world
    assert validation.report["samples"]["out_of_time"]["rows"] == book["as_of"].isin(list(table.test)).sum()


def test_the_models_come_near_the_truth_and_beat_the_naive_rule(validation):
    told = validation.report["truth"]["out_of_time"]
    assert told["models"]["champion"]["gini_share"] > 0.75
    assert told["models"]["champion"]["rank_correlation"] > 0.6
    share = told["models"]["champion"]["gini_share_interval"]
    assert share["low"] < share["value"] == told["models"]["champion"]["gini_share"] < share["high"]
    assert validation.metrics["champion.out_of_time.truth_gini_share_low"] == share["low"]
    assert told["gini_interval"]["low"] < told["gini"] < told["gini_interval"]["high"]
    difference = validation.report["differences"]["champion - worst days past due"]["out_of_time"]
    assert difference["value"] > 0
    assert validation.report["naive_absent"] == {"either": ["not_there"]}


def test_the_paired_difference_is_the_difference_of_the_ginis(validation):
    roles = {name: told["roles"]["test"]["gini"]["value"] for name, told in validation.report["models"].items()}
    paired = validation.report["differences"]["challenger - champion"]["test"]
    assert paired["value"] == pytest.approx(roles["challenger"] - roles["champion"])
    assert paired["low"] <= paired["value"] <= paired["high"]


def test_grades_cover_every_row_and_count_customers_as_evidence(world, validation):
    _, book, table, _ = world
    test = samples(book, table)["test"]
    entries = validation.report["models"]["champion"]["grades"]["test"]
    assert [entry["grade"] for entry in entries] == ["A", "B", "C", "E"]
    assert sum(entry["rows"] for entry in entries) == len(test.is_bad)
    assert sum(entry["bads"] for entry in entries) == test.is_bad.sum()
    middle = entries[1]
    low, high = jeffreys_interval(middle["observed_rate"] * middle["customers"], middle["customers"], 0.95)
    assert (middle["low"], middle["high"]) == (low, high)
    assert 0.02 <= middle["mean_pd"] < 0.1
    assert entries[3]["observed_rate"] is None or entries[3]["rows"] > 0


def test_default_rates_by_year_and_date_add_up(world, validation):
    _, book, table, _ = world
    assert sum(year["bads"] for year in validation.report["default_rate_by_year"]) == book["is_bad"].sum()
    dates = default_rate_by_date(samples(book, table)["all"])
    assert dates["rows"].sum() == len(book)
    assert dates["as_of"].is_monotonic_increasing


def test_roc_points_are_few_and_run_from_corner_to_corner(validation):
    for _, curve in validation.frames["roc"].groupby(["model", "role"]):
        assert len(curve) <= 200
        assert curve[["false_alarm_rate", "hit_rate"]].iloc[0].tolist() == [0.0, 0.0]
        assert curve[["false_alarm_rate", "hit_rate"]].iloc[-1].tolist() == [1.0, 1.0]


def test_a_test_without_default_is_told_with_nulls_not_with_an_error(world):
    models, book, table, _ = world
    safe = book.assign(is_bad=book["is_bad"].where(~table.is_out_of_time(book), 0))
    told = validate(models, safe, table, SCALE, QUICK, naive={})
    assert told.report["models"]["champion"]["roles"]["test"]["gini"] is None
    assert told.report["differences"]["challenger - champion"]["test"] is None
    assert told.report["truth"] is None
    assert "champion.test.gini" not in told.metrics
    assert told.metrics["champion.test.observed_over_expected"] == 0.0
    assert json.dumps(told.report, allow_nan=False)


def test_a_truth_that_lacks_rows_is_refused(world):
    models, book, table, truth = world
    with pytest.raises(MissingInputError, match=r"truth: [\d,]+ of [\d,]+ rows have no true PD, e\.g\. 'C-"):
        validate(models, book, table, SCALE, QUICK, naive={}, truth=truth.head(3))


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_plots_are_png_labelled_and_equal_byte_for_byte(world, role):
    models, book, _, _ = world
    before = np.random.get_state()[1].copy()
    first = explanation_plots(models[role], book)
    second = explanation_plots(models[role], book.sample(frac=1, random_state=3))
    assert first == second
    assert {"bar.png", "beeswarm.png"} < set(first)
    assert sum(name.startswith("dependence_") for name in first) == 4
    assert all(content.startswith(b"\x89PNG") for content in first.values())
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_at_most_two_thousand_rows_are_drawn_whatever_their_order(world):
    _, book, _, _ = world
    rows = sampled(book)
    assert len(rows) == MOST_ROWS < len(book)
    pd.testing.assert_frame_equal(rows, sampled(book.iloc[::-1]))


def test_what_moves_the_model_is_listed_heaviest_first(world):
    models, book, _, _ = world
    weights = mean_weights(models["challenger"], book)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert set(weights) == set(models["challenger"].features)


def test_the_line_a_run_ends_with_names_the_level_its_interval_has():
    told = {"champion.test.gini": 0.5, "champion.test.gini_low": 0.4, "champion.test.gini_high": 0.61}
    lines = headline(told, ["champion", "challenger"], "other customers", 0.9).splitlines()
    assert lines[0] == "champion: Gini 0.500 (90 % interval 0.400 to 0.610), other customers"
    assert lines[1].startswith("challenger: the test set holds no bad or no good customer")
    few = headline({"champion.test.gini": 0.5}, ["champion"], "other customers", 0.95)
    assert few == "champion: Gini 0.500 (too few bad customers to tell), other customers"


def test_the_interval_of_the_calibration_error_is_at_the_level_of_the_validation(world):
    models, book, table, _ = world
    test = samples(book, table)["test"]
    pd_ = models["champion"].pd(test.rows)
    ends = {}
    for level in (0.5, 0.95):
        settings = dataclasses.replace(QUICK, confidence=level)
        found = pd_measures(pd_, test, settings)["calibration_error"]
        by_hand = calibration_error(pd_, test.is_bad, test.codes, confidence=level, seed=QUICK.seed)
        ends[level] = (found["low"], found["high"])
        assert ends[level] == (by_hand.low, by_hand.high)
    assert ends[0.95][1] > ends[0.5][1]
