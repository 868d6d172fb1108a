"""Published runs of a few customers, and the targets they are handed on to."""

from __future__ import annotations

import importlib.util
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.deliver.delta import delta_target
from pipeline.deliver.postgres import postgres_target
from pipeline.deliver.published import published_day
from pipeline.score.policy import read_policy
from pipeline.score.publish import previous_run, publish

VARIABLE = "CREDITBOOK_TEST_DSN"
_NUMBERS = count()


def _small_books():
    path = Path(__file__).parents[1] / "score" / "conftest.py"
    spec = importlib.util.spec_from_file_location("small_books", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def books():
    """tests/score/conftest.py: a small model and books of positions."""
    return _small_books()


@pytest.fixture
def published(books, repository, tmp_path):
    """Publishes a day of some customers under `tmp_path/data/scored`; another `ledger` makes another run of the day."""
    policy, model = read_policy(repository / "policy"), books.small_model()
    out = tmp_path / "data" / "scored"

    def night(day, *customers, ledger="d"):
        book = books.book_of(*({**customer, "as_of": day} for customer in customers or [{}]))
        positions, features = book.positions[: len(customers)], book.features[: len(customers)]
        run = books.scored_book(positions, features, model, policy, previous_run(out, day), day)
        told = {"data_version": ledger * 64, "code_version": "c" * 64, "base_currency": "EUR"}
        return published_day(day, publish(run, out, told))

    return night


@pytest.fixture
def dsn(postgres_server):
    return f"host={postgres_server} user=judge dbname=postgres"


@pytest.fixture
def schema():
    """A schema of the test's own."""
    return f"book_{next(_NUMBERS)}"


@pytest.fixture
def postgres(dsn, schema):
    return postgres_target(dsn, VARIABLE, schema, 5)


@pytest.fixture
def reader(dsn):
    """A consumer's connection, which sees what is committed."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def delta(tmp_path):
    return delta_target(tmp_path / "lake")


@pytest.fixture
def told():
    """The rows of a table of a run as plain values, with the run and the day before them."""

    def rows(run, name):
        found = pq.read_table(run.folder / f"{name}.parquet").to_pylist()
        return [{"run_id": run.run_id, "as_of": run.as_of, **row} for row in found]

    return rows
