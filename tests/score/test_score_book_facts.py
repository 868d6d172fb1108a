"""What limits need of the whole book: equal however the book is cut, exact for groups, never over the loss budget."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.score.applied import PD, THIN_PD
from pipeline.score.book_caps import loss_budget, share_of_book
from pipeline.score.book_facts import BookFacts, book_facts, bucket_of
from pipeline.score.group_totals import GroupTotals
from pipeline.score.limit_caps import FLOOR, SOFT
from pipeline.score.limit_sections import BookShareRule, LossBudgetRule
from pipeline.score.limits import suggest_limits
from pipeline.score.night_facts import Judge, judged_by, night_facts
from pipeline.score.position_columns import ordered_positions
from pipeline.score.previous import PreviousRun
from pipeline.score.rating import aligned_features
from pipeline.score.scored_book import score_book

if TYPE_CHECKING:
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy

CENTS = st.integers(0, 10**12)


def facts_of(losses, by_hand=0):
    """Facts of a book of which only the losses are told, each its own part."""
    facts = BookFacts.nothing()
    for loss in losses:
        counts, sums = facts.loss_counts * 0, facts.loss_sums * 0
        at = int(bucket_of(np.array([loss]))[0])
        counts[at], sums[at] = 1, loss
        facts += BookFacts(0, 0, GroupTotals(), 0, counts, sums)
    return replace(facts, loss_by_hand=by_hand)


def test_the_waterline_cuts_the_largest_losses_to_one_amount():
    facts = facts_of([100, 200, 900, 1000])  # 100 + 200 + 300 + 300 = 900
    assert facts.waterline(900) == 300
    assert facts.waterline(2200) is None
    assert facts.waterline(2199) == 999  # the next cent would be 2,200
    assert facts.waterline(399) == 99
    assert facts.waterline(0) == 0


def test_limits_set_by_hand_use_the_budget_first():
    assert facts_of([100, 200], by_hand=250).waterline(400) == 75
    assert facts_of([100, 200], by_hand=450).waterline(400) == 0


@settings(deadline=None, max_examples=60)
@given(losses=st.lists(CENTS, min_size=1, max_size=30), share=st.floats(0, 0.999), by_hand=CENTS)
def test_a_book_cut_at_the_waterline_is_within_the_budget_and_close_to_it(losses, share, by_hand):
    facts = facts_of(losses, by_hand)
    budget = int((sum(losses) + by_hand) * share)
    line = facts.waterline(budget)
    if line is None:
        assert sum(losses) + by_hand <= budget
        return
    cut = sum(min(loss, line) for loss in losses) + by_hand
    assert cut <= max(budget, by_hand)
    # One part in 4,096 higher, and a cent, would not do.
    higher = sum(min(loss, line + line // 4096 + 2) for loss in losses) + by_hand
    assert higher > budget


def test_the_budget_is_the_smaller_of_both_and_may_be_none():
    facts = replace(facts_of([500]), billing=100_000)
    assert loss_budget(facts, LossBudgetRule(0.01, None)).budget == 1000
    assert loss_budget(facts, LossBudgetRule(0.01, 4.0)).budget == 400
    assert loss_budget(facts, LossBudgetRule(None, 4.0)).waterline == 400
    assert loss_budget(facts, LossBudgetRule(None, None)).waterline is None


def test_what_a_group_holds_and_wants_is_told_apart(make_book, judged):
    book = make_book(
        {"group_id": "G", "grade_override": "G05"},  # need: 75,000
        {"group_id": "G", "grade_override": "G05", "limit_override": "40000"},
        {"group_id": "G", "is_in_default": True},  # 10,000 open
        {"group_id": "G", "is_in_book": False, "open_amount": Decimal("300.00")},
        {"group_id": None, "grade_override": "G05"},
    )
    facts = book_facts(judged(*judged.inputs(book)))
    assert facts.groups == GroupTotals.of(["G"], np.array([50_300_00]), np.array([75_000_00]))
    assert facts.ead == 40_300_00
    assert facts.billing == 5 * 365_000_00


def parts_of(cuts, count):
    bounds = [0, *cuts, count]
    return [slice(low, high) for low, high in itertools.pairwise(bounds)]


PARTS = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PARTS
@given(cuts=st.lists(st.integers(0, 40), max_size=5).map(sorted), seed=st.integers(0, 1000))
def test_a_book_in_parts_has_the_facts_and_the_limits_of_the_whole(judged, make_customers, make_book, cuts, seed):
    positions, features = judged.inputs(make_book(*make_customers(40, seed)))
    whole = judged(positions, features)
    parts = [judged(positions[part], features[part]) for part in parts_of(cuts, 40)]
    facts = sum((book_facts(part) for part in parts), start=BookFacts.nothing())
    assert facts == book_facts(whole)
    told = suggest_limits(whole, facts)
    pieces = [suggest_limits(part, facts) for part in parts]
    for name in ("suggested", "binding_cap", "action", "valid_to", "terms_days", "expected_loss"):
        together = np.concatenate([getattr(piece, name) for piece in pieces])
        assert pd.Series(together).equals(pd.Series(getattr(told, name))), name
    assert {piece.budget for piece in pieces} == {told.budget}


@PARTS
@given(seed=st.integers(0, 1000), budget=st.floats(0, 20_000), share=st.floats(0.01, 0.2))
def test_groups_and_the_book_stay_within_what_policy_allows(  # noqa: PLR0917
    judged, make_customers, make_book, seed, budget, share
):
    group = BookShareRule(share, 0.0)
    tight = judged.with_policy(group=group, loss_budget=LossBudgetRule(None, budget))
    own = tight(*judged.inputs(make_book(*make_customers(40, seed))))
    facts = book_facts(own)
    limits = suggest_limits(own, facts)
    assert limits.budget.budget is not None
    assert np.nansum(limits.expected_loss) <= max(limits.budget.budget, facts.loss_by_hand) / 100 + 1e-6
    members = own.judged.positions["group_id"].to_numpy()
    names = sorted(set(members[pd.notna(members)]))
    for name, taken in zip(names, facts.groups.cents(names)[0], strict=True):
        mine = (members == name) & own.is_reckoned
        room = max(share_of_book(facts, group) - taken, 0)
        assert round(limits.suggested[mine].sum() * 100) <= room


@PARTS
@given(seed=st.integers(0, 1000))
def test_a_limit_is_the_smallest_of_its_caps_but_for_floor_and_rounding(judged, make_customers, make_book, seed):
    own = judged(*judged.inputs(make_book(*make_customers(40, seed))))
    limits = suggest_limits(own, book_facts(own))
    told = limits.traced
    reckoned = own.is_reckoned
    soft = np.nanmin([told[name][reckoned] for name in (*SOFT, "grade")], axis=0)
    hard = np.nanmin([told[name][reckoned] for name in ("insured_cover", "single_name", "group")], axis=0)
    lifted = np.fmax(soft, told[FLOOR][reckoned])
    assert (limits.suggested[reckoned] <= np.minimum(lifted, hard)).all()
    # Rounded down by less than the largest step.
    assert (limits.suggested[reckoned] > np.minimum(lifted, hard) - 10_000).all()
    amounts = pd.DataFrame(told)
    binding = [amounts.loc[at, cap] for at, cap in enumerate(limits.binding_cap) if cap is not None]
    assert (limits.suggested[~pd.isna(limits.binding_cap)] <= binding).all()


@PARTS
@given(seed=st.integers(0, 1000), member=st.integers(0, 39))
def test_one_more_member_never_raises_what_another_of_its_group_may_have(
    judged, make_customers, make_book, seed, member
):
    # The room is an amount here: a customer more makes the book larger, and with it a share of the book.
    fixed = judged.with_policy(group=BookShareRule(0.0, 90_000.0), loss_budget=LossBudgetRule(None, None))
    positions, features = judged.inputs(make_book(*make_customers(40, seed)))
    is_there = np.arange(40) != member
    without, with_it = fixed(positions[is_there], features[is_there]), fixed(positions, features)
    before = suggest_limits(without, book_facts(without)).traced["group"]
    after = suggest_limits(with_it, book_facts(with_it)).traced["group"][is_there]
    assert (np.isnan(after) == np.isnan(before)).all()
    assert (after <= before + 0.011)[~np.isnan(before)].all()


@settings(PARTS, max_examples=4)
@given(seed=st.integers(0, 1000), member=st.integers(0, 39), budget=st.floats(0, 20_000))
def test_a_worse_grade_never_raises_the_limit(  # noqa: PLR0917
    judged, make_customers, make_book, seed, member, budget
):
    customers = make_customers(40, seed)
    customers[member] |= {"is_in_default": False, "is_in_book": True, "limit_override": None}
    tight = judged.with_policy(loss_budget=LossBudgetRule(None, budget))
    found = []
    for grade in range(1, 11):
        customers[member]["grade_override"] = f"G{grade:02d}"
        own = tight(*judged.inputs(make_book(*customers)))
        found.append(suggest_limits(own, book_facts(own)).suggested[member])
    assert found == sorted(found, reverse=True)


def test_a_night_in_parts_tells_the_same_of_every_customer_and_of_what_the_policy_changed(  # noqa: PLR0917
    judged, make_customers, make_book, model, policy, as_of, scored
):
    customers = make_customers(30, 3)
    book = make_book(*customers, *({"customer_id": f"L{i}", "grade_override": "G05", "group_id": "H9"} for i in (1, 2)))
    tight = judged.with_policy(group=BookShareRule(0.0, 100_000.0), loss_budget=LossBudgetRule(None, 2_000)).policy
    tight = replace(tight, hashes={**tight.hashes, "limits": "tighter"})
    may = dt.date(2025, 5, 31)
    first = scored(book.positions.assign(as_of=may), book.features, model, policy, None, may)
    before = PreviousRun(
        may, "0", "0", model.version, policy.version, first.book.to_pandas(), first.alerts.to_pandas(), policy, model
    )
    applied = judged.applied(book.features, model)
    whole = score_book(book.positions, applied, model, tight, before, as_of)
    halves = [book.positions[:11], book.positions[11:]]
    total, second = (night_facts(half, applied, model, tight, before, as_of) for half in halves)
    total += second
    parts = [score_book(half, applied, model, tight, before, as_of, facts=total) for half in halves]
    assert total.old_policy is not None
    assert total.old is None
    for name in ("book", "limit_trace", "changes"):
        assert pa.concat_tables(getattr(part, name) for part in parts) == getattr(whole, name)
    limits = [row for row in whole.changes.to_pylist() if row["quantity"] == "limit"]
    assert any(row["from_policy"] < 0 for row in limits)
    assert all(row["from_model"] == 0 for row in limits)


@dataclass(frozen=True)
class Judging:
    """Positions and features of a book to caps, under a policy that a test may change."""

    model: Model
    policy: Policy
    as_of: dt.date
    applied: Any

    def __call__(self, positions, features):
        return judged_by(Judge(self.model, self.policy, (PD, THIN_PD)), positions, features, self.as_of)

    def inputs(self, book):
        positions = ordered_positions(book.positions, self.as_of)
        return positions, aligned_features(self.applied(book.features, self.model), positions)

    def with_policy(self, **rules):
        return replace(self, policy=replace(self.policy, limits=replace(self.policy.limits, **rules)))


@pytest.fixture
def judged(model, policy, as_of, applied):
    return Judging(model, policy, as_of, applied)
