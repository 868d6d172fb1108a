"""The engine's columns equal plain loops over the same rows."""

import datetime as dt

import pytest

DAYS = [dt.date(2022, 8, 31), dt.date(2023, 2, 28), dt.date(2023, 11, 17), dt.date(2024, 5, 31)]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_columns_are_what_loops_find(books, oracle, build, seed):
    book = books.random_book(seed)
    customers = sorted({row["customer_id"] for row in book["customers"]})
    rows = build(book.arrow(), DAYS, customers).to_pylist()
    assert len(rows) == len(DAYS) * len(customers)
    wrong = []
    told = set()
    for row in rows:
        for name, expected in oracle.columns(book, row["customer_id"], row["as_of"]).items():
            told.add(name)
            if not _equal(row[name], expected):
                wrong.append((name, row["customer_id"], row["as_of"].isoformat(), row[name], expected))
    assert wrong == []
    assert len(told) >= 20


def test_the_loops_see_something_in_every_column(books, oracle):
    book = books.random_book(1)
    customers = sorted({row["customer_id"] for row in book["customers"]})
    found = [oracle.columns(book, customer, day) for customer in customers for day in DAYS]
    assert [name for name in found[0] if len({row[name] for row in found}) < 2] == []


def _equal(found, expected):
    if found is None or expected is None or isinstance(expected, str):
        return found == expected
    return found == pytest.approx(float(expected), rel=1e-9, abs=1e-8)
