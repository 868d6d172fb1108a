"""What counts as paid, how late, and which payment was the last."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.history.paid_items import paid_items
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of

DAY = dt.date(2024, 1, 31)


def invoice(name, due, amount, kind="invoice"):
    row = {"invoice_id": name, "customer_id": "C", "kind": kind, "issued_on": dt.date(2023, 3, 1), "due_on": due}
    return {**row, "amount": Decimal(amount), "currency": "EUR", "known_on": row["issued_on"]}


def payment(name, invoice_id, paid_on, amount, known_on=None):
    row = {"payment_id": name, "invoice_id": invoice_id, "customer_id": "C", "paid_on": paid_on}
    return {**row, "amount": Decimal(amount), "known_on": known_on or paid_on}


def paid(engine, invoices, payments, months=12, day=DAY):
    tables = {"invoices": pa.Table.from_pylist(invoices), "payments": pa.Table.from_pylist(payments)}
    ledger = ledger_of(engine.register, tables, "EUR", dt.date(2024, 12, 31))
    snapshots = engine.register("asked", spine(pa.table({"customer_id": ["C"], "as_of": pa.array([day])})))
    rows = paid_items(ledger, snapshots, months).to_pyarrow().to_pylist()
    return {(r["payment_id"], r["invoice_id"]): r for r in rows}


def test_days_late_run_from_the_due_day_and_early_is_negative(engine):
    due = dt.date(2023, 6, 1)
    rows = paid(
        engine,
        [invoice("A", due, 100), invoice("B", due, 100)],
        [payment("P", "A", dt.date(2023, 6, 21), 100), payment("Q", "B", dt.date(2023, 5, 30), 100)],
    )
    assert rows["P", "A"]["days_late"] == 20
    assert rows["Q", "B"]["days_late"] == -2
    assert rows["P", "A"]["invoice_amount"] == 100


def test_only_the_payment_that_settles_is_final(engine):
    rows = paid(
        engine,
        [invoice("A", dt.date(2023, 6, 1), 100), invoice("B", dt.date(2023, 6, 1), 100)],
        [
            payment("P", "A", dt.date(2023, 6, 1), 40),
            payment("Q", "A", dt.date(2023, 7, 1), 60),
            payment("R", "B", dt.date(2023, 6, 1), 99),
        ],
    )
    assert {key: row["is_final"] for key, row in rows.items()} == {
        ("P", "A"): False,
        ("Q", "A"): True,
        ("R", "B"): False,
    }


def test_a_bounced_payment_is_kept_as_a_negative_row_and_nothing_is_final_until_it_is_paid_again(engine):
    invoices = [invoice("A", dt.date(2023, 6, 1), 100)]
    payments = [payment("P", "A", dt.date(2023, 6, 1), 100), payment("B", "A", dt.date(2023, 6, 10), -100)]
    rows = paid(engine, invoices, payments)
    assert [(r["is_bounced"], r["is_final"]) for r in (rows["P", "A"], rows["B", "A"])] == [
        (False, False),
        (True, False),
    ]
    rows = paid(engine, invoices, [*payments, payment("R", "A", dt.date(2023, 8, 1), 100)])
    assert {key[0] for key, row in rows.items() if row["is_final"]} == {"R"}


def test_clearing_against_a_credit_note_is_no_payment_but_cash_paid_beside_it_is(engine):
    invoices = [
        invoice("A", dt.date(2023, 6, 1), 100),
        invoice("N", None, -100, "credit_note"),
        invoice("B", dt.date(2023, 6, 1), 100),
        invoice("M", None, -30, "credit_note"),
    ]
    day = dt.date(2023, 6, 5)
    payments = [
        payment("clearing", "A", day, 100),
        payment("clearing", "N", day, -100),
        payment("mixed", "B", day, 100),
        payment("mixed", "M", day, -30),
    ]
    assert set(paid(engine, invoices, payments)) == {("mixed", "B")}


def test_an_item_settled_by_a_credit_note_has_no_final_payment(engine):
    invoices = [invoice("A", dt.date(2023, 6, 1), 100), invoice("N", None, -20, "credit_note")]
    payments = [
        payment("P", "A", dt.date(2023, 6, 1), 80),
        payment("K", "A", dt.date(2023, 6, 9), 20),
        payment("K", "N", dt.date(2023, 6, 9), -20),
    ]
    rows = paid(engine, invoices, payments)
    assert {key: row["is_final"] for key, row in rows.items()} == {("P", "A"): False}


@pytest.mark.parametrize(
    ("paid_on", "known_on", "is_seen"),
    [
        (dt.date(2023, 1, 31), dt.date(2023, 1, 31), False),  # the window begins after this day
        (dt.date(2023, 2, 1), dt.date(2023, 2, 1), True),
        (DAY, DAY, True),
        (DAY, dt.date(2024, 2, 1), False),  # known too late
        (dt.date(2024, 2, 1), DAY, False),  # told in advance, not happened yet
    ],
)
def test_the_window_is_open_at_its_start_and_closed_on_the_day(engine, paid_on, known_on, is_seen):
    early = {
        **invoice("A", dt.date(2023, 6, 1), 100),
        "issued_on": dt.date(2022, 1, 1),
        "known_on": dt.date(2022, 1, 1),
    }
    rows = paid(engine, [early], [payment("P", "A", paid_on, 100, known_on)])
    assert bool(rows) == is_seen


def test_an_unallocated_payment_is_not_told(engine):
    assert paid(engine, [invoice("A", DAY, 100)], [payment("P", None, dt.date(2024, 1, 1), 100)]) == {}
