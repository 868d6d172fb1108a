"""Every column of a position, in figures a person can check."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.history.position import positions
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of

DAY = dt.date(2024, 3, 31)
EARLY = dt.date(2023, 1, 15)
OPEN_ENDED = dt.date(9999, 12, 31)


def tables():
    customers = [
        {"customer_id": name, "name": f"Firm {name}", "customer_since": EARLY, "group_id": group, "known_on": EARLY}
        for name, group in (("A", "G"), ("B", "G"), ("Z", None))
    ]
    invoice = {"customer_id": "A", "kind": "invoice", "currency": "EUR", "order_id": None}

    def document(name, issued, due, amount, **more):
        row = {**invoice, "invoice_id": name, "issued_on": issued, "due_on": due, "amount": Decimal(amount)}
        return {**row, "known_on": issued, **more}

    invoices = [
        document("old", EARLY, dt.date(2023, 2, 15), 900),
        document("one", dt.date(2024, 1, 1), dt.date(2024, 1, 31), 1000, order_id="O1"),
        document("two", dt.date(2024, 3, 1), dt.date(2024, 4, 30), 3000),
        document("note", dt.date(2024, 3, 1), None, -500, kind="credit_note"),
        document("bad", dt.date(2023, 6, 1), dt.date(2023, 7, 1), 5000, customer_id="B"),
    ]
    payment = {"payment_id": "P", "invoice_id": "old", "customer_id": "A", "paid_on": dt.date(2023, 2, 15)}
    part = {**payment, "payment_id": "Q", "invoice_id": "one", "paid_on": dt.date(2024, 2, 1)}
    payments = [
        {**payment, "amount": Decimal(900), "known_on": dt.date(2023, 2, 15)},
        {**part, "amount": Decimal(400), "known_on": dt.date(2024, 2, 1)},
    ]
    dispute = {"dispute_id": "D", "invoice_id": "two", "customer_id": "A", "opened_on": dt.date(2024, 3, 5)}
    order = {"customer_id": "A", "ordered_on": dt.date(2024, 1, 1), "known_on": dt.date(2024, 1, 1)}
    orders = [
        {**order, "order_id": "O1", "amount": Decimal(1000), "cancelled_on": None},
        {**order, "order_id": "O2", "amount": Decimal(250), "cancelled_on": None},
        {**order, "order_id": "O3", "amount": Decimal(99), "cancelled_on": dt.date(2024, 2, 2)},
        {**order, "order_id": "O4", "amount": Decimal(70), "cancelled_on": dt.date(2024, 4, 2)},
    ]
    limit = {"customer_id": "A", "currency": "EUR", "valid_to": OPEN_ENDED, "known_on": EARLY}
    limits = [
        {**limit, "valid_from": EARLY, "limit_amount": Decimal(5000)},
        {**limit, "valid_from": dt.date(2024, 2, 1), "limit_amount": Decimal(8000)},
        {**limit, "valid_from": dt.date(2024, 4, 1), "limit_amount": Decimal(1)},
    ]
    cover = {"customer_id": "A", "valid_from": EARLY, "known_on": EARLY}
    covers = [
        {
            **cover,
            "cover_id": "1",
            "kind": "insurance",
            "amount": Decimal(3000),
            "covered_share": 0.9,
            "valid_to": None,
        },
        {**cover, "cover_id": "2", "kind": "guarantee", "amount": Decimal(1000), "covered_share": 0.5, "valid_to": DAY},
        {**cover, "cover_id": "3", "kind": "factoring", "amount": Decimal(77), "covered_share": 1.0, "valid_to": None},
        {**cover, "cover_id": "4", "kind": "collateral", "amount": Decimal(5), "covered_share": 1.0, "valid_to": EARLY},
    ]
    account = {"customer_id": "A", "period_months": 9, "currency": "EUR", "cost_of_sales": Decimal(300)}
    financials = [
        {**account, "period_end": dt.date(2022, 12, 31), "equity": Decimal(10), "known_on": dt.date(2023, 6, 1)},
        {**account, "period_end": dt.date(2023, 12, 31), "equity": Decimal(20), "known_on": DAY + dt.timedelta(days=1)},
    ]
    override = {"customer_id": "A", "reason": "visit", "made_by": "M", "valid_from": EARLY, "known_on": EARLY}
    overrides = [
        {
            **override,
            "override_id": "1",
            "kind": "grade",
            "from_value": "5",
            "to_value": "4",
            "valid_to": dt.date(2024, 6, 30),
        },
        {**override, "override_id": "2", "kind": "limit", "from_value": "1", "to_value": "2", "valid_to": EARLY},
    ]
    event = {"event_id": "E", "customer_id": "A", "kind": "external_rating", "occurred_on": EARLY, "known_on": EARLY}
    rows = {
        "customers": customers,
        "invoices": invoices,
        "payments": payments,
        "disputes": [{**dispute, "amount": Decimal(100), "known_on": dt.date(2024, 3, 5)}],
        "orders": orders,
        "limits": limits,
        "covers": covers,
        "financials": financials,
        "overrides": overrides,
        "events": [event],
    }
    return {name: pa.Table.from_pylist(each) for name, each in rows.items()}


@pytest.fixture(scope="module")
def found(engine, definition):
    ledger = ledger_of(engine.register, tables(), "EUR", dt.date(2024, 12, 31))
    asked = pa.table({"customer_id": ["A", "B", "Z", "unknown"], "as_of": pa.array([DAY] * 4)})
    rows = positions(ledger, engine.register("asked", spine(asked)), definition, engine.keep).to_pyarrow()
    return {row["customer_id"]: row for row in rows.to_pylist()}


def test_what_is_owed_leaves_credit_notes_out(found):
    row = found["A"]
    assert (row["open_amount"], row["overdue_amount"], row["disputed_amount"]) == (3600, 600, 100)
    assert row["max_days_past_due"] == 60


def test_committed_orders_are_neither_invoiced_nor_cancelled_by_then(found):
    assert found["A"]["committed_orders_amount"] == 250 + 70


def test_billing_terms_and_items_due_of_twelve_months(found):
    row = found["A"]
    assert row["billing_12m_amount"] == 1000 + 3000 - 500
    assert row["mean_terms_days"] == (1000 * 30 + 3000 * 60) / 4000
    assert row["invoices_due_12m_count"] == 1
    assert row["history_months"] == 14


def test_limit_cover_accounts_and_decisions_are_those_in_force_and_known(found):
    row = found["A"]
    assert (row["limit_current"], row["limit_valid_from"]) == (8000, dt.date(2024, 2, 1))
    assert (row["cover_amount"], row["cover_ends_on"]) == (4000, DAY)
    assert row["covered_share"] == pytest.approx(0.8, abs=1e-15)
    assert (row["equity_amount"], row["accounts_end_on"]) == (10, dt.date(2022, 12, 31))
    assert row["cost_of_sales_amount"] == 400  # 300 in nine months
    assert (row["grade_override"], row["grade_override_ends_on"]) == ("4", dt.date(2024, 6, 30))
    assert (row["limit_override"], row["limit_override_ends_on"]) == (None, None)
    assert row["has_external_rating"] is True


def test_a_default_in_the_group_is_told_of_the_others_only(found):
    assert (found["B"]["is_in_default"], found["B"]["default_on"]) == (True, dt.date(2023, 9, 29))
    assert (found["A"]["group_default_count"], found["B"]["group_default_count"]) == (1, 0)
    assert found["Z"]["group_default_count"] is None


def test_a_customer_with_nothing_owes_zero_and_is_not_in_the_book(found):
    for name, firm in (("Z", "Firm Z"), ("unknown", None)):
        row = found[name]
        assert (row["name"], row["is_in_book"], row["is_in_default"]) == (firm, False, False)
        assert (row["open_amount"], row["committed_orders_amount"], row["cover_amount"]) == (0, 0, 0)
        assert (row["limit_current"], row["mean_terms_days"], row["covered_share"]) == (None, None, None)
        assert (row["limit_valid_from"], row["cover_ends_on"], row["cost_of_sales_amount"]) == (None, None, None)
        assert (row["max_days_past_due"], row["history_months"], row["has_external_rating"]) == (0, 0, False)
