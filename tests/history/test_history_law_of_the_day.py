"""Nothing known after a day changes what was true on it; what was known before does."""

import copy
import dataclasses
import datetime as dt
import random

import pyarrow as pa
import pytest

from pipeline.history.default_status import default_status
from pipeline.history.open_items import open_items
from pipeline.history.paid_items import paid_items
from pipeline.history.point_in_time import known_rows
from pipeline.history.position import positions
from pipeline.history.snapshots import customers_in_book, spine
from pipeline.tables.canonical import ledger_of

DAY = dt.date(2024, 1, 31)
EXTRACT = dt.date(2025, 6, 30)


def asked(engine, book, days):
    names = sorted({row["customer_id"] for row in book["customers"]})
    rows = [(name, day) for day in days for name in names]
    return engine.register(
        "asked", spine(pa.table({"customer_id": [r[0] for r in rows], "as_of": pa.array([r[1] for r in rows])}))
    )


def everything(engine, ledger, snapshots, definition):
    """All that the history tells of the snapshots, sorted, by name."""
    found = {name: known_rows(ledger, name, snapshots) for name in ("invoices", "payments", "disputes", "events")}
    found["open"] = open_items(ledger, snapshots)
    found["paid"] = paid_items(ledger, snapshots, 12)
    found["status"] = default_status(ledger, snapshots, definition, engine.keep)
    told = {name: rows.to_pyarrow().to_pylist() for name, rows in found.items()}
    told["position"] = positions(ledger, snapshots, definition, engine.keep).to_pyarrow().to_pylist()
    days = sorted({row["as_of"] for row in told["status"]})
    told["book"] = customers_in_book(ledger, days).to_pyarrow().to_pylist()
    return {name: sorted(rows, key=repr) for name, rows in told.items()}


def with_absurd_rows(book, after):
    """Every row told anew after the day, with another truth, and as many rows of new keys dated before it."""
    absurd = copy.deepcopy(book)
    for name, rows in book.items():
        for number, row in enumerate(rows):
            known_on = after + dt.timedelta(days=1 + number % 90)
            twisted = {**row, "known_on": known_on}
            if row.get("amount") is not None:
                twisted["amount"] = twisted["amount_document"] = row["amount"] * 7
            if name == "invoices":
                twisted |= {"due_on": dt.date(2023, 1, 1), "issued_on": dt.date(2023, 1, 1), "written_off_on": known_on}
            absurd[name].append({k: v for k, v in twisted.items() if k in row})
            own = f"{name[:-1]}_id"
            absurd[name].append({**absurd[name][-1], own: f"absurd-{name}-{number}"})
    # One revision per key and day of knowledge, as the contract has it.
    keys = {name: {} for name in absurd}
    for name, rows in absurd.items():
        for row in rows:
            key = tuple(row[k] for k in row if k.endswith("_id") and k not in ("customer_id", "group_id"))
            keys[name][key or row["customer_id"], row["known_on"]] = row
    return {name: list(rows.values()) for name, rows in keys.items()}


def test_absurd_rows_known_after_the_day_change_nothing(engine, loops, definition):
    book = loops.random_book(21, customers=30)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    before = everything(engine, ledger, asked(engine, book, [DAY]), definition)
    absurd = with_absurd_rows(book, DAY)
    other = ledger_of(engine.register, loops.tables_of(absurd), "EUR", EXTRACT)
    after = everything(engine, other, asked(engine, book, [DAY]), definition)
    assert min(len(rows) for rows in before.values()) > 0
    for name, rows in before.items():
        assert after[name] == rows, name
    later = asked(engine, book, [DAY + dt.timedelta(days=60)])
    assert len(open_items(other, later).to_pyarrow()) != len(open_items(ledger, later).to_pyarrow())


def test_rows_known_on_the_day_itself_count(engine, loops, definition):
    book = loops.random_book(21, customers=10)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    told = {"customer_id": "C001", "known_on": DAY, "amount": loops.money(7), "amount_document": loops.money(7)}
    invoice = {"invoice_id": "new", "kind": "invoice", "issued_on": DAY, "due_on": DAY, "currency": "EUR"}
    book["invoices"].append({**told, **invoice, "written_off_on": None})
    part = {"amount": loops.money(3), "amount_document": loops.money(3)}
    book["payments"].append({**told, **part, "payment_id": "new", "invoice_id": "new", "paid_on": DAY})
    event = {"event_id": "new", "customer_id": "C001", "kind": "insolvency", "occurred_on": DAY, "known_on": DAY}
    book["events"].append(event)
    before = everything(engine, ledger, asked(engine, book, [DAY]), definition)
    other = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    after = everything(engine, other, asked(engine, book, [DAY]), definition)
    (item,) = [row for row in after["open"] if row["invoice_id"] == "new"]
    assert item["open_amount"] == 4
    assert [row["amount"] for row in after["paid"] if row["invoice_id"] == "new"] == [3]
    assert len(after["open"]) == len(before["open"]) + 1
    assert after["status"] != before["status"]


def test_the_row_of_a_panel_is_the_row_of_its_day(engine, loops, definition):
    book = loops.random_book(22, customers=30)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    days = [dt.date(2023, 8, 31), DAY, dt.date(2024, 6, 30)]
    panel = everything(engine, ledger, asked(engine, book, days), definition)
    alone = everything(engine, ledger, asked(engine, book, [DAY]), definition)
    for name, rows in alone.items():
        assert [row for row in panel[name] if row["as_of"] == DAY] == rows, name


def test_the_position_of_one_customer_does_not_depend_on_who_else_is_asked_for(engine, loops, definition):
    book = loops.random_book(23, customers=30)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    everyone = asked(engine, book, [DAY])
    rows = positions(ledger, everyone, definition, engine.keep).to_pyarrow().to_pylist()
    grouped = [row for row in rows if row["group_default_count"]]
    assert grouped
    one = engine.keep(everyone.filter(everyone.customer_id == grouped[0]["customer_id"]), "one")
    assert positions(ledger, one, definition, engine.keep).to_pyarrow().to_pylist() == grouped[:1]


def test_the_order_of_rows_does_not_matter(engine, loops, definition):
    book = loops.random_book(24, customers=30)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    rng = random.Random(0)
    shuffled = {}
    for name, table in ledger.tables.items():
        rows = table.to_pyarrow()
        order = list(range(rows.num_rows))
        rng.shuffle(order)
        shuffled[name] = engine.register(f"shuffled_{name}", rows.take(pa.array(order, pa.int64())))
    other = dataclasses.replace(ledger, tables=shuffled)
    snapshots = asked(engine, book, [DAY])
    assert everything(engine, other, snapshots, definition) == everything(engine, ledger, snapshots, definition)


@pytest.mark.slow
def test_defaults_and_open_items_of_the_demo_economy_are_what_loops_find(engine, loops, definition, monkeypatch):
    book_module = pytest.importorskip("pipeline.tables.demo.book")
    tables = book_module.demo_book(customers=40, months=24, seed=5).tables
    ledger = ledger_of(engine.register, tables, "EUR")
    day = ledger.extract_date - dt.timedelta(days=100)
    names = ("customers", "invoices", "payments", "disputes", "orders", "events")
    book = {name: ledger.tables[name].to_pyarrow().to_pylist() for name in names}
    book["events"] = [row for row in book["events"] if row["kind"] == "insolvency"]
    monkeypatch.setattr(loops, "START", min(row["issued_on"] for row in book["invoices"]))
    snapshots = asked(engine, book, [day])
    rows = open_items(ledger, snapshots).to_pyarrow().to_pylist()
    told = {r["invoice_id"]: (r["open_amount"], r["disputed_amount"], r["days_past_due"]) for r in rows}
    assert told == {name: row[:3] for name, row in loops.open_items(book, day).items()}
    status = default_status(ledger, snapshots, definition, engine.keep).to_pyarrow().to_pylist()
    found = {r["customer_id"]: (r["default_on"], r["default_reason"]) for r in status if r["is_in_default"]}
    expected = {}
    for name in (row["customer_id"] for row in status):
        own = {table: [row for row in rows if row["customer_id"] == name] for table, rows in book.items()}
        last = loops.defaults(own, name, day, definition)[-1:]
        if last and last[0][1] is None:
            expected[name] = (last[0][0], last[0][2])
    assert found == expected
