"""The same feature row gets the same points alone, in a batch, after reload and through SQL."""

from __future__ import annotations

import json
import math

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ContractError, DamagedModelError, ParameterError
from pipeline.score.calibration import Calibration, log_odds_of_pd, pd_of_log_odds
from pipeline.score.exports.sql import sql_statement
from pipeline.score.points import Scaling
from pipeline.score.scorecard import Scorecard, fold


def through_sql(card, calibration, rows):
    connection = duckdb.connect()
    connection.register("rows_in", rows.assign(row_number=range(len(rows))))
    query = sql_statement(card, calibration, table="rows_in") + " ORDER BY row_number"
    return connection.execute(query).df()


@pytest.mark.parametrize("line", [Calibration.identity(), Calibration.line("platt", 0.25, 0.85), None])
def test_2000_rows_score_the_same_alone_in_a_batch_after_reload_and_through_sql(card, knots, make_rows, line):
    card, calibration = fold(card, line or knots)
    scaling = Scaling(20.0, 600.0, 30.0)
    rows = make_rows(2000)
    points, pd_batch = card.total_points(rows), calibration.pd(card.log_odds(rows))
    alone = [rows.iloc[[i]] for i in range(0, len(rows), 5)]
    again = Scorecard.from_json(card.to_json())
    calibration_again = Calibration.from_json(calibration.to_json())
    sql = through_sql(card, calibration, rows)
    assert [card.total_points(row)[0] for row in alone] == points[::5].tolist()
    assert [calibration.pd(card.log_odds(row))[0] for row in alone] == pd_batch[::5].tolist()
    assert again.total_points(rows).tolist() == points.tolist()
    assert calibration_again.pd(again.log_odds(rows)).tolist() == pd_batch.tolist()
    assert sql["card_points"].tolist() == points.tolist()
    assert np.abs(sql["card_pd"] - pd_batch).max() < 1e-12
    assert sql["card_score"].tolist() == scaling.score(pd_batch).tolist()


def test_a_straight_calibration_is_folded_so_that_the_points_add_up_to_the_score(card, make_rows):
    line = Calibration.line("platt", 0.25, 0.85)
    folded, settled = fold(card, line)
    rows = make_rows(500)
    assert settled.method == "identity"
    assert settled.folded == line.knots
    pd_folded = settled.pd(folded.log_odds(rows))
    assert np.abs(pd_folded - line.pd(card.log_odds(rows))).max() < 1e-12
    by_hand = folded.intercept_points + folded.points_by_characteristic(rows).sum(axis=1).to_numpy()
    scaling = Scaling(20.0, 600.0, 30.0)
    assert np.abs(by_hand - scaling.points(log_odds_of_pd(pd_folded))).max() < 1e-6
    assert fold(folded, settled) == (folded, settled)


def test_a_broken_calibration_stays_beside_the_points(card, knots):
    assert fold(card, knots) == (card, knots)


def test_a_value_on_a_bound_belongs_to_the_upper_bin_and_the_last_below_it_to_the_lower(card):
    first = card.characteristics[0]
    rows = pd.DataFrame({"days_late_3m": [4.999999, 5.0, 30.499, 30.5, -1e9, 1e9, np.nan]})
    assert first.bin_index(rows).tolist() == [0, 1, 1, 2, 0, 2, 3]


def test_null_and_unseen_categories_have_bins_of_their_own(card):
    section = card.characteristics[3]
    rows = pd.DataFrame({"industry_section": ["C", "O'Neil", None, "Z", ""]})
    assert [section.bins[i].kind for i in section.bin_index(rows)] == [
        "categories", "categories", "missing", "unseen", "unseen",
    ]  # fmt: skip


def test_infinity_is_refused_in_python_and_scores_null_in_sql(card, make_rows):
    rows = make_rows(10)
    rows.loc[3, "overdue_share"] = math.inf
    with pytest.raises(ContractError, match=r"features.overdue_share: 1 of 10 values are infinite, e.g. row 3"):
        card.log_odds(rows)
    sql = through_sql(card, Calibration.identity(), rows)
    assert sql["card_points"].isna().tolist() == sql["card_pd"].isna().tolist() == [i == 3 for i in range(10)]


def test_missing_columns_are_all_named(card, make_rows):
    with pytest.raises(ContractError, match=r"2 of 4 columns .* missing.*days_late_3m, overdue_share"):
        card.log_odds(make_rows(3).drop(columns=["days_late_3m", "overdue_share"]))


def test_text_in_a_number_and_a_number_in_a_category_are_refused(card, make_rows):
    rows = make_rows(3)
    with pytest.raises(ContractError, match=r"features.days_late_3m: holds text"):
        card.log_odds(rows.assign(days_late_3m=["a", "b", "c"]))
    with pytest.raises(ContractError, match=r"features.industry_section: 1 value\(s\) are no text, e.g. 4"):
        card.log_odds(rows.assign(industry_section=[4, None, "C"]))


def test_contributions_and_base_add_up_to_the_log_odds_of_bad(card, make_rows):
    rows = make_rows(300)
    assert np.abs(card.contributions(rows).sum(axis=1) + card.log_odds(rows)).max() < 1e-10


def test_points_lost_add_up_from_the_mean_customer_to_the_score_for_any_calibration(make_model, knots, make_rows):
    rows = make_rows(300)
    for model in (make_model(), make_model(knots)):
        base = model.calibration.log_odds(np.array([model.predictor.base_log_odds]))
        total = model.scaling.points(base)[0] + model.points_lost(rows).sum(axis=1)
        assert np.abs(total - model.scaling.points(model.calibration.log_odds(model.log_odds(rows)))).max() < 1e-6


def test_score_rises_by_pdo_when_the_odds_double():
    scaling = Scaling(20.0, 600.0, 30.0)
    assert scaling.score([1 / 31, 1 / 61, 1 / 121]).tolist() == [600, 620, 640]


@given(st.floats(-40, 40), st.floats(0.001, 5))
def test_a_riskier_row_never_gets_a_lower_pd(raw, step):
    line = Calibration("knots", ((-2.0, -1.5), (1.0, 1.2), (3.0, 2.9)))
    assert line.pd([raw])[0] >= line.pd([raw + step])[0]


def test_a_pd_is_never_0_or_1():
    pd_ = pd_of_log_odds([-1e9, 1e9])
    assert pd_[1] > 0
    assert pd_[0] < 1


def test_a_calibration_is_linear_between_and_beyond_its_knots():
    line = Calibration("knots", ((0.0, 0.0), (1.0, 2.0), (2.0, 2.5)))
    assert line.log_odds([-1.0, 0.5, 1.5, 4.0]).tolist() == [-2.0, 1.0, 2.25, 3.5]


@pytest.mark.parametrize(
    "knots", [((0.0, 0.0),), ((0.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.0, math.nan), (1.0, 1.0))]
)
def test_knots_that_do_not_rise_are_refused(knots):
    with pytest.raises(DamagedModelError, match="calibration"):
        Calibration("knots", knots)


def test_a_card_with_a_gap_between_bins_is_refused(card):
    raw = json.loads(card.to_json())
    raw["characteristics"][0]["bins"][1]["lower"] = 6.0
    with pytest.raises(DamagedModelError, match="days_late_3m: ranges leave a gap or overlap"):
        Scorecard.from_json(json.dumps(raw))


def test_another_dialect_of_sql_is_refused(card):
    with pytest.raises(ParameterError, match="no dialect 'oracle'"):
        sql_statement(card, Calibration.identity(), "oracle")
