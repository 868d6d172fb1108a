"""Only what the columns asked for need is built, and it is the same to the last bit whatever is asked for."""

import dataclasses
import datetime as dt
import random

import pyarrow as pa
import pytest

from pipeline.engine import connect_duckdb
from pipeline.features import build
from pipeline.features.build import features
from pipeline.features.catalog import BY_SUBJECT, FAMILIES, FEATURES
from pipeline.features.demand import Asked, demand
from pipeline.features.relation import Kept, Read, Relation, told
from pipeline.features.sight import Sight
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of

DAYS = [dt.date(2022, 8, 31), dt.date(2023, 9, 30), dt.date(2024, 5, 31)]
NAMES = [feature.name for feature in FEATURES]
TEN = ("mean_days_late_12m", "paydex_12m", "worst_days_late_12m", "open_amount", "open_share_over_0_days_past_due",
       "oldest_days_past_due", "dso_12m", "order_count_3m", "invoice_count_12m", "billing_trend_12m")  # fmt: skip
OF_OTHERS = {"peers", "group", "industry", "links"}
FAMILY = {family.column(months): family for family in FAMILIES for months in family.windows or (None,)}
ALONE = [name for name in NAMES if FAMILY[name].relation.name not in OF_OTHERS]
STRANGER = "nobody"


def _subsets():
    found = {"the ten": TEN}
    found |= {
        subject.value: [family.column(months) for family in families for months in family.windows or (None,)]
        for subject, families in BY_SUBJECT.items()
    }
    # The last column of each relation alone: nothing else asks for what it needs.
    found |= {f"alone in {FAMILY[name].relation.name}": [name] for name in NAMES}
    for seed in range(4):
        found[f"drawn {seed}"] = random.Random(seed).sample(NAMES, 2 + 5 * seed)
    return found


SUBSETS = _subsets()


@pytest.fixture(scope="module")
def book(books):
    return books.random_book(11, customers=12)


@pytest.fixture(scope="module")
def everyone(book):
    return [*sorted({row["customer_id"] for row in book["customers"]}), STRANGER]


@pytest.fixture(scope="module")
def shop(book):
    """An engine with the ledger of the book; `ask(names, customers)` gives the columns and the tables kept for them."""
    engine = connect_duckdb(1, "1GB")
    ledger = prepared(ledger_of(engine.register, book.arrow()), engine.keep)

    def ask(names, customers):
        kept = {}

        def keep(expression, name):
            kept[name] = engine.keep(expression, name)
            return kept[name]

        pairs = [(customer, day) for day in DAYS for customer in customers]
        rows = pa.table({"customer_id": [c for c, _ in pairs], "as_of": pa.array([d for _, d in pairs], pa.date32())})
        found = features(ledger, engine.register(f"asked_{len(kept)}", spine(rows)), keep, names)
        return engine.collect(found, ["as_of", "customer_id"]), kept

    yield ask
    engine.close()


@pytest.fixture(scope="module")
def whole(shop, everyone):
    return shop(None, everyone)[0]


@pytest.mark.parametrize("asked", SUBSETS)
def test_columns_are_the_same_whatever_else_is_asked_for(shop, whole, everyone, asked):
    names = [name for name in NAMES if name in SUBSETS[asked]]
    found, _ = shop(SUBSETS[asked], everyone)
    assert found.equals(whole.select(["customer_id", "as_of", *names]))


@pytest.mark.parametrize("asked", ["the ten", "drawn 3", "group and outside events"])
def test_customers_asked_for_alone_get_the_same(shop, whole, everyone, asked):
    for customers in (everyone[3:4], everyone[5:8], [STRANGER]):
        found, _ = shop(SUBSETS[asked], customers)
        of_them = [place for place, customer in enumerate(whole["customer_id"].to_pylist()) if customer in customers]
        assert found.equals(whole.select(found.column_names).take(of_them))


def test_nobody_else_is_built_where_nothing_tells_of_others(shop, everyone):
    customers = everyone[:2]
    _, kept = shop(ALONE, customers)
    assert _customers_in(kept) == set(customers)


def test_everybody_is_built_where_something_tells_of_others(shop, everyone):
    _, kept = shop(["group_default_count"], everyone[:2])
    assert _customers_in(kept) == set(everyone) - {STRANGER}


def _customers_in(kept):
    """Customers of the tables that were kept with a row per day; what follows from the ledger alone is everybody's."""
    days = [rows for name, rows in kept.items() if name.startswith("features_") and "customer_id" in rows.columns]
    assert days
    return {customer for rows in days for customer in rows.customer_id.to_pyarrow().to_pylist()}


def test_rows_reach_no_further_back_than_is_asked(monkeypatch, shop, everyone):
    reached = {}
    monkeypatch.setattr(build, "Sight", _noting(lambda sight, relation: reached.update(sight.asked_of)))
    shop(TEN, everyone)
    months = {relation.name: asked.months for relation, asked in reached.items() if relation.windows}
    assert months == {"paid": 12, "payment_rows": 12, "orders": 3, "invoices": 12}
    assert not {"habit", "paid_sums", "open_before", "ordered", "limits", "customers"} & {r.name for r in reached}


def test_without_a_window_rows_reach_as_far_as_the_relation_does(monkeypatch, shop, everyone):
    reached = {}
    monkeypatch.setattr(build, "Sight", _noting(lambda sight, relation: reached.update(sight.asked_of)))
    shop(["days_since_last_order", "order_count_3m"], everyone)
    assert {relation.name: asked.months for relation, asked in reached.items()} == {"orders": 18}


def test_rows_are_stored_only_where_enough_passes_read_them(shop, everyone):
    def stored(names):
        return {name.split("ibis")[0].rstrip("_") for name in shop(names, everyone)[1]}

    assert "features_orders" not in stored(["order_count_3m"])
    assert "features_orders" not in stored(["order_count_3m", "order_count_12m"])
    assert "features_orders" in stored(["order_count_3m", "order_count_12m", "days_since_last_order"])
    assert "features_payment_rows" not in stored(["mean_days_late_3m"])
    assert "features_payment_rows" in stored(["mean_days_late_3m", "mean_days_late_12m"])


def test_totals_are_taken_in_the_pass_that_measures_the_same_rows(monkeypatch, shop, everyone):
    told = []
    monkeypatch.setattr(build, "Sight", _noting(lambda sight, relation: told.append((sight.reader, relation.name))))
    beside = ("dso_12m", "invoice_count_12m")
    both, kept = shop(beside, everyone)
    assert [reader for reader, name in told if name == "invoices" and reader is None] == [None]
    passes = {name.split("ibis")[0].rstrip("_"): rows.columns for name, rows in kept.items()}
    assert "total_billed_billed_12m_amount" in passes["features_invoices_12"]
    for name in beside:
        assert shop([name], everyone)[0][name].equals(both[name])
    assert both["dso_12m"].null_count < both.num_rows


def test_totals_of_another_window_are_taken_alone(shop, everyone):
    _, kept = shop(["dso_12m", "days_since_last_invoice"], everyone)
    assert not [column for rows in kept.values() for column in rows.columns if column.startswith("total_")]


def test_every_read_that_is_declared_is_one_and_no_other(monkeypatch, shop, everyone):
    read = set()

    def note(sight, relation):
        if sight.reader is not None:
            read.add((sight.reader.name, relation.name))

    monkeypatch.setattr(build, "Sight", _noting(note))
    shop(None, everyone)
    assert read == {(relation.name, r.relation.name) for relation in _relations() for r in relation.reads}


def _relations():
    """Every relation that a feature is measured of, and all that they read."""
    return list(demand({(family.relation, None): frozenset(family.relation.columns) for family in FAMILIES}))


def _noting(note):
    """Sight that tells `note` of every relation asked for."""

    class Noting(Sight):
        def rows(self, relation, months=None):
            note(self, relation)
            return super().rows(relation, months)

        def totals(self):
            note(self, self.reader.totals.of)
            return super().totals()

    return Noting


def test_reading_without_saying_so_is_refused():
    orders = Relation("orders", ("orders",), lambda sight: None)
    secret = Relation("secret", ("orders",), lambda sight: sight.rows(orders))
    sight = Sight(None, None, None, demand({(secret, None): frozenset()}))
    with pytest.raises(LookupError, match="relation secret reads orders without saying so; add it to its reads"):
        sight.rows(secret)


def test_what_is_only_handed_on_is_read_where_it_is_asked_for():
    one = Relation("one", (), lambda sight: None, (3, 12), columns={"a": told("int8"), "b": told("int8")})
    other = Relation("other", (), lambda sight: None)
    reads = (Read(one, 12, passed_on=("a",)), Read(other))
    reader = Relation("reader", (), lambda sight: None, columns={"a": told("int8"), "c": told("int8")}, reads=reads)
    assert demand({(reader, None): frozenset({"c"})}) == {
        reader: Asked(0, frozenset("c"), uses=1),
        other: Asked(uses=1),
    }
    assert demand({(reader, None): frozenset("ac")})[one] == Asked(12, frozenset("a"), uses=1)


def test_rows_that_are_not_stored_are_read_anew_at_every_use():
    rows = Relation("rows", (), lambda sight: None, (3, 12))
    view = Relation("view", (), lambda sight: None, (3, 12), reads=(Read(rows),))
    stored = dataclasses.replace(view, name="stored", kept=Kept.ALWAYS)
    for reader, uses in ((view, 2), (stored, 1)):
        asked = demand({(reader, 3): frozenset(), (reader, 12): frozenset()})
        assert asked[rows] == Asked(12, uses=uses)
