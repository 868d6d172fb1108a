"""Symmetric trees: the best question by hand, directions, draws, stopping, and LightGBM's own reading of their text."""

from __future__ import annotations

import dataclasses
import itertools
import math

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pipeline.params import BoosterParams
from pipeline.score.tree_shap import TreeShap
from pipeline.train.booster_grower import Grower
from pipeline.train.symmetric_cells import Cells
from pipeline.train.symmetric_kernels import add_up, compiled, scores
from pipeline.train.symmetric_order import in_order
from pipeline.train.symmetric_text import text_of
from pipeline.train.symmetric_trees import Ground, Watched, _Fit, grow, grow_watched

SETTINGS = BoosterParams(
    trees="symmetric",
    learning_rate=0.1,
    max_depth=3,
    feature_share=1.0,
    row_share=1.0,
    l2=1.0,
    noise=0.0,
    newton_steps=1,
    threads=1,
)
KINDS = ("late", "paid", "plain", "branch")
DIRECTIONS = (1, -1, 0, 0)


def no_watch(_):
    return None


def rows_of(seed, n=400):
    """Two features with a direction, of which the first has nulls, one without, and a category; a third are bad."""
    rng = np.random.default_rng(seed)
    late, paid, plain = rng.normal(size=(3, n)).round(2)
    branch = rng.integers(0, 40, size=n).astype(float)
    odds = late - paid + np.sin(3 * plain) + 2.0 * (branch == 37) - 0.8
    is_bad = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    late[::7] = np.nan
    branch[::11] = np.nan
    return np.column_stack([late, paid, plain, branch]), is_bad


@pytest.fixture(scope="module")
def ground():
    return Ground(*rows_of(3), frozenset({3}), DIRECTIONS)


@pytest.fixture(scope="module")
def grower():
    matrix, is_bad = rows_of(3)
    n = len(is_bad)
    halves = (np.arange(n) % 2 == 0, np.arange(n) % 2 == 1)
    return Grower(
        matrix=matrix,
        is_bad=is_bad,
        codes=np.arange(n),
        features=KINDS,
        categories={"branch": tuple(f"B{i}" for i in range(40))},
        directions=DIRECTIONS,
        subjects=("paying", "paying", "firm", "firm"),
        folds=[halves, halves[::-1]],
    )


def told_odds(trees, ground, matrix):
    """The trees read row by row, as a person would."""
    found = []
    for row in matrix:
        odds = ground.start
        for tree in trees:
            leaf = 0
            for k, (feature, cell, null_left) in enumerate(tree.questions):
                cuts, value = ground.cells.cuts[feature], row[feature]
                if feature in ground.categories:
                    right = value != cuts[cell - 1]
                elif math.isnan(value):
                    right = not null_left
                else:
                    right = cell <= len(cuts) and value > cuts[cell - 1]
                leaf += int(right) << k
            odds += tree.values[leaf]
        found.append(odds)
    return np.array(found)


def test_every_question_has_the_score_a_person_works_out(ground):
    """Two leaves by the sign of `paid`, whose direction is turned; each score from the rows, term by term."""
    matrix, is_bad, told, directions = ground.matrix, ground.is_bad, ground.cells, (1, 1, 0, 0)
    leaf = (matrix[:, 1] > 0).astype(np.int64)
    gradient, l2 = 0.4 - is_bad, 3.0
    cells = told.cells(matrix)
    moves = np.column_stack([gradient, np.ones(len(leaf))])
    totals = np.array([moves[leaf == side].sum(axis=0) for side in (0, 1)])
    kinds = np.array([(0, 1), (0, 1), (0, 0), (1, 0)])
    found = scores(add_up(cells, np.arange(4), leaf, moves, 2), totals, told.questions, kinds, l2)
    kept_whole = 0
    for at, (feature, cell, null_left) in enumerate(told.questions[::5]):
        is_left = cells[feature] == cell if feature == 3 else cells[feature] <= cell
        is_left = np.where(cells[feature] == 0, bool(null_left), is_left)
        along = length = 0.0
        for side in (0, 1):
            parts = [
                (gradient[(leaf == side) & part].sum(), ((leaf == side) & part).sum()) for part in (is_left, ~is_left)
            ]
            (g, n), (other_g, other_n) = parts
            if directions[feature] * (-other_g / (other_n + l2) - -g / (n + l2)) < 0:
                parts, kept_whole = [(g + other_g, n + other_n)], kept_whole + 1
            along += sum(g * g / (n + l2) for g, n in parts)
            length += sum(n * (g / (n + l2)) ** 2 for g, n in parts)
        assert found[5 * at] == pytest.approx(along / math.sqrt(length), rel=1e-9)
    assert kept_whole > 10


def sides_of(tree, ground):
    """The rows of both leaves of a tree of one question."""
    (feature, cell, null_left), cells = tree.questions[0], ground.cells.cells(ground.matrix)
    is_left = np.where(cells[feature] == 0, bool(null_left), cells[feature] <= cell)
    return is_left, ~is_left


def test_a_leaf_takes_newton_steps_of_all_its_rows_each_from_where_the_one_before_led(ground):
    rate = ground.is_bad.mean()
    for steps in (1, 2, 10):
        told = dataclasses.replace(SETTINGS, max_depth=1, newton_steps=steps)
        (tree,) = grow(ground, told, 1, no_watch)
        for value, part in zip(tree.values, sides_of(tree, ground), strict=True):
            rows, bads, odds = part.sum(), ground.is_bad[part].sum(), 0.0
            for _ in range(steps):
                pd = 1 / (1 + math.exp(-odds) * (1 - rate) / rate)
                odds += (bads - rows * pd) / (rows * pd * (1 - pd) + 1.0)
            assert value == pytest.approx(0.1 * odds, rel=1e-9)
    # Ten steps are where the log loss of the leaf is least: at the log odds of its own rate.
    own = ground.is_bad[part].mean()
    assert odds == pytest.approx(math.log(own / (1 - own)) - math.log(rate / (1 - rate)), abs=1e-6)


def test_steps_go_no_farther_than_the_log_loss_is_sure_to_fall():
    """1,000 rows at a rate of 2 % and 100 apart from them of which half are bad: a whole step would be 24, and back."""
    apart = np.repeat([0.0, 1.0], [1000, 100])
    is_bad = np.concatenate([np.arange(1000) % 50 == 0, np.arange(100) % 2 == 0]).astype(float)
    ground = Ground(apart[:, None], is_bad, frozenset(), (1,))
    told = dataclasses.replace(SETTINGS, learning_rate=1.0, max_depth=1, l2=0.0)
    losses = []
    for steps in range(1, 9):
        (tree,) = grow(ground, dataclasses.replace(told, newton_steps=steps), 1, no_watch)
        odds = ground.start + np.where(apart == 1.0, tree.values[1], tree.values[0])
        losses.append(float(np.mean(np.logaddexp(0.0, odds) - is_bad * odds)))
        if steps == 1:
            assert tree.values[1] == 1.0
    assert (np.diff(losses) <= 1e-12).all()
    # The log odds of both rates are reached, 0.02 and 0.5.
    assert ground.start + tree.values == pytest.approx([math.log(0.02 / 0.98), 0.0], abs=1e-6)


def test_leaves_that_a_direction_makes_one_go_where_their_common_step_leads():
    """`late` rises. Of plain 0 1 and 10 % of 2,000 rows each are bad; of plain 1 it is turned, 12 of 100 and 25 of
    1,000: one leaf, whose 37 of 1,100 are 3.36 %."""
    told = ((0.0, 0.0, 2000, 20), (0.0, 1.0, 2000, 200), (1.0, 0.0, 100, 12), (1.0, 1.0, 1000, 25))
    matrix = np.vstack([np.full((n, 2), (plain, late)) for plain, late, n, _ in told])
    is_bad = np.concatenate([np.arange(n) < bads for _, _, n, bads in told]).astype(float)
    ground = Ground(matrix, is_bad, frozenset(), (0, 1))
    losses = []
    for steps in (1, 2, 3, 5, 10, 30):
        settled = dataclasses.replace(SETTINGS, learning_rate=1.0, max_depth=2, l2=3.0, newton_steps=steps)
        trees = grow(ground, settled, 1, no_watch)
        odds = told_odds(trees, ground, matrix)
        losses.append(float(np.mean(np.logaddexp(0.0, odds) - is_bad * odds)))
    pd = 1 / (1 + np.exp(-odds))
    assert pd[-1100:] == pytest.approx(37 / 1100, abs=1e-5)
    assert [pd[0], pd[2000]] == pytest.approx([0.01, 0.1], abs=1e-5)
    assert (np.diff(losses) <= 1e-12).all()


def test_a_leaf_that_no_row_came_to_holds_back_no_other(grower):
    told = dataclasses.replace(SETTINGS, l2=50.0)
    fit = _Fit(grower._ground(np.ones(len(grower.is_bad), dtype=bool), told), told)
    # The second leaf is empty and must not lie below the first, which goes up by 10 / (4 + 50) all the same.
    found = fit._step(np.zeros(2), np.array([-10.0, 0.0]), np.array([4.0, 0.0]), [1])
    assert found == pytest.approx([10 / 54, 10 / 54], rel=1e-6)


def test_numbers_are_cut_between_values_or_at_quantiles_and_nulls_may_go_either_way():
    few = Cells.of(np.array([[1.0, 3.0], [2.0, 3.0], [4.0, np.nan]]), ())
    assert [cuts.tolist() for cuts in few.cuts] == [[1.5, 3.0], []]
    assert few.questions.tolist() == [[0, 1, 0], [0, 2, 0], [1, 1, 0]]
    assert few.cells(np.array([[1.5, 9.0], [3.1, np.nan], [np.nan, -9.0]])).tolist() == [[1, 3, 0], [1, 0, 1]]
    many = Cells.of(np.arange(10_000.0)[:, None], ())
    assert len(many.cuts[0]) == 127
    counts = np.bincount(many.cells(np.arange(10_000.0)[:, None])[0])[1:]
    assert counts.min() >= 70
    assert counts.max() <= 80
    # A category that training never saw is told apart by no question.
    named = Cells.of(np.array([[2.0], [7.0], [np.nan]]), {0})
    assert named.cells(np.array([[2.0], [3.0], [7.0], [8.0], [np.nan]])).tolist() == [[1, 0, 2, 0, 0]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-9, 9), min_size=8, max_size=8),
    st.lists(st.integers(1, 5), min_size=8, max_size=8),
    st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3),
)
def test_values_in_order_are_the_nearest_that_follow_the_directions(values, weights, directions):
    values, weights = np.array(values, dtype=float), np.array(weights, dtype=float)
    found = in_order(values, weights, directions)
    pairs = [
        (i, i | 1 << k) if d > 0 else (i | 1 << k, i)
        for k, d in enumerate(directions)
        for i in range(8)
        if d and not i >> k & 1
    ]
    assert all(found[low] <= found[high] for low, high in pairs)
    solved = minimize(
        lambda x: (weights * (x - values) ** 2).sum(),
        np.zeros(8),
        jac=lambda x: 2 * weights * (x - values),
        constraints=[{"type": "ineq", "fun": lambda x, a=low, b=high: x[b] - x[a]} for low, high in pairs],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    np.testing.assert_allclose(found, solved.x, atol=2e-4)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_score_never_falls_in_a_rising_feature_nor_rises_in_a_falling_one(ground, noise):
    trees = grow(ground, dataclasses.replace(SETTINGS, noise=noise, max_depth=5), 60, no_watch)
    for feature, sign in ((0, 1), (1, -1)):
        grid = []
        for value in np.linspace(-3, 3, 25):
            moved = ground.matrix[:60].copy()
            moved[:, feature] = value
            grid.append(told_odds(trees, ground, moved))
        assert (sign * np.diff(grid, axis=0) >= -1e-12).all()
        assert np.ptp(grid, axis=0).max() > 0.1


def test_noise_draws_other_questions_and_dies_away(ground):
    def first_and_last(seed, noise):
        trees = grow(ground, dataclasses.replace(SETTINGS, noise=noise, seed=seed, max_depth=1), 150, no_watch)
        return trees[0].questions.tolist(), trees[-1].questions.tolist()

    assert len({str(first_and_last(seed, 0.0)) for seed in range(3)}) == 1
    firsts = [first_and_last(seed, 3.0)[0] for seed in range(6)]
    assert len({str(first) for first in firsts}) > 1
    # Of 400 rows the noise is half of what it was after ln(400) / 0.1 = 59.9 rounds of 0.1, and e^-9 of it after 150.
    fading = _Fit(ground, SETTINGS)._fading
    assert fading(0) == pytest.approx(400 / 401)
    assert fading(59) > 0.5 > fading(60)
    assert fading(150) == pytest.approx(400 * math.exp(-15), rel=1e-3)


def test_a_tree_asks_of_its_share_of_the_features_and_of_one_group_where_told(ground):
    half = grow(ground, dataclasses.replace(SETTINGS, feature_share=0.5, max_depth=4), 40, no_watch)
    asked = [set(tree.questions[:, 0].tolist()) for tree in half]
    assert max(map(len, asked)) == 2
    assert set().union(*asked) == {0, 1, 2, 3}
    apart = dataclasses.replace(ground, groups=np.array([0, 0, 1, 1]))
    for tree in grow(apart, SETTINGS, 40, no_watch):
        assert set(tree.questions[:, 0].tolist()) in ({0}, {1}, {0, 1}, {2}, {3}, {2, 3})


def test_drawn_rows_move_the_questions_and_not_the_values_of_leaves(ground):
    """Values are of all rows whatever a tree draws, so forecasts keep to the rate of the sample."""
    trees = grow(ground, dataclasses.replace(SETTINGS, row_share=0.3, seed=5), 200, no_watch)
    whole = grow(ground, SETTINGS, 200, no_watch)
    assert [t.questions.tolist() for t in trees] != [t.questions.tolist() for t in whole]
    pd = 1 / (1 + np.exp(-told_odds(trees, ground, ground.matrix)))
    assert pd.mean() == pytest.approx(ground.is_bad.mean(), rel=0.03)
    assert all(tree.rows.sum() == len(ground.is_bad) for tree in trees)


def test_watched_rows_say_when_to_stop(ground):
    matrix, is_bad = rows_of(8)
    told = dataclasses.replace(SETTINGS, max_rounds=300, early_stopping_rounds=15)
    rounds, pd = grow_watched(ground, told, no_watch, Watched(matrix, is_bad))
    trees = grow(ground, told, rounds + 15, no_watch)
    odds = [told_odds(trees[:n], ground, matrix) for n in range(1, rounds + 16)]
    losses = [float(np.mean(np.logaddexp(0.0, o) - is_bad * o)) for o in odds]
    assert 1 < rounds < 285
    assert int(np.argmin(losses)) + 1 == rounds
    np.testing.assert_allclose(pd, 1 / (1 + np.exp(-odds[rounds - 1])), atol=1e-12)


def test_lightgbm_reads_the_text_as_the_trees_stand(grower):
    told = dataclasses.replace(SETTINGS, noise=1.0, max_depth=4, interactions="free")
    (booster,) = grower.grow([told], [40])
    own = grower._ground(np.ones(len(grower.is_bad), dtype=bool), told)
    trees = grow(own, told, 40, no_watch)
    odd = np.array([[np.nan, np.nan, np.nan, np.nan], [9e9, -9e9, 0.0, 99.0], [-9e9, 9e9, 0.1, 37.0]])
    matrix = np.vstack([grower.matrix, odd])
    np.testing.assert_allclose(booster.predict(matrix, raw_score=True), told_odds(trees, own, matrix), atol=1e-9)
    # Somewhere all four kinds of questions are asked, null against all numbers included.
    assert {int(f) for tree in trees for f in tree.questions[:, 0]} == {0, 1, 2, 3}
    text = booster.model_to_string()
    assert lightgbm.Booster(model_str=text).model_to_string() == text
    assert booster.feature_importance("gain").min() > 0


def test_a_number_that_is_known_or_not_is_a_question():
    value = np.where(np.arange(200) % 2 == 0, np.nan, 5.0)
    is_bad = (np.arange(200) % 2 == 0).astype(float)
    is_bad[:20] = 1.0 - is_bad[:20]
    ground = Ground(value[:, None], is_bad, frozenset(), (1,))
    trees = grow(ground, SETTINGS, 5, no_watch)
    data = lightgbm.Dataset(value[:, None], label=is_bad, params={"verbosity": -1})
    host = lightgbm.train({"objective": "binary", "verbosity": -1, "min_data_in_leaf": 1}, data, 1).model_to_string()
    read = lightgbm.Booster(model_str=text_of(host, trees, ground.cells, ground.start, 1.0))
    odds = read.predict(np.array([[np.nan], [5.0], [-1e300], [1e300]]), raw_score=True)
    assert odds[0] > odds[1] == odds[2] == odds[3]


def test_explanations_are_exact_and_those_of_lightgbm(grower):
    told = dataclasses.replace(SETTINGS, noise=1.0, max_depth=5)
    (booster,) = grower.grow([told], [30])
    shap = TreeShap.of(booster.model_to_string(), 4)
    matrix = np.vstack([grower.matrix, np.full((1, 4), np.nan)])
    own, theirs = shap.values(matrix), booster.predict(matrix, pred_contrib=True)
    np.testing.assert_allclose(own, theirs, atol=1e-6)
    np.testing.assert_allclose(own.sum(axis=1), booster.predict(matrix, raw_score=True), atol=1e-9)


def test_every_leaf_counts_at_least_a_row_and_sides_of_one_value_are_one_leaf(grower):
    (booster,) = grower.grow([dataclasses.replace(SETTINGS, max_depth=6)], [30])
    for tree in booster.dump_model()["tree_info"]:
        stack = [tree["tree_structure"]]
        while stack:
            node = stack.pop()
            if "leaf_value" in node:
                assert node["leaf_count"] >= 1
                continue
            sides = [node["left_child"], node["right_child"]]
            assert node["internal_count"] == sum(s.get("internal_count", s.get("leaf_count")) for s in sides)
            assert not all("leaf_value" in s for s in sides) or sides[0]["leaf_value"] != sides[1]["leaf_value"]
            stack += sides


def test_members_of_a_mean_may_be_symmetric_and_grow_alike_on_any_number_of_threads(grower):
    pair = [SETTINGS, dataclasses.replace(SETTINGS, trees="by_leaf", min_rows_per_leaf=5, max_rounds=40)]
    pair = [dataclasses.replace(each, max_rounds=40, early_stopping_rounds=40) for each in pair]

    def texts(threads):
        told = [dataclasses.replace(each, threads=threads) for each in pair]
        fresh = dataclasses.replace(grower, _datasets={}, _results={})
        fresh.prepare(list(itertools.product((0, 1), told)))
        rounds = [fresh.fold(k, each).rounds for k, each in itertools.product((0, 1), told)]
        return rounds, [each.model_to_string() for each in fresh.grow(told, [20, 20])]

    one, two = texts(1), texts(2)
    assert one == two
    assert 0 < one[0][0] <= 40


def test_without_a_penalty_a_leaf_that_no_row_came_to_moves_nothing(grower):
    told = dataclasses.replace(SETTINGS, l2=0.0, max_depth=6)
    (booster,) = grower.grow([told], [15])
    ground = grower._ground(np.ones(len(grower.is_bad), dtype=bool), told)
    trees = grow(ground, told, 15, no_watch)
    assert any((tree.rows == 0).any() for tree in trees)
    assert all(np.isfinite(tree.values).all() for tree in trees)
    np.testing.assert_allclose(
        booster.predict(ground.matrix, raw_score=True), told_odds(trees, ground, ground.matrix), atol=1e-9
    )


def test_what_cannot_be_kept_on_disk_is_compiled_all_the_same():
    # A function without a file: numba has no place to keep it beside.
    given: dict[str, object] = {}
    exec("def twice(x):\n    return x + x\n", given)
    assert compiled(given["twice"])(21) == 42
