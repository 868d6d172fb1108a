"""The engine's columns equal plain loops over the same rows: on random books, and on small ledgers full of edges."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.features.catalog import FEATURES

DAYS = [dt.date(2022, 8, 31), dt.date(2023, 2, 28), dt.date(2023, 11, 17), dt.date(2024, 5, 31)]


def test_columns_are_what_loops_find_on_every_book_of_the_laws(court, oracle):
    """A random book, what the laws make of it, history by hand and a hundred small ledgers, on either engine."""
    assert len(court.rows) > 1000
    assert differences(court.whole, court.rows, oracle) == []


def test_columns_are_what_loops_find(books, oracle, build):
    book = books.random_book(1)
    customers = sorted({row["customer_id"] for row in book["customers"]})
    rows = build(book.arrow(), DAYS, customers).to_pylist()
    assert len(rows) == len(DAYS) * len(customers)
    assert differences(book, rows, oracle) == []


def test_the_loops_tell_every_column_of_the_catalogue(books, oracle):
    told = oracle.columns(books.random_book(1, customers=1), "0000", DAYS[0])
    assert set(told) == {feature.name for feature in FEATURES}


def test_the_loops_see_something_in_every_column(books, oracle):
    book = books.random_book(1)
    views = [oracle.View(book, day) for day in DAYS]
    customers = sorted({row["customer_id"] for row in book["customers"]})
    found = [oracle.told(view, customer) for customer in customers for view in views]
    assert [name for name in found[0] if len({row[name] for row in found}) < 2] == []


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_columns_are_what_loops_find_in_any_small_ledger(books, stories, oracle, build, data):
    book = data.draw(stories.ledgers())
    customers = sorted({row["customer_id"] for row in book["customers"]})
    rows = build(book.arrow(), stories.as_of, customers).to_pylist()
    assert differences(book, rows, oracle) == []


def differences(book, rows, oracle):
    """(column, customer, day, engine, loops) of every value that is not what the loops find."""
    views = {day: oracle.View(book, day) for day in {row["as_of"] for row in rows}}
    wrong = []
    for row in rows:
        for name, expected in oracle.told(views[row["as_of"]], row["customer_id"]).items():
            if not _equal(row[name], expected):
                wrong.append((name, row["customer_id"], row["as_of"].isoformat(), row[name], expected))
    return wrong


def _equal(found, expected):
    if found is None or expected is None or isinstance(expected, str):
        return found == expected
    return found == pytest.approx(float(expected), rel=1e-9, abs=1e-8)
