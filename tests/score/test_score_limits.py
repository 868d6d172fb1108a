"""Limits by hand: which cap binds, how it is rounded, and what is done about the present limit."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from pipeline.score.limit_offer import months_after

YOUNG = dt.date(2024, 12, 31)


@pytest.fixture
def limit(make_book, model, policy, as_of, scored):
    """Row of the book and caps of one customer in a book whose other customer is large enough not to bind it."""

    def suggest(**changes):
        whale = {"customer_id": "Z", "open_amount": Decimal("100000000.00"), "is_in_default": True}
        book = make_book({"grade_override": "G05", **changes}, whale)
        run = scored(book.positions, book.features, model, policy, None, as_of)
        trace = {t["cap"]: t["amount"] for t in run.limit_trace.to_pylist() if t["customer_id"] == "C0"}
        return run.book.to_pylist()[0], trace

    return suggest


def test_need_is_billing_per_day_times_terms_times_headroom(limit):
    row, trace = limit()  # 365,000 a year = 1,000 a day x 30 days x 2.5
    assert trace == {"grade": 500_000, "need": 75_000, "single_name": 5_000_500}
    assert (row["limit_suggested"], row["limit_binding_cap"]) == (75_000, "need")


def test_need_is_rounded_down_to_the_step_of_its_size(limit):
    for billing, expected in (
        ("365000", 75_000),
        ("372000", 76_000),
        ("60000", 12_000),
        ("2000000", 410_000),
        ("3000", 500),
    ):
        row, _ = limit(billing_12m_amount=Decimal(billing))
        assert row["limit_suggested"] == expected


def test_need_of_a_young_customer_is_reckoned_over_the_months_it_is_known(limit):
    _, trace = limit(billing_12m_amount=Decimal("91250.00"), history_months=2)  # 3 months: 1,000 a day
    assert trace["need"] == 75_000


def test_need_is_at_least_the_committed_orders_and_absent_without_any_business(limit):
    assert limit(committed_orders_amount=Decimal("80000.00"))[1]["need"] == 80_000
    assert "need" not in limit(billing_12m_amount=Decimal("0.00"))[1]


def test_default_terms_stand_in_where_no_invoice_tells(limit):
    assert limit(mean_terms_days=float("nan"))[1]["need"] == 75_000


def test_equity_caps_while_the_accounts_are_young(limit):
    row, trace = limit(equity_amount=Decimal("200000.00"), accounts_end_on=YOUNG)
    assert (trace["equity"], row["limit_binding_cap"]) == (20_000, "equity")
    assert limit(equity_amount=Decimal("-5.00"), accounts_end_on=YOUNG)[0]["limit_suggested"] == 0
    assert "equity" not in limit(equity_amount=Decimal("200000.00"), accounts_end_on=dt.date(2023, 5, 31))[1]


def test_weak_grades_must_be_covered_but_for_an_allowance(limit):
    row, trace = limit(grade_override="G08", cover_amount=Decimal("7000.00"))
    assert (trace["insured_cover"], row["limit_suggested"], row["limit_binding_cap"]) == (
        17_000,
        17_000,
        "insured_cover",
    )
    assert "insured_cover" not in limit(grade_override="G07")[1]


def test_a_single_name_takes_no_more_than_its_share_of_the_books_exposure(make_book, model, policy, as_of, scored):
    book = make_book(*({"grade_override": "G01", "billing_12m_amount": Decimal("99999999.00")} for _ in range(200)))
    run = scored(book.positions, book.features, model, policy, None, as_of)
    row = run.book.to_pylist()[0]  # 200 x 10,000 x 5 %
    assert (row["limit_suggested"], row["limit_binding_cap"]) == (100_000, "single_name")


def test_every_limit_is_the_smallest_of_its_caps_and_exactly_one_binds(  # noqa: PLR0917
    make_book, make_rows, model, policy, as_of, scored
):
    rows = make_rows(500)
    book = make_book(
        *({"customer_id": c, "billing_12m_amount": Decimal(1000 * i)} for i, c in enumerate(rows["customer_id"]))
    )
    run = scored(book.positions, rows, model, policy, None, as_of)
    trace = run.limit_trace.to_pandas()
    caps = trace[~trace["cap"].str.startswith(("refer_", "hold_"))]
    assert (caps.groupby("customer_id")["is_binding"].sum() == 1).all()
    least = caps.groupby("customer_id")["amount"].min()
    binding = caps[caps["is_binding"]].set_index("customer_id")["amount"]
    assert (least == binding.reindex(least.index)).all()
    suggested = run.book.to_pandas().set_index("customer_id")["limit_suggested"]
    assert (suggested <= least.reindex(suggested.index)).all()


def test_a_manual_limit_replaces_the_caps_unrounded(limit):
    row, trace = limit(limit_override="61234.50")
    assert (row["limit_suggested"], row["limit_binding_cap"]) == (Decimal("61234.50"), "manual")
    assert trace["need"] == 75_000


@pytest.mark.parametrize(
    ("current", "action"),
    [
        (None, "raise"),
        ("74000", "keep"),
        ("75000", "keep"),
        ("76900", "keep"),
        ("90000", "cut"),
        ("40000", "raise"),
    ],
)
def test_small_changes_are_not_made(limit, current, action):
    row, _ = limit(limit_current=None if current is None else Decimal(current))
    assert (row["limit_suggested"], row["limit_action"]) == (75_000, action)
    assert (row["approval_tier"] is None) == (action == "keep")


def test_old_overdue_items_hold_and_younger_ones_go_to_a_person(limit):
    held, trace = limit(max_days_past_due=61, overdue_amount=Decimal("501.00"))
    assert (held["limit_action"], held["approval_tier"], trace["hold_overdue"]) == ("hold", "credit_analyst", 501)
    referred, trace = limit(max_days_past_due=31, overdue_amount=Decimal("501.00"))
    assert (referred["limit_action"], "hold_overdue" in trace) == ("refer", False)
    assert limit(max_days_past_due=90, overdue_amount=Decimal("499.00"))[0]["limit_action"] == "raise"


def test_a_thin_file_goes_to_a_person_above_a_small_amount(limit):
    thin = {"grade_override": None, "history_months": 1, "billing_12m_amount": Decimal("4000.00")}
    small, _ = limit(**thin)  # 2 months: 65.75 a day x 30 x 2.5
    assert (small["rating_status"], small["limit_suggested"], small["limit_action"]) == ("thin_file", 4_500, "raise")
    large, trace = limit(**{**thin, "billing_12m_amount": Decimal("70000.00")})
    assert (large["limit_action"], trace["refer_thin_file"]) == ("refer", 5_000)


def test_a_default_in_the_group_missing_accounts_and_cuts_for_persons_go_to_a_person(limit):
    assert limit(group_default_count=1)[0]["limit_action"] == "refer"
    large = {"billing_12m_amount": Decimal("3650000.00"), "equity_amount": Decimal("90000000.00")}
    assert limit(**large)[0]["limit_action"] == "refer"
    assert limit(**large, accounts_end_on=YOUNG)[0]["limit_action"] == "raise"
    assert limit(is_natural_person=True, limit_current=Decimal("90000"))[0]["limit_action"] == "refer"
    assert limit(is_natural_person=True, limit_current=Decimal("10000"))[0]["limit_action"] == "raise"
    assert limit(is_natural_person=None, limit_current=Decimal("90000"))[0]["limit_action"] == "cut"


def test_terms_follow_the_grade_but_never_exceed_the_country(limit):
    best = {"grade_override": "G01"}
    assert limit(**best)[0]["terms_days_suggested"] == 60
    assert limit(**best, is_public_body=True)[0]["terms_days_suggested"] == 30
    assert limit(**best, is_public_body=True, country="US")[0]["terms_days_suggested"] == 60
    assert limit(**best, country=None)[0]["terms_days_suggested"] == 60
    assert limit(grade_override="G10")[0]["deposit_share_suggested"] == 0.5


def test_validity_is_by_grade_and_clipped_to_the_month(limit):
    assert limit()[0]["limit_valid_to"] == dt.date(2026, 6, 30)
    assert limit(grade_override="G09")[0]["limit_valid_to"] == dt.date(2025, 9, 30)
    assert months_after(dt.date(2024, 11, 30), 3) == dt.date(2025, 2, 28)


def test_tiers_begin_where_the_amount_exceeds_the_one_before(limit):
    for amount, tier in (("25000", "automatic"), ("25000.01", "credit_analyst"), ("3000000", "board")):
        assert limit(limit_override=amount)[0]["approval_tier"] == tier
