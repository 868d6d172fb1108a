"""Several boosters as one: the mean of their forecasts, still one sum of trees, and grown only where bads are few."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import lightgbm
import numpy as np
import pandas as pd
import pytest

from pipeline.params import BoosterMember, BoosterParams
from pipeline.score.tree_text import trees_of
from pipeline.train.booster import fit_booster, normalised
from pipeline.train.booster_mean import mean_of
from pipeline.train.sample import Sample

SETTINGS = BoosterParams(trials=0, max_rounds=30, early_stopping_rounds=5, min_rows_per_leaf=10, price_rounds=50)
ALONE = (BoosterMember(),)
CATALOGUE = [
    {"name": "late", "holds": "number", "risk": "rises"},
    {"name": "noise", "holds": "number", "risk": "either"},
    {"name": "branch", "holds": "category", "risk": "either"},
]


@pytest.fixture(scope="module")
def train():
    """Six hundred customers of one row; some two hundred bad, the later they pay the likelier, most in branch B0."""
    rng = np.random.default_rng(4)
    late, branch = rng.normal(size=600), rng.integers(0, 6, size=600)
    is_bad = (rng.random(600) < 1 / (1 + np.exp(1.2 - late - (branch == 0)))).astype(float)
    late[::9] = np.nan
    rows = pd.DataFrame({"late": late, "noise": rng.normal(size=600), "branch": [f"B{b}" for b in branch]})
    clusters = np.array([f"C{i:03d}" for i in range(600)], dtype=object)
    return Sample(rows, is_bad, clusters, np.full(600, dt.date(2024, 12, 31), dtype=object))


def _fit(train, **changed):
    return fit_booster(train, CATALOGUE, dataclasses.replace(SETTINGS, **changed))


@pytest.fixture(scope="module")
def mean(train):
    return _fit(train)


@pytest.fixture(scope="module")
def singles(train):
    """Each member of the mean grown alone."""
    symmetric = {"trees": "symmetric", "learning_rate": 0.05, "max_depth": 6, "feature_share": 1.0, "l2": 3.0}
    ways = [{}, {"categories": "one_by_one"}, {"cuts": "random"}, *4 * [symmetric]]
    ways = [{"row_share": 1.0, **way} if way else way for way in ways]
    return [_fit(train, seed=1 + i, members=ALONE, **way) for i, way in enumerate(ways)]


def test_seven_members_begin_with_the_trees_of_the_first_a_seventh_as_high(singles, mean):
    own, all_of_them = trees_of(singles[0].booster.text), trees_of(mean.booster.text)
    assert mean.rounds[0] == len(own)
    assert len(all_of_them) == sum(mean.rounds) == mean.as_json()["rounds"]
    assert [tree.nodes for tree in all_of_them[: len(own)]] == [tree.nodes for tree in own]
    np.testing.assert_array_equal(all_of_them[0].leaves, own[0].leaves / 7)


def test_the_members_are_those_of_the_parameters_each_in_its_own_way_with_a_seed_of_its_own(train, singles, mean):
    # Folds are drawn with the seed of the first, so rounds are its own; trees are compared as far as both go.
    trees = trees_of(mean.booster.text)
    starts = np.cumsum((0, *mean.rounds))
    for i, single in enumerate(singles):
        own, member = trees_of(single.booster.text), trees[starts[i] : starts[i + 1]]
        shared = min(len(own), len(member))
        assert shared >= 10
        assert [tree.nodes for tree in member[:shared]] == [tree.nodes for tree in own[:shared]]
    assert len({trees[start].nodes for start in starts[:-1].tolist()}) == 7
    alike = _fit(train, members=ALONE * 2)
    pair = trees_of(alike.booster.text)
    assert pair[0].nodes != pair[alike.rounds[0]].nodes


def test_cuts_drawn_by_lot_are_more_than_the_best_ones_and_keep_the_directions(train):
    def cuts(how):
        fit = _fit(train, cuts=how, members=ALONE, max_leaves=2, feature_share=1.0, row_share=1.0)
        model = lightgbm.Booster(model_str=fit.booster.text).dump_model()
        firsts = [tree["tree_structure"] for tree in model["tree_info"]]
        return {each["threshold"] for each in firsts if each["split_feature"] == 0}, fit.booster

    best, drawn = cuts("best"), cuts("random")
    assert len(drawn[0]) > 1.5 * len(best[0])
    odds = [drawn[1].log_odds(train.rows.head(20).assign(late=value)) for value in np.linspace(-3, 3, 31)]
    assert (np.diff(odds, axis=0) <= 1e-15).all()


def test_the_score_and_its_parts_are_the_mean_of_the_scores_and_their_parts(train, singles):
    whole = dataclasses.replace(singles[0].booster, text=mean_of([fit.booster.text for fit in singles]))
    odds = np.mean([fit.booster.log_odds(train.rows) for fit in singles], axis=0)
    np.testing.assert_allclose(whole.log_odds(train.rows), odds, rtol=0, atol=1e-12)
    told = whole.contributions(train.rows)
    np.testing.assert_allclose(told.sum(axis=1), -whole.log_odds(train.rows), atol=1e-9)
    parts = np.mean([fit.booster.contributions(train.rows).to_numpy() for fit in singles], axis=0)
    np.testing.assert_allclose(told.to_numpy(), parts, atol=1e-7)


def test_lightgbm_reads_the_text_and_writes_the_same(singles):
    text = mean_of([fit.booster.text for fit in singles])
    again = lightgbm.Booster(model_str=text)
    assert again.num_trees() == sum(sum(fit.rounds) for fit in singles)
    assert normalised(again.model_to_string()) == text


def test_the_mean_keeps_the_directions(train, mean):
    grid = np.linspace(-3, 3, 61)
    odds = [mean.booster.log_odds(train.rows.head(40).assign(late=value)) for value in grid]
    assert (np.diff(odds, axis=0) <= 1e-15).all()


def test_one_is_grown_from_so_many_bad_customers_on(train, singles, mean):
    bads = train.bad_customers
    one = _fit(train, members_below_bads=bads)
    assert len(one.rounds) == 1
    assert len(mean.rounds) == 7
    assert one.booster.text == singles[0].booster.text
    # One bad customer fewer than it takes, on one thread for two: all seven again, to the letter.
    assert _fit(train, members_below_bads=bads + 1, threads=1).booster.text == mean.booster.text


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_whatever_share_of_good_rows_a_tree_draws_the_forecasts_keep_to_the_rate_of_the_sample(train, share):
    fit = _fit(train, row_share=share, members=ALONE, max_rounds=200, early_stopping_rounds=200)
    pd_of_rows = 1 / (1 + np.exp(fit.booster.log_odds(train.rows)))
    assert pd_of_rows.mean() == pytest.approx(train.is_bad.mean(), rel=0.03)


def test_every_tree_sees_every_bad_row_and_its_share_of_the_good_ones(train):
    told = dataclasses.replace(train, rows=train.rows.assign(late=train.is_bad))
    fit = _fit(told, row_share=0.2, members=ALONE, feature_share=1.0, max_leaves=2)
    counts = [
        [int(n) for n in line.split()] for line in re.findall(r"^leaf_count=(.+)$", fit.booster.text, re.MULTILINE)
    ]
    bads = int(train.is_bad.sum())
    assert counts
    # Trees of two leaves part good from bad; `late` rises, so the second leaf holds the bad rows.
    assert {seen for _, seen in counts} == {bads}
    goods = np.array([drawn for drawn, _ in counts])
    assert goods.mean() == pytest.approx(0.2 * (600 - bads), rel=0.15)
    assert len(set(goods.tolist())) > 1


def test_gains_are_those_of_a_booster_and_not_of_their_sum(mean):
    lines = re.findall(r"^split_gain=(.+)$", mean.booster.text, re.MULTILINE)
    total = sum(float(gain) for line in lines for gain in line.split())
    assert sum(mean.gains.values()) == pytest.approx(total / 7, rel=1e-4)
