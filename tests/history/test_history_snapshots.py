"""Days, windows, who is in the book, and the cut to a day."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.history.point_in_time import in_hindsight, known_rows, known_series
from pipeline.history.snapshots import customers_in_book, month_ends, months_before, spine
from pipeline.tables.canonical import ledger_of

DAY = dt.date(2024, 2, 29)


def test_a_window_starts_the_same_day_of_the_month_clipped_to_its_length():
    rows = spine(pa.table({"customer_id": ["B", "A", "B"], "as_of": pa.array([DAY, dt.date(2024, 3, 31), DAY])}))
    assert rows["customer_id"].to_pylist() == ["B", "A", "B"]
    assert rows["since_1m"].to_pylist() == [dt.date(2024, 1, 29), DAY, dt.date(2024, 1, 29)]
    assert rows["since_12m"].to_pylist() == [dt.date(2023, 2, 28), dt.date(2023, 3, 31), dt.date(2023, 2, 28)]
    assert rows.column_names[-1] == "since_36m"


def test_months_run_forward_too():
    assert months_before(dt.date(2023, 11, 30), -3) == DAY


def test_month_ends_take_in_both_ends_and_nothing_beyond():
    assert month_ends(dt.date(2023, 12, 31), dt.date(2024, 2, 28)) == [dt.date(2023, 12, 31), dt.date(2024, 1, 31)]
    assert month_ends(dt.date(2024, 2, 1), dt.date(2024, 2, 28)) == []


@pytest.mark.parametrize("day", [dt.date(2023, 7, 31), dt.date(2024, 1, 31), dt.date(2024, 11, 30)])
def test_who_is_in_the_book_is_what_loops_find(engine, loops, day):
    book = loops.random_book(31, customers=60)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", dt.date(2025, 12, 31))
    rows = customers_in_book(ledger, [dt.date(2023, 2, 28), day]).to_pyarrow().to_pylist()
    found = [row["customer_id"] for row in rows if row["as_of"] == day]
    names = {row["customer_id"] for row in book["customers"]}
    expected = {name for name in names if loops.in_book(book, name, day, months_before(day, 12))}
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert 0 < len(expected) < 60 or day != dt.date(2024, 11, 30)


def disputed(engine, resolved_on):
    invoice = {"invoice_id": "A", "customer_id": "C", "kind": "invoice", "issued_on": DAY, "due_on": DAY}
    invoice |= {"amount": Decimal(10), "currency": "EUR", "known_on": DAY}
    dispute = {
        "dispute_id": "D",
        "invoice_id": "A",
        "customer_id": "C",
        "opened_on": dt.date(2024, 1, 1),
        "amount": None,
    }
    dispute |= {"resolved_on": resolved_on, "outcome": "rejected", "known_on": dt.date(2024, 1, 1)}
    indicator = {"series": "macro:pmi", "period_on": dt.date(2024, 1, 31), "value": 49.5, "known_on": DAY}
    revised = {**indicator, "value": 51.0, "known_on": dt.date(2024, 3, 5)}
    tables = {"invoices": [invoice], "disputes": [dispute], "indicators": [indicator, revised]}
    return ledger_of(
        engine.register, {k: pa.Table.from_pylist(v) for k, v in tables.items()}, "EUR", dt.date(2024, 3, 31)
    )


def days(engine, *dates):
    rows = spine(pa.table({"customer_id": ["C"] * len(dates), "as_of": pa.array(dates)}))
    return engine.register("days", rows)


def test_a_fact_revealed_later_reads_as_null_with_all_that_came_with_it(engine):
    ledger = disputed(engine, dt.date(2024, 3, 1))
    rows = known_rows(ledger, "disputes", days(engine, DAY, dt.date(2024, 3, 1))).order_by("as_of").to_pyarrow()
    assert rows["resolved_on"].to_pylist() == [None, dt.date(2024, 3, 1)]
    assert rows["outcome"].to_pylist() == [None, "rejected"]
    assert rows.column_names[:3] == ["dispute_id", "invoice_id", "customer_id"]


def test_a_series_is_told_once_per_day_in_the_revision_known_then(engine):
    snapshots = days(engine, dt.date(2024, 2, 28), DAY, dt.date(2024, 3, 31))
    rows = known_series(disputed(engine, None), snapshots, months=3).order_by("as_of").to_pyarrow().to_pylist()
    assert [(row["as_of"], row["value"]) for row in rows] == [(DAY, 49.5), (dt.date(2024, 3, 31), 51.0)]


def test_hindsight_is_the_last_revision_from_the_beginning(engine):
    final = in_hindsight(disputed(engine, dt.date(2024, 3, 1)))
    rows = known_series(final, days(engine, dt.date(2024, 2, 1))).to_pyarrow().to_pylist()
    assert [row["value"] for row in rows] == [51.0]


def test_hindsight_ends_at_the_extract_date(engine):
    final = in_hindsight(disputed(engine, dt.date(2024, 4, 30)))
    (row,) = final.tables["disputes"].to_pyarrow().to_pylist()
    assert (row["resolved_on"], row["outcome"]) == (None, None)
