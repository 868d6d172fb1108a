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
from pipeline.score.card import customer_card
from pipeline.score.feature_columns import encode
from pipeline.score.publish import publish
from pipeline.score.reasons import SLOTS, model_reasons, thin_reasons
from pipeline.score.scorecard import Scorecard
from pipeline.score.sentences import sentence, sentences
from pipeline.score.thin_file import ThinFile, ThinFileRule

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


# Beside the card of the model, which none of these is on: what a customer without history has.
OF_FIRM = {
    "ebit_to_assets": ("ebit_to_assets", "EBIT is {value:.0%} of assets", "息税前利润占资产{value:.0%}"),
    "firm_age_years": ("firm_age", "The firm is {value:.0f} years old", "成立{value:.0f}年"),
}
FEW = {"invoices_due_12m_count": 1}
NEW = {"history_months": 2}


@pytest.fixture
def thin_model(make_model, make_entry, make_characteristic):
    """Thin files have a card: EBIT below nought −20 points, else 10, none 0; a firm below ten years −6, else 6.

    Over the rows of development that is −1000 / 210 and 0 in the mean: a loss costs 15 points, a young firm 6, and
    no accounts speak for the customer.
    """
    point = 1.0 / make_model().scaling.factor
    card = Scorecard(
        (
            make_characteristic("ebit_to_assets", [0.0], [-20.0, 10.0], 0.0, point),
            make_characteristic("firm_age_years", [10.0], [-6.0, 6.0], 0.0, point),
        ),
        intercept_points=540.0,
        pdo=20.0,
        base_score=600.0,
        base_odds=30.0,
    )
    entries = [make_entry(name, idea, None, en, zh) for name, (idea, en, zh) in OF_FIRM.items()]
    return make_model(
        thin_file=ThinFile(0.06, 30, 500, 0.75, ThinFileRule(3, 3), card),
        catalogue=[*make_model().catalogue, *entries],
    )


@pytest.fixture
def thin_book(thin_model, make_book, scored, policy, as_of):
    """The night of customers, each with what its firm has."""

    def run_of(*customers, model=thin_model):
        positions = [{k: v for k, v in customer.items() if k not in OF_FIRM} for customer in customers]
        book = make_book(*positions)
        firm = {name: [customer.get(name, np.nan) for customer in customers] for name in OF_FIRM}
        return scored(book.positions, book.features.assign(**firm), model, policy, None, as_of)

    return run_of


def _why(row):
    return [(row[f"reason_{i}_code"], row[f"reason_{i}_points"]) for i in range(1, 5) if row[f"reason_{i}_code"]]


def test_a_thin_file_has_reasons_of_its_own_in_its_own_numbers(thin_book):
    loss, young, plain, both = thin_book(
        {**FEW, "ebit_to_assets": -0.07, "firm_age_years": 4.0},
        {**NEW, "firm_age_years": 4.0},
        {**FEW, "ebit_to_assets": 0.2, "firm_age_years": 40.0},
        {**FEW, **NEW, "ebit_to_assets": -0.07, "firm_age_years": 4.0},
    ).book.to_pylist()
    assert _why(loss) == [("THIN_INVOICES_DUE", None), ("EBIT_TO_ASSETS", -15), ("FIRM_AGE", -6)]
    assert (loss["reason_2_en"], loss["reason_2_zh"]) == ("EBIT is -7% of assets", "息税前利润占资产-7%")
    assert loss["reason_3_en"] == "The firm is 4 years old"
    assert _why(young) == [("THIN_HISTORY", None), ("FIRM_AGE", -6)]
    assert _why(plain) == [("THIN_INVOICES_DUE", None)]
    assert _why(both) == [*_why(loss), ("THIN_HISTORY", None)]
    assert (loss["score"] < young["score"] < plain["score"], loss["model"]) == (True, "thin_file")
    for row in (loss, young):
        assert "whose mean PD is set from the upper bound of the pool's default rate" in row["reason_1_en"]
        assert "上限" in row["reason_1_zh"]


def test_a_pool_without_a_card_tells_one_sentence_and_no_points(thin_book, thin_model):
    flat = replace(thin_model, thin_file=replace(thin_model.thin_file, card=None))
    (row,) = thin_book({**FEW, "ebit_to_assets": -0.07}, model=flat).book.to_pylist()
    assert (_why(row), row["pd"]) == ([("THIN_INVOICES_DUE", None)], 0.06)


def test_a_thin_file_graded_by_hand_tells_the_grade_first(thin_book):
    (row,) = thin_book({**FEW, "ebit_to_assets": -0.07, "grade_override": "G09"}).book.to_pylist()
    assert [code for code, _ in _why(row)] == ["EXPERT_GRADE", "THIN_INVOICES_DUE", "EBIT_TO_ASSETS"]


def test_points_of_the_thin_card_and_of_its_mean_customer_are_the_score_before_rounding(thin_model):
    rng = np.random.default_rng(25)
    rows = pd.DataFrame({"ebit_to_assets": rng.normal(0, 0.2, 200), "firm_age_years": rng.normal(12, 9, 200)})
    rows[rng.random(rows.shape) < 0.3] = np.nan
    thin, scaling = thin_model.thin_file, thin_model.scaling
    lost = thin.points_lost(rows, scaling)
    total = scaling.points(thin.card.base_log_odds) + lost.sum(axis=1)
    np.testing.assert_allclose(total, scaling.points(thin.card.log_odds(rows)), rtol=0, atol=1e-9)
    book = thin_reasons(thin_model, rows)
    for row in range(len(rows)):
        assert {points for _, points, _, _ in _told(book, row)} == {p for p in np.floor(lost[row] + 0.5) if p < 0}
        assert _told(thin_reasons(thin_model, rows.iloc[[row]]), 0) == _told(book, row)


def test_explain_tells_what_speaks_against_a_thin_file(thin_book, tmp_path):
    told = {"data_version": "d" * 64, "code_version": "c" * 64, "base_currency": "EUR"}
    publish(thin_book({**FEW, "ebit_to_assets": -0.07}), tmp_path, told)
    card = customer_card(tmp_path / "latest", "C0")
    assert "     -15  EBIT is -7% of assets\n" in card
    assert f"\n{'':>10}1 invoice fell due" in card
    assert "EBIT" not in customer_card(tmp_path / "latest", "C0", "zh")
