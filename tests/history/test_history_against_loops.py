"""Open items, payments and defaults of random books full of trouble equal what plain loops over the days find."""

import datetime as dt

import pyarrow as pa
import pytest

from pipeline.history.default_status import default_status
from pipeline.history.open_items import open_items
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of

DAYS = [dt.date(2023, 6, 30), dt.date(2023, 10, 31), dt.date(2024, 1, 31), dt.date(2024, 4, 30), dt.date(2024, 6, 30)]


def panel(engine, book, days=DAYS):
    names = sorted({row["customer_id"] for row in book["customers"]})
    rows = [(name, day) for day in days for name in names]
    asked = pa.table({"customer_id": [r[0] for r in rows], "as_of": pa.array([r[1] for r in rows], pa.date32())})
    return engine.register("asked", spine(asked))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_open_items_are_what_loops_find(engine, loops, seed):
    book = loops.random_book(seed, customers=60)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", dt.date(2024, 12, 31))
    rows = open_items(ledger, panel(engine, book)).to_pyarrow().to_pylist()
    found = {
        (r["as_of"], r["invoice_id"]): (
            r["open_amount"],
            r["disputed_amount"],
            r["days_past_due"],
            r["overdue_amount"],
        )
        for r in rows
    }
    expected = {(day, name): told for day in DAYS for name, told in loops.open_items(book, day).items()}
    assert len(found) == len(rows) > 100
    assert found == expected


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_defaults_are_what_loops_find(engine, loops, definition, seed):
    book = loops.random_book(seed, customers=60)
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", dt.date(2024, 12, 31))
    rows = default_status(ledger, panel(engine, book), definition, engine.keep).to_pyarrow().to_pylist()
    found = {(r["customer_id"], r["as_of"]): (r["default_on"], r["default_reason"]) for r in rows if r["is_in_default"]}
    names = {row["customer_id"] for row in book["customers"]}
    told = {(name, day): loops.defaults(book, name, day, definition) for name in names for day in DAYS}
    expected = {key: (d[-1][0], d[-1][2]) for key, d in told.items() if d and d[-1][1] is None}
    assert len(rows) == 60 * len(DAYS)
    assert len(expected) > 20
    assert found == expected
