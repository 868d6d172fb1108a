"""An engine, random books and the loops that the engine's answers are held against."""

import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.engine import connect
from pipeline.features.build import features
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of


def _module(name):
    spec = importlib.util.spec_from_file_location(f"features_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def books():
    return _module("books")


@pytest.fixture(scope="session")
def oracle():
    return _module("oracle")


@pytest.fixture(scope="session")
def build():
    """Features of a book's customers on the days, sorted by (as_of, customer_id); `tables` are Arrow tables."""

    def run(tables, days, customers, threads=1):
        engine = connect(threads, "1GB")
        ledger = ledger_of(engine.register, tables)
        rows = [(day, customer) for day in days for customer in customers]
        asked = pa.table({"customer_id": [r[1] for r in rows], "as_of": pa.array([r[0] for r in rows], pa.date32())})
        snapshots = engine.register("asked", spine(asked))
        found = engine.collect(features(ledger, snapshots, engine.keep), ["as_of", "customer_id"])
        engine.close()
        return found

    return run
