"""A small demo ledger, as the benchmarks make theirs, and what the engine gives for one in a folder."""

import importlib.util
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.big_book import demo_ledger
from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.flows.setting import ledger_in
from pipeline.history.snapshots import spine


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    return demo_ledger(tmp_path_factory.mktemp("demo"), customers=12, months=18)


@pytest.fixture(scope="session")
def books():
    path = Path(__file__).parent.parent / "features" / "books.py"
    spec = importlib.util.spec_from_file_location("features_books", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def by_the_engine():
    """The named columns of a canonical folder for customers and days, sorted by day and customer."""

    def run(folder, customers, days, names):
        engine = connect_duckdb(1, "1GB")
        rows = [(day, customer) for day in days for customer in customers]
        asked = pa.table({"customer_id": [r[1] for r in rows], "as_of": pa.array([r[0] for r in rows], pa.date32())})
        snapshots = engine.register("asked", spine(asked))
        found = engine.collect(
            features(ledger_in(engine, folder), snapshots, engine.keep, names), ["as_of", "customer_id"]
        )
        engine.close()
        return pd.DataFrame(found.to_pydict())

    return run
