"""Ranks, gaps and tables of the model benchmark, without its peers; and that their environment is pinned."""

import re

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.models_data import DATA_SETS, _by_fold
from benchmarks.models_figures import Measured, best_of, gap, held_auc, held_loss, mean_of, mean_ranks, ranks
from benchmarks.models_tables import NOT_MEASURED, boosters_table, losses_table, monotony_table, scorecards_table
from pipeline.statistics.discrimination import auc

NAMES = ("our_scorecard", "one", "two")


def _drawn(rows=400, seed=1):
    draw = np.random.default_rng(seed)
    is_bad = (draw.random(rows) < 0.3).astype(float)
    return draw, is_bad


def test_the_auc_is_that_of_the_statistics_ties_included_and_its_influences_add_up_to_nothing():
    draw, is_bad = _drawn()
    risk = np.round(is_bad + draw.normal(size=len(is_bad)), 1)
    held = held_auc(risk, is_bad)
    assert held.value == pytest.approx(auc(risk, is_bad), abs=1e-12)
    assert held.influence.sum() == pytest.approx(0.0, abs=1e-12)


def test_the_interval_of_a_gap_covers_what_a_paired_bootstrap_does():
    draw, is_bad = _drawn()
    first, second = (is_bad + draw.normal(scale=s, size=len(is_bad)) for s in (1.0, 1.5))
    apart = gap([held_auc(first, is_bad)], [held_auc(second, is_bad)], [np.arange(len(is_bad))])
    rounds = []
    for _ in range(600):
        rows = draw.integers(len(is_bad), size=len(is_bad))
        rounds.append(auc(first[rows], is_bad[rows]) - auc(second[rows], is_bad[rows]))
    assert apart.value == pytest.approx(auc(first, is_bad) - auc(second, is_bad))
    assert (apart.high - apart.low) / 3.92 == pytest.approx(np.std(rounds), rel=0.15)


def test_folds_count_alike_and_rows_of_one_customer_as_one():
    draw, is_bad = _drawn()
    pd = np.clip(0.3 + 0.3 * (is_bad - 0.3) + draw.normal(scale=0.1, size=len(is_bad)), 0.01, 0.99)
    ours, theirs = held_loss(pd, is_bad), held_loss(np.full(len(is_bad), 0.3), is_bad)
    rows = np.arange(len(is_bad))
    one = gap([ours], [theirs], [rows])
    others, again = (gap([ours] * 2, [theirs] * 2, [rows, codes]) for codes in (rows + len(rows), rows))
    assert others.value == again.value == pytest.approx(one.value)
    assert others.high - others.low == pytest.approx((one.high - one.low) / np.sqrt(2), rel=0.005)
    # The same rows divided anew are no new customers.
    assert again.high - again.low == pytest.approx(one.high - one.low)
    doubled = [held_loss(np.repeat(p, 2), np.repeat(is_bad, 2)) for p in (pd, np.full(len(is_bad), 0.3))]
    pairs = gap([doubled[0]], [doubled[1]], [np.repeat(rows, 2)])
    assert pairs.high - pairs.low == pytest.approx(one.high - one.low)


def test_ranks_share_ties_and_put_what_has_no_result_last():
    assert ranks({"a": 0.7, "b": float("nan"), "c": 0.9, "d": 0.7}) == {"a": 2.5, "b": 4.0, "c": 1.0, "d": 2.5}
    assert ranks({"a": 0.4, "b": 0.3}, is_loss=True) == {"a": 2.0, "b": 1.0}
    assert mean_ranks([{"a": 0.9, "b": 0.8}, {"a": 0.7, "b": 0.8}]) == {"a": 1.5, "b": 1.5}
    assert best_of({"a": float("nan"), "b": 0.1, "c": 0.2}) == "c"


def _measured(title, scores, is_bad):
    found = Measured(title, "1 folds", len(is_bad), int(is_bad.sum()), 2, codes=[np.arange(len(is_bad))])
    for name, risk in scores.items():
        held = held_auc(risk, is_bad)
        found.add(name, 0, held, held_loss(np.full(len(is_bad), 0.3), is_bad), held_loss(risk * 0 + 0.5, is_bad))
    return found


def test_a_log_loss_above_the_peer_is_called_worse_only_where_its_interval_shows_it():
    is_bad = (np.arange(400) % 4 == 0).astype(float)
    sharp, blunt = np.where(is_bad == 1, 0.6, 0.1), np.full(400, 0.25)
    # Better on half of the rows and worse on the others: 0.002 nats above, and an interval of 0.045 either way.
    mixed = np.where(np.arange(400) < 200, sharp, np.where(is_bad == 1, 0.11, 0.39))

    def told(own, theirs):
        found = Measured("T", "1 folds", 400, 100, 2, codes=[np.arange(400)])
        for name, pd in {"our_scorecard": own, "one": theirs, "our_booster": own, "two": theirs}.items():
            found.add(name, 0, held_auc(pd, is_bad), held_loss(pd, is_bad), held_loss(pd, is_bad))
        return losses_table([found], ("our_scorecard", "one"), ("our_booster", "two")).splitlines()[-1]

    for own, theirs, outcome in (
        (sharp, blunt, "reached: above 0 in 0 of 2 comparisons, shown to be (the whole interval above 0) in 0"),
        (blunt, sharp, "missed: above 0 in 2 of 2 comparisons, shown to be (the whole interval above 0) in 2"),
        (mixed, blunt, "undecided: above 0 in 2 of 2 comparisons, shown to be (the whole interval above 0) in 0"),
    ):
        assert told(own, theirs) == f"Goal: no worse than the best peer's ({outcome})."


def test_the_tables_say_when_a_goal_is_missed_and_which_peer_failed():
    draw, is_bad = _drawn()
    good, poor = (is_bad + draw.normal(scale=s, size=len(is_bad)) for s in (0.5, 3.0))
    won = _measured("T", {"our_scorecard": good, "one": poor, "two": poor}, is_bad)
    text = scorecards_table([won], NAMES)
    assert "mean rank first (reached: 1.00 against 2.50)" in text
    assert "by more than 0.01 (reached" in text
    lost = _measured("T", {"our_scorecard": poor, "one": good}, is_bad)
    lost.errors["two"] = "ValueError: no"
    text = boosters_table([lost], NAMES)
    assert "mean rank first (missed: 2.00 against 1.00)" in text
    assert "by more than 0.005 (missed" in text
    assert "two on T: ValueError: no" in text


def test_a_peer_that_was_not_measured_on_a_table_is_not_ranked_and_it_is_said():
    draw, is_bad = _drawn()
    good, poor = (is_bad + draw.normal(scale=s, size=len(is_bad)) for s in (0.5, 3.0))
    found = _measured("T", {"our_scorecard": good, "one": poor}, is_bad)
    found.errors["two"] = NOT_MEASURED
    text = scorecards_table([found], NAMES)
    assert "| **mean rank** | **1.00** | **2.00** | not ranked |  |" in text
    assert "two on T: not measured" in text


def test_a_peer_is_given_the_better_of_its_two_losses_and_ours_is_always_calibrated():
    draw, is_bad = _drawn()
    found = _measured("T", {"our_scorecard": draw.normal(size=len(is_bad))}, is_bad)
    found.raw["our_scorecard"] = {0: held_loss(np.where(is_bad == 1, 0.9, 0.1), is_bad)}
    assert mean_of(found.losses("our_scorecard", is_peer=True)) < mean_of(found.losses("our_scorecard", is_peer=False))


def test_folds_are_stratified_and_every_row_is_tested_once():
    _, is_bad = _drawn(1000)
    roles = np.array(_by_fold(is_bad.astype(int), 5, 1))
    assert (np.sum(roles == "test", axis=0) == 1).all()
    for role in roles:
        rates = [is_bad[role == name].mean() for name in ("train", "calibration", "test")]
        assert max(rates) - min(rates) < 0.02
        assert 0.18 < (role == "calibration").sum() / (role != "test").sum() < 0.22


def test_rows_with_few_bads_are_divided_again_each_time_otherwise():
    _, is_bad = _drawn(1000)
    rows = pa.table({"is_bad": is_bad.astype(bool)})
    for data in (each for each in DATA_SETS if each.folds):
        roles = np.array(data.roles(rows))
        assert len(roles) == data.folds * data.divisions
        assert (np.sum(roles == "test", axis=0) == data.divisions).all()
        assert len({tuple(role) for role in roles.tolist()}) == len(roles)
        assert roles[: data.folds].tolist() == [role.tolist() for role in _by_fold(is_bad.astype(int), data.folds, 1)]


def test_the_price_of_monotony_is_told_of_the_folds_that_were_fitted_without_directions():
    draw, is_bad = _drawn()
    found = _measured("T", {}, is_bad)
    found.codes.append(found.codes[0])
    risks = [is_bad + draw.normal(scale=s, size=len(is_bad)) for s in (1.0, 0.5, 3.0)]
    held = [held_auc(risk, is_bad) for risk in risks]
    for name, folds in {"our_scorecard": (0, 2), "our_scorecard_undirected": (1,)}.items():
        for fold, which in enumerate(folds):
            found.add(name, fold, held[which], held_loss(is_bad * 0 + 0.3, is_bad), held_loss(is_bad * 0 + 0.3, is_bad))
    line = monotony_table([found]).splitlines()[2]
    price = gap([held[1]], [held[0]], found.codes[:1]).told()
    assert line == f"| T | 2 | {held[0].value:.4f} | {held[1].value:.4f} | {price} | – | – | not measured |"


def test_what_the_peers_run_on_is_pinned_with_hashes_and_names_no_registry(repository):
    text = (repository / "requirements" / "peers.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)*", text, flags=re.MULTILINE)
    assert len(pins) > 40
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text
