"""Runs in a Delta Lake table: one commit each, once, whole or not at all; and nothing is sent anywhere."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from pipeline.deliver.delta import delta_target
from pipeline.deliver.target import bring_in_step
from pipeline.errors import ContractError, LockedError, OutputError, StorageError, TargetUnreachableError
from pipeline.score.columns import BOOK_SCHEMA

MAY, JUNE = dt.date(2025, 5, 31), dt.date(2025, 6, 30)
OVER = {"limit_current": Decimal("9000.00")}


def serve(target, *runs, read_back=()):
    return bring_in_step(target, runs, read_back, lambda run: None)


def held(target):
    """The rows in order, as plain values."""
    table = DeltaTable(target.folder).to_pyarrow_table()
    return table.sort_by([("as_of", "ascending"), ("customer_id", "ascending")]).to_pylist()


def test_a_book_arrives_as_it_was_published_money_as_decimals(published, delta, told):
    published(MAY, {}, {})
    named = [{"name": '中文 "quoted",\nline'}, {**OVER, "name": ""}]
    run = published(JUNE, *named, {"is_in_default": True}, {"is_in_book": False})
    delta.hand_on(run)
    assert held(delta) == told(run, "scored_book")
    schema = pa.schema(DeltaTable(delta.folder).schema().to_arrow())
    assert {schema.field(name).type for name in ("ead", "limit_current")} == {pa.decimal128(18, 2)}
    assert set(schema.names) == {"run_id", *BOOK_SCHEMA.names}
    assert delta.days() == [JUNE]


def test_every_run_is_one_commit_and_one_that_is_there_is_none(published, delta):
    may, june = published(MAY, {}), published(JUNE, {}, OVER)
    assert [run.as_of for run in serve(delta, may, june).taken] == [JUNE, MAY]
    assert serve(delta, may, june, read_back=[june]).taken == ()
    again = published(JUNE, {}, OVER, {}, ledger="e")
    assert serve(delta, may, again).taken == (again,)
    assert [row["run_id"] for row in held(delta)] == [may.run_id, *[again.run_id] * 3]
    commits = DeltaTable(delta.folder).history()
    assert [commit["creditbook_run_id"] for commit in commits] == [again.run_id, may.run_id, june.run_id]
    assert commits[0]["creditbook_manifest_sha256"] == again.manifest_sha256
    # A reader of the version before still finds the run before.
    before = DeltaTable(delta.folder, version=1).to_pyarrow_table()
    assert before.num_rows == 3


def test_going_back_to_a_former_run_of_the_day_is_a_delivery_again(published, delta):
    first, second = published(JUNE, {}), published(JUNE, OVER, ledger="e")
    for run in (first, second, first):
        assert serve(delta, run).taken == (run,)
    assert {row["run_id"] for row in held(delta)} == {first.run_id}
    assert serve(delta, first).taken == ()


def test_an_empty_book_is_known_to_be_there_though_no_row_tells(published, delta):
    may, empty = published(MAY, {}), published(JUNE)
    assert len(serve(delta, may, empty).taken) == 2
    assert serve(delta, may, empty, read_back=[empty]).taken == ()
    assert delta.days() == [MAY]


def test_rows_somebody_removed_are_missed_when_the_day_is_read_back_and_put_back(published, delta):
    run = published(JUNE, {}, OVER)
    delta.hand_on(run)
    DeltaTable(delta.folder).delete("customer_id = 'C1'")
    assert not delta.is_whole(run)
    assert serve(delta, run).taken == ()
    assert serve(delta, run, read_back=[run]).taken == (run,)
    assert delta.is_whole(run)
    (current,) = DeltaTable(delta.folder).file_uris()
    Path(current.removeprefix("file://")).unlink()
    assert serve(delta, run, read_back=[run]).taken == (run,)
    assert delta.is_whole(run)


def test_a_table_with_other_columns_is_refused_with_every_column_named(published, delta):
    names = [name for name in BOOK_SCHEMA.names if name != "grade"]
    kinds = {name: pa.float64() if name == "ead" else BOOK_SCHEMA.field(name).type for name in names}
    table = pa.schema({"run_id": pa.string(), **kinds, "mine": pa.int64()}).empty_table()
    write_deltalake(delta.folder, table)
    with pytest.raises(ContractError) as refused:
        delta.hand_on(published(JUNE, {}))
    assert refused.value.exit_code == 65
    odd = ["grade: missing, string is due", "mine: not known here", "ead: double where decimal128(18, 2) is due"]
    assert [told for told in ("3 column(s)", *odd) if told not in str(refused.value)] == []
    assert DeltaTable(delta.folder).version() == 0


def test_a_folder_that_is_no_table_is_left_alone_and_one_that_is_not_mounted_is_unreachable(published, tmp_path):
    run = published(JUNE, {})
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "plan.txt").write_text("mine")
    with pytest.raises(OutputError, match="is no Delta table"):
        delta_target(tmp_path / "notes").hand_on(run)
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["plan.txt"]
    with pytest.raises(TargetUnreachableError, match="is not there; mount or make it") as refused:
        delta_target(tmp_path / "mnt" / "lake").in_step([run])
    assert refused.value.exit_code == 69
    assert not (tmp_path / "mnt").exists()


def test_what_is_read_back_otherwise_than_it_was_handed_on_is_told(published, delta, monkeypatch):
    run = published(JUNE, {}, {})
    delta.hand_on(run)
    new = published(JUNE, OVER, {}, ledger="e")
    whole = type(new).batches
    calls = []

    def loses_a_row_once(self, name):
        calls.append(name)
        return (batch.slice(len(calls) == 1) for batch in whole(self, name))

    monkeypatch.setattr(type(new), "batches", loses_a_row_once)
    with pytest.raises(StorageError, match=r"1 row\(s\), handed on were 2"):
        delta.hand_on(new)
    assert not delta.is_whole(new)


def test_two_commits_of_one_day_at_once_are_not_both_taken(published, delta, monkeypatch):
    run = published(JUNE, {}, OVER)
    delta.hand_on(run)
    new = published(JUNE, OVER, ledger="e")
    whole = type(new).batches

    def meanwhile(self, name):
        properties = CommitProperties(app_transactions=[Transaction(f"creditbook as_of={JUNE}", 2)])
        rows = DeltaTable(delta.folder).to_pyarrow_table()
        day = f"as_of = '{JUNE}'"
        write_deltalake(delta.folder, rows, mode="overwrite", predicate=day, commit_properties=properties)
        return whole(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(type(new), "batches", meanwhile)
        with pytest.raises(LockedError, match=r"another commit to .* came first") as refused:
            delta.hand_on(new)
    assert refused.value.exit_code == 75
    assert len(held(delta)) == 2
    assert serve(delta, new).taken == (new,)


HANDS_ON = """
import datetime as dt, pathlib, sys
from pipeline.deliver.delta import delta_target
from pipeline.deliver.published import published_day
folder, day, run = sys.argv[1:]
delta_target(pathlib.Path(folder)).hand_on(published_day(dt.date.fromisoformat(day), pathlib.Path(run)))
"""


@pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is absent: no call of the system is watched or failed"
)
def test_a_delivery_killed_at_its_commit_leaves_the_old_run_and_nothing_is_sent_anywhere(published, delta, tmp_path):
    old = published(JUNE, {}, {})
    delta.hand_on(old)
    new = published(JUNE, OVER, ledger="e")
    commit = delta.folder / "_delta_log" / "00000000000000000001.json"

    def handed_on(*options):
        command = [sys.executable, "-c", HANDS_ON, str(delta.folder), JUNE.isoformat(), str(new.folder)]
        watched = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", str(tmp_path / "calls"), *options, "--", *command]
        return subprocess.run(watched, capture_output=True, text=True, check=False)

    # Files of rows are renamed into place; a commit is linked, so that it never replaces another's.
    calls = "link,linkat"
    killed = handed_on("-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when=1")
    assert killed.returncode != 0
    assert not commit.exists()
    assert [row["run_id"] for row in held(delta)] == [old.run_id] * 2
    # The rows were written, and no reader is told of them.
    assert len(list((delta.folder / f"as_of={JUNE}").iterdir())) == 2
    done = handed_on("-e", f"trace=socket,connect,sendto,sendmsg,{calls}")
    assert done.returncode == 0, done.stderr
    watched = (tmp_path / "calls").read_text()
    assert (commit.name in watched, "AF_INET" in watched) == (True, False)
    assert [row["run_id"] for row in held(delta)] == [new.run_id]
    assert json.loads(commit.read_text().splitlines()[0])["commitInfo"]["creditbook_run_id"] == new.run_id
