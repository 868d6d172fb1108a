"""A policy replayed over a ledger of three customers, in figures that a person can recompute."""

import dataclasses
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.score.backtest.backtest import CURRENT, STOOD, Windows
from pipeline.score.backtest.items import NEVER, Items, Stretches
from pipeline.score.backtest.outcomes import outcomes_of
from pipeline.score.backtest.replay import NO_LIMIT, movements_of, refused

# The LGD of customers without cover in the segment of a PD of 1 %.
LGD = 0.45


@pytest.fixture(scope="module")
def past(past_of):
    return past_of()


def names(past, flags):
    return {str(name) for name in past.items.invoice_id[flags]}


def with_nothing(policy):
    """The policy with a ceiling of 0 for every grade, and cuts that take all at once."""
    grades = {name: dataclasses.replace(row, amount=0.0) for name, row in policy.limits.grades.items()}
    step = dataclasses.replace(policy.limits.step, down_share=1.0)
    return dataclasses.replace(policy, limits=dataclasses.replace(policy.limits, grades=grades, step=step))


def test_a_limit_refuses_whole_deliveries_and_what_was_refused_leaves_room(past):
    movements = movements_of(past.items)
    flags = refused(past.items, movements, np.full((3, 3), 10_000_00))
    # In hundreds, A: 40 open + 80 > 100, refused. The 40 are paid; 50 fits; 50 + 60 > 100, refused.
    # B: 90 fits, 90 + 20 > 100, refused; in April all is paid and 70 fits. C: 30 fits.
    assert names(past, flags) == {"a1", "a3", "b2"}


def test_no_limit_checks_nothing_and_a_hold_lets_nothing_through(past):
    movements = movements_of(past.items)
    assert not refused(past.items, movements, np.full((3, 3), NO_LIMIT)).any()
    held = refused(past.items, movements, np.zeros((3, 3), dtype=np.int64))
    assert names(past, held) == {"a1", "a2", "a3", "b1", "b2", "b3", "c1"}
    # Before the replay nothing can be refused.
    assert "a0" in past.items.invoice_id
    assert "a0" not in names(past, held)


def test_only_deliveries_after_a_cut_are_refused_and_what_was_open_runs_off(past):
    limits = np.full((3, 3), 50_000_00)
    limits[1:, 0] = 0
    flags = refused(past.items, movements_of(past.items), limits)
    assert names(past, flags) == {"a3"}


def test_what_was_open_at_default_is_what_is_lost(past):
    windows = np.full(3, NEVER - 1)
    found = outcomes_of(past.items, past.defaults, windows, np.ones(3, dtype=bool))
    told = dict(zip(past.items.invoice_id, found.open_at_default.tolist(), strict=True))
    assert {name: told[name] for name in ("a0", "a1", "a2", "a3", "b1", "c1")} == {
        "a0": 0, "a1": 8_000_00, "a2": 5_000_00, "a3": 6_000_00, "b1": 0, "c1": 0,
    }  # fmt: skip
    assert set(past.items.customers[past.items.customer[found.is_of_defaulter]]) == {"A"}


def test_a_default_after_the_window_is_none_of_the_months(past):
    # The window of the first month ends before the insolvency of 1 June.
    ends = np.array([np.datetime64(day, "D").astype(int) for day in ("2023-05-31", "2024-01-31", "2024-01-31")])
    found = outcomes_of(past.items, past.defaults, ends, np.ones(3, dtype=bool))
    told = dict(zip(past.items.invoice_id, found.open_at_default.tolist(), strict=True))
    assert (told["a1"], told["a2"], told["a3"]) == (0, 0, 6_000_00)


def test_the_limits_that_stood_in_figures_by_hand(past, policy):
    told, _ = past.replay({CURRENT: policy})
    stood = told["policies_figures"][STOOD]
    # In hundreds: refused 80 + 60 + 20 of 400 delivered; of A 80 + 60 were open at its default.
    assert told["delivered"]["amount"] == "40000.00"
    assert (stood["refused"]["value"], stood["refused_of_defaulters"]["value"]) == ("16000.00", "14000.00")
    assert Decimal(stood["loss_avoided"]["value"]) == Decimal(14_000) * Decimal(str(LGD))
    assert Decimal(stood["margin_forgone"]["value"]) == Decimal(1_600)
    assert Decimal(stood["net"]["value"]) == Decimal(6_300) - Decimal(1_600)
    assert stood["refused_share"]["value"] == pytest.approx(160 / 400)
    assert stood["break_even_cost_share"] == pytest.approx(63 / 160)
    months = {row["key"]: row["policies"][STOOD]["refused"] for row in told["months"]}
    assert months == {0: "10000.00", 1: "6000.00", 2: "0.00"}


def test_a_candidate_equal_to_the_current_policy_differs_by_exactly_nothing(past, policy):
    told, _ = past.replay({CURRENT: policy, "copy": policy})
    same = next(one for one in told["differences"] if (one["first"], one["second"]) == (CURRENT, "copy"))
    assert same["verdict"] == "same"
    for quantity in ("refused", "refused_of_defaulters", "loss_avoided", "margin_forgone", "net"):
        assert same[quantity] == {"value": "0.00", "low": "0.00", "high": "0.00"}


def test_a_policy_of_zero_limits_refuses_every_sale_and_avoids_every_loss(past, policy):
    nothing = with_nothing(policy)
    told, _ = past.replay({CURRENT: policy, "nothing": nothing}, referred="approved")
    found, delivered = told["policies_figures"]["nothing"], told["delivered"]
    assert found["refused"]["value"] == delivered["amount"]
    assert float(told["policies_figures"][CURRENT]["refused"]["value"]) < float(delivered["amount"])
    assert found["loss_avoided"]["value"] == delivered["lost"] != "0.00"
    assert found["loss_avoided_share"]["value"] == found["refused_share"]["value"] == 1.0


def test_parts_add_up_to_the_whole_and_tell_an_interval_only_where_enough_defaulted(past, policy):
    # One group, A, defaults; its net by hand is 4,700 (above), of the others there is nothing to lose.
    told, _ = past.replay({CURRENT: policy}, min_bad_customers=1)
    whole = told["policies_figures"][STOOD]["net"]
    for key in ("grades", "segments"):
        nets = [row["policies"][STOOD] for row in told[key]]
        assert sum(Decimal(one["net"]) for one in nets) == Decimal(whole["value"])
        for row, one in zip(told[key], nets, strict=True):
            assert (one["net_low"] is None) == (row["defaulted_customers"] == 0)
            if one["net_low"] is not None:
                assert Decimal(one["net_low"]) <= Decimal(one["net"]) <= Decimal(one["net_high"])
    assert sum(row["defaulted_customers"] for row in told["segments"]) >= 1
    strict, _ = past.replay({CURRENT: policy}, min_bad_customers=2)
    assert {row["policies"][STOOD]["net_low"] for row in strict["segments"]} == {None}


def test_a_month_that_is_not_judged_tells_no_interval(past, policy):
    only_first = Windows(np.full(3, NEVER - 1), np.array([True, False, False]), np.zeros(3, dtype=bool))
    told, _ = past.replay({CURRENT: policy}, only_first, min_bad_customers=1)
    assert [row["policies"][STOOD]["net_low"] is None for row in told["months"]] == [False, True, True]


def test_months_that_are_not_judged_count_in_no_sum_but_stand_in_the_months(past, policy):
    ends = np.full(3, NEVER - 1)
    only_last = Windows(ends, np.array([False, False, True]), np.zeros(3, dtype=bool))
    told, _ = past.replay({CURRENT: policy}, only_last)
    assert told["delivered"]["amount"] == "7000.00"
    assert told["policies_figures"][STOOD]["refused"]["value"] == "0.00"
    assert [row["key"] for row in told["months"]] == [0, 1, 2]
    none = Windows(ends, np.zeros(3, dtype=bool), np.zeros(3, dtype=bool))
    told, _ = past.replay({CURRENT: policy}, none)
    assert {one["verdict"] for one in told["differences"]} == {"immature"}


def test_months_the_model_has_seen_are_judged_only_where_there_are_no_others():
    both = Windows(np.zeros(3), np.array([True, True, False]), np.array([True, False, False]))
    assert both.is_judged.tolist() == [False, True, False]
    seen = Windows(np.zeros(2), np.array([True, True]), np.array([True, True]))
    assert seen.is_judged.tolist() == [True, True]


def test_limits_are_a_state_carried_from_month_to_month(past, policy):
    _, limits = past.replay({CURRENT: policy}, referred="approved")
    first, second, _ = [month.standing for month in limits[CURRENT]]
    # Whatever the first month set is what the second begins with: deciding the same again changes nothing.
    assert np.isin(first.action, ("raise", "cut", "refer")).any()
    unchanged = np.isin(second.action, ("keep", "hold"))
    assert (first.limit == second.limit)[unchanged].all()
    assert all((month.standing.limit == 10_000).all() for month in limits[STOOD])


def test_a_case_for_a_person_is_kept_or_approved_as_the_parameter_says(past, policy):
    strict = dataclasses.replace(policy.limits.refer, without_accounts_above=0.0)
    asking = dataclasses.replace(policy, limits=dataclasses.replace(policy.limits, refer=strict))
    _, kept = past.replay({CURRENT: asking}, referred="kept")
    _, approved = past.replay({CURRENT: asking}, referred="approved")
    for month in kept[CURRENT]:
        referred = month.standing.action == "refer"
        assert referred.any()
        assert (month.standing.limit[referred] == 10_000).all()
    assert any((month.standing.limit != 10_000).any() for month in approved[CURRENT])


def test_what_became_known_after_a_month_changes_nothing_of_its_limits(past, past_of, policy):
    late = {"currency": "EUR", "known_on": past.seen[1].as_of.replace(month=3, day=1)}
    poisoned = past_of(
        limits=[
            {
                "customer_id": "B", "valid_from": past.seen[0].as_of, "limit_amount": Decimal(700), "valid_to": None,
                "approved_by": "x", **late,
            }
        ],
        events=[
            {
                "event_id": "F", "customer_id": "B", "kind": "insolvency", "occurred_on": past.seen[0].as_of,
                "known_on": late["known_on"],
            }
        ],
    )  # fmt: skip
    _, truth = past.replay({CURRENT: policy})
    _, found = poisoned.replay({CURRENT: policy})
    for name in (STOOD, CURRENT):
        for before, after in zip(truth[name][:2], found[name][:2], strict=True):
            assert before.standing.limit.tolist() == after.standing.limit.tolist()
            assert before.standing.action.tolist() == after.standing.action.tolist()
    # B's limit and insolvency were known in March, and then they count.
    assert found[CURRENT][2].standing.action[1] == "hold" != truth[CURRENT][2].standing.action[1]
    assert found[STOOD][2].standing.limit.tolist() == [10_000.0, 700.0, 10_000.0]


def one_by_one(items, limits):
    """The same by the letter, day after day: the oracle."""
    told, out = items.stretches, set()
    for at in sorted(range(len(items.customer)), key=lambda i: (items.issued[i], str(items.invoice_id[i]))):
        if not items.is_delivery[at]:
            continue
        day, customer = items.issued[at], items.customer[at]
        open_now = new = 0
        for item, start, end, amount in zip(told.item, told.from_on, told.counts_until, told.open, strict=True):
            earlier = (items.issued[item], str(items.invoice_id[item])) < (day, str(items.invoice_id[at]))
            if start <= day < end and items.customer[item] == customer and int(item) not in out:
                new += amount if item == at else 0
                open_now += amount if item != at and earlier else 0
        if new and open_now + new > limits[items.month[at], customer]:
            out.add(at)
    return out


@st.composite
def books(draw):
    """Up to ten invoices of two customers with part payments and write-offs on a few days; four months."""
    rows = draw(st.lists(st.tuples(*[st.integers(0, 9)] * 4, st.integers(0, 1), st.booleans()), max_size=10))
    stretch = []
    for item, (issued, length, rest, amount, _, is_off) in enumerate(rows):
        full_until = issued + length + 1
        stretch.append((item, issued, full_until, full_until, 100 * amount))
        end = full_until + rest + 1
        stretch.append((item, full_until, end, full_until if is_off else end, 50 * amount))
    told = np.array(stretch, dtype=np.int64).reshape(-1, 5).T
    issued = np.array([row[0] for row in rows], dtype=np.int64)
    month = (issued - 1) // 3
    items = Items(
        np.array([f"i{n}" for n in range(len(rows))], dtype=object),
        np.array(["K", "L"], dtype=object),
        np.array([row[4] for row in rows], dtype=np.int64),
        issued,
        np.array([100 * row[3] for row in rows], dtype=np.int64),
        month,
        month >= 0,
        Stretches(*told),
    )
    limits = draw(st.lists(st.integers(0, 2500), min_size=8, max_size=8))
    return items, np.array(limits, dtype=np.int64).reshape(4, 2)


@given(books())
def test_deliveries_are_refused_as_day_after_day_would(book):
    items, limits = book
    flags = refused(items, movements_of(items), limits)
    assert set(np.flatnonzero(flags).tolist()) == one_by_one(items, limits)


@given(books())
def test_a_higher_limit_for_all_time_refuses_no_delivery_where_nobody_was_refused(book):
    items, limits = book
    wide = np.full_like(limits, 10**9)
    assert not refused(items, movements_of(items), wide).any()
