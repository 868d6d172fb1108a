"""The ledgers of the benchmarks: copies that share nothing, and one plain enough for featuretools."""

import datetime as dt

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.big_book import rows_of, tiled
from benchmarks.pandas_features import NAMES
from benchmarks.plain_ledger import plain_ledger
from pipeline.engine import connect_duckdb
from pipeline.flows.setting import ledger_in
from pipeline.history.day_numbers import number_of
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.revisions import NEVER_SUPERSEDED

DAYS = [dt.date(2025, 6, 30), dt.date(2025, 12, 31)]


@pytest.fixture(scope="module")
def three_copies(demo, tmp_path_factory):
    return tiled(demo, 3, tmp_path_factory.mktemp("tiled") / "ledger")


def test_a_tiled_ledger_holds_every_row_of_every_copy_once(demo, three_copies):
    before, after = rows_of(demo), rows_of(three_copies)
    assert after == {name: rows * (1 if name in ("fx_rates", "indicators") else 3) for name, rows in before.items()}
    for name in after:
        rows = pq.read_table(three_copies / f"{name}.parquet")
        assert rows.num_rows == after[name]
        key = [*BY_NAME[name].key, "known_on"]
        assert rows.group_by(key).aggregate([]).num_rows == rows.num_rows
        ordered = pc.sort_indices(rows, [(column, "ascending", "at_start") for column in key])
        assert ordered.to_pylist() == list(range(rows.num_rows)), f"{name} does not stand in canonical order"


def test_a_tiled_ledger_opens_and_no_two_copies_are_tied(three_copies):
    engine = connect_duckdb(1, "1GB")
    ledger_in(engine, three_copies)
    engine.close()
    customers = pq.read_table(three_copies / "customers.parquet").to_pandas()
    copy = customers["customer_id"].str.split(".").str[0]
    for tie in ("group_id", "bank_account", "phone", "address"):
        told = customers[tie].notna()
        assert copy[told].groupby(customers.loc[told, tie]).nunique().max() == 1, tie


def test_each_copy_of_a_customer_has_the_features_of_the_original(demo, three_copies, by_the_engine):
    customers = sorted(set(pq.read_table(demo / "customers.parquet")["customer_id"].to_pylist()))
    original = by_the_engine(demo, customers, DAYS, NAMES)
    for copy in range(3):
        copied = by_the_engine(three_copies, [f"{copy}.{customer}" for customer in customers], DAYS, NAMES)
        pd.testing.assert_frame_equal(copied[list(NAMES)], original[list(NAMES)])


def test_a_plain_ledger_tells_everything_on_its_day_and_only_once(demo, tmp_path):
    plain = plain_ledger(demo, tmp_path / "plain")
    assert set(rows_of(plain)) == {"customers", "invoices", "payments", "orders"}
    invoices = pq.read_table(plain / "invoices.parquet").to_pandas()
    assert set(invoices["kind"]) <= {"invoice", "debit_note"}
    assert invoices["written_off_on"].isna().all()
    assert invoices["invoice_id"].is_unique
    assert (invoices["known_on"] == invoices["issued_on"]).all()
    assert (invoices["superseded_on"] == NEVER_SUPERSEDED).all()
    payments = pq.read_table(plain / "payments.parquet").to_pandas()
    assert 0 < len(payments) <= rows_of(demo)["payments"]
    issued = payments["invoice_id"].map(invoices.set_index("invoice_id")["issued_on"])
    assert (payments["paid_on"].map(number_of) >= issued.map(number_of)).all()
