"""Whole points add up in the head, are calibrated as such, and tell what they cost."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import DamagedModelError
from pipeline.params import CalibrationParams, LabelParams, ScorecardParams, SplitParams
from pipeline.score.calibration import Calibration
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.points import Scaling
from pipeline.score.scorecard import Scorecard, fold
from pipeline.score.thin_file import ThinFileRule
from pipeline.statistics.bootstrap import ratio_interval, resamples
from pipeline.statistics.calibration import log_losses
from pipeline.statistics.paired import paired_gini
from pipeline.train.fit import Setting, train_scorecard
from pipeline.train.sample import samples
from pipeline.train.splits import mature_dates, timetable
from pipeline.train.whole_points import in_whole_points, rounding_loss

SETTING = Setting(LabelParams(), Scaling(), CalibrationParams(), ThinFileRule(3, 3), 0.75)


@pytest.fixture(scope="module")
def book(small_economy):
    return small_economy.book.assign(invoices_due_12m_count=12, history_months=24)


@pytest.fixture(scope="module")
def table(book):
    return timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))


@pytest.fixture(scope="module")
def whole(book, table, small_economy):
    return train_scorecard(book, small_economy.catalogue, table, ScorecardParams(points="whole"), SETTING)


@pytest.fixture(scope="module")
def exact(book, table, small_economy):
    return train_scorecard(book, small_economy.catalogue, table, ScorecardParams(), SETTING)


def test_all_points_are_whole_and_no_further_than_half_a_point_from_those_of_the_fit(whole, exact):
    card, fitted = whole.model.predictor, exact.model.predictor
    assert card.features == fitted.features
    pairs = [(card.intercept_points, fitted.intercept_points)]
    for mine, other in zip(card.characteristics, fitted.characteristics, strict=True):
        pairs += [(a.points, b.points) for a, b in zip(mine.bins, other.bins, strict=True)]
    assert all(float(a).is_integer() and abs(a - b) <= 0.5 for a, b in pairs)


def test_the_points_stay_whole_in_the_model_folder_and_the_calibration_beside_them(whole, tmp_path):
    model = read_model(tmp_path / write_model(tmp_path, whole.model, whole.golden_rows))
    assert model.predictor == whole.model.predictor
    assert model.calibration == whole.model.calibration
    rows = whole.golden_rows
    assert (model.predictor.total_points(rows) % 1 == 0).all()


def test_the_calibration_is_that_of_the_whole_points(whole, exact, book, table):
    rows = samples(book, table)["calibration"]
    expected = whole.model.pd(rows.rows).sum() / exact.model.pd(rows.rows).sum()
    assert whole.model.calibration != exact.model.calibration
    assert expected == pytest.approx(1.0, abs=0.02)


def test_the_loss_is_told_on_the_customers_of_the_test(whole, exact, book, table):
    told, test = whole.details["whole_points"], samples(book, table)["test"]
    assert told["rows"] == len(test.is_bad)
    mine, other = whole.model.pd(test.rows), exact.model.pd(test.rows)
    assert told["largest_pd_change"] == pytest.approx(np.abs(mine - other).max())
    assert abs(told["whole"]["gini"] - told["exact"]["gini"]) < 0.02
    by_hand = -np.where(test.is_bad == 1, np.log(mine), np.log1p(-mine)).mean()
    assert told["whole"]["log_loss"] == pytest.approx(by_hand)
    assert "whole_points" not in exact.details


def test_what_whole_points_cost_has_the_paired_interval_of_the_bootstrap_by_customer(whole, exact, book, table):
    rows = samples(book, table)["all"]
    mine, other = whole.model.pd(rows.rows), exact.model.pd(rows.rows)
    told = rounding_loss(other, mine, rows, 0.95)["difference"]
    draws = resamples(rows.codes, 2000, 0.95, 1)
    drawn = paired_gini(mine, other, rows.is_bad, draws)
    losses = ratio_interval(log_losses(mine, rows.is_bad) - log_losses(other, rows.is_bad), np.ones(len(mine)), draws)
    for name, found in (("gini", drawn), ("log_loss", losses)):
        assert told[name]["value"] == pytest.approx(found.value)
        assert told[name]["high"] - told[name]["low"] == pytest.approx(found.high - found.low, rel=0.2)
        assert told[name]["low"] < told[name]["value"] < told[name]["high"]


def test_one_bad_customer_gives_no_interval_to_what_whole_points_cost(book, table):
    test = samples(book, table)["test"]
    one = test.part((test.is_bad == 0) | (test.codes == test.codes[test.is_bad == 1][0]))
    pd_ = np.linspace(0.01, 0.2, len(one.is_bad))
    told = rounding_loss(pd_, pd_[::-1], one, 0.95)["difference"]
    assert one.bad_customers == 1
    assert {name: (found["low"], found["high"]) for name, found in told.items()} == {
        "gini": (None, None), "log_loss": (None, None),
    }  # fmt: skip


def test_a_sample_without_bads_has_no_gini_and_an_empty_one_nothing(book, table):
    test = samples(book, table)["test"]
    good = test.part(test.is_bad == 0)
    pd_ = np.full(len(good.is_bad), 0.1)
    assert rounding_loss(pd_, pd_, good, 0.95)["whole"] == {"gini": None, "log_loss": pytest.approx(-math.log(0.9))}
    assert rounding_loss(pd_[:0], pd_[:0], good.part(good.is_bad == 1), 0.95)["exact"] is None


def test_a_card_of_whole_points_is_not_folded_and_broken_points_are_refused(whole):
    card = whole.model.predictor
    line = Calibration.line("platt", 0.2, 0.9)
    assert fold(card, line) == (card, line)
    with pytest.raises(DamagedModelError, match=r"1 of \d+ points are not whole, e.g. 500.5"):
        Scorecard.from_json(replace(card, rounding="exact", intercept_points=500.5).to_json().replace("exact", "whole"))


def test_halves_are_rounded_upwards_and_the_mean_goes_by_the_whole_points(exact):
    card = exact.model.predictor
    first = card.characteristics[0]
    bins = tuple(replace(b, points=p) for b, p in zip(first.bins, [-0.5, 0.5, *[2.4] * len(first.bins)], strict=False))
    rounded = in_whole_points(replace(card, characteristics=(replace(first, bins=bins),))).characteristics[0]
    assert [b.points for b in rounded.bins][:3] == [0.0, 1.0, 2.0]
    counts = np.array([b.count for b in rounded.bins])
    assert rounded.mean_points == pytest.approx((counts * [b.points for b in rounded.bins]).sum() / counts.sum())
