"""Figures by part of the book: counted by hand, null where nothing can be told."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.statistics.discrimination import gini
from pipeline.train.parts import part_measures
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
        assert measured["observed_over_expected"] == pytest.approx(sample.is_bad[is_in].sum() / pd_[is_in].sum())


def test_a_part_without_a_bad_row_has_no_gini(sample):
    group = np.where(sample.is_bad == 1, "bad", "good").astype(object)
    told = part_measures({"champion": np.full(600, 0.1)}, sample, {"x": group}, 0.95)["x"]
    assert told["good"]["models"]["champion"] == {"gini": None, "observed_over_expected": 0.0}
    assert told["bad"]["models"]["champion"]["gini"] is None
