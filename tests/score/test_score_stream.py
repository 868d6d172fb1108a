"""A night in parts is the night as a whole, byte for byte, wherever the parts end."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ContractError, StorageError
from pipeline.score.applied import application
from pipeline.score.book_caps import LossBudget
from pipeline.score.calibration import Calibration
from pipeline.score.csv_text import csv_lines
from pipeline.score.draft import RUN_TABLES
from pipeline.score.limit_trace import by_dictionary
from pipeline.score.model_folder import write_model
from pipeline.score.night_parts import NightRows
from pipeline.score.notes import Note, told_once
from pipeline.score.publish import drafting, previous_folder, publish, publish_draft, run_looked_back_to
from pipeline.score.ranges import ParquetRows, Ranges
from pipeline.score.run_check import verify
from pipeline.score.scored_book import ScoredPart, score_book
from pipeline.score.stream import score_rows
from pipeline.score.written_tables import CsvTable, HashedFile, ParquetTable

if TYPE_CHECKING:
    from pathlib import Path

MAY, JUNE = dt.date(2025, 5, 31), dt.date(2025, 6, 30)
TOLD = {"data_version": "d" * 64, "code_version": "c" * 64, "base_currency": "EUR"}
DEVELOPMENT = {
    "default_rate": 0.03, "rows": 100, "bads": 3,
    "score": {"splits": [0.0, 3.0], "counts": [5, 25, 70], "missing": 0},
    "features": {"days_late_3m": {"splits": [5.0], "counts": [80, 20], "missing": 4}},
}  # fmt: skip
KINDS = [
    {}, {"is_in_default": True}, {"is_in_book": False}, {"invoices_due_12m_count": 1}, {"group_id": "G1"},
    {"group_id": "G1", "limit_current": Decimal("9000")}, {"limit_current": Decimal("9000.00")},
    {"grade_override": "G02"}, {"grade_override": "AAA"}, {"limit_override": "plenty"}, {"limit_override": "70000"},
    {"overdue_amount": Decimal("4000.00"), "max_days_past_due": 70}, {"name": "=1+1\nsecond line"}, {"name": 'a "b"'},
]  # fmt: skip


NO_LIEN = {"lien_count_24m": 0.0, "litigation_count_12m": 1.0}
LIENS = pd.DataFrame({"customer_id": [f"C{n}" for n in range(0, 50, 2)], **NO_LIEN})


@dataclass(frozen=True)
class InMemory:
    """Rows handed over a few at a time, in the order of customer_id."""

    table: pa.Table
    size: int

    @property
    def schema(self):
        return self.table.schema

    def batches(self, columns):
        yield from self.table.select(columns).combine_chunks().to_batches(max_chunksize=self.size)


def rows_of(frame):
    """The frame as a table in order, with the types that an engine gives."""
    table = pa.Table.from_pandas(frame.sort_values("customer_id"), preserve_index=False)
    for name in ("group_id", "grade_override", "limit_override"):
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, name, table[name].cast(pa.string()))
    return table


@pytest.fixture
def june(make_book, make_model, policy, scored, tmp_path):
    """May published by an older model, and what June needs: customers of every kind, some gone and some new."""
    old = make_model(development=DEVELOPMENT)
    old = replace(old, version=write_model(tmp_path / "models", old, make_book(*[{}] * 9).features))
    book = make_book(*({**kind, "as_of": MAY} for kind in KINDS * 3))
    was = scored(book.positions, book.features, old, policy, None, MAY)
    publish(was, tmp_path / "may", TOLD)
    model = make_model(Calibration.line("platt", -0.4, 0.85), development=DEVELOPMENT, version="scorecard-newer0")
    names = [f"C{number}" for number in range(3, 50)]
    late = [{"days_late_3m": 40.0 * (number % 2), "overdue_share": 0.1 * (number % 9)} for number in range(47)]
    kinds = (KINDS * 4)[5:52]
    told = [{**k, **f, "customer_id": n, "as_of": JUNE} for k, f, n in zip(kinds, late, names, strict=True)]
    now = make_book(*told)
    now = replace(now, features=now.features.assign(**NO_LIEN | {"lien_count_24m": [n % 3 for n in range(47)]}))
    return June(tmp_path, policy, model, now, book)


@dataclass(frozen=True)
class June:
    root: Path
    policy: Any
    model: Any
    book: Any
    before: Any

    def out(self, name):
        out = self.root / name
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.root / "may", out, symlinks=True)
        return out, previous_folder(out, JUNE, self.root / "models")

    def whole(self):
        """Published from memory, as one."""
        out, previous = self.out("whole")
        old = previous.head.model
        run = score_book(
            self.book.positions,
            applied(self.book.features, self.model, old),
            self.model,
            self.policy,
            previous.whole(),
            JUNE,
            positions_before=self.before.positions,
            points_before=applied(self.before.features, self.model),
            month_before=MAY,
            features_before=LIENS,
            looked_back=run_looked_back_to(out, JUNE, self.policy.alerts),
        )
        return publish(run, out, TOLD)

    def in_parts(self, customers, rows_per_batch, workers=1, seen=None):
        """Published part by part; `seen` is told of every part before it is written."""
        out, previous = self.out("parts")
        features = applied(self.book.features, self.model, previous.head.model)
        rows = NightRows(
            *(
                InMemory(rows_of(frame), rows_per_batch)
                for frame in (
                    self.book.positions,
                    features,
                    self.before.positions,
                    applied(self.before.features, self.model),
                )
            ),
            previous,
            MAY,
            InMemory(rows_of(LIENS), rows_per_batch),
            run_looked_back_to(out, JUNE, self.policy.alerts),
        )
        with drafting(out) as draft:

            def write(part):
                if seen is not None:
                    seen(part)
                draft.add(part)

            night, figures = score_rows(rows, self.model, self.policy, JUNE, write, customers, workers)
            return publish_draft(draft, night, out, TOLD), figures


def applied(features, model, previous=None):
    rows = pa.RecordBatch.from_pandas(features, preserve_index=False)
    return application(model, previous, rows.schema)(rows).to_pandas()


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def plain(figures):
    """The figures as values that can be held against each other."""
    counts, tied = ({name: of.tolist() for name, of in one.items()} for one in (figures.bins.counts, figures.bins.tied))
    return vars(figures) | {"bins": (counts, tied)}


def test_a_night_in_parts_is_the_night_as_a_whole_byte_for_byte(june):
    whole = june.whole()
    assert verify(whole) == []
    manifest = json.loads((whole / "manifest.json").read_text(encoding="utf-8"))
    assert all(manifest["rows"].values()), "every table has something to compare"
    assert any("4 grade override(s)" in note for note in manifest["notes"])
    assert manifest["looked_back"]["as_of"] == "2025-05-31"
    rules = set(pq.read_table(whole / "alerts.parquet")["rule"].to_pylist())
    assert {"grade_down_two", "pd_doubled", "court_event"} <= rules
    seen = []

    @settings(max_examples=6, deadline=None, derandomize=True)
    @given(st.integers(2, 60), st.integers(1, 60))
    def in_any_parts(customers, rows_per_batch):
        folder, figures = june.in_parts(customers, rows_per_batch)
        assert hashes(folder) == hashes(whole)
        seen.append(plain(figures))

    in_any_parts()
    assert all(one == seen[0] for one in seen)
    assert seen[0]["customers"] == 47


def test_workers_side_by_side_write_the_same_bytes(june, monkeypatch):
    alone, figures = june.in_parts(5, 7)
    written, started = hashes(alone), recorded_processes(monkeypatch)
    side_by_side, counted = june.in_parts(5, 7, workers=3)
    assert hashes(side_by_side) == written
    assert plain(counted) == plain(figures)
    assert len(started) == 3
    assert all(process.returncode is not None for process in started), "none is left behind"


def test_a_book_of_few_parts_starts_no_process(june, monkeypatch):
    started = recorded_processes(monkeypatch)
    june.in_parts(16, 7, workers=3)
    assert not started, "47 customers are three parts"


def test_a_worker_that_is_killed_ends_the_night_and_leaves_nothing_of_it(june, monkeypatch):
    started = recorded_processes(monkeypatch)
    with pytest.raises(StorageError, match=r"was ended by signal 9 .* lower score\.workers"):
        june.in_parts(2, 7, workers=2, seen=lambda part: started[0].kill())
    assert all(process.returncode is not None for process in started)
    assert not list((june.root / "parts" / ".runs").glob(".draft*"))
    assert len(list((june.root / "parts" / ".runs").iterdir())) == 1, "that of May"


def test_what_a_worker_refuses_is_told_as_without_workers(june):
    missing = june.book.features[june.book.features["customer_id"] != "C45"]
    broken = replace(june, book=replace(june.book, features=missing))
    told = []
    for workers in (1, 2):
        with pytest.raises(ContractError, match=r"e\.g\. 'C45'") as refused:
            broken.in_parts(5, 7, workers)
        told.append(str(refused.value))
    assert told[0] == told[1]


def recorded_processes(monkeypatch):
    """The worker processes that are started from now on."""
    started = []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            started.append(self)

    monkeypatch.setattr("pipeline.score.crew.subprocess.Popen", Recorded)
    return started


def test_closed_alerts_of_customers_who_are_gone_are_told_with_any_parts(june):
    folder, _ = june.in_parts(10, 7)
    alerts = pq.read_table(folder / "alerts.parquet").to_pandas()
    gone = alerts[~alerts["customer_id"].isin(june.book.positions["customer_id"])]
    assert set(gone["state"]) <= {"closed", "open"}


def test_a_night_without_a_customer_is_a_whole_run(june):
    nobody = replace(june, book=replace(june.book, positions=june.book.positions.head(0), features=june.book.features))
    folder, figures = nobody.in_parts(5, 5)
    assert verify(folder) == []
    assert figures.customers == 0


def test_rows_out_of_order_or_twice_are_refused():
    rows = InMemory(pa.table({"customer_id": ["A", "C", "B"]}), 2)
    with pytest.raises(ContractError, match=r"positions\.customer_id: rows are not in order"):
        Ranges("positions", rows).rest()


def test_ranges_give_every_row_once_and_in_order():
    names = [f"{number:02d}" for number in range(40)]
    ranges = Ranges("x", InMemory(pa.table({"customer_id": names}), 7))
    taken = [ranges.upto("09a"), ranges.some(5), ranges.upto("09"), ranges.upto("30"), ranges.rest()]
    assert [rows.num_rows for rows in taken] == [10, 5, 0, 16, 9]
    assert [name for rows in taken for name in rows["customer_id"].to_pylist()] == names


def test_reading_a_file_holds_one_row_group_and_not_what_was_read_before(tmp_path):
    groups, megabyte = 16, 2**20
    numbers = pa.table({"customer_id": np.random.default_rng(1).random(groups * megabyte // 8)})
    pq.write_table(numbers, tmp_path / "x.parquet", row_group_size=megabyte // 8, use_dictionary=False)
    before, held = pa.total_allocated_bytes(), []
    for batch in ParquetRows(tmp_path / "x.parquet").batches(["customer_id"]):
        held.append((pa.total_allocated_bytes() - before) / megabyte)
        del batch
    assert len(held) == 2 * groups
    assert max(held) < groups / 2


@pytest.mark.parametrize("cut", [1, 70_000, 140_000])
def test_a_table_has_the_same_bytes_however_it_is_handed_over(tmp_path, cut):
    rows = pa.table({"customer_id": [f"{n:06d}" for n in range(140_000)], "pd": [n / 7 for n in range(140_000)]})
    for kind, suffix in ((ParquetTable, "parquet"), (CsvTable, "csv")):
        written = []
        for name, at in (("whole", 0), ("parts", cut)):
            file = kind(tmp_path / f"{name}.{suffix}", rows.schema)
            for part in (rows.slice(0, at), rows.slice(at)):
                file.add(part)
            written.append(file.close())
        whole, parts = written
        assert whole == parts
        content = (tmp_path / f"parts.{suffix}").read_bytes()
        assert (parts.bytes, parts.rows) == (len(content), 140_000)
        assert parts.sha256 == hashlib.sha256(content).hexdigest()


def test_texts_by_dictionary_have_the_same_bytes_whatever_the_dictionary_holds(tmp_path):
    words = pa.array(["never met", "a", "b", "c"])
    numbers = pa.array([2] * 40_000 + [1, 3] * 40_000, pa.int32())
    schema = pa.schema([pa.field("cap", pa.string(), nullable=False)])
    plain = pa.table([words.take(numbers)], schema=schema)
    coded = pa.table([pa.DictionaryArray.from_arrays(numbers, words)], schema=by_dictionary(schema, ["cap"]))
    written = set()
    for name, parts in (
        ("plain", [plain]),
        ("coded", [coded]),
        ("mixed", [coded.slice(0, 70_001), plain.slice(70_001)]),
    ):
        file = ParquetTable(tmp_path / f"{name}.parquet", schema, ["cap"])
        for part in parts:
            file.add(part)
        written.add(file.close())
    assert len(written) == 1
    assert pq.read_table(tmp_path / "coded.parquet").equals(plain)
    assert pq.read_schema(tmp_path / "coded.parquet").types == [pa.string()]


@pytest.mark.parametrize("nth", [1, 2, 6, 9, 14])
def test_a_disk_that_fills_up_while_a_run_is_written_leaves_nothing_of_it(june, monkeypatch, nth):
    out, _ = june.out("full")
    before = sorted(path.name for path in (out / ".runs").iterdir())
    real, calls = HashedFile.write, []

    def is_full(self, content):
        calls.append(len(content))
        if len(calls) >= nth and not self.is_given_up:
            raise OSError(28, "No space left on device")
        return real(self, content)

    monkeypatch.setattr(HashedFile, "write", is_full)
    rows = scored_part_of_nobody()
    with pytest.raises(StorageError, match="No space left on device"):
        drafted(out, rows, rows)
    assert sorted(path.name for path in (out / ".runs").iterdir()) == before


def drafted(out, *parts):
    with drafting(out) as draft:
        for part in parts:
            draft.add(part)
        draft.close()


def scored_part_of_nobody():
    tables = {name: schema.empty_table() for name, schema in RUN_TABLES.items()}
    budget = LossBudget(None, 0, 0, None)
    book = tables.pop("scored_book")
    return ScoredPart(book=book, **tables, loss_at_limits=0, budget=budget, notes=())


def test_lines_within_quotes_are_no_lines(tmp_path):
    rows = pa.table({"name": ['a\n"b"\n', "", None, "c"]})
    file = CsvTable(tmp_path / "x.csv", rows.schema)
    file.add(rows)
    file.close()
    assert csv_lines(tmp_path / "x.csv") == 5


def test_what_is_noted_of_parts_is_told_once_with_counts_added():
    odd = "{count} odd, e.g. {example!r}"
    assert told_once([Note(odd, 2, "a"), "same", Note(odd, 3, "b"), "same"]) == ["5 odd, e.g. 'a'", "same"]
