"""Which categories the booster may set apart: forty branches of fifteen customers, twelve bad or one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import lightgbm
import numpy as np
import pandas as pd
import pytest

from pipeline.params import BoosterMember, BoosterParams
from pipeline.statistics.discrimination import auc
from pipeline.train.booster import fit_booster
from pipeline.train.sample import Sample

BRANCHES, CUSTOMERS = 40, 15
SETTINGS = BoosterParams(
    trials=0,
    max_rounds=60,
    early_stopping_rounds=10,
    min_rows_per_leaf=5,
    feature_share=1.0,
    members=(BoosterMember(),),
)
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
def test_no_group_is_set_apart_with_fewer_rows_than_the_parameters_want(branches, changed):
    # All rows weigh the same: LightGBM counts rows by their curvature, which weights move.
    assert _fit(branches, categories="grouped", row_share=1.0, **changed).gains["branch"] == 0.0


def _parted(text):
    """Of each split of the branches in the trees of a text, how many it sets apart; in the order of the trees."""
    found = []
    for tree in lightgbm.Booster(model_str=text).dump_model()["tree_info"]:
        left = [tree["tree_structure"]]
        while left:
            node = left.pop()
            if node.get("decision_type") == "==":
                found.append((tree["tree_index"], len(node["threshold"].split("||"))))
            left += [node[side] for side in ("left_child", "right_child") if side in node]
    return found


def test_one_by_one_a_split_sets_a_single_branch_apart_and_in_groups_several(branches):
    grouped, single = (_parted(_fit(branches, categories=how).booster.text) for how in ("grouped", "one_by_one"))
    assert max(n for _, n in grouped) > 5
    assert {n for _, n in single} == {1}


def test_one_by_one_a_leaf_may_hold_as_few_rows_as_a_category_may_have(branches):
    smallest = []
    for fewest in (5, 500):
        fit = _fit(branches, categories="one_by_one", min_rows_per_category=fewest, min_rows_per_leaf=60)
        counts = re.findall(r"^leaf_count=(.+)$", fit.booster.text, re.MULTILINE)
        smallest.append(min(int(n) for line in counts for n in line.split()))
    # LightGBM counts the rows of a leaf by their curvature, which is not the same for all.
    assert smallest[0] <= CUSTOMERS < 40 < smallest[1]


def test_a_penalty_of_leaves_that_part_categories_draws_their_odds_together(branches):
    loose, tight = (
        np.ptp(_fit(branches, category_l2=l2, max_rounds=10).booster.log_odds(branches.rows.assign(noise=0.0)))
        for l2 in (0.0, 500.0)
    )
    assert 0 < tight < 0.7 * loose
