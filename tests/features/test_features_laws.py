"""Laws over the whole catalogue: the day, the panel, row order, absent tables, currency, split payments."""

import datetime as dt
import random
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.engine import connect
from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Holds, Unit
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import Ledger, ledger_of
from pipeline.tables.ledger import BY_NAME, TABLES

DAY = dt.date(2023, 9, 30)
PANEL = [dt.date(2023, 6, 30), DAY, dt.date(2024, 2, 29)]
SOURCES = sorted({table for feature in FEATURES for table in feature.source})


@pytest.fixture(scope="module")
def book(books):
    return books.random_book(7, customers=14)


@pytest.fixture(scope="module")
def customers(book):
    return sorted({row["customer_id"] for row in book["customers"]})


@pytest.fixture(scope="module")
def of_day(book, build, customers):
    return build(book.arrow(), [DAY], customers)


def same(one, other):
    """Equal to the last bit: schema, values and nulls."""
    return one.schema.equals(other.schema) and not changed(one, other)


def changed(one, other):
    return {name for name in one.column_names if not one[name].combine_chunks().equals(other[name].combine_chunks())}


def absurd(row, table, place):
    """The row with figures beyond belief: dates keep their order, the key stays."""
    odd = dict(row)
    for column in BY_NAME[table].canonical_schema:
        name = column.name
        if name in BY_NAME[table].key or name in ("customer_id", "currency", "known_on", "kind") or odd[name] is None:
            continue
        if pa.types.is_decimal(column.type):
            odd[name] = odd[name] * 977 + Decimal("0.01") * place
        elif pa.types.is_floating(column.type):
            odd[name] = odd[name] * 31 + 3
        elif pa.types.is_boolean(column.type):
            odd[name] = not odd[name]
        elif column.type == pa.string() and name in ("industry", "group_id", "size_class", "outcome"):
            odd[name] = {"industry": "Z99", "group_id": "G9", "size_class": "odd", "outcome": "partial"}[name]
        elif name in ("founded_on", "customer_since", "due_on", "issued_on", "ordered_on", "paid_on", "opened_on"):
            odd[name] = odd[name] - dt.timedelta(days=45)
    return odd


def with_late_knowledge(book, table):
    """Every row of the table revised beyond belief and doubled under a new key, all of it learned after the day."""
    twin = book.copy()
    key = BY_NAME[table].key[0]
    for place, row in enumerate(book[table]):
        learned = max(row["known_on"], DAY) + dt.timedelta(days=1)
        twin[table].append(absurd(row, table, place) | {"known_on": learned})
        if table not in ("customers", "fx_rates"):
            copy = (
                {key: f"new-{row[key]}"} if key != "customer_id" else {BY_NAME[table].key[1]: DAY - dt.timedelta(place)}
            )
            twin[table].append(absurd(row, table, place) | copy | {"known_on": learned})
    return unique(twin, table)


def unique(book, table):
    """Without rows that share key and `known_on` with another: the ledger's contract."""
    rows = {}
    for row in book[table]:
        rows[tuple(row[name] for name in (*BY_NAME[table].key, "known_on"))] = row
    book[table] = list(rows.values())
    return book


def test_nothing_learned_after_the_day_in_any_table_changes_its_rows(book, build, customers, of_day):
    told_later = book
    for table in TABLES:
        told_later = with_late_knowledge(told_later, table.name)
        assert len(told_later[table.name]) > len(book[table.name])
    found = build(told_later.arrow(), [DAY], customers)
    assert changed(of_day, found) == set()
    assert same(of_day, found)


def test_nothing_that_happens_after_the_day_changes_its_rows_even_when_announced_before(book, build, customers, of_day):
    twin = book.copy()
    for table in ("invoices", "payments", "disputes", "orders", "events", "indicators", "contracts", "financials"):
        contract = BY_NAME[table]
        for row in book[table][::3]:
            later = {contract.event_on: DAY + dt.timedelta(days=9), "known_on": min(row["known_on"], DAY)}
            if table == "invoices":
                later["due_on"] = DAY + dt.timedelta(days=20)
            fresh = {} if contract.event_on in contract.key else {contract.key[0]: f"fresh-{row[contract.key[0]]}"}
            twin[table].append(row | later | fresh)
        unique(twin, table)
    assert changed(of_day, build(twin.arrow(), [DAY], customers)) == set()


@pytest.mark.parametrize("table", SOURCES)
def test_what_was_known_before_the_day_does_change_its_rows(book, build, customers, of_day, table):
    twin = book.copy()
    twin[table] = [absurd(row, table, place) for place, row in enumerate(book[table])]
    found = changed(of_day, build(twin.arrow(), [DAY], customers))
    of_table = {feature.name for feature in FEATURES if table in feature.source}
    assert found & of_table


def test_a_day_in_a_panel_equals_the_day_alone_byte_for_byte(book, build, customers):
    panel = build(book.arrow(), PANEL, customers)
    for day in PANEL:
        alone = build(book.arrow(), [day], customers)
        assert same(panel.filter(pc.equal(panel["as_of"], pa.scalar(day, pa.date32()))), alone), day


def test_a_customer_alone_equals_the_customer_in_the_book(book, build, customers, of_day):
    for customer in customers[::6]:
        alone = build(book.arrow(), [DAY], [customer])
        assert same(of_day.filter(pc.equal(of_day["customer_id"], customer)), alone), customer


def test_row_order_and_threads_are_irrelevant(book, of_day, customers):
    engine = connect(2, "1GB")
    draw = random.Random(3)
    tables = {}
    for name, rows in book.arrow().items():
        order = draw.sample(range(rows.num_rows), rows.num_rows)
        tables[name] = engine.register(name, rows.take(pa.array(order, pa.int64())))
    ledger = Ledger(tables, frozenset(tables), dt.date(2024, 12, 31), "EUR", "shuffled")
    mixed = draw.sample(customers, len(customers))
    asked = pa.table({"customer_id": mixed, "as_of": pa.array([DAY] * len(mixed), pa.date32())})
    found = features(ledger, engine.register("asked", spine(asked)), engine.keep)
    assert same(of_day, engine.collect(found, ["as_of", "customer_id"]))
    engine.close()


def test_a_second_call_leaves_the_first_result_true(book, of_day, customers):
    engine = connect(1, "1GB")
    ledger = ledger_of(engine.register, book.arrow())

    def asked(name, day):
        rows = pa.table({"customer_id": customers, "as_of": pa.array([day] * len(customers), pa.date32())})
        return features(ledger, engine.register(name, spine(rows)), engine.keep)

    first = asked("first", DAY)
    asked("second", PANEL[0])
    assert same(of_day, engine.collect(first, ["as_of", "customer_id"]))
    engine.close()


def test_features_of_absent_tables_are_null_and_the_others_stay(book, build, customers, of_day):
    needed = {"customers", "invoices", "payments"}
    found = build({name: rows for name, rows in book.arrow().items() if name in needed}, [DAY], customers)
    for feature in FEATURES:
        if set(feature.source) <= needed:
            assert found[feature.name].equals(of_day[feature.name]), feature.name
        else:
            assert found[feature.name].null_count == len(customers), feature.name
    assert found.schema.equals(of_day.schema)


def test_counts_are_zero_and_means_null_for_a_customer_without_rows(book, build):
    twin = book.copy()
    twin.add(
        "customers", customer_id="quiet", name="Quiet", customer_since=dt.date(2020, 1, 1), known_on=dt.date(2020, 1, 1)
    )
    row = build(twin.arrow(), [DAY], ["quiet"]).to_pylist()[0]
    zero = ("order_count_12m", "invoice_count_12m", "litigation_count_24m", "bounced_payment_count_3m", "open_amount",
            "dispute_count_12m", "contract_count", "broken_promise_count_12m")  # fmt: skip
    assert {row[name] for name in zero} == {0.0}
    null = ("mean_days_late_12m", "open_share_over_30_days_past_due", "dso_12m", "utilisation", "current_ratio",
            "external_rating", "group_overdue_share", "cover_to_open", "late_obligation_share_12m")  # fmt: skip
    assert {row[name] for name in null} == {None}
    assert row["tenure_months"] == pytest.approx((DAY - dt.date(2020, 1, 1)).days / 30.4375)


def test_columns_are_in_catalogue_order_typed_and_finite(of_day):
    assert of_day.column_names == ["customer_id", "as_of", *(feature.name for feature in FEATURES)]
    for feature in FEATURES:
        kind = pa.string() if feature.holds is Holds.CATEGORY else pa.float64()
        assert of_day.schema.field(feature.name).type == kind, feature.name
        if kind == pa.float64():
            assert pc.all(pc.is_finite(of_day[feature.name])).as_py() is not False, feature.name
    assert [feature.name for feature in FEATURES if of_day[feature.name].null_count == of_day.num_rows] == []


def test_another_currency_scale_changes_money_only(book, build, customers, of_day):
    twin = book.copy()
    for name, rows in twin.items():
        decimals = [c.name for c in BY_NAME[name].canonical_schema if pa.types.is_decimal(c.type)]
        for row in rows:
            row.update({column: row[column] * 10 for column in decimals if row[column] is not None})
            if row.get("kind") == "promise_to_pay" and row["value"] is not None:
                row["value"] *= 10
    found = build(twin.arrow(), [DAY], customers)
    for feature in FEATURES:
        factor = 10 if feature.unit is Unit.MONEY else 1
        for before, after in zip(of_day[feature.name].to_pylist(), found[feature.name].to_pylist(), strict=True):
            if before is None or isinstance(before, str):
                assert after == before, feature.name
            else:
                assert after == pytest.approx(before * factor, rel=1e-6, abs=1e-6), feature.name


def test_splitting_a_payment_changes_no_feature_weighted_by_amount(book, build, customers, of_day):
    twin = book.copy()
    for row in book["payments"]:
        if row["invoice_id"] is None or row["amount"] < 1 or row["payment_id"].startswith("X"):
            continue
        part = (row["amount"] / 4).quantize(Decimal("0.01"))
        twin["payments"].remove(row)
        for suffix, amount in (("", part), ("-b", row["amount"] - part)):
            split = {"payment_id": f"{row['payment_id']}{suffix}", "amount": amount, "amount_document": amount}
            twin["payments"].append(row | split)
    found = changed(of_day, build(twin.arrow(), [DAY], customers))
    assert found == {"part_payment_share_12m", "part_payment_share_24m"}
