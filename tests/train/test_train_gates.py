"""Each gate: when it passes, when it refuses, and when it says that it cannot know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forecasts import blurred, sample_of

from pipeline.params import PromotionParams
from pipeline.statistics.proportions import jeffreys_too_low
from pipeline.train.gates import (
    first_in_role_gate,
    gini_gate,
    grades_gate,
    label_gate,
    leak_gate,
    level_gate,
    monitoring_gate,
    parity_gate,
    refused,
    slope_gate,
    stability_gate,
)
from pipeline.train.served import Served

SETTINGS = PromotionParams(rounds=200)


def rated(pd_):
    """Everybody is rated by the model."""
    return Served(pd_, np.zeros(len(pd_), dtype=bool))


def grades_of(pd_):
    return np.where(pd_ < 0.1, "A", "B").astype(object)


@pytest.fixture(scope="module")
def book():
    return sample_of(400)


def test_a_model_that_has_served_is_judged_by_its_monitoring_and_no_other_is():
    def told(**lights):
        gates = [{"name": name, "light": light} for name, light in lights.items()]
        return {"model_version": "scorecard-1", "as_of": "2025-12-31", "gates": gates}

    assert monitoring_gate(None, "scorecard-1") is None
    assert monitoring_gate(told(level="red"), "scorecard-2") is None
    refusing = monitoring_gate(told(level="red", order="green", inputs_month="amber"), "scorecard-1")
    assert (refusing.light, refusing.value, refusing.passes) == ("red", 1.0, False)
    assert refusing.told == "as of 2025-12-31: level red, inputs_month amber"
    passing = monitoring_gate(told(level="grey", inputs_month="amber"), "scorecard-1")
    assert (passing.light, passing.told) == ("green", "as of 2025-12-31: inputs_month amber")


def test_no_worse_by_more_than_the_margin_passes_and_worse_refuses(book):
    sample, pd_ = book
    assert gini_gate(pd_, blurred(pd_, 2.0), sample, SETTINGS).light == "green"
    assert gini_gate(pd_, pd_, sample, SETTINGS).light == "green"
    worse = gini_gate(blurred(pd_, 3.0), pd_, sample, SETTINGS)
    assert worse.light == "red"
    assert worse.high < -SETTINGS.margin


def test_an_interval_that_reaches_below_the_margin_is_undecided_and_is_no(book):
    sample, pd_ = book
    gate = gini_gate(blurred(pd_, 0.25), pd_, sample, SETTINGS)
    assert gate.low < -SETTINGS.margin < gate.high
    assert (gate.light, gate.passes) == ("amber", False)
    # The value alone is within this margin; its interval is not, and that is what counts.
    between = replace(SETTINGS, margin=-(gate.value + gate.low) / 2)
    assert gini_gate(blurred(pd_, 0.25), pd_, sample, between).light == "amber"
    assert "the smallest difference these rows would have shown is 0.0" in gate.told
    assert gini_gate(blurred(pd_, 0.25), pd_, sample, replace(SETTINGS, margin=0.3)).passes


def test_too_few_bads_are_undecided_even_for_a_perfect_order(book):
    sample, pd_ = book
    few = sample.part(np.arange(len(pd_)) < 20)
    for gate in (
        gini_gate(few.is_bad + 0.1, 1 - pd_[:20], few, SETTINGS),
        level_gate(rated(pd_[:20]), few, SETTINGS),
        slope_gate(rated(pd_[:20]), few, SETTINGS),
        grades_gate(rated(pd_[:20]), grades_of(pd_[:20]), few, SETTINGS),
    ):
        assert (gate.light, gate.value) == ("amber", None)
        assert "10 bad groups" in gate.told


def test_nobody_in_the_role_is_nobody_to_lose_against():
    assert first_in_role_gate(SETTINGS).passes


@pytest.mark.parametrize(("factor", "light"), [(1.0, "green"), (0.52, "amber"), (0.2, "red")])
def test_the_level_must_lie_within_the_factor_with_its_interval(book, factor, light):
    sample, pd_ = book
    level = level_gate(rated(pd_ * factor), sample, SETTINGS)
    assert (level.name, level.light) == ("observed_over_expected", light)
    assert level.value == pytest.approx(sample.is_bad.sum() / (pd_ * factor).sum())


@pytest.mark.parametrize(("power", "light"), [(1.0, "green"), (3.5, "red"), (0.3, "red")])
def test_the_spread_of_the_forecasts_must_lie_within_its_bounds(book, power, light):
    sample, pd_ = book
    logit = power * (np.log(pd_ / (1 - pd_)) + 2) - 2
    slope = slope_gate(rated(1 / (1 + np.exp(-logit))), sample, SETTINGS)
    assert (slope.name, slope.light) == ("slope", light)


def test_one_grade_that_defaults_more_than_forecast_refuses(book):
    sample, pd_ = book
    assert grades_gate(rated(pd_), grades_of(pd_), sample, SETTINGS).passes
    low = np.where(pd_ < 0.1, pd_ / 20, pd_)
    gate = grades_gate(rated(low), grades_of(low), sample, SETTINGS)
    part = sample.part(low < 0.1)
    rate = part.is_bad.mean()
    by_hand = jeffreys_too_low(low[low < 0.1].mean(), rate * part.customers, part.customers)
    assert gate.value == pytest.approx(2 * by_hand)
    assert (gate.light, gate.told) == ("red", "A defaults more than forecast")


@pytest.mark.parametrize(
    ("value", "noise", "light"), [(0.1, 0.01, "green"), (0.4, 0.01, "red"), (0.4, 0.6, "amber"), (None, None, "amber")]
)
def test_a_moved_score_refuses_unless_the_rows_cannot_tell(value, noise, light):
    assert stability_gate(value, noise, 100, SETTINGS).light == light


def test_another_score_from_another_copy_refuses():
    assert parity_gate({"MLflow's copy": 0.0, "its SQL": 1e-16}, SETTINGS).passes
    gate = parity_gate({"MLflow's copy": 1e-3, "its SQL": 0.0}, SETTINGS)
    assert (gate.light, gate.value, gate.told) == ("red", 1e-3, "largest against MLflow's copy")


def test_a_leak_that_nobody_took_on_refuses_if_the_model_reads_it():
    warned = {"check": "pure_value", "column": "late", "verdict": "warn"}
    assert leak_gate([], ["late"]).passes
    assert leak_gate([warned], ["cash"]).passes
    assert leak_gate([warned], ["late"]).light == "red"
    assert leak_gate([{**warned, "column": None}], ["cash"]).light == "red"
    accepted = leak_gate([{**warned, "verdict": "accepted"}], ["late"])
    assert (accepted.light, accepted.told) == ("green", "accepted: late")
    assert leak_gate(None, ["late"]).light == "amber"


def test_a_model_of_another_label_refuses():
    asked = {"kind": "default", "days": 90}
    assert label_gate(asked, dict(asked)).passes
    assert "days is 30, the project asks for 90" in label_gate({**asked, "days": 30}, asked).told


def test_amber_and_red_refuse_alike():
    gates = [stability_gate(value, noise, 9, SETTINGS) for value, noise in ((0.0, 0.1), (0.4, 0.6), (0.9, 0.1))]
    assert [gate.light for gate in refused(gates)] == ["amber", "red"]
