from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline import engine
from pipeline.durable import recover
from pipeline.errors import ContractError, MissingInputError, OutputError, StorageError
from pipeline.params import IngestParams
from pipeline.tables import writing
from pipeline.tables.canonical import ledger_of, open_ledger, sort_canonical
from pipeline.tables.content_hash import content_hash
from pipeline.tables.generate import LAST_DAY, random_ledger
from pipeline.tables.intake import intake
from pipeline.tables.ledger import BY_NAME, TABLES
from pipeline.tables.writing import write_canonical

EURO = IngestParams(base_currency="EUR")


@pytest.fixture
def opened():
    connection = engine.connect_duckdb(1, "512MB")
    yield connection
    connection.close()


@pytest.fixture
def taken_in(small, hand_in, settings):
    return intake(hand_in(small), None, settings)


@given(seed=st.integers(0, 10_000), customers=st.integers(1, 12))
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_random_ledger_written_as_csv_is_read_back_equal(tmp_path_factory, seed, customers):
    folder = tmp_path_factory.mktemp("ledger")
    ledger = random_ledger(seed, customers)
    for name, rows in ledger.items():
        pacsv.write_csv(rows.select(BY_NAME[name].source_schema.names), folder / f"{name}.csv")
    result = intake(folder, None, EURO)
    assert result.breaches == ()
    assert result.extract_date == LAST_DAY
    for name, rows in ledger.items():
        assert result.tables[name].equals(rows), name
    assert result.data_version == content_hash(ledger)


def test_parquet_and_csv_of_the_same_ledger_have_the_same_version(tmp_path):
    ledger = random_ledger(3, 5)
    for kind in ("csv", "parquet"):
        (tmp_path / kind).mkdir()
    for name, rows in ledger.items():
        handed_in = rows.select(BY_NAME[name].source_schema.names)
        pacsv.write_csv(handed_in, tmp_path / "csv" / f"{name}.csv")
        engine.write_parquet(handed_in, tmp_path / "parquet" / f"{name}.parquet")
    versions = {intake(tmp_path / kind, None, EURO).data_version for kind in ("csv", "parquet")}
    assert versions == {content_hash(ledger)}


def test_the_generator_fills_every_contract_and_repeats_itself():
    first, second = random_ledger(7, 20), random_ledger(7, 20)
    assert set(first) == {t.name for t in TABLES}
    assert all(first[name].equals(second[name]) and first[name].num_rows for name in first)


def test_what_was_written_is_opened_with_every_table(taken_in, tmp_path, opened):
    write_canonical(taken_in, tmp_path / "ledger")
    ledger = open_ledger(opened.read, opened.register, tmp_path / "ledger")
    assert ledger.present == {"customers", "invoices", "payments"}
    assert ledger.extract_date == dt.date(2024, 4, 30)
    assert ledger.data_version == taken_in.data_version
    assert set(ledger.tables) == {t.name for t in TABLES}
    for table in TABLES:
        read = ledger.tables[table.name].to_pyarrow()
        wanted = taken_in.tables.get(table.name, table.empty())
        assert read.schema.equals(table.stored_schema), table.name
        assert sort_canonical(table, read.select(table.canonical_schema.names)).equals(wanted), table.name


def test_the_same_intake_gives_the_same_bytes(taken_in, tmp_path):
    for name in ("one", "two"):
        write_canonical(taken_in, tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_damaged_file_is_told_before_it_is_opened(taken_in, tmp_path, opened):
    write_canonical(taken_in, tmp_path / "ledger")
    path = tmp_path / "ledger" / "invoices.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"1 file\(s\) not what manifest.json says, e.g. invoices.parquet"):
        open_ledger(opened.read, opened.register, tmp_path / "ledger")


def test_a_folder_without_a_ledger_and_a_missing_file_are_missing_inputs(taken_in, tmp_path, opened):
    with pytest.raises(MissingInputError, match="run ingest first"):
        open_ledger(opened.read, opened.register, tmp_path / "nothing")
    write_canonical(taken_in, tmp_path / "ledger")
    (tmp_path / "ledger" / "payments.parquet").unlink()
    with pytest.raises(MissingInputError, match=r"payments.parquet"):
        open_ledger(opened.read, opened.register, tmp_path / "ledger")


def test_a_manifest_of_another_format_is_refused(taken_in, tmp_path, opened):
    write_canonical(taken_in, tmp_path / "ledger")
    path = tmp_path / "ledger" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))
    with pytest.raises(ContractError, match="has format 99"):
        open_ledger(opened.read, opened.register, tmp_path / "ledger")


def test_quarantine_and_report_stand_beside_the_tables(small, hand_in, lenient, tmp_path):
    small["invoices"] = small["invoices"].replace("80,EUR", "abc,EUR")
    write_canonical(intake(hand_in(small), None, lenient), tmp_path / "ledger")
    rows = engine.read_parquet(tmp_path / "ledger" / "quarantine" / "invoices.parquet")
    assert rows["reason"].to_pylist() == ["amount is text, not amounts"]
    manifest = json.loads((tmp_path / "ledger" / "manifest.json").read_text())
    assert manifest["quarantined"] == {"invoices": 1, "payments": 1}
    assert json.loads((tmp_path / "ledger" / "intake.json").read_text())["breaches"][0]["count"] == 1


@pytest.mark.parametrize("failing", ["write_parquet", "second rename"])
def test_the_old_ledger_stays_when_writing_the_new_one_fails(failing, taken_in, tmp_path, monkeypatch, opened):
    folder = tmp_path / "ledger"
    write_canonical(taken_in, folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if failing == "write_parquet":
        monkeypatch.setattr(writing.engine, "write_parquet", no_space)
    else:
        real = type(folder).rename
        monkeypatch.setattr(
            type(folder), "rename", lambda self, to: no_space() if self.name == ".ledger.new" else real(self, to)
        )
    with pytest.raises(StorageError, match="No space left on device; what was there is unchanged"):
        write_canonical(taken_in, folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    assert open_ledger(opened.read, opened.register, folder).data_version == taken_in.data_version


def test_a_swap_that_was_cut_short_is_mended(taken_in, tmp_path):
    folder = tmp_path / "ledger"
    write_canonical(taken_in, folder)
    folder.rename(tmp_path / ".ledger.old")
    recover(folder)
    assert (folder / "manifest.json").is_file()


def test_a_place_where_nothing_can_be_created_is_an_output_error(taken_in, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be created"):
        write_canonical(taken_in, tmp_path / "file" / "ledger")


def test_a_ledger_in_memory_adds_what_may_be_missing_and_refuses_strangers(opened):
    day = dt.date(2024, 1, 31)
    rows = pa.table({"customer_id": ["1"], "name": ["A"], "customer_since": [day], "known_on": [day]})
    ledger = ledger_of(opened.register, {"customers": rows})
    assert ledger.extract_date == day
    assert ledger.tables["customers"].to_pyarrow()["group_id"].to_pylist() == [None]
    with pytest.raises(ContractError, match="is no table"):
        ledger_of(opened.register, {"clients": rows})
    with pytest.raises(ContractError, match=r"unknown column.*shoe_size"):
        ledger_of(opened.register, {"customers": rows.append_column("shoe_size", pa.array([42]))})
    with pytest.raises(ContractError, match=r"customers.name is missing"):
        ledger_of(opened.register, {"customers": rows.drop_columns(["name"])})


def test_the_content_hash_sees_values_nulls_and_texts_but_not_chunks():
    rows = pa.table({"t": ["a", "", None], "n": pa.array([0, None, 1], pa.int64())})
    halves = pa.concat_tables([rows.slice(0, 1), rows.slice(1)])
    assert content_hash({"x": rows}) == content_hash({"x": halves})
    other = pa.table({"t": ["a", None, ""], "n": pa.array([0, None, 1], pa.int64())})
    zero = pa.table({"t": ["a", "", None], "n": pa.array([0, 0, 1], pa.int64())})
    assert len({content_hash({"x": t}) for t in (rows, other, zero)}) == 3
