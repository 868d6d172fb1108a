"""Reasons of 1,000 random customers by both kinds of model: never favourable, one per idea, in their own numbers."""

from __future__ import annotations

from dataclasses import replace

import lightgbm
import numpy as np
import pandas as pd
import pytest

from pipeline.score.applied import application
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.feature_columns import encode
from pipeline.score.reasons import SLOTS, model_reasons
from pipeline.score.sentences import sentence, sentences

FEATURES = ("days_late_3m", "days_late_12m", "overdue_share", "industry_section")
SECTIONS = {"industry_section": ("C", "F", "G")}
IDEAS = {
    "DAYS_LATE": ["days_late_3m", "days_late_12m"],
    "OVERDUE_SHARE": ["overdue_share"],
    "INDUSTRY_SECTION": ["industry_section"],
}


@pytest.fixture(scope="module")
def booster():
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(10, 10, 900), rng.normal(8, 8, 900), rng.random(900), rng.integers(0, 3, 900)])
    risk = rows[:, 0] - 0.5 * rows[:, 1] + 20 * rows[:, 2] + 4 * (rows[:, 3] == 1) + rng.normal(0, 8, 900)
    data = lightgbm.Dataset(rows, risk > 28, feature_name=list(FEATURES), categorical_feature=["industry_section"])
    settings = {"objective": "binary", "num_leaves": 15, "min_data_in_leaf": 10, "num_threads": 1, "verbose": -1}
    return Booster.from_text(lightgbm.train(settings, data, 40).model_to_string(), FEATURES, SECTIONS)


@pytest.fixture(params=["scorecard", "whole line", "booster"])
def any_model(request, make_model, knots, booster):
    if request.param == "booster":
        return make_model(kind="booster", predictor=booster, calibration=Calibration.line("platt", 0.1, 0.9))
    return make_model(knots) if request.param == "whole line" else make_model()


def _applied(model, rows):
    import pyarrow as pa

    batch = pa.RecordBatch.from_pandas(rows, preserve_index=False)
    return application(model, None, batch.schema)(batch).to_pandas()


def _told(reasons, row):
    return [
        (reasons.code[row, i], reasons.points[row, i], reasons.en[row, i], reasons.zh[row, i])
        for i in range(SLOTS)
        if reasons.code[row, i] is not None
    ]


def test_points_are_the_sum_of_an_ideas_windows_strongest_first_and_never_for_the_customer(any_model, make_rows):
    rows = make_rows(1000, seed=21)
    lost = any_model.points_lost(rows)
    reasons = model_reasons(any_model, _applied(any_model, rows))
    seen = 0
    for row in range(len(rows)):
        sums = {code: lost[windows].sum(axis=1).iloc[row] for code, windows in IDEAS.items()}
        against = {code: np.floor(total + 0.5) for code, total in sums.items() if np.floor(total + 0.5) < 0}
        told = {code: points for code, points, _, _ in _told(reasons, row)}
        assert told == against
        assert [sums[code] for code in told] == sorted(sums[code] for code in told)
        seen += len(told)
    assert seen > 500


def test_an_idea_is_told_by_the_window_that_costs_most_in_the_customers_own_number(any_model, make_rows):
    rows = make_rows(1000, seed=22)
    lost = any_model.points_lost(rows)
    catalogue = any_model.catalogue_by_name
    reasons = model_reasons(any_model, _applied(any_model, rows))
    for row in range(len(rows)):
        for code, _, english, chinese in _told(reasons, row):
            name = lost.loc[row, IDEAS[code]].idxmin()
            assert lost.loc[row, name] < 0
            entry, value = catalogue[name], rows.loc[row, name]
            if pd.isna(value):
                assert english == f"{entry['title_en']}: {entry['null_means']}"
                assert chinese == f"{entry['title_zh']}：{entry['null_means_zh']}"
            else:
                assert english == entry["en"].format(value=value, months=entry["months"])
                assert chinese == entry["zh"].format(value=value, months=entry["months"])


def test_reasons_are_the_same_alone_and_in_the_book(any_model, make_rows):
    rows = make_rows(1000, seed=23)
    book = model_reasons(any_model, _applied(any_model, rows))
    for row in range(0, 1000, 40):
        alone = model_reasons(any_model, _applied(any_model, rows.iloc[[row]].reset_index(drop=True)))
        assert _told(alone, 0) == _told(book, row)


def test_minus_nought_is_told_as_nought_whoever_stands_beside(make_model, make_characteristic, make_rows):
    model = make_model()
    card = model.predictor
    costly = make_characteristic("overdue_share", [0.05, 0.35], [-1.9, -0.5, 0.6], 0.0, 1.1)
    model = make_model(
        predictor=replace(card, characteristics=(*card.characteristics[:2], costly, card.characteristics[3]))
    )
    rows = make_rows(2).assign(overdue_share=[0.0, -0.0])
    for few in (rows, rows.iloc[[1]].reset_index(drop=True)):
        reasons = model_reasons(model, _applied(model, few))
        assert reasons.en[reasons.code == "OVERDUE_SHARE"].tolist() == ["0% of the balance is overdue"] * len(few)


def test_a_change_that_is_rounded_to_nought_has_no_minus():
    entry = {"en": "Changed by {value:+.1%} in {months} months", "zh": "变动{value:+.1%}", "months": 12}
    entry |= {"title_en": "Change", "title_zh": "变动", "null_means": "no data"}
    values = pd.Series([-0.0004, -0.00049999999, -0.0006, -0.0, 0.0004, -0.5, -2e9])
    told = ["+0.0%", "+0.0%", "-0.1%", "+0.0%", "+0.0%", "-50.0%", "-200000000000.0%"]
    assert sentences(entry, values, "en").tolist() == [f"Changed by {words} in 12 months" for words in told]
    assert [sentence(entry, value, "en") for value in values] == [f"Changed by {words} in 12 months" for words in told]
    plain = entry | {"zh": "变动{value}"}
    assert sentence(plain, -1e-7, "zh") == "变动-1e-07"


def test_a_model_reads_its_rows_as_the_trees_do(booster, make_rows):
    rows = make_rows(1000, seed=24)
    matrix = encode(rows, FEATURES, SECTIONS)
    strange = ~rows["industry_section"].isin(["C", "F", "G"]).to_numpy()
    assert np.isnan(matrix[strange, 3]).all()
    assert (matrix[~strange, 3] == rows.loc[~strange, "industry_section"].map({"C": 0, "F": 1, "G": 2})).all()


def test_nobody_has_no_reasons(model, make_rows):
    reasons = model_reasons(model, _applied(model, make_rows(3)).head(0))
    assert reasons.code.shape == (0, SLOTS)
