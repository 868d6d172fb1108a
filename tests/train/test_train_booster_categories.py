"""Which categories the booster may set apart: forty branches of fifteen customers, twelve bad or one."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.params import BoosterParams
from pipeline.statistics.discrimination import auc
from pipeline.train.booster import fit_booster
from pipeline.train.sample import Sample

BRANCHES, CUSTOMERS = 40, 15
SETTINGS = BoosterParams(trials=0, max_rounds=60, early_stopping_rounds=10, min_rows_per_leaf=5, feature_share=1.0)
CATALOGUE = [
    {"name": "branch", "holds": "category", "risk": "either"},
    {"name": "noise", "holds": "number", "risk": "either"},
]


@pytest.fixture(scope="module")
def branches():
    branch = np.repeat(np.arange(BRANCHES), CUSTOMERS)
    turn = np.tile(np.arange(CUSTOMERS), BRANCHES)
    is_bad = (turn < np.where(branch % 2, 12, 1)).astype(float)
    noise = np.random.default_rng(1).normal(size=len(branch))
    rows = pd.DataFrame({"branch": [f"B{b:02d}" for b in branch], "noise": noise})
    clusters = np.array([f"C{i:03d}" for i in range(len(rows))], dtype=object)
    return Sample(rows, is_bad, clusters, np.full(len(rows), dt.date(2024, 12, 31), dtype=object))


def _fit(branches, **changed):
    return fit_booster(branches, CATALOGUE, dataclasses.replace(SETTINGS, **changed))


def test_branches_of_fifteen_customers_are_told_apart(branches):
    fit = _fit(branches)
    assert fit.gains["branch"] > 10 * fit.gains["noise"]
    assert auc(-fit.booster.log_odds(branches.rows.assign(noise=0.0)), branches.is_bad) > 0.85


@pytest.mark.parametrize(
    "changed", [{"category_smoothing": CUSTOMERS + 1.0}, {"min_rows_per_category": BRANCHES * CUSTOMERS // 2 + 1}]
)
def test_none_is_set_apart_with_fewer_rows_than_the_parameters_want(branches, changed):
    assert _fit(branches, **changed).gains["branch"] == 0.0


def test_a_penalty_of_leaves_that_part_categories_draws_their_odds_together(branches):
    loose, tight = (
        np.ptp(_fit(branches, category_l2=l2, max_rounds=10).booster.log_odds(branches.rows.assign(noise=0.0)))
        for l2 in (0.0, 500.0)
    )
    assert 0 < tight < 0.7 * loose
