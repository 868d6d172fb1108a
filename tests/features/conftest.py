"""Engines, random books, small ledgers and the loops that the engines' answers are held against."""

import dataclasses
import importlib.util
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pipeline.engine import connect_duckdb
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
def engine_of(kind, request):
    """An engine of the kind with two threads or workers; whoever asks for it closes it."""

    def engine():
        return request.getfixturevalue("spark").engine() if kind == "spark" else connect_duckdb(2, "1GB")

    return engine


@pytest.fixture(scope="session")
def features_of(engine_of, tmp_path_factory):
    """Features of the pairs (day, customer) of a book as plain rows, sorted by (as_of, customer_id).

    The book lies in files of many row groups, its rows in any order, as are the pairs.
    """

    def run(book, pairs):
        engine = engine_of()
        ledger = _in_any_order(engine, book, tmp_path_factory.mktemp("files"))
        found = asked(engine, ledger, random.Random(5).sample(pairs, len(pairs)))
        engine.close()
        assert found.schema.field("as_of").type == pa.date32()
        return found.to_pylist()

    return run


def _in_any_order(engine, book, folder):
    draw = random.Random(3)
    ledger = ledger_of(lambda _, rows: rows, book.arrow())
    tables = {}
    for name, rows in ledger.tables.items():
        order = draw.sample(range(rows.num_rows), rows.num_rows)
        path = folder / f"{name}.parquet"
        pq.write_table(rows.take(pa.array(order, pa.int64())), path, row_group_size=97)
        tables[name] = engine.read(path, name)
    return dataclasses.replace(ledger, tables=tables)


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
    """`of(name)`: the rows of a variant as if it were alone, on the days that the laws compare.

    `panel`: the unchanged book's rows on all its days; `rows`: all there are; `whole`: the book they came from.
    """
    examples, parts = _module("examples"), _module("court")
    histories = {f"history, revised: {revised}": examples.history(books, revised=revised) for revised in (True, False)}
    small = (many_stories, _module("ledgers").AS_OF)
    plea = parts.plea(book, (histories, examples.DAYS), small, _module("variants"), _module("beside").Beside)
    rows = features_of(plea.whole, plea.pairs)
    panel = plea.both.of(parts.AS_IT_IS, rows)

    def of(name):
        found = panel if name == parts.AS_IT_IS else plea.both.of(name, rows)
        return [row for row in found if name != parts.AS_IT_IS or row["as_of"] == parts.DAY]

    return SimpleNamespace(of=of, panel=panel, rows=rows, whole=plea.whole)


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
