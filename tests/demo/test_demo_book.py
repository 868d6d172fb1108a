"""The demo ledger: whole, valid, the same for the same seed, and written beside its truth."""

import datetime as dt
import hashlib
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.engine import read_parquet
from pipeline.errors import OutputError, ParameterError
from pipeline.params import IngestParams
from pipeline.tables.demo import book as book_module
from pipeline.tables.demo.book import demo_book, write_demo
from pipeline.tables.intake import intake
from pipeline.tables.ledger import BY_NAME, TABLES

EXTRACT = dt.date(2025, 12, 31)
HASHES = """
import hashlib, pathlib, sys
from pipeline.tables.demo.book import demo_book, write_demo
folder = pathlib.Path(sys.argv[1])
write_demo(demo_book(40, 12, 5), folder / "ledger")
for path in sorted(folder.rglob("*.parquet")):
    print(path.relative_to(folder), hashlib.sha256(path.read_bytes()).hexdigest())
"""


@pytest.fixture(scope="session")
def book(books):
    return books(300, 36, 1)


def hashes_under(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.parquet")}


def hashes_in_a_process_of_its_own(folder, hash_seed, zone):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone}
    run = subprocess.run(
        [sys.executable, "-c", HASHES, str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed_and_the_time_zone(tmp_path):
    first = hashes_in_a_process_of_its_own(tmp_path / "a", "0", "UTC")
    assert first == hashes_in_a_process_of_its_own(tmp_path / "b", "4711", "Asia/Shanghai")
    assert len(first.splitlines()) == 15


def test_another_seed_gives_another_ledger(tmp_path):
    for seed in (1, 2):
        write_demo(demo_book(40, 12, seed), tmp_path / str(seed) / "demo")
    one, two = hashes_under(tmp_path / "1"), hashes_under(tmp_path / "2")
    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


def test_the_truth_lies_beside_the_ledger_and_never_inside(tmp_path, book):
    write_demo(book, tmp_path / "demo")
    assert {p.name for p in (tmp_path / "demo").iterdir()} == {f"{t.name}.parquet" for t in TABLES}
    assert [p.name for p in (tmp_path / "demo-truth").iterdir()] == ["true_pd.parquet"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo", "demo-truth"]
    assert read_parquet(tmp_path / "demo" / "invoices.parquet").num_rows == book.tables["invoices"].num_rows
    assert not any("true_pd" in rows.column_names for rows in book.tables.values())


def test_writing_again_replaces_the_ledger_whole(tmp_path, book):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "stray.csv").write_text("left over")
    write_demo(book, tmp_path / "demo")
    assert not (tmp_path / "demo" / "stray.csv").exists()


def test_a_write_that_fails_leaves_the_old_ledger_as_it_was(tmp_path, book, monkeypatch):
    write_demo(book, tmp_path / "demo")
    before = hashes_under(tmp_path)

    def no_space(rows, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(book_module, "write_parquet", no_space)
    with pytest.raises(OutputError, match="cannot be written"):
        write_demo(demo_book(40, 12, 9), tmp_path / "demo")
    assert hashes_under(tmp_path) == before


@pytest.mark.parametrize(("customers", "months", "seed"), [(9, 12, 1), (40, 0, 1), (40, 12, -1)])
def test_a_book_too_small_is_refused(customers, months, seed):
    with pytest.raises(ParameterError, match="ask for at least"):
        demo_book(customers, months, seed)


@pytest.mark.parametrize(("customers", "months"), [(10, 1), (12, 3), (25, 30)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_tiny_book_has_all_its_tables_and_customers(customers, months, seed):
    book = demo_book(customers, months, seed)
    assert list(book.tables) == [t.name for t in TABLES]
    assert len(pc.unique(book.tables["customers"]["customer_id"])) == customers
    assert book.tables["invoices"].num_rows > 0


def test_all_fourteen_tables_have_rows_in_the_schema_of_their_contract(book):
    for table in TABLES:
        assert book.tables[table.name].schema == table.source_schema
        assert book.tables[table.name].num_rows > 0


def test_intake_puts_no_row_into_quarantine(tmp_path, book):
    write_demo(book, tmp_path / "demo")
    found = intake(tmp_path / "demo", None, IngestParams())
    assert sum(rows.num_rows for rows in found.quarantine.values()) == 0
    assert found.breaches == ()
    assert found.extract_date == EXTRACT
    assert {name: rows.num_rows for name, rows in found.tables.items()} == {
        name: rows.num_rows for name, rows in book.tables.items()
    }


@pytest.mark.parametrize("name", [t.name for t in TABLES])
def test_keys_are_unique_and_references_resolve_and_nothing_is_known_after_the_end(book, name):
    table, rows = BY_NAME[name], book.tables[name]
    key = rows.select([*table.key, "known_on"])
    assert key.group_by(key.column_names).aggregate([]).num_rows == rows.num_rows
    assert pc.max(rows["known_on"]).as_py() <= EXTRACT
    for column in table.columns:
        if column.references:
            there = book.tables[column.references][BY_NAME[column.references].key[0]].combine_chunks()
            assert pc.all(pc.is_in(rows[column.name].drop_null(), value_set=there)).as_py() in {True, None}


def test_the_ledger_ends_on_the_last_day_of_2025_and_starts_in_full_swing(book):
    issued = pa.table({"month": pc.strftime(book.tables["invoices"]["issued_on"], "%Y-%m")})
    counts = dict(zip(*issued.group_by("month").aggregate([([], "count_all")]).to_pydict().values(), strict=True))
    inside = [counts[month] for month in sorted(counts) if month >= "2023-01"]
    assert len(inside) == 36
    assert min(inside) > 0.5 * max(inside)
    carried_forward = sum(n for month, n in counts.items() if month < "2023-01")
    assert 0 < carried_forward < 3 * max(inside)


def test_one_posting_in_ten_is_late_and_a_few_by_a_month(book):
    payments = book.tables["payments"]
    paid = payments.filter(pc.starts_with(payments["payment_id"], "P"))
    lag = np.asarray(pc.days_between(paid["paid_on"], paid["known_on"]))
    assert 0.07 < (lag > 2).mean() < 0.13
    assert 0.0005 < (lag > 20).mean() < 0.01
    assert lag.min() >= 0


def test_a_payment_often_clears_several_invoices(book):
    payments = book.tables["payments"]
    runs = payments.group_by("payment_id").aggregate([([], "count_all")])["count_all"].to_numpy()
    assert (runs > 1).sum() > 50


def test_an_applied_credit_note_moves_the_same_cents_from_itself_to_its_invoice(book):
    payments = book.tables["payments"]
    clearing = payments.filter(pc.starts_with(payments["payment_id"], "C"))
    sums = clearing.group_by("payment_id").aggregate([("amount", "sum"), ([], "count_all")])
    assert clearing.num_rows > 50
    assert pc.all(pc.equal(sums["amount_sum"], 0)).as_py()
    assert set(sums["count_all"].to_pylist()) == {2}
    notes = book.tables["invoices"].filter(pc.equal(book.tables["invoices"]["kind"], "credit_note"))
    applied = pc.is_in(notes["invoice_id"], value_set=clearing["invoice_id"].combine_chunks())
    assert 0 < pc.sum(applied).as_py() < notes.num_rows


def test_no_invoice_is_paid_more_than_it_asks(book):
    invoices, payments = book.tables["invoices"], book.tables["payments"]
    owed = dict(zip(invoices["invoice_id"].to_pylist(), invoices["amount"].to_pylist(), strict=True))
    paid = payments.group_by("invoice_id").aggregate([("amount", "sum")]).to_pydict()
    pairs = [(owed[i], a) for i, a in zip(paid["invoice_id"], paid["amount_sum"], strict=True) if i and owed[i] > 0]
    assert all(amount <= asked for asked, amount in pairs)
    assert sum(amount == asked for asked, amount in pairs) > 0.9 * len(pairs)


def test_what_makes_a_ledger_hard_is_there(book):
    tables = book.tables
    payments, invoices, customers = tables["payments"], tables["invoices"], tables["customers"]
    assert payments["invoice_id"].null_count > 0
    assert pc.sum(pc.starts_with(payments["payment_id"], "B")).as_py() > 20
    assert set(pc.unique(invoices["currency"]).to_pylist()) == {"EUR", "USD", "CNY"}
    assert set(pc.unique(tables["fx_rates"]["currency"]).to_pylist()) == {"USD", "CNY"}
    assert invoices["written_off_on"].null_count < invoices.num_rows
    assert set(pc.unique(invoices["kind"]).to_pylist()) == {"invoice", "credit_note", "debit_note"}
    for name in ("customers", "invoices", "financials", "limits", "indicators"):
        keys = tables[name].group_by(list(BY_NAME[name].key)).aggregate([]).num_rows
        assert keys < tables[name].num_rows, f"{name} has no revision"
    assert len(pc.unique(customers["phone"])) < len(pc.unique(customers["customer_id"]))
    assert pc.any(customers["is_natural_person"]).as_py()
    assert pc.any(customers["is_public_body"]).as_py()
    kinds = set(pc.unique(tables["events"]["kind"]).to_pylist())
    assert {"insolvency", "litigation", "lien", "external_rating", "promise_to_pay", "payment_plan"} <= kinds


def test_written_off_invoices_are_sometimes_recovered_in_part_long_after(books):
    book = books(300, 36, 1)
    invoices, payments = book.tables["invoices"], book.tables["payments"]
    lost = invoices.filter(pc.is_valid(invoices["written_off_on"])).select(["invoice_id", "written_off_on"])
    after = payments.join(lost, "invoice_id", join_type="inner")
    late = after.filter(pc.greater(after["paid_on"], after["written_off_on"]))
    assert late.num_rows > 0
    assert pc.min(pc.days_between(late["written_off_on"], late["paid_on"])).as_py() >= 60


def test_accounts_add_up_and_are_published_months_later(book):
    accounts = book.tables["financials"]
    both = pc.add(accounts["total_liabilities"], accounts["equity"])
    gap = pc.abs(pc.subtract(accounts["total_assets"], both))
    assert pc.max(gap).as_py() <= 100  # each line is told in whole hundreds
    assert pc.min(pc.days_between(accounts["period_end"], accounts["known_on"])).as_py() >= 85
    covered = len(pc.unique(accounts["customer_id"])) / len(pc.unique(book.tables["customers"]["customer_id"]))
    assert 0.3 < covered < 0.6
