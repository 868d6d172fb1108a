"""A code in the place of a number has bins, points and words of its own; trees read it as null."""

from __future__ import annotations

import json
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from own_tables import catalogue, made_rows

from pipeline.errors import DamagedModelError
from pipeline.score.applied import application
from pipeline.score.booster import Booster
from pipeline.score.exports.sql import sql_statement
from pipeline.score.reasons import model_reasons
from pipeline.score.scorecard import Bin, Characteristic, Scorecard


def late_bins(fitted):
    card = fitted.models["champion"].predictor
    return next(c for c in card.characteristics if c.feature == "late")


def test_each_code_has_a_bin_with_the_weight_of_its_own_rows(undated):
    late = late_bins(undated)
    special = {b.lower: b for b in late.bins if b.kind == "special"}
    assert set(special) == {-7.0, -9.0}
    train = undated.book[undated.table.role(undated.book) == "train"]
    goods, bads = (train["is_bad"] == 0).sum(), (train["is_bad"] == 1).sum()
    for code, found in special.items():
        rows = train[train["late"] == code]
        bad = int((rows["is_bad"] == 1).sum())
        assert (found.count, found.bads) == (len(rows), bad)
        half = 0.5
        by_hand = np.log((len(rows) - bad + half * goods / bads) / (bad + half) / (goods / bads))
        assert found.woe == pytest.approx(by_hand)
    assert special[-7.0].points > 0 > special[-9.0].points
    assert special[-9.0].label == "-9: refused to say"


def test_the_ranges_are_cut_as_if_the_codes_were_not_there(undated):
    splits = late_bins(undated).splits
    assert splits
    assert min(splits) > 0


def test_a_row_with_a_code_takes_its_points_and_one_beside_it_does_not(undated):
    late = late_bins(undated)
    points = late.points(pd.DataFrame({"late": [-7.0, -9.0, -8.0, 1e6, np.nan]}))
    of = {b.lower: b.points for b in late.bins if b.kind == "special"}
    ranges = [b.points for b in late.bins if b.kind == "range"]
    missing = next(b.points for b in late.bins if b.kind == "missing")
    assert points.tolist() == [of[-7.0], of[-9.0], ranges[0], ranges[-1], missing]


def test_python_json_and_sql_give_a_code_the_same_points(undated):
    model = undated.models["champion"]
    rows = undated.book.head(1500)
    again = Scorecard.from_json(model.predictor.to_json())
    connection = duckdb.connect()
    connection.register("rows_in", rows.assign(row_number=range(len(rows))))
    query = sql_statement(model.predictor, model.calibration, table="rows_in") + " ORDER BY row_number"
    through_sql = connection.execute(query).df()
    assert rows["late"].isin([-7, -9]).sum() > 100
    assert again.total_points(rows).tolist() == model.predictor.total_points(rows).tolist()
    assert through_sql["card_points"].tolist() == model.predictor.total_points(rows).tolist()
    assert np.abs(through_sql["card_pd"] - model.pd(rows)).max() < 1e-12


def test_the_booster_reads_a_code_as_null_and_keeps_doing_so_after_reload(undated):
    booster = undated.models["challenger"].predictor
    assert booster.special == {"late": (-7.0, -9.0)}
    rows = undated.book.head(200)
    coded, null = rows.assign(late=-9.0), rows.assign(late=np.nan)
    assert booster.log_odds(coded).tolist() == booster.log_odds(null).tolist()
    assert booster.contributions(coded).equals(booster.contributions(null))
    again = Booster.from_files(booster.text, booster.columns_json())
    assert again.log_odds(coded).tolist() == booster.log_odds(null).tolist()
    without = replace(booster, special={})
    assert without.log_odds(coded).tolist() != booster.log_odds(coded).tolist()


def test_a_booster_without_codes_is_written_as_before():
    assert "special" not in json.loads(Booster("", ("a",), {}).columns_json())


def test_a_reason_tells_the_meaning_of_the_code_not_its_digits(undated):
    model = undated.models["champion"]
    coded = undated.book[undated.book["late"] == -9].head(50)
    batch = pa.RecordBatch.from_pandas(coded[list(model.features)], preserve_index=False)
    rows = application(model, None, batch.schema)(batch).to_pandas()
    reasons = model_reasons(model, rows)
    at = reasons.code[:, 0] == "LATE"
    assert at.any()
    assert set(reasons.en[at, 0]) == {"Days late: refused to say"}
    assert set(reasons.zh[at, 0]) == {"逾期天数：拒绝提供"}


def test_development_counts_a_code_as_missing_for_both_kinds(undated):
    train = undated.book[undated.table.role(undated.book) == "train"]
    coded = int(train["late"].isin([-7, -9]).sum())
    for model in undated.models.values():
        told = model.development["features"]["late"]
        assert told["special"] == [-7.0, -9.0]
        assert told["missing"] == coded
        assert sum(told["counts"]) == len(train) - coded


def test_codes_speak_against_a_model_that_takes_them_for_numbers(undated, tmp_path):
    """Read as numbers -9 would be the safest value; the known truth says it is the worst."""
    model = undated.models["champion"]
    pair = pd.DataFrame([undated.book.iloc[0]] * 2).assign(late=[-9.0, 1.0])
    worst, prompt = model.pd(pair)
    assert worst > 3 * prompt


@pytest.mark.parametrize(
    ("extra", "part"),
    [
        (Bin("x", "special", 0.0, 0.0, lower=1.0, upper=2.0), "holds one code"),
        (Bin("x", "special", 0.0, 0.0), "holds one code"),
    ],
)
def test_a_special_bin_that_is_none_is_refused(extra, part):
    bins = (Bin("any value", "range", 0.0, 0.0), extra, Bin("no value", "missing", 0.0, 0.0))
    with pytest.raises(DamagedModelError, match=part):
        Characteristic("x", 1.0, bins, "either", 0.1, 0.0)


def test_two_bins_of_one_code_are_refused():
    code = Bin("7", "special", 0.0, 0.0, lower=7.0, upper=7.0)
    bins = (Bin("any value", "range", 0.0, 0.0), code, code, Bin("no value", "missing", 0.0, 0.0))
    with pytest.raises(DamagedModelError, match="stands in two bins"):
        Characteristic("x", 1.0, bins, "either", 0.1, 0.0)


def test_the_made_table_holds_the_codes_its_catalogue_names():
    codes = {s.code for s in catalogue().features[0].special}
    assert codes <= set(made_rows()["late"].tolist())
