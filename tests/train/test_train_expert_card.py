"""An expert card: what its file may not say, the points people gave, and a level that is all the data may set."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.errors import ParameterError, UnfitForTrainingError
from pipeline.features.catalog import as_json
from pipeline.flows.policy_file import section_and_breaches, section_in
from pipeline.params import CalibrationParams, ExpertParams, LabelParams, ScorecardParams, SplitParams
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.points import Scaling
from pipeline.score.policy_sections import Source
from pipeline.score.thin_file import ThinFileRule
from pipeline.statistics.proportions import jeffreys_upper
from pipeline.train.expert import too_few_defaults, train_expert_card
from pipeline.train.expert_card import (
    CentralTendency,
    ExpertBin,
    ExpertCardSection,
    ExpertCharacteristic,
    expert_scorecard,
    features_of,
    require_sound,
)
from pipeline.train.fit import Setting
from pipeline.train.splits import mature_dates, timetable

SETTING = Setting(LabelParams(), Scaling(), CalibrationParams(), ThinFileRule(3, 3), 0.75)
PARAMS = ScorecardParams()
LATE = ExpertCharacteristic(
    "mean_days_late_12m",
    "late payers stay late",
    0.0,
    (ExpertBin(20.0, below=5.0), ExpertBin(0.0, below=30.0), ExpertBin(-40.0)),
)
TRADE = ExpertCharacteristic(
    "industry",
    "builders fail more often",
    -5.0,
    (ExpertBin(-15.0, categories=("F",)), ExpertBin(5.0, categories=("A", "C"))),
    0.0,
)
CARD = ExpertCardSection(
    dt.date(2025, 1, 1),
    "committee",
    (Source("house rule", "judgement"),),
    CentralTendency("given", 0.02, "ten years of our own"),
    (LATE, TRADE),
)


@pytest.fixture(scope="module")
def book(small_economy):
    """Nobody defaults."""
    return small_economy.book.assign(invoices_due_12m_count=12, history_months=24, is_bad=0, outcome="good")


@pytest.fixture(scope="module")
def table(book):
    return timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))


@pytest.fixture(scope="module")
def fitted(book, table, small_economy):
    return train_expert_card(book, small_economy.catalogue, table, PARAMS, setting=SETTING, section=CARD)


def test_the_card_of_the_repository_is_sound(repository):
    path = repository / "policy" / "expert_card.yaml"
    require_sound(section_in(path, ExpertCardSection), as_json(), str(path))


def test_points_are_those_of_the_file(small_economy):
    rows = pd.DataFrame({"mean_days_late_12m": [4.9, 5.0, 30.0, np.nan], "industry": ["F", "C", "Z", None]})
    card = expert_scorecard(CARD, rows, small_economy.catalogue, PARAMS)
    points = card.points_by_characteristic(rows)
    assert points["mean_days_late_12m"].tolist() == [20.0, 0.0, -40.0, 0.0]
    assert points["industry"].tolist() == [-15.0, 5.0, 0.0, -5.0]
    assert card.total_points(rows).tolist() == [605.0, 605.0, 560.0, 595.0]
    assert card.rounding == "whole"


def test_a_special_code_takes_the_points_of_a_missing_value(small_economy):
    catalogue = [{**f, "special": [{"code": -9, "en": "no answer", "zh": "无"}]} for f in small_economy.catalogue[1:2]]
    rows = pd.DataFrame({"mean_days_late_12m": [-9.0, 1.0]})
    card = expert_scorecard(replace(CARD, characteristics=(replace(LATE, missing=-3.0),)), rows, catalogue, PARAMS)
    assert card.total_points(rows).tolist() == [597.0, 620.0]


def test_the_mean_pd_of_the_rows_before_the_test_is_the_rate_given(fitted, book, table):
    is_test = (table.role(book) == "test") | table.is_out_of_time(book)
    from pipeline.train.expert import _before_test
    from pipeline.train.sample import samples

    seen = _before_test(samples(book, table)["all"], table)
    assert fitted.model.pd(seen.rows).mean() == pytest.approx(0.02, rel=1e-9)
    assert len(seen.is_bad) <= (~is_test).sum()
    assert fitted.model.development["default_rate"] == 0.02
    assert fitted.details["expert"]["level"] == {"rate": 0.02, "source": "ten years of our own"}


def test_only_the_level_is_set_by_data_and_the_points_stay_whole(fitted):
    ((x, y, slope),) = fitted.model.calibration.segments
    assert slope == 1.0
    assert abs(y - x) * fitted.model.predictor.factor <= 0.5
    assert fitted.model.predictor.intercept_points.is_integer()


def test_an_upper_bound_counts_customers_and_lies_above_a_rate_of_nothing(book, table, small_economy):
    bounded = replace(CARD, central_tendency=CentralTendency("upper_bound", confidence=0.9))
    told = train_expert_card(book, small_economy.catalogue, table, PARAMS, setting=SETTING, section=bounded)
    level = told.details["expert"]["level"]
    customers = told.model.development["customers"]
    assert level["rate"] == pytest.approx(jeffreys_upper(0, customers, 0.9))
    assert f"0 bad of {customers} customer groups" in level["source"]


def test_the_thin_pool_has_no_card_because_there_are_too_few_defaults(fitted):
    assert fitted.details["thin_file"]["why_no_card"] == "too few defaults to fit one"
    assert fitted.model.thin_file.card is None


def test_the_model_says_everywhere_that_it_is_an_expert_card(fitted, tmp_path):
    model = read_model(tmp_path / write_model(tmp_path, fitted.model, fitted.golden_rows))
    assert (model.kind, model.basis, fitted.details["basis"]) == ("scorecard", "expert", "expert")
    assert model.version.startswith("scorecard-expert-")
    assert {fate["fate"] for fate in fitted.details["selection"]} == {"expert"}
    assert model.pd(fitted.golden_rows).tolist() == fitted.model.pd(fitted.golden_rows).tolist()


def test_it_is_called_for_below_the_count_of_bad_customers_and_not_from_it_on(book, table):
    train = table.role(book) == "train"
    three = sorted(book.loc[train, "group_key"].unique())[:3]
    bad = book.assign(is_bad=(train & book["group_key"].isin(three)).astype("int8"))
    for below, expected in ((0, False), (3, False), (4, True)):
        assert too_few_defaults(bad, table, ScorecardParams(expert=ExpertParams(below))) is expected


def test_a_book_without_a_good_row_has_no_level(book, table, small_economy):
    with pytest.raises(UnfitForTrainingError, match="no good one among them to set the level"):
        train_expert_card(book.assign(is_bad=1), small_economy.catalogue, table, PARAMS, setting=SETTING, section=CARD)


def test_a_feature_never_to_be_used_has_no_points_of_people_either(small_economy):
    with pytest.raises(ParameterError, match=r"mean_days_late_12m: stands on fit_scorecard\.never_use"):
        require_sound(CARD, small_economy.catalogue, "policy/expert_card.yaml", ("mean_days_late_12m",))


def test_every_breach_of_the_file_is_told_at_once(small_economy):
    wrong = replace(
        CARD,
        sources=(),
        central_tendency=CentralTendency("given", 1.5),
        characteristics=(
            replace(LATE, reason=" "),
            replace(LATE, bins=(ExpertBin(0.0, below=9.0), ExpertBin(9.0, below=3.0), ExpertBin(1.0, below=10.0))),
            replace(
                TRADE,
                other=None,
                bins=(ExpertBin(1.0, categories=("F",)), ExpertBin(2.0, categories=("F",)), ExpertBin(3.0)),
            ),
            replace(LATE, feature="nonsense"),
            replace(LATE, feature="equity_ratio", bins=()),
        ),
    )
    catalogue = [{**f, "serves": "people"} if f["name"] == "equity_ratio" else f for f in small_economy.catalogue]
    with pytest.raises(ParameterError) as told:
        require_sound(wrong, catalogue, "policy/expert_card.yaml")
    text = str(told.value)
    for part in (
        "policy/expert_card.yaml: 14 breach(es):",
        "sources: none is told",
        "'mean_days_late_12m' stands there 2 times",
        "central_tendency.rate: expected a default rate between 0 and 1, found 1.5",
        "central_tendency.source: say in words",
        "mean_days_late_12m: reason: say in words why",
        "each bin but the last needs below, and the last has none",
        "below must rise, found 9, 3",
        "risk rises with the value, so points must not rise with it",
        "'F' stands in 2 lists",
        "each bin needs categories and no below",
        "other: give the points",
        "characteristics.nonsense: no feature of the catalogue",
        "equity_ratio: serves people alone",
        "equity_ratio: bins: none is told",
    ):
        assert part in text


def test_an_unknown_key_of_the_file_is_refused(repository, tmp_path):
    told = yaml.safe_load((repository / "policy" / "expert_card.yaml").read_text(encoding="utf-8"))
    told["characteristics"][0]["weight"] = 3
    path = tmp_path / "expert_card.yaml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(ParameterError, match="weight: unknown key"):
        section_in(path, ExpertCardSection)


def test_a_fault_of_form_hides_no_points_against_the_direction(repository, tmp_path):
    """An unknown key, points without end, a missing reason and texts in the place of points; what else is wrong is told
    with them."""
    told = yaml.safe_load((repository / "policy" / "expert_card.yaml").read_text(encoding="utf-8"))
    oldest, late, bounced, drawn, *_ = told["characteristics"]
    oldest["weight"] = 3
    oldest["bins"][1]["points"] = 40
    late["bins"][-1]["points"] = math.inf
    del bounced["reason"]
    bounced["bins"][1]["points"] = 25
    drawn["bins"][0]["points"] = "many"
    drawn["bins"][-1]["points"] = 99
    del told["owner"]
    path = tmp_path / "expert_card.yaml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    section, form = section_and_breaches(path, ExpertCardSection)
    with pytest.raises(ParameterError) as error:
        require_sound(section, as_json(), str(path), told=form)
    text = str(error.value)
    for part in (
        "expert_card.owner: missing",
        "expert_card.characteristics[0].weight: unknown key",
        "expert_card.characteristics[1].bins[3].points: expected a number, found inf",
        "expert_card.characteristics[2].reason: missing",
        "expert_card.characteristics[3].bins[0].points: expected a number, found 'many'",
        *(f"characteristics.{c['feature']}: bins: risk rises" for c in (oldest, late, bounced, drawn)),
    ):
        assert part in text, part
    assert ": 9 breach(es):" in text


@pytest.mark.parametrize("text", ["[1]", "characteristics: 3", "characteristics: [{feature: [a], bins: {b: 1}}]"])
def test_a_file_of_another_form_is_refused_and_no_accident(text, tmp_path):
    path = tmp_path / "expert_card.yaml"
    path.write_text(text, encoding="utf-8")
    section, form = section_and_breaches(path, ExpertCardSection)
    assert features_of(section) == set()
    with pytest.raises(ParameterError, match="expected a"):
        require_sound(section, as_json(), str(path), told=form)


def test_a_card_that_is_not_valid_yet_on_the_last_day_of_the_data_is_refused(small_economy):
    catalogue, later = small_economy.catalogue, replace(CARD, valid_from=dt.date(2030, 1, 1))
    for day in (dt.date(2030, 1, 1), None):
        require_sound(later, catalogue, "policy/expert_card.yaml", known_to=day)
    with pytest.raises(ParameterError, match="valid_from: 2030-01-01 lies after 2029-12-31, the last day of the data"):
        require_sound(later, catalogue, "policy/expert_card.yaml", known_to=dt.date(2029, 12, 31))


def test_the_rows_of_one_customer_set_no_level(book, table, small_economy):
    one = book.assign(customer_id="C-1", group_key="C-1")
    with pytest.raises(UnfitForTrainingError, match="a model needs 30 or more: hand in more customers"):
        train_expert_card(one, small_economy.catalogue, table, PARAMS, setting=SETTING, section=CARD)
