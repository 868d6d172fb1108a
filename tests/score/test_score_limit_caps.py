"""The newer caps by hand: purchases, steps and the floor of a cut, groups, loss budget; cover, terms and validity."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from pipeline.score.exposure import LossRates
from pipeline.score.limit_offer import ceiling
from pipeline.score.limit_sections import BookShareRule, LossBudgetRule

YOUNG = dt.date(2024, 12, 31)
OLD_LIMIT = dt.date(2024, 1, 1)
GROUP = {"group_id": "H1", "grade_override": "G05"}


@pytest.fixture
def night(make_book, model, policy, as_of, scored):
    """Book by customer, caps by customer, and the run, under a policy whose limit rules a test may change."""

    def run(*customers, **rules):
        whale = {"customer_id": "Z", "open_amount": Decimal("100000000.00"), "is_in_default": True}
        book = make_book(*({"grade_override": "G05", **c} for c in customers), whale)
        changed = replace(policy, limits=replace(policy.limits, **rules))
        made = scored(book.positions, book.features, model, changed, None, as_of)
        caps = {}
        for line in made.limit_trace.to_pylist():
            caps.setdefault(line["customer_id"], {})[line["cap"]] = line["amount"]
        return {row["customer_id"]: row for row in made.book.to_pylist()}, caps, made

    return run


def test_no_more_than_a_quarter_of_the_purchases_is_supplied_on_credit(night):
    # Cost of sales 730,000 a year: 2,000 a day x 25 % x 30 days x 2.5 = 37,500; we bill 1,000 a day, half of it.
    told = {"cost_of_sales_amount": Decimal("730000.00"), "accounts_end_on": YOUNG, "equity_amount": Decimal("9000000")}
    old = told | {"accounts_end_on": dt.date(2023, 5, 31)}
    nothing = told | {"cost_of_sales_amount": Decimal("0.00")}
    rows, caps, _ = night(told, old, nothing)
    assert (caps["C0"]["purchases"], rows["C0"]["limit_binding_cap"]) == (37_500, "purchases")
    assert rows["C0"]["limit_suggested"] == 37_000
    assert "purchases" not in caps["C1"] | caps["C2"]


@pytest.mark.parametrize(
    ("current", "since", "suggested", "cap"),
    [
        ("20000.00", OLD_LIMIT, 40_000, "step_up"),  # twice the present limit
        ("4000.00", OLD_LIMIT, 14_000, "step_up"),  # at least 10,000 more
        ("20000.00", dt.date(2025, 6, 15), 20_000, "step_up"),  # set two weeks ago
        ("20000.00", dt.date(2025, 5, 31), 40_000, "step_up"),  # 30 days ago
        ("60000.00", OLD_LIMIT, 75_000, "need"),
        ("200000.00", OLD_LIMIT, 100_000, "floor_step_down"),  # half, above the need of 75,000
        ("199999.99", OLD_LIMIT, 100_000, "floor_step_down"),  # rounded up
        ("150000.00", OLD_LIMIT, 75_000, "need"),
        ("100000.00", dt.date(2025, 6, 3), 100_000, "floor_step_down"),  # 27 days ago, cut from 200,000
        ("100000.50", dt.date(2025, 6, 3), Decimal("100000.50"), "floor_step_down"),
        ("100000.00", dt.date(2025, 6, 2), 75_000, "need"),  # 28 days ago
    ],
)
def test_a_limit_rises_and_falls_in_steps(night, current, since, suggested, cap):
    rows, _, _ = night({"limit_current": Decimal(current), "limit_valid_from": since})
    assert (rows["C0"]["limit_suggested"], rows["C0"]["limit_binding_cap"]) == (suggested, cap)


def test_a_first_limit_has_no_step_and_an_odd_small_one_is_not_lifted_above_itself(night):
    rows, caps, _ = night({}, {"limit_current": Decimal("300.50"), "billing_12m_amount": Decimal("100.00")})
    assert not {"step_up", "floor_step_down"} & set(caps["C0"])
    assert (rows["C1"]["limit_suggested"], caps["C1"]["floor_step_down"]) == (Decimal("300.50"), Decimal("300.50"))


def test_the_floor_yields_to_trouble_and_to_hard_caps(night):
    present = {"limit_current": Decimal("200000.00"), "limit_valid_from": OLD_LIMIT}
    late = {"overdue_amount": Decimal("501.00"), "max_days_past_due": 31}
    rows, caps, _ = night(
        present | late, present | {"group_default_count": 1}, present | {"grade_override": "G08"}, present
    )
    assert [rows[f"C{i}"]["limit_suggested"] for i in range(4)] == [75_000, 75_000, 10_000, 100_000]
    assert rows["C2"]["limit_binding_cap"] == "insured_cover"
    assert ["floor_step_down" in caps[f"C{i}"] for i in range(4)] == [False, False, True, True]


def test_a_young_limit_is_not_cut_again_unless_risk_shows_itself(night):
    present = {"limit_current": Decimal("100000.00"), "limit_valid_from": dt.date(2025, 6, 20)}
    late = {"overdue_amount": Decimal("501.00"), "max_days_past_due": 31}
    rows, caps, made = night(
        present, present | late, present | {"group_default_count": 1}, present | {"grade_override": "G08"}
    )
    assert [rows[f"C{i}"]["limit_suggested"] for i in range(4)] == [100_000, 75_000, 75_000, 10_000]
    assert [rows[f"C{i}"]["limit_action"] for i in range(4)] == ["keep", "refer", "refer", "cut"]
    # The need of 75,000 lies below what is left, and the trace says that the floor bound.
    assert (caps["C0"]["need"], caps["C0"]["floor_step_down"]) == (75_000, 100_000)
    bound = [t["cap"] for t in made.limit_trace.to_pylist() if t["customer_id"] == "C0" and t["is_binding"]]
    assert bound == ["floor_step_down"]


def test_a_small_share_of_a_present_limit_is_not_changed_however_much_it_is(night):
    large = {"grade_override": "G01", "billing_12m_amount": Decimal("9000000.00"), "accounts_end_on": YOUNG}
    # Need: 24,657.53 a day x 30 x 2.5 = 1,849,315, rounded 1,840,000.
    near, far, first, small, _ = night(
        large | {"limit_current": Decimal("2000000.00")},
        large | {"limit_current": Decimal("2050000.00")},
        {"billing_12m_amount": Decimal("3000.00")},
        {"billing_12m_amount": Decimal("3000.00"), "limit_current": Decimal("950.00")},
    )[0].values()
    assert (near["limit_suggested"], near["limit_action"]) == (1_840_000, "keep")
    assert far["limit_action"] == "cut"
    assert (first["limit_suggested"], first["limit_action"]) == (500, "raise")
    assert (small["limit_suggested"], small["limit_action"]) == (500, "keep")


def test_a_group_shares_its_room_in_proportion_to_what_each_could_have_alone(night):
    # Alone 75,000 and 25,000; a member in default owes 10,000, one has 30,000 by hand: 80,000 - 40,000 = 40,000 left.
    members = (
        GROUP,
        GROUP | {"billing_12m_amount": Decimal("122000.00")},
        GROUP | {"is_in_default": True},
        GROUP | {"limit_override": "30000"},
    )
    rows, caps, _ = night(*members, group=BookShareRule(0.0, 80_000))
    assert [rows[f"C{i}"]["limit_suggested"] for i in (0, 1)] == [30_000, 10_000]
    assert (caps["C0"]["group"], caps["C1"]["group"]) == (Decimal("30000.00"), Decimal("10000.00"))
    assert rows["C3"]["limit_suggested"] == 30_000
    assert "group" not in caps["C3"]
    rows, caps, _ = night(*members, group=BookShareRule(0.0, 150_000))
    assert (caps["C0"]["group"], rows["C0"]["limit_binding_cap"]) == (85_000, "need")  # 110,000 - 25,000


def test_the_loss_budget_cuts_the_largest_expected_losses(night):
    # G05 loses 1.13 % x 45 % of 75,000 = 381.375 and of 30,000 = 152.55; with 500 both may lose 347.45 at most.
    customers = ({}, {"billing_12m_amount": Decimal("146000.00")})
    rows, caps, run = night(*customers, loss_budget=LossBudgetRule(None, 500))
    assert caps["C0"]["loss_budget"] == Decimal("68328.41")  # 347.45 / 0.0113 / 0.45
    assert [rows[c]["limit_suggested"] for c in ("C0", "C1")] == [68_000, 30_000]
    assert rows["C0"]["limit_binding_cap"] == "loss_budget"
    totals = run.summary["totals"]
    assert (totals["loss_budget"], totals["expected_loss_at_own_caps"]) == ("500.00", "533.93")
    assert (totals["expected_loss_per_customer_at_most"], totals["expected_loss_at_limits"]) == ("347.45", "498.33")
    assert any("no limit is expected to lose more than 347.45" in note for note in run.summary["notes"])
    assert "loss_budget" not in night(*customers, loss_budget=LossBudgetRule(None, 534))[1]["C0"]
    assert "loss_budget" not in night(*customers, loss_budget=LossBudgetRule(None, None))[1]["C0"]


def test_limits_by_hand_that_use_the_budget_up_are_told(night):
    rows, _, run = night({}, {"limit_override": "1000000"}, loss_budget=LossBudgetRule(None, 500))
    assert [rows[c]["limit_suggested"] for c in ("C0", "C1")] == [0, 1_000_000]
    assert any("nothing is left for the others" in note for note in run.summary["notes"])


def test_the_budget_is_a_share_of_the_billing_of_twelve_months(night):
    _, _, run = night({}, {}, loss_budget=LossBudgetRule(0.0004, None))
    assert run.summary["totals"]["loss_budget"] == "438.00"  # 3 x 365,000 with the third's, who is in default


def test_loss_of_an_amount_and_amount_of_a_loss_are_inverse():
    rates = LossRates(*(np.array(v) for v in ([0.0, 1000.0, 1000.0], [0.9, 0.9, 1.0], [0.1, 0.1, 0.0], [0.5] * 3)))
    # Cover 1,000 at 90 %: within it 0.9 x 0.1 + 0.1 x 0.5 = 14 % is lost, beyond it 50 %.
    assert rates.loss(np.array([2000.0, 2000.0, 2000.0])).tolist() == pytest.approx([1000.0, 640.0, 500.0])
    assert rates.drawn(np.array([1000.0, 640.0, 500.0])).tolist() == pytest.approx([2000.0] * 3)
    assert rates.drawn(np.array([0.0, 70.0, 0.0])).tolist() == pytest.approx([0.0, 500.0, 1000.0])


def test_a_limit_holds_no_longer_than_the_cover_or_the_decision_it_rests_on(night):
    soon, later = dt.date(2025, 7, 15), dt.date(2025, 8, 15)
    covered = {"grade_override": "G08", "cover_amount": Decimal("30000.00"), "cover_ends_on": soon}
    rows, _, _ = night(
        covered,
        covered | {"billing_12m_amount": Decimal("30000.00")},  # 6,000: within the allowance of 10,000
        covered | {"grade_override": "G05"},  # need not be covered
        {"limit_override": "5000", "limit_override_ends_on": later},
        {"grade_override_ends_on": soon},
        {"grade_override": None, "grade_override_ends_on": soon},
    )
    by_grade = dt.date(2025, 9, 30), dt.date(2026, 6, 30)
    found = [rows[f"C{i}"]["limit_valid_to"] for i in range(5)]
    assert found == [soon, by_grade[0], by_grade[1], later, soon]
    assert rows["C5"]["limit_valid_to"] > later


@pytest.mark.parametrize(
    ("country", "buyer", "size", "supplier", "statutory", "agreed"),
    [
        ("CN", "undertaking", "large", "small", 60, np.inf),
        ("CN", "undertaking", "small", "small", 60, np.inf),  # no rule: the default of other countries
        ("CN", "public_body", None, "medium", 30, 60),
        ("CN", "public_body", None, "large", 60, np.inf),
        ("NL", "undertaking", "large", "medium", 30, 30),
        ("NL", "undertaking", None, "medium", 30, 30),  # a size nobody told may be large
        ("NL", "undertaking", "medium", "medium", 60, np.inf),
        ("NL", "undertaking", "large", "large", 60, np.inf),
        ("FR", "undertaking", "small", "large", 60, 60),
        ("DE", "public_body", "large", "large", 30, 60),
        ("DE", "undertaking", "large", "small", 60, np.inf),
        ("ES", "undertaking", "small", "small", 60, 60),  # no agreement lifts it
        ("ES", "public_body", None, "small", 30, 60),
        ("BE", "undertaking", "large", "large", 60, 60),
        ("FI", "undertaking", "small", "small", 30, np.inf),
        ("PL", "undertaking", "large", "medium", 60, 60),
        ("PL", "undertaking", "large", "large", 60, np.inf),
        ("PL", "public_body", None, "medium", 30, 30),
        ("SE", "undertaking", "large", "small", 60, np.inf),
        (None, "undertaking", None, "large", 60, np.inf),
    ],
)
def test_the_longest_terms_by_country_buyer_and_supplier(policy, country, buyer, size, supplier, statutory, agreed):  # noqa: PLR0917
    for name, days in (("statutory", statutory), ("agreed", agreed)):
        terms = replace(policy.terms, supplier_size=supplier, ceiling=name)
        assert ceiling(terms, country, buyer, size) == days


def test_terms_of_the_grade_are_cut_to_the_countrys(night):
    best = {"grade_override": "G01", "country": "NL"}
    rows, _, _ = night(best | {"size_class": "large"}, best | {"size_class": "small"}, best | {"is_public_body": True})
    assert [rows[f"C{i}"]["terms_days_suggested"] for i in range(3)] == [30, 60, 30]


def test_every_grade_has_a_strategy_in_both_languages(policy):
    titles = {grade: policy.strategy_of(grade).title.en for grade in policy.scale.names_with_default}
    assert titles["G01"] == "Open account"
    assert titles["D"] == "Collection"
    assert policy.strategy_of("G10").action.zh.startswith("预付款")
    assert policy.strategy_of(None) is policy.strategy_of("AAA") is None
