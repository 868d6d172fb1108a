"""Figures by part of the book: counted by hand, null where nothing can be told."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.statistics.discrimination import gini
from pipeline.train.parts import level_estimate, part_measures
from pipeline.train.sample import Sample


@pytest.fixture
def sample():
    n = 600
    rng = np.random.default_rng(3)
    clusters = np.array([f"c{i // 6}" for i in range(n)], dtype=object)
    is_bad = np.repeat((rng.random(n // 6) < 0.2).astype(float), 6)
    return Sample(pd.DataFrame(index=range(n)), is_bad, clusters, np.array([dt.date(2024, 1, 31)] * n, dtype=object))


@pytest.fixture
def depth():
    return np.array([None if i < 60 else "ABCD"[i % 4] for i in range(600)], dtype=object)


def test_each_part_is_measured_on_its_own_rows_and_null_parts_are_left_out(sample, depth):
    pd_ = np.random.default_rng(1).random(600) * 0.3 + 0.2 * sample.is_bad
    told = part_measures({"champion": pd_}, sample, {"data_depth": depth}, 0.95)["data_depth"]
    assert list(told) == ["A", "B", "C", "D"]
    assert sum(part["rows"] for part in told.values()) == 540
    for name, part in told.items():
        is_in = depth == name
        measured = part["models"]["champion"]
        assert measured["gini"]["value"] == pytest.approx(gini(pd_[is_in], sample.is_bad[is_in]))
        assert measured["gini"]["low"] < measured["gini"]["value"] < measured["gini"]["high"]
        level = measured["observed_over_expected"]
        assert level["value"] == pytest.approx(sample.is_bad[is_in].sum() / pd_[is_in].sum())
        assert level["low"] < level["value"] < level["high"]


def test_a_part_without_a_bad_row_has_no_gini(sample):
    group = np.where(sample.is_bad == 1, "bad", "good").astype(object)
    told = part_measures({"champion": np.full(600, 0.1)}, sample, {"x": group}, 0.95)["x"]
    good = told["good"]["models"]["champion"]
    assert (good["gini"], good["observed_over_expected"]["value"]) == (None, 0.0)
    assert told["bad"]["models"]["champion"]["gini"] is None


def customers(groups: int, rows_each: int, bad_groups: int) -> Sample:
    """Groups of so many rows that share one outcome."""
    n = groups * rows_each
    is_bad = np.repeat(np.arange(groups) < bad_groups, rows_each).astype(float)
    clusters = np.repeat([f"c{i:03d}" for i in range(groups)], rows_each).astype(object)
    return Sample(pd.DataFrame(index=range(n)), is_bad, clusters, np.array([dt.date(2024, 1, 31)] * n, dtype=object))


def test_the_level_of_a_part_has_the_jeffreys_interval_of_its_groups_whatever_their_months():
    # Beta(2.5, 98.5) at 2.5 and 97.5 %: 0.42 % and 6.26 %, over a mean PD of 2 %.
    for months in (1, 12):
        found = level_estimate(np.full(100 * months, 0.02), customers(100, months, 2), 0.95)
        assert found == pytest.approx({"value": 1.0, "low": 0.2089, "high": 3.1303}, abs=1e-3)


def test_a_part_without_a_bad_group_has_an_upper_end_and_one_without_a_forecast_tells_nothing():
    # Beta(0.5, 20.5) at 97.5 %: 11.7 %, over a mean PD of 2 %.
    found = level_estimate(np.full(20, 0.02), customers(20, 1, 0), 0.95)
    assert found == pytest.approx({"value": 0.0, "low": 0.0, "high": 5.832}, abs=1e-3)
    assert level_estimate(np.zeros(20), customers(20, 1, 1), 0.95) is None
