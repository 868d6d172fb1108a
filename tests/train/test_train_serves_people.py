"""A column that serves people alone is in no model, however strong it is, and its fate says why."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.params import BoosterParams, LabelParams, ScorecardParams, SplitParams
from pipeline.train.booster import fit_booster
from pipeline.train.sample import samples
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import mature_dates, timetable


@pytest.fixture(scope="module")
def train(small_economy):
    table = timetable(mature_dates(small_economy.book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    return samples(small_economy.book, table)["train"]


def test_the_strongest_characteristic_leaves_the_card_when_it_serves_people_alone(train, small_economy):
    first = fit_scorecard(train, small_economy.catalogue, ScorecardParams(), 1)
    strongest = next(fate for fate in first.selection if fate.step == 1)
    told = _for_people(small_economy.catalogue, strongest.feature)
    second = fit_scorecard(train, told, ScorecardParams(), 1)
    fates = {fate.feature: fate for fate in second.selection}
    assert strongest.feature in first.scorecard.features
    assert strongest.feature not in second.scorecard.features
    assert fates[strongest.feature].fate == "not_for_models"
    assert "90 days late" in fates[strongest.feature].reason
    assert set(fates) == {str(feature["name"]) for feature in told}


def test_the_booster_does_not_see_it(train, small_economy):
    settings = dataclasses.replace(
        BoosterParams(trials=0), max_rounds=20, early_stopping_rounds=5, min_rows_per_leaf=50
    )
    name = str(small_economy.catalogue[0]["name"])
    assert name in fit_booster(train, small_economy.catalogue, settings).booster.features
    fit = fit_booster(train, _for_people(small_economy.catalogue, name), settings)
    assert name not in fit.booster.features
    assert name not in fit.unused


def _for_people(catalogue, name):
    return [{**feature, "serves": "people" if feature["name"] == name else "models"} for feature in catalogue]
