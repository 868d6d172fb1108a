"""A small ledger full of late knowledge, its items at month ends, and the policy in force."""

import datetime as dt
import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.engine import connect_duckdb
from pipeline.flows.policy_file import section_in
from pipeline.history.open_items import open_items
from pipeline.history.receivables import billed, lost_items
from pipeline.history.snapshots import month_ends_back, spine
from pipeline.score.portfolio.ageing import Buckets, items_frame
from pipeline.score.portfolio.sections import CollectionsSection, ProvisionsSection
from pipeline.tables.canonical import ledger_of

AS_OF = dt.date(2024, 4, 30)
MONTHS = 14


@pytest.fixture(scope="session")
def loops():
    path = Path(__file__).parents[1] / "history" / "loops.py"
    spec = importlib.util.spec_from_file_location("loops", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def provisions(repository):
    return section_in(repository / "policy" / "provisions.yaml", ProvisionsSection)


@pytest.fixture(scope="session")
def collections(repository):
    return section_in(repository / "policy" / "collections.yaml", CollectionsSection)


@pytest.fixture(scope="session")
def buckets(provisions):
    return Buckets(provisions.bucket_ends)


@pytest.fixture(scope="session")
def book(loops):
    return loops.random_book(7, customers=50)


@pytest.fixture(scope="session")
def days():
    return month_ends_back(AS_OF, MONTHS)


@pytest.fixture(scope="session")
def ledger(loops, book, days, buckets):
    """What the engine tells of the book: open items as a frame, lost items, billing."""
    engine = connect_duckdb(1, "1GB")
    opened = ledger_of(engine.register, loops.tables_of(book), "EUR", dt.date(2024, 12, 31))
    names = sorted({row["customer_id"] for row in book["customers"]})
    pairs = [(name, day) for day in days for name in names]
    asked = pa.table({"customer_id": [n for n, _ in pairs], "as_of": pa.array([d for _, d in pairs], pa.date32())})
    views = engine.register("asked", spine(asked))
    told = {
        "items": items_frame(engine.collect(open_items(opened, views), ("as_of", "invoice_id")), buckets),
        "lost": engine.collect(lost_items(opened, AS_OF, 90), ("invoice_id",)).to_pylist(),
        "billed": engine.collect(billed(opened, views), ("as_of", "customer_id")).to_pylist(),
    }
    engine.close()
    return told


@pytest.fixture(scope="session")
def items(ledger):
    return ledger["items"]


@pytest.fixture(scope="session")
def rows(items):
    """The same items as plain mappings, for loops."""
    return items.to_dict("records")
