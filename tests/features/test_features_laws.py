"""Laws over the whole catalogue, on both engines: the day, revealed knowledge, calendars, currencies, split payments.

A random book and what a law makes of it stand beside each other in one ledger, and must get equal rows to the last bit.
"""

import datetime as dt

import pyarrow as pa
import pytest

from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Holds, Unit
from pipeline.tables.ledger import TABLES

DAY = dt.date(2023, 9, 30)
NAMES = [feature.name for feature in FEATURES]
SOURCES = sorted({table for feature in FEATURES for table in feature.source})
COUNTED_BY_PAYMENTS = {"part_payment_share_12m", "part_payment_share_24m", "round_payment_share_12m"}


def test_nothing_learned_after_the_day_in_any_table_changes_its_rows(court, book, variants):
    later = variants.told_later(book, DAY)
    assert [table.name for table in TABLES if len(later[table.name]) <= len(book[table.name])] == []
    assert variants.same_but(court.of("told later"), court.of("as it is"), NAMES) == set()


def test_nothing_that_happens_after_the_day_changes_its_rows_even_when_announced_before(court, variants):
    assert variants.same_but(court.of("announced"), court.of("as it is"), NAMES) == set()


def test_what_was_known_before_the_day_does_change_its_rows(court, variants):
    unmoved = []
    for table in SOURCES:
        of_table = [f.name for f in FEATURES if table in f.source]
        if table not in ("customers", "indicators"):
            of_table = [name for name in of_table if "industry" not in name]
        if not variants.same_but(court.of(f"odd {table}"), court.of("as it is"), of_table):
            unmoved.append(table)
    assert unmoved == []


def test_four_calendar_years_added_to_every_date_change_nothing(court, variants):
    found = [row | {"as_of": row["as_of"] - variants.FOUR_YEARS} for row in court.of("four years on")]
    assert variants.same_but(found, court.of("as it is"), NAMES) == set()


def test_another_currency_scale_changes_money_only_and_by_the_scale(court):
    for before, after in zip(court.of("as it is"), court.of("times ten"), strict=True):
        for feature in FEATURES:
            expected = before[feature.name]
            if isinstance(expected, float):
                expected = pytest.approx(expected * (10 if feature.unit is Unit.MONEY else 1), rel=1e-6, abs=1e-6)
            assert after[feature.name] == expected, feature.name


def test_splitting_a_payment_changes_no_feature_weighted_by_amount(court, variants):
    assert variants.same_but(court.of("paid in two"), court.of("as it is"), NAMES) == COUNTED_BY_PAYMENTS


def test_values_are_finite_and_no_column_is_empty(court):
    rows = court.of("as it is")
    for feature in FEATURES:
        values = [row[feature.name] for row in rows if row[feature.name] is not None]
        assert values, feature.name
        if feature.holds is Holds.NUMBER:
            assert all(isinstance(v, float) and abs(v) < float("inf") for v in values), feature.name


def test_what_is_told_of_the_economy_later_changes_nothing(book, build, customers, variants, court):
    """The series of the whole economy are everybody's, so they have no firm of their own in the other laws."""
    twin = book.copy()
    twin["indicators"] = variants.told_later(book, DAY)["indicators"]
    assert len(twin["indicators"]) > 2 * len(book["indicators"])
    found = build(twin.arrow(), [DAY], customers)
    assert found.to_pylist() == court.of("as it is")
    _in_order_and_typed(found)


def test_features_of_absent_tables_are_null_and_the_others_stay(book, build, customers, court):
    needed = {"customers", "invoices", "payments"}
    found = build({name: rows for name, rows in book.arrow().items() if name in needed}, [DAY], customers)
    of_day = court.of("as it is")
    for feature in FEATURES:
        if set(feature.source) <= needed:
            assert found[feature.name].to_pylist() == [row[feature.name] for row in of_day], feature.name
        else:
            assert found[feature.name].null_count == len(customers), feature.name


def _in_order_and_typed(found):
    assert found.column_names == ["customer_id", "as_of", *NAMES]
    for feature in FEATURES:
        wanted = pa.string() if feature.holds is Holds.CATEGORY else pa.float64()
        assert found.schema.field(feature.name).type == wanted, feature.name
