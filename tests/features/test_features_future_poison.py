"""Future poison on a small random ledger: a right builder lets nothing in, one that knows a day too much is caught."""

import datetime as dt
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.flows.future_poison import poured_in
from pipeline.history.snapshots import spine
from pipeline.params import PoisonParams
from pipeline.tables.canonical import ledger_of
from pipeline.train.committee_ground import Ledger
from pipeline.train.committee_poison import Poison, PoisonedTable, poison_in, poison_result
from pipeline.train.sample import Sample

DAYS = [dt.date(2023, 8, 31), dt.date(2023, 9, 30)]
READ = ("mean_days_late_12m", "order_count_12m", "dispute_count_12m", "pmi", "equity_ratio", "tenure_months")
LIMITS = PoisonParams(customers=8, rows=10_000)


@pytest.fixture(scope="module")
def book(books):
    return books.random_book(7, customers=14)


@pytest.fixture(scope="module")
def panel(book):
    pairs = [(day, row["customer_id"]) for day in DAYS for row in book["customers"]]
    names = np.array([customer for _, customer in pairs], dtype=object)
    days = np.array([day for day, _ in pairs], dtype=object)
    return Sample(pd.DataFrame({"customer_id": names}), np.zeros(len(pairs)), names, days)


def ground(**ledger):
    return SimpleNamespace(ledger=Ledger(**ledger), label=SimpleNamespace(is_of_table=False), models={})


def built(engine, ledger, asked, *, knows=0):
    """Features of the days; those of so many days later where a builder knows too much."""
    moved = spine(asked.select(["customer_id"]).append_column("as_of", shifted(asked["as_of"], knows)))
    days = engine.register(f"asked_{ledger.data_version[:9]}_{knows}", moved)
    found = engine.collect(features(ledger, days, engine.keep, names=READ), ["as_of", "customer_id"])
    return found.set_column(found.column_names.index("as_of"), "as_of", shifted(found["as_of"], -knows))


def shifted(days, by):
    return pa.array([day + dt.timedelta(days=by) for day in days.to_pylist()], pa.date32())


def poured(engine, book, panel, **how):
    ledger = ledger_of(engine.register, book.arrow())
    return poured_in(engine, ledger, panel, partial(built, engine, **how), limits=LIMITS, seed=1)


def test_a_right_builder_lets_no_row_of_a_later_day_in_and_would_have_shown_it(book, panel):
    engine = connect_duckdb(1, "1GB")
    found = poured(engine, book, panel)
    engine.close()
    assert (found.snapshots, found.customers, found.columns) == (2 * 8, 8, len(READ))
    assert found.changed == {}
    assert set(found.noticed) == set(READ)
    by_name = {table.name: table for table in found.tables}
    assert set(by_name) == set(book)
    # Once anew and once under a new key; some of those keys were there already.
    assert by_name["payments"].rows < by_name["payments"].added
    assert by_name["overrides"].read_by == ()
    assert poison_result(ground(poison=found)).light == "green"


def test_a_builder_that_knows_a_day_too_much_is_red_and_says_by_which_column(book, panel):
    engine = connect_duckdb(1, "1GB")
    found = poison_result(ground(poison=poured(engine, book, panel, knows=1)))
    engine.close()
    assert found.light == "red"
    assert found.value >= 4
    assert found.part in READ


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_the_cluster_lets_nothing_in_either(book, panel, spark_engine):
    found = poured(spark_engine, book, panel)
    assert found.changed == {}
    assert set(found.noticed) == set(READ)


def test_groups_with_too_many_rows_are_passed_by_and_nobody_left_is_grey(book, panel):
    engine = connect_duckdb(1, "1GB")
    ledger = ledger_of(engine.register, book.arrow())
    few = replace(LIMITS, rows=1)
    none = poured_in(engine, ledger, panel, partial(built, engine), limits=few, seed=1)
    engine.close()
    assert none is None
    assert (poison_result(ground()).light, poison_result(ground()).why) == ("grey", "not_poisoned")


def rows(values, days=(1, 1, 3)):
    as_of = [dt.date(2024, 1, day) for day in days]
    return pa.table({"as_of": as_of, "customer_id": ["a", "b", "a"], "x": values})


def test_cells_are_compared_to_the_last_digit_before_and_after_the_day():
    table = PoisonedTable("invoices", 3, 6, ("x",))
    compare = partial(poison_in, last=dt.date(2024, 1, 2), tables=[table])
    same = compare(rows([0.1, None, 2.0]), rows([0.1, None, 3.0]))
    assert (same.snapshots, same.customers, same.columns) == (2, 2, 1)
    assert (same.changed, same.noticed) == ({}, {"x": 1})
    for other in ([0.1, 0.0, 2.0], [0.1 + 2e-17, None, 2.0], [0.10000000000000002, None, 2.0]):
        changed = compare(rows([0.1, None, 2.0]), rows(other)).changed
        assert changed == ({} if other[0] == 0.1 and other[1] is None else {"x": 1}), other
    assert compare(rows([0.0, None, 2.0]), rows([-0.0, None, 2.0])).changed == {"x": 1}


def test_a_poison_that_nothing_could_notice_is_grey():
    blind = Poison(10, 5, 3, {}, {}, (PoisonedTable("invoices", 3, 6, ("x",)),))
    found = poison_result(ground(poison=blind))
    assert (found.light, found.why, found.is_blind) == ("grey", "poison_unseen", True)
    assert found.details[0] == {
        "table": "invoices", "rows": 3, "added": 6, "columns": 1, "changed": 0, "noticed": 0,
    }  # fmt: skip
