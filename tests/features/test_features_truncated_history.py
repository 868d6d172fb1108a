"""Features of what was known by a day equal those that the whole history gives for it: nothing reaches back in time."""

import datetime as dt
import random

import pytest

from pipeline.features.catalog import FEATURES

FIRST, LAST = dt.date(2021, 9, 1), dt.date(2024, 6, 30)
SPECIAL = [dt.date(2024, 2, 29), dt.date(2023, 2, 28), dt.date(2022, 12, 31), dt.date(2023, 3, 31),
           dt.date(2023, 10, 31), dt.date(2024, 4, 30)]  # fmt: skip
WITH_INDUSTRIES = 22
NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def days():
    """29 February, month ends, and 24 random days."""
    draw = random.Random(29)
    rest = [FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days) if FIRST + dt.timedelta(n) not in SPECIAL]
    return SPECIAL + draw.sample(rest, 24)


@pytest.fixture(scope="module")
def book(books):
    """Five customers, two of one industry: the letters of the alphabet are what tells truncated books apart."""
    found = books.random_book(11, customers=5)
    for row in found["customers"]:
        row["industry"] = row["industry"] and f"C{row['industry'][1:]}"
    found["indicators"] = [row for row in found["indicators"] if not row["series"].startswith("industry:G")]
    return found


@pytest.fixture(scope="module")
def wholes(book):
    """The book, and the book without industries for the days for which there is no letter left."""
    nameless = book.copy()
    for row in nameless["customers"]:
        row["industry"] = None
    return {"whole": book, "whole, nameless": nameless}


def test_a_truncated_history_gives_the_rows_of_the_whole_one(wholes, days, variants, beside, features_of):
    cut = {day.isoformat(): ("whole", day) for day in days[:WITH_INDUSTRIES]}
    cut |= {day.isoformat(): ("whole, nameless", day) for day in days[WITH_INDUSTRIES:]}
    both = beside(wholes | {name: variants.truncated(wholes[whole], day) for name, (whole, day) in cut.items()})
    customers = sorted({row["customer_id"] for row in wholes["whole"]["customers"]})
    pairs = [(day, both.named(name, c)) for name in cut for c in customers for day in [cut[name][1]]]
    pairs += [(day, both.named(whole, c)) for whole, day in cut.values() for c in customers]
    found = features_of(both.book(), pairs)
    differing = {}
    for name, (whole, day) in cut.items():
        expected = [row for row in both.of(whole, found) if row["as_of"] == day]
        differing[name] = variants.same_but(both.of(name, found), expected, NAMES)
        assert len(expected) == len(customers)
    assert {name: columns for name, columns in differing.items() if columns} == {}


def test_much_of_the_history_is_cut(book, days, variants):
    """The law would hold of an empty book: every day sees rows, and rows come after it."""
    whole = sum(len(rows) for rows in book.values())
    kept = [sum(len(rows) for rows in variants.truncated(book, day).values()) for day in days]
    assert min(kept) > 100
    assert max(kept) < whole
