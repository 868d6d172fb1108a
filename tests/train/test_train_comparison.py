"""Two sets of forecasts on the same rows: what is compared, what cannot be decided, who moves and what it costs."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import yaml
from forecasts import DAYS, blurred, sample_of

from pipeline.params import PromotionParams
from pipeline.score.master_scale import MasterScale
from pipeline.score.policy import read_policy
from pipeline.statistics.discrimination import gini
from pipeline.train.comparison import compare_loss, compare_order, compare_parts, draws_for, level_measures
from pipeline.train.comparison_ground import MOST_GROUPS, OTHERS, book_groups, losses, risk_segments
from pipeline.train.comparison_swap import swap_set
from pipeline.train.served import Served
from pipeline.train.unseen import TrainedOn, unseen

SETTINGS = PromotionParams(rounds=200)


def rated(pd_):
    """Everybody is rated by the model."""
    return Served(pd_, np.zeros(len(pd_), dtype=bool))


def test_the_better_order_is_shown_and_named():
    sample, pd_ = sample_of()
    worse = blurred(pd_, 3.0)
    found = compare_order(pd_, worse, sample, SETTINGS)
    assert found.difference.value == pytest.approx(gini(pd_, sample.is_bad) - gini(worse, sample.is_bad))
    assert found.verdict == "first"
    assert compare_order(worse, pd_, sample, SETTINGS).verdict == "second"
    assert compare_order(pd_, pd_ / 2, sample, SETTINGS).verdict == "same"


def test_a_small_difference_is_undecided_and_what_would_have_shown_is_told():
    sample, pd_ = sample_of(120)
    found = compare_order(pd_, blurred(pd_, 0.3), sample, SETTINGS)
    assert found.verdict == "undecided"
    assert found.difference.low < 0 < found.difference.high
    assert found.detectable > abs(found.difference.value)


def test_few_bad_customers_are_no_ground_however_many_months_they_have():
    sample, pd_ = sample_of(300)
    few = np.isin(sample.clusters, np.unique(sample.clusters[sample.is_bad == 1])[:9])
    part = replace(sample, is_bad=np.where(few, 1.0, sample.is_bad)).part(few | (sample.is_bad == 0))
    kept = pd_[few | (sample.is_bad == 0)]
    assert part.is_bad.sum() > SETTINGS.min_bad_customers
    found = compare_order(kept, 1 - kept, part, SETTINGS)
    assert (found.verdict, found.difference, found.counts["bad_customers"]) == ("too_few", None, 9)
    assert compare_order(kept, 1 - kept, part, replace(SETTINGS, min_bad_customers=9)).verdict == "first"


def test_parts_are_compared_as_if_they_stood_alone():
    sample, pd_ = sample_of()
    other = blurred(pd_, 1.0)
    groups = np.where(np.arange(len(pd_)) % 4 < 2, "north", "south").astype(object)
    groups[:4] = None
    found = compare_parts(pd_, other, sample, groups, SETTINGS)
    assert list(found) == ["north", "south"]
    is_in = groups == "south"
    alone = compare_order(pd_[is_in], other[is_in], sample.part(is_in), SETTINGS)
    assert found["south"].as_json() == alone.as_json()
    assert sum(part.counts["rows"] for part in found.values()) == len(pd_) - 4


def test_the_loss_and_the_level_are_measured_on_the_same_rows():
    sample, pd_ = sample_of()
    told = level_measures(rated(np.clip(2 * pd_, 0, 0.99)), sample, SETTINGS)
    assert told["observed_over_expected"]["high"] < 0.8
    right = level_measures(rated(pd_), sample, SETTINGS)
    assert right["slope"]["low"] < 1 < right["slope"]["high"]
    assert right["at_observed_rate"] is None
    loss = compare_loss(pd_, blurred(pd_, 2.0), sample, SETTINGS)
    by_hand = [
        np.mean([-np.log(p if y else 1 - p) for p, y in zip(pds, sample.is_bad, strict=True)])
        for pds in (pd_, blurred(pd_, 2.0))
    ]
    assert loss["value"] == pytest.approx(by_hand[0] - by_hand[1])
    assert loss["high"] < 0
    nobody = sample.part(sample.is_bad == 0)
    assert level_measures(rated(pd_[sample.is_bad == 0]), nobody, SETTINGS)["slope"] is None


def test_rows_of_customers_or_dates_that_a_model_has_seen_are_left_out():
    sample, _ = sample_of(4)
    tied = sample.clusters.copy()
    tied[sample.rows["customer_id"] == "C-003"] = "C-002"
    sample = replace(sample, clusters=tied)
    seen = [TrainedOn(frozenset({"C-000"}), DAYS[0]), TrainedOn(frozenset({"C-003", "gone"}), DAYS[1])]
    found = unseen(sample, seen)
    # C-002 is in one group with C-003, and the first date is one of training for the second model.
    assert found.sample.rows["customer_id"].tolist() == ["C-001"]
    assert found.sample.days.tolist() == [DAYS[1]]
    assert found.left_out == {"customers": 6, "dates": 1}
    undated = unseen(sample, [TrainedOn(frozenset({"C-000"}), None)])
    assert (len(undated.sample.is_bad), undated.first_day) == (6, None)


def names_of(first_refuses, second_refuses):
    names = {(False, False): "both_accept", (True, True): "both_refuse", (False, True): "only_first_accepts"}
    pairs = zip(first_refuses.tolist(), second_refuses.tolist(), strict=True)
    return [names.get(pair, "only_second_accepts") for pair in pairs]


def test_the_swap_set_is_counted_and_costed_row_by_row():
    sample, pd_ = sample_of(100)
    other = blurred(pd_, 1.0)
    lost = np.arange(1.0, len(pd_) + 1)
    found = swap_set(pd_ >= 0.2, other >= 0.2, sample, lost, replace(SETTINGS, min_bad_customers=2)).as_json()
    cost, rows, bads = 0.0, dict.fromkeys(found["cells"], 0), dict.fromkeys(found["cells"], 0)
    for name, y, amount in zip(names_of(pd_ >= 0.2, other >= 0.2), sample.is_bad, lost, strict=True):
        rows[name] += 1
        bads[name] += int(y)
        # What the second model accepts and loses, less what the first one did: two dates stand in the book.
        cost += {"only_second_accepts": 1, "only_first_accepts": -1}.get(name, 0) * y * amount / 2
    assert {name: cell["rows"] for name, cell in found["cells"].items()} == rows
    assert {name: cell["bads"] for name, cell in found["cells"].items()} == bads
    assert found["cost"]["value"] == pytest.approx(cost)
    assert found["cost"]["low"] <= cost <= found["cost"]["high"]
    assert found["dates"] == 2
    drawn = draws_for(sample, replace(SETTINGS, min_bad_customers=2))
    for name, cell in found["cells"].items():
        is_in = np.array([n == name for n in names_of(pd_ >= 0.2, other >= 0.2)])
        sums = np.concatenate([(weights * lost * sample.is_bad * is_in / 2).sum(axis=1) for weights in drawn.weights()])
        tail = 100 * (1 - SETTINGS.confidence) / 2
        ends = np.percentile(sums, [tail, 100 - tail])
        assert [cell["loss"][end] for end in ("value", "low", "high")] == pytest.approx(
            [(lost * sample.is_bad * is_in / 2).sum(), *ends]
        )
    assert all(cell["low"] <= cell["default_rate"] <= cell["high"] for cell in found["cells"].values())


@pytest.mark.parametrize(("needed", "is_told"), [(4, True), (5, False)])
def test_what_a_swap_costs_has_an_interval_only_where_enough_of_the_moved_groups_turned_bad(needed, is_told):
    sample, pd_ = sample_of(300)
    # Four bad groups are refused by the first and accepted by the second, and no other row moves.
    moved = np.isin(sample.clusters, np.unique(sample.clusters[sample.is_bad == 1])[:4])
    settings = replace(SETTINGS, min_bad_customers=needed)
    swap = swap_set(moved, np.zeros_like(moved), sample, np.full(len(pd_), 1000.0), settings)
    found, cell = swap.cost, swap.cells["only_second_accepts"]["loss"]
    assert cell == found
    assert swap.cells["both_refuse"]["loss"] == {
        "value": 0.0, "low": None, "high": None, "error": None, "rounds": 0, "bad_customers": 0,
    }  # fmt: skip
    assert found["value"] == pytest.approx(1000.0 * sample.is_bad[moved].sum() / 2)
    assert found["bad_customers"] == 4
    assert (found["low"] is not None, found["high"] is not None) == (is_told, is_told)


def test_the_level_of_few_bad_groups_has_no_interval():
    sample, pd_ = sample_of(300)
    few = replace(SETTINGS, min_bad_customers=sample.bad_customers + 1)
    told, sure = (level_measures(rated(pd_), sample, settings) for settings in (few, SETTINGS))
    for name in ("observed_over_expected", "slope"):
        assert told[name]["value"] == sure[name]["value"]
        assert (told[name]["low"], told[name]["high"]) == (None, None)


def test_without_exposures_nobody_moves_for_money():
    sample, pd_ = sample_of(50)
    found = swap_set(pd_ > 0.2, pd_ > 0.2, sample, None, SETTINGS)
    assert found.cost is None
    assert found.cells["only_first_accepts"]["rows"] == 0
    assert found.cells["only_first_accepts"]["low"] is None


@pytest.fixture(scope="module")
def policy(repository):
    return read_policy(repository / "policy")


def positions(n: int, **columns) -> pd.DataFrame:
    blank = {
        "open_amount": Decimal("1000.00"),
        "committed_orders_amount": Decimal("0.00"),
        "mean_terms_days": 30.0,
        "cover_amount": None,
        "covered_share": None,
        "limit_current": None,
        "invoices_due_12m_count": 20,
        "history_months": 40,
        "accounts_end_on": None,
        "has_external_rating": False,
    }
    return pd.DataFrame({name: columns.get(name, [value] * n) for name, value in blank.items()} | columns)


def test_a_default_loses_exposure_times_lgd_whatever_the_models_thought(policy):
    stood = positions(
        3,
        open_amount=[Decimal("1000.00"), Decimal("-50.00"), Decimal("1000.00")],
        cover_amount=[None, None, Decimal("1000.00")],
        covered_share=[None, None, 0.5],
    )
    unsecured, secured = policy.loss.unsecured_lgd["default"], policy.loss.secured_lgd["default"]
    assert losses(stood, policy).tolist() == pytest.approx([1000 * unsecured, 0, 500 * secured + 500 * unsecured])


def test_the_book_is_divided_by_what_it_tells(policy):
    n = MOST_GROUPS + 3
    sample, _ = sample_of((n + 1) // 2)
    sample = sample.part(np.arange(len(sample.is_bad)) < n)
    stood = positions(
        n,
        industry=[None, *[f"I{i:02d}" for i in range(n - 1)]],
        size_class=["small"] * n,
        invoices_due_12m_count=[0] + [20] * (n - 1),
        accounts_end_on=[dt.date(2024, 6, 30)] * n,
    )
    found = book_groups(stood, sample, policy)
    assert found["industry"][0] is None
    assert len(set(found["industry"][1:])) == MOST_GROUPS
    assert (found["industry"] == OTHERS).sum() == n - 1 - (MOST_GROUPS - 1)
    assert set(found["size_class"]) == {"small"}
    assert found["data_depth"].tolist() == ["D"] + ["B"] * (n - 1)


def test_segments_are_of_both_models_alike():
    scale = MasterScale.load(
        yaml.safe_load(
            "grades: [{grade: A, pd_below: 0.02, pd: 0.01, segment: low}, "
            "{grade: B, pd_below: 1.0, pd: 0.3, segment: high}]"
        )
    )
    first, second = np.array([0.005, 0.001]), np.array([0.05, 0.2])
    assert risk_segments(first, second, scale).tolist() == ["low", "low"]
    assert risk_segments(second, first, scale).tolist() == ["low", "low"]
    assert risk_segments(second, second, scale).tolist() == ["high", "high"]
