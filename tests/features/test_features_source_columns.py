"""Every feature names the ledger's columns it is told from: they exist, and nothing else changes it."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.features.catalog import FAMILIES, FEATURES, by_name
from pipeline.report.data_dictionary import markdown
from pipeline.tables.ledger import TABLES

DAY = dt.date(2023, 9, 30)
ALWAYS = {f"{table.name}.{name}" for table in TABLES for name in (*table.key, "customer_id", "known_on")}
EVERY = [f"{table.name}.{name}" for table in TABLES for name in table.canonical_schema.names]
NAMED = {column for feature in FEATURES for column in feature.columns}
OTHER_WORDS = {"invoices.kind": "debit_note", "events.kind": "lien", "covers.kind": "factoring",
               "disputes.outcome": "partial", "customers.group_id": "G2"}  # fmt: skip


@pytest.fixture(scope="module")
def book(books):
    return books.random_book(7, customers=12)


@pytest.fixture(scope="module")
def asked(build, book):
    return sorted({row["customer_id"] for row in book["customers"]})


@pytest.fixture(scope="module")
def of_day(build, book, asked):
    return build(book.arrow(), [DAY], asked)


def test_every_column_named_is_a_column_of_the_contract():
    assert set(EVERY) >= NAMED
    assert [feature.name for feature in FEATURES if not feature.columns] == []


def test_columns_stand_in_the_ledgers_order_and_follow_what_the_definition_touches():
    assert all(list(f.columns) == sorted(f.columns, key=EVERY.index) for f in FEATURES)
    assert by_name("current_ratio").columns == ("financials.current_assets", "financials.current_liabilities")
    assert "invoices.due_on" in by_name("mean_days_late_12m").columns
    assert "invoices.due_on" not in by_name("round_payment_share_12m").columns


def test_a_relation_says_where_every_column_that_a_measure_touches_comes_from():
    for family in FAMILIES:
        told = family.relation.outline().columns
        assert set(told) >= set(family.relation.columns)
        assert family.measure(family.relation.outline()) is not None


def test_the_dictionary_shows_them_by_table():
    assert "`financials`: current_assets, current_liabilities" in markdown()


def odd(column, kind, value):
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return value * 3 + Decimal("1.17")
    if pa.types.is_date(kind):
        return value - dt.timedelta(days=300 if column == "invoices.written_off_on" else 11)
    if pa.types.is_boolean(kind):
        return not value
    if pa.types.is_string(kind):
        return OTHER_WORDS.get(column, f"{value}x")
    return value + 3


def changed_in(book, columns):
    twin = book.copy()
    for name in columns:
        table, column = name.split(".")
        kind = next(t for t in TABLES if t.name == table).canonical_schema.field(column).type
        for row in twin[table]:
            row[column] = odd(name, kind, row[column])
    return twin


MONEY_OF_ITEMS = ("invoices.amount", "payments.amount")
OF_DOCUMENTS = ("invoices.amount_document", "payments.amount_document")
OF_FIRMS = tuple(c for c in EVERY if c.split(".")[0] in ("customers", "orders", "contracts", "obligations"))
OF_OTHERS = tuple(c for c in EVERY if c.split(".")[0] in ("financials", "events", "limits", "covers", "disputes"))
GROUPS = {
    "amounts in base currency": MONEY_OF_ITEMS,
    "amounts of documents": OF_DOCUMENTS,
    "due days": ("invoices.due_on",),
    "days of issue": ("invoices.issued_on",),
    "days of payment": ("payments.paid_on",),
    "write-offs": ("invoices.written_off_on",),
    "kinds of document": ("invoices.kind",),
    "of firms, even places": OF_FIRMS[::2],
    "of firms, odd places": OF_FIRMS[1::2],
    "of others, even places": OF_OTHERS[::2],
    "of others, odd places": OF_OTHERS[1::2],
    "indicators": ("indicators.value",),
}


def test_the_groups_hold_every_column_that_a_feature_names():
    assert {column for columns in GROUPS.values() for column in columns} >= NAMED - ALWAYS


@pytest.mark.parametrize("group", GROUPS)
def test_a_column_changes_only_the_features_that_name_it(book, build, asked, of_day, group):
    columns = set(GROUPS[group]) - ALWAYS
    found = build(changed_in(book, sorted(columns)).arrow(), [DAY], asked)
    changed = {f.name for f in FEATURES if not found[f.name].equals(of_day[f.name])}
    naming = {f.name for f in FEATURES if columns & set(f.columns)}
    assert changed <= naming
    assert changed & naming


def test_a_column_that_nobody_names_changes_nothing(book, build, asked, of_day):
    unnamed = set(EVERY) - NAMED - ALWAYS
    assert unnamed >= {"customers.name", "invoices.order_id", "limits.approved_by", "overrides.reason"}
    assert build(changed_in(book, sorted(unnamed)).arrow(), [DAY], asked).equals(of_day)
