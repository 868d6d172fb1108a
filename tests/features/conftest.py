"""Engines, random books, small ledgers and the loops that the engines' answers are held against."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pipeline.engine import connect, connect_duckdb
from pipeline.features.build import features
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of

HERE = Path(__file__).parent
IN_PROCESS = pytest.param("duckdb", marks=pytest.mark.xdist_group("laws"))
ON_SPARK = pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.xdist_group("spark")])


def _module(name):
    """A module or package of this folder, under a name of its own."""
    if f"features_{name}" in sys.modules:
        return sys.modules[f"features_{name}"]
    folder = HERE / name
    path, inside = (folder / "__init__.py", [str(folder)]) if folder.is_dir() else (HERE / f"{name}.py", None)
    spec = importlib.util.spec_from_file_location(f"features_{name}", path, submodule_search_locations=inside)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def books():
    return _module("books")


@pytest.fixture(scope="session")
def oracle():
    return _module("oracle")


@pytest.fixture(scope="session")
def variants():
    return _module("variants")


@pytest.fixture(scope="session")
def absences():
    return _module("absences")


@pytest.fixture(scope="session")
def beside():
    """Many books in one ledger: class `Beside`."""
    return _module("beside").Beside


@pytest.fixture(scope="session")
def stories(books, oracle):
    """The strategy of small ledgers."""
    return _module("ledgers").Stories(books, oracle.months_before)


@pytest.fixture(scope="session")
def many_stories(stories):
    """Dozens of small ledgers in one, each with customers, groups and keys of its own: rows per table."""
    drawn = []

    @settings(max_examples=70, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(stories.ledgers())
    def draw(book):
        drawn.append(book)

    draw()
    return _module("beside").in_one(drawn)


@pytest.fixture(scope="session", params=[IN_PROCESS, ON_SPARK])
def kind(request):
    """Each engine in turn."""
    return request.param


@pytest.fixture(scope="session")
def opened(kind, request, tmp_path_factory):
    """Opens an engine of the kind; whoever opens it closes it."""

    def engine(threads=1):
        if kind == "duckdb":
            return connect_duckdb(threads, "1GB")
        return connect(request.getfixturevalue("spark_cluster").params(), tmp_path_factory.mktemp("spark"))

    return engine


@pytest.fixture(scope="session")
def features_of(opened):
    """Features of the pairs (day, customer) of a book as plain rows, sorted by (as_of, customer_id)."""

    def run(book, pairs):
        engine = opened()
        found = asked(engine, ledger_of(engine.register, book.arrow()), pairs).to_pylist()
        engine.close()
        return found

    return run


@pytest.fixture(scope="session")
def book(books):
    """The random book that the laws change."""
    return books.random_book(7, customers=14)


@pytest.fixture(scope="session")
def customers(book):
    return _module("court").customers_of(book)


@pytest.fixture(scope="session")
def examples():
    return _module("examples")


@pytest.fixture(scope="session")
def court(book, books, many_stories, features_of):
    """`of(name)`: the rows of a variant as if it were alone; `rows`: all of them; `whole`: the book they came from."""
    examples, parts = _module("examples"), _module("court")
    histories = {f"history, revised: {revised}": examples.history(books, revised=revised) for revised in (True, False)}
    small = (many_stories, _module("ledgers").AS_OF)
    plea = parts.plea(book, (histories, examples.DAYS), small, _module("variants"), _module("beside").Beside)
    rows = features_of(plea.whole, plea.pairs)
    return SimpleNamespace(of=lambda name: plea.both.of(name, rows), rows=rows, whole=plea.whole)


@pytest.fixture(scope="session")
def build():
    """Features of a book's customers on the days, sorted by (as_of, customer_id); `tables` are Arrow tables."""

    def run(tables, days, customers):
        engine = connect_duckdb(1, "1GB")
        pairs = [(day, customer) for day in days for customer in customers]
        found = asked(engine, ledger_of(engine.register, tables), pairs)
        engine.close()
        return found

    return run


@pytest.fixture(scope="session")
def ask():
    """Features of the pairs (day, customer) of an open ledger."""
    return asked


def asked(engine, ledger, pairs):
    days = pa.array([day for day, _ in pairs], pa.date32())
    wanted = pa.table({"customer_id": pa.array([customer for _, customer in pairs], pa.string()), "as_of": days})
    found = features(ledger, engine.register("asked", spine(wanted)), engine.keep)
    return engine.collect(found, ["as_of", "customer_id"])
