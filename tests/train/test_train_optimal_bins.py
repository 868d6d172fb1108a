"""Our bins are optbinning's, cut for cut: over random tables of many kinds, with ties, directions and tight limits."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from pipeline.params import ScorecardParams
from pipeline.train import optimal_bins
from pipeline.train.bin_counts import Outcomes, counted
from pipeline.train.binning import fit_bins
from pipeline.train.optimal_bins import Constraints, best_cuts, optimal_splits, reference_solver
from pipeline.train.prebins import Prebins, _Tree, prebins
from pipeline.train.sample import Sample

TRENDS = {"rises": "ascending", "falls": "descending", "either": "auto_asc_desc"}
KINDS = ("smooth", "rounded", "counts", "two_scales", "mostly_nought", "wave", "near_ties")


def _values(kind, rng, n):
    x = rng.normal(size=n)
    return {
        "smooth": x,
        "wave": x,
        "rounded": np.round(x * 3),
        "counts": rng.poisson(2, n).astype(float),
        "two_scales": np.round(x, 1) * 1e6 + x * 1e-3,
        "mostly_nought": np.where(rng.random(n) < 0.6, 0.0, np.exp(x)),
        # scikit-learn takes values nearer than 1e-7 for one.
        "near_ties": 0.7e-7 * rng.integers(0, 60, n),
    }[kind]


def _table(kind, seed):
    """Values, outcomes by customer groups of up to five rows, and limits, all drawn."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(100, 3000))
    x = _values(kind, rng, n)
    slope = 1 + rng.choice([-0.8, 0.0, 0.8]) * (x > np.median(x)) if kind != "wave" else 1 + np.sin(2 * x)
    is_bad = (rng.random(n) < rng.choice([0.03, 0.1, 0.4]) * slope).astype(float)
    is_bad[:2] = 1.0
    outcomes = Outcomes(is_bad, rng.integers(0, n // int(rng.integers(1, 6)), n))
    settings = replace(
        ScorecardParams(),
        max_bins=int(rng.integers(2, 9)),
        min_bin_share=float(rng.choice([0.01, 0.03, 0.05, 0.1])),
        min_bads_per_bin=int(rng.integers(1, 12)),
        min_goods_per_bin=int(rng.choice([5, 20, 60])),
    )
    return x, outcomes, settings


def _reference(x, outcomes, risk, settings):
    solver = reference_solver("x", "numerical", outcomes, settings, TRENDS[risk])
    solver.fit(x, outcomes.is_bad.astype(int))
    return solver


@pytest.mark.parametrize("kind", KINDS)
def test_cuts_equal_optbinnings_in_every_digit(kind):
    answered = 0
    for seed, risk in zip(range(12), itertools.cycle(TRENDS), strict=False):
        x, outcomes, settings = _table(kind, seed)
        solver = _reference(x, outcomes, risk, settings)
        limits = Constraints.of(outcomes, settings)
        fine = prebins(x, outcomes.is_bad, 20, limits.fewest_rows)
        ours = best_cuts(fine, TRENDS[risk], limits) if fine.is_certain else None
        if ours is not None:
            answered += 1
            assert ours.tolist() == solver.splits.tolist(), (kind, seed, risk)
        assert optimal_splits(x, outcomes, "x", risk, settings).tolist() == solver.splits.tolist()
    assert answered > 6


def test_the_fine_bins_are_the_trees():
    for kind, seed in itertools.product(KINDS, range(3)):
        x, outcomes, settings = _table(kind, seed)
        solver = _reference(x, outcomes, "rises", settings)
        fine = prebins(x, outcomes.is_bad, 20, Constraints.of(outcomes, settings).fewest_rows)
        assert max(len(fine.bads), 1) == max(solver._n_prebins, 1)


def test_a_leaf_needs_the_rows_that_a_share_multiplied_out_asks_for():
    rows, fewest = 558, 6
    assert fewest / rows * rows > fewest
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x, is_bad = rng.normal(size=rows), (rng.random(rows) < 0.5).astype(float)
        tree = DecisionTreeClassifier(max_leaf_nodes=20, min_weight_fraction_leaf=fewest / rows)
        tree.fit(x.reshape(-1, 1), is_bad, np.ones(rows))
        cuts = np.unique(tree.tree_.threshold)
        wanted = _Tree(np.sort(x).astype(np.float32), _sums(x, is_bad), fewest / rows * rows).grown(20)[0]
        assert np.sort(wanted).tolist() == cuts[cuts != -2].tolist()
        # What optbinning would take away again where a bin has one outcome.
        assert set(prebins(x, is_bad, 20, fewest).cuts) <= set(wanted)


def _sums(x, is_bad):
    return np.concatenate([[0.0], np.cumsum(is_bad[np.argsort(x)])])


def test_every_limit_is_kept_and_nearly_always_nothing_better_is_possible():
    best = 0
    rng = np.random.default_rng(4)
    limits = Constraints(fewest_rows=40, fewest_bads=4, fewest_goods=10, most_bins=3)
    for _ in range(20):
        goods, bads = rng.integers(20, 90, 7), rng.integers(1, 12, 7)
        found = best_cuts(Prebins(np.arange(6.0), goods, bads), "ascending", limits)
        worths = {
            chosen: worth
            for size in range(3)
            for chosen in itertools.combinations(range(6), size)
            if (worth := _worth(goods, bads, chosen, limits)) is not None
        }
        if isinstance(found, np.ndarray):
            # A rule optbinning adds (see `_may_end`) forbids some choices, now and then the best one.
            best += worths[tuple(found.astype(int))] > max(worths.values()) - 3e-6
    assert best >= 15


def _worth(goods, bads, chosen, limits):
    edges = [0, *(at + 1 for at in chosen), len(goods)]
    good, bad = (np.add.reduceat(counts, edges[:-1]) for counts in (goods, bads))
    rates = bad / (good + bad)
    is_thin = (good + bad < limits.fewest_rows) | (bad < limits.fewest_bads) | (good < limits.fewest_goods)
    if is_thin.any() or (np.diff(np.floor(rates * 1e6)) < 0).any():
        return None
    good_share, bad_share = good / goods.sum(), bad / bads.sum()
    return float(((bad_share - good_share) * np.log(bad_share / good_share)).sum())


def test_where_two_choices_are_as_good_the_library_decides(monkeypatch):
    goods, bads = np.array([100, 100, 100]), np.array([5, 10, 15])
    limits = Constraints(1, 1, 1, 2)
    # Any one of two cuts: both worth the same to the solver where the shares mirror each other.
    mirrored = Prebins(np.array([1.0, 2.0]), np.array([100, 60, 100]), np.array([100, 60, 100]))
    assert best_cuts(mirrored, "ascending", limits) is None
    assert best_cuts(Prebins(np.array([1.0, 2.0]), goods, bads), "ascending", limits) is not None
    asked = []
    monkeypatch.setattr(optimal_bins, "best_cuts", lambda *_: None)
    real = optimal_bins.reference_solver
    monkeypatch.setattr(optimal_bins, "reference_solver", lambda *given: asked.append(given) or real(*given))
    x, outcomes, settings = _table("smooth", 1)
    wanted = _reference(x, outcomes, "rises", settings).splits
    assert optimal_splits(x, outcomes, "x", "rises", settings).tolist() == wanted.tolist()
    assert len(asked) == 1


def test_what_has_no_solution_is_told_as_the_library_tells_it():
    x = np.repeat([1.0, 2.0, 3.0, 4.0], 10)
    outcomes = Outcomes(np.tile([1.0, 0.0], 20), np.arange(40))
    settings = replace(ScorecardParams(), min_goods_per_bin=30, min_bads_per_bin=1)
    assert _reference(x, outcomes, "rises", settings).status == "INFEASIBLE"
    told = optimal_splits(x, outcomes, "x", "rises", settings)
    assert told == "no way to join the solver's fine bins keeps every limit (status INFEASIBLE)"


def test_customers_of_bins_are_counted_once_however_large_the_table(monkeypatch):
    rng = np.random.default_rng(0)
    codes, groups = rng.integers(0, 5, 500), rng.integers(0, 60, 500)
    outcomes = Outcomes((rng.random(500) < 0.3).astype(float), groups)
    small = counted(codes, outcomes, 6)
    monkeypatch.setattr("pipeline.train.bin_counts._MOST_CELLS", 10)
    large = counted(codes, outcomes, 6)
    for name in ("bads", "goods", "bad_customers", "good_customers"):
        assert getattr(small, name).tolist() == getattr(large, name).tolist()
    in_first = codes == 0
    assert small.bad_customers[0] == len(set(groups[in_first & (outcomes.is_bad == 1)]))
    assert small.bads[5] == small.good_customers[5] == 0


def test_a_group_without_an_optimum_is_told_and_never_used(monkeypatch):
    import optbinning

    rng = np.random.default_rng(3)
    names = np.array([f"c{i}" for i in range(2000)], dtype=object)
    kinds = rng.choice(["a", "b", "c"], 2000).astype(object)
    is_bad = (rng.random(2000) < np.where(kinds == "a", 0.2, 0.05)).astype(float)
    days = np.array([dt.date(2020, 1, 31)] * 2000, dtype=object)
    sample = Sample(pd.DataFrame({"k": kinds}), is_bad, names, days)
    monkeypatch.setattr(optbinning.OptimalBinning, "status", property(lambda self: "UNKNOWN"))
    feature = {"name": "k", "idea": "k", "risk": "either", "holds": "category", "title_en": "k"}
    found = fit_bins(sample, [feature], ScorecardParams())
    assert found.unbinnable["k"] == "the solver found no bins within its hour, nor that there are none (status UNKNOWN)"
