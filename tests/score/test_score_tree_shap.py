"""SHAP values of the night: those of LightGBM and WOODELF, adding up, the same bits alone, in a batch, in threads."""

from __future__ import annotations

import itertools
import math

import lightgbm
import numpy as np
import pandas as pd
import pytest

from pipeline.errors import DamagedModelError
from pipeline.score import tree_shap, tree_tables
from pipeline.score.booster import Booster
from pipeline.score.cores import threads
from pipeline.score.tree_shap import TreeShap
from pipeline.score.tree_tables import path_values

NAMES = ("late", "share", "section", "coded", "noise", "flat")
SECTIONS = ("A", "C", "F", "G", "J", "M", "N")
SPECIAL = {"coded": (-7.0, -9.0)}


def _rows(count, seed):
    """Nulls, ties, an unseen category, special codes and values on the trees' thresholds."""
    rng = np.random.default_rng(seed)
    late = np.round(rng.normal(10, 15, count))
    late[rng.random(count) < 0.2] = np.nan
    share = np.where(rng.random(count) < 0.4, 0.0, rng.random(count))
    coded = np.where(rng.random(count) < 0.2, rng.choice(SPECIAL["coded"], count), rng.gamma(2, 2, count))
    return pd.DataFrame(
        {
            "late": late,
            "share": share,
            "section": rng.choice(np.array([*SECTIONS, "unseen", None], dtype=object), count),
            "coded": coded,
            "noise": rng.normal(size=count),
            "flat": rng.integers(0, 2, count).astype(float),
        }
    )


def _fitted(leaves, depth, categories=(2,)):
    """A booster with monotone directions and a category, grown on 6,000 rows."""
    plain = Booster("", NAMES, {"section": SECTIONS}, SPECIAL)
    rows = _rows(6000, 1)
    matrix = tree_matrix(plain, rows)
    risk = np.nan_to_num(matrix[:, 0]) / 15 + 2 * matrix[:, 1] + (matrix[:, 2] == 2) - 3 + 0.3 * matrix[:, 4]
    is_bad = np.random.default_rng(2).random(6000) < 1 / (1 + np.exp(-risk))
    settings = {
        "objective": "binary", "num_leaves": leaves, "max_depth": depth, "learning_rate": 0.1, "min_data_in_leaf": 20,
        "monotone_constraints": [1, 1, 0, 0, 0, 0], "verbose": -1, "num_threads": 1, "deterministic": True,
        "force_row_wise": True, "feature_fraction": 0.8,
    }  # fmt: skip
    data = lightgbm.Dataset(matrix, is_bad.astype(int), feature_name=list(NAMES), categorical_feature=list(categories))
    text = lightgbm.train(settings, data, 60).model_to_string()
    return Booster.from_text(text, NAMES, {"section": SECTIONS}, SPECIAL)


def tree_matrix(booster, rows):
    from pipeline.score.feature_columns import encode

    return encode(rows, booster.features, booster.categories, booster.special)


@pytest.fixture(scope="module", params=[(15, 4), (31, 6), (31, -1), (2, 1)], ids=str)
def booster(request):
    return _fitted(*request.param)


def test_the_values_are_lightgbms_and_add_up_to_the_raw_score(booster):
    rows = _rows(2000, 3)
    told = booster.contributions(rows)
    judge = lightgbm.Booster(model_str=booster.text).predict(tree_matrix(booster, rows), pred_contrib=True)
    assert np.abs(told.to_numpy() - judge).max() < 1e-8
    assert np.abs(told.sum(axis=1).to_numpy() + booster.log_odds(rows)).max() < 1e-8
    assert told["base"].nunique() == 1


@pytest.mark.parametrize(("leaves", "depth"), [(15, 4), (31, 6)])
def test_the_values_are_woodelfs_where_no_tree_asks_for_a_category(leaves, depth):
    from woodelf import WoodelfExplainer

    booster = _fitted(leaves, depth, categories=())
    rows = _rows(500, 4)
    matrix = pd.DataFrame(tree_matrix(booster, rows), columns=list(NAMES))
    judge = WoodelfExplainer(lightgbm.Booster(model_str=booster.text)).shap_values(matrix, verbose=False)
    assert np.abs(booster.contributions(rows)[list(NAMES)].to_numpy() - judge).max() < 1e-5


def test_a_row_alone_has_the_bits_it_has_in_any_batch_on_any_number_of_threads(booster, monkeypatch):
    rows = _rows(1000, 5)
    whole = booster.contributions(rows).to_numpy()
    for at in range(0, 1000, 50):
        assert booster.contributions(rows.iloc[[at]]).to_numpy().tobytes() == whole[at].tobytes()
    monkeypatch.setattr(tree_shap, "_ROWS_AT_A_TIME", 77)
    for cores in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", cores)
        assert booster.contributions(rows).to_numpy().tobytes() == whole.tobytes()


def test_the_size_of_the_tables_changes_no_bit(booster, monkeypatch):
    rows = _rows(300, 6)
    whole = booster.contributions(rows).to_numpy()
    for cells in (1, 64, 100_000):
        monkeypatch.setattr(tree_tables, "MOST_CELLS", cells)
        again = TreeShap.of(booster.text, len(NAMES)).values(tree_matrix(booster, rows))
        assert again.tobytes() == whole.tobytes()


def test_values_of_a_path_by_the_sum_over_all_subsets():
    shares = np.array([0.2, 0.5, 0.9, 0.35])
    found = path_values(shares)
    for pattern in range(16):
        leads_on = [pattern >> j & 1 for j in range(4)]
        for feature in range(4):
            others = [j for j in range(4) if j != feature]
            total = 0.0
            for size in range(4):
                for known in itertools.combinations(others, size):
                    weight = math.factorial(size) * math.factorial(3 - size) / math.factorial(4)
                    worth = math.prod(leads_on[j] if j in known else shares[j] for j in others)
                    total += weight * worth
            assert found[feature, pattern] == pytest.approx((leads_on[feature] - shares[feature]) * total, abs=1e-14)


def test_a_model_of_one_leaf_has_a_base_and_nothing_else():
    matrix = np.random.default_rng(0).normal(size=(50, 2))
    data = lightgbm.Dataset(matrix, np.arange(50) % 2, feature_name=["a", "b"])
    text = lightgbm.train({"objective": "binary", "verbose": -1, "min_data_in_leaf": 40}, data, 2).model_to_string()
    booster = Booster.from_text(text, ("a", "b"), {})
    rows = pd.DataFrame(matrix, columns=["a", "b"])
    told = booster.contributions(rows)
    assert (told[["a", "b"]] == 0).all(axis=None)
    assert told["base"].to_numpy() == pytest.approx(-booster.log_odds(rows), abs=1e-12)


def test_trees_that_are_not_tabulated_are_answered_by_lightgbm():
    rng = np.random.default_rng(7)
    names = tuple(f"f{i}" for i in range(16))
    matrix = rng.normal(size=(3000, 16))
    is_bad = (matrix.sum(axis=1) + rng.normal(size=3000) > 0).astype(int)
    deep = {"objective": "binary", "verbose": -1, "num_leaves": 400, "min_data_in_leaf": 2, "num_threads": 1}
    nought = {"objective": "binary", "verbose": -1, "num_leaves": 8, "zero_as_missing": True, "num_threads": 1}
    rows = pd.DataFrame(matrix, columns=list(names))
    for settings in (deep, nought):
        text = lightgbm.train(
            settings, lightgbm.Dataset(matrix, is_bad, feature_name=list(names)), 20
        ).model_to_string()
        assert TreeShap.of(text, 16) is None
        booster = Booster.from_text(text, names, {})
        told = booster.contributions(rows.head(100))
        assert np.abs(told.sum(axis=1).to_numpy() + booster.log_odds(rows.head(100))).max() < 1e-9


def test_a_tree_that_lacks_a_part_is_refused_by_its_number():
    text = _fitted(7, 3).text
    kept, cut = text.split("\nTree=1\n")
    without = cut.replace("leaf_count=", "leaf_rows=", 1)
    with pytest.raises(DamagedModelError, match=r"booster\.txt: tree 1 cannot be read \(KeyError\('leaf_count'\)\)"):
        TreeShap.of(f"{kept}\nTree=1\n{without}", len(NAMES))


def test_threads_follow_what_the_environment_allows(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert threads() >= 1
