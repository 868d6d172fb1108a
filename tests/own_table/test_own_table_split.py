"""With dates the roles are apart by time and entity, without by group alone, and nothing pretends otherwise."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from own_tables import catalogue, made_rows, taken

from pipeline.errors import UnfitForTrainingError
from pipeline.params import SplitParams
from pipeline.train.label import Label
from pipeline.train.splits import timetable

YEARS = [dt.date(year, 12, 31) for year in range(2010, 2020)]


def test_without_dates_every_row_has_a_role_by_its_group_alone(undated):
    roles = undated.table.role(undated.book)
    assert undated.table.is_undated
    assert set(roles) == {"train", "calibration", "test"}
    assert roles.value_counts(normalize=True)["train"] == pytest.approx(0.6, abs=0.03)
    assert not undated.table.is_out_of_time(undated.book).any()
    assert "rows without dates" in undated.table.text()


def test_without_dates_out_of_time_is_empty_and_the_timetable_says_so(undated):
    report = undated.measured.report
    assert report["samples"]["out_of_time"]["rows"] == 0
    assert report["models"]["champion"]["roles"]["out_of_time"]["gini"] is None
    assert report["timetable"]["purge"] == "undated"
    assert "nothing is measured at later dates" in report["timetable"]["limitations"][0]
    assert report["default_rate_by_year"] == []
    assert undated.measured.frames["default_rate"].columns.tolist() == ["as_of", "rows", "bads", "default_rate"]
    assert not len(undated.measured.frames["default_rate"])
    assert report["samples"]["test"]["rows"] > 500


def test_rows_of_one_group_stand_on_one_side(tmp_path):
    rows = made_rows(600)
    rows["owner"] = [f"O{i % 120}" for i in range(600)]
    book = taken(rows, catalogue(group="owner"), tmp_path).rows.to_pandas()
    from pipeline.train.splits import undated_timetable

    role = undated_timetable(Label("target", None, None, None), SplitParams()).role(book)
    assert (role.groupby(book["group_key"]).nunique() == 1).all()
    assert role.nunique() == 3


def test_with_dates_no_entity_and_no_window_is_shared(dated):
    roles = dated.table.role(dated.book)
    by_role = {name: set(dated.book.loc[roles == name, "customer_id"]) for name in ("train", "calibration", "test")}
    assert not by_role["train"] & by_role["test"]
    assert max(dated.table.train) < min(dated.table.calibration) < min(dated.table.test)
    assert dated.table.purge == "whole"
    assert dated.measured.report["samples"]["out_of_time"]["rows"] > dated.measured.report["samples"]["test"]["rows"]


def test_dates_without_a_window_are_told_to_overlap():
    table = timetable(YEARS, Label("target", None, None, None), SplitParams())
    assert table.window == "no length told"
    assert "no performance window is told" in table.limitations[0]
    with_window = timetable(YEARS, Label("target", None, 12, None), SplitParams())
    assert with_window.limitations == ()


def test_a_window_in_days_is_purged(dated):
    months = [dt.date(2020 + m // 12, m % 12 + 1, 28) for m in range(36)]
    table = timetable(months, Label("target", None, None, 90), SplitParams())
    gap = min(table.calibration) - max(table.train)
    assert gap >= dt.timedelta(days=90)


def test_too_few_dates_are_refused_as_of_a_ledger():
    with pytest.raises(UnfitForTrainingError, match="2 mature snapshot date"):
        timetable(YEARS[:2], Label("target", None, 12, None), SplitParams())


def test_both_models_find_the_risk_that_was_made(undated, dated):
    for fitted in (undated, dated):
        for role in ("champion", "challenger"):
            low, value, _ = fitted.auc(role)
            assert low > 0.6, (role, value)


def test_nobody_is_thin_in_a_table(undated):
    for model in undated.models.values():
        thin = model.thin_file
        assert (thin.bads, thin.customers) == (0, 0)
        assert not thin.rule.is_thin(np.array([0.0, np.nan]), np.array([0.0, np.nan])).any()


def test_a_model_tells_the_words_of_its_target(undated, dated):
    assert undated.models["champion"].label == {
        "kind": "target",
        "days": None,
        "window_months": None,
        "window_days": None,
        "title_en": "failure",
        "title_zh": "失败",
        "happened_en": "failed",
    }
    assert dated.models["challenger"].label["window_months"] == 12
    assert undated.models["champion"].development["last_as_of"] is None
    assert dated.models["champion"].development["last_as_of"] == max(dated.table.train).isoformat()
