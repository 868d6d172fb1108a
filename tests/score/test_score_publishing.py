"""What publishing promises: one writer at a time, readers on a whole run whatever happens, and damage that is found."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import durable
from pipeline.durable import locked, write_folder
from pipeline.errors import LockedError, OutputError
from pipeline.night_params import KeepParams
from pipeline.score.publish import prune_runs, publish
from pipeline.score.run_check import MANIFEST, hash_breaches, run_id_of, sealed, verify

TOLD = {"data_version": "d" * 64, "code_version": "c" * 64, "base_currency": "EUR"}
FIRST = dt.date(2025, 1, 1)


@pytest.fixture
def run_of(make_book, model, policy, scored):
    """The run of a day, the same customers every day; scored once."""
    book = make_book({}, {"is_in_default": True}, {"history_months": 0, "name": "中文"})
    once = scored(book.positions, book.features, model, policy, None, book.positions["as_of"][0])

    def run(day):
        days = pa.array([day] * once.book.num_rows, pa.date32())
        told = once.book.set_column(0, once.book.schema.field("as_of"), days)
        alerts = once.alerts.set_column(0, once.alerts.schema.field("as_of"), days[: once.alerts.num_rows])
        return replace(once, as_of=day, book=told, alerts=alerts)

    return run


HOLDS = """
import pathlib, sys
from pipeline.durable import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_waits_for_the_one_that_is_publishing_and_leaves_when_that_takes_too_long(run_of, tmp_path):
    publish(run_of(FIRST), tmp_path, TOLD)
    with locked(tmp_path / ".lock"):
        started = time.monotonic()
        with pytest.raises(LockedError, match=r"was not done in 0\.3 s") as refused:
            publish(run_of(FIRST), tmp_path, TOLD, 0.3)
        assert time.monotonic() - started >= 0.3
        assert refused.value.exit_code == 75
        second = threading.Thread(target=publish, args=(run_of(FIRST + dt.timedelta(1)), tmp_path, TOLD, 30))
        second.start()
        second.join(0.3)
        assert second.is_alive()
    second.join(30)
    assert not second.is_alive()
    assert (tmp_path / "latest").resolve() == (tmp_path / "as_of=2025-01-02").resolve()


def test_the_lock_of_a_process_that_was_killed_is_taken_over(run_of, tmp_path):
    command = [sys.executable, "-c", HOLDS, str(tmp_path / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError):
            publish(run_of(FIRST), tmp_path, TOLD)
        holder.send_signal(signal.SIGKILL)
        assert holder.wait() == -signal.SIGKILL
    assert (tmp_path / ".lock").exists()
    assert verify(publish(run_of(FIRST), tmp_path, TOLD)) == []


def test_every_kind_of_damage_is_found(run_of, tmp_path):
    folder = publish(run_of(FIRST), tmp_path, TOLD)
    files = sorted(folder.iterdir())
    assert len(files) == 6
    for path in files:
        whole = path.read_bytes()
        for at in {0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            assert verify(folder), f"{path.name}, byte {at}"
        path.write_bytes(whole[:-1])
        assert verify(folder), f"{path.name}, cut"
        path.unlink()
        assert verify(folder), f"{path.name}, missing"
        path.write_bytes(whole)
    assert verify(folder) == []
    (folder / "notes.txt").write_text("x")
    assert [breach.rsplit(": ", 1)[1] for breach in verify(folder)] == ["not named in the manifest"]
    (folder / "notes.txt").unlink()
    moved = folder.rename(folder.with_name("0123456789abcdef"))
    assert [breach.split(": ", 1)[1] for breach in verify(moved)] == [
        f"the folder is named '0123456789abcdef', the run in it is '{folder.name}'"
    ]
    assert verify(Path(shutil.copytree(moved, tmp_path / "copy of Friday"))) == []


def test_no_byte_of_the_manifest_can_change_unnoticed(run_of, tmp_path):
    folder = publish(run_of(FIRST), tmp_path, TOLD)
    path = folder / MANIFEST
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 400)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert hash_breaches(folder), f"byte {at}: {whole[max(0, at - 20) : at + 20]!r}"


def edited(manifest, *path, to):
    told = json.loads(json.dumps(manifest))
    place = told
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return told


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (("totals", "ead"), "1.00", "totals: the manifest says"),
        (("counts", "by_status", "rated"), 7, "counts: the manifest says"),
        (("rows", "scored_book"), 4, "scored_book.parquet: 3 rows, the manifest says 4"),
        (("rows", "limit_trace"), 0, "rows, the manifest says 0"),
        (("as_of",), "2025-01-02", "as_of: the manifest says"),
        (("inputs", "data_version"), "e" * 64, "is not the hash of its inputs"),
        (("run_id",), "0123456789abcdef", "is not the hash of its inputs"),
        (("files", "alerts.parquet", "bytes"), 1, "bytes where the manifest has 1"),
        (("files",), {}, "not named in the manifest"),
    ],
)
def test_a_manifest_that_says_something_else_is_found_even_with_a_seal_of_its_own(run_of, tmp_path, path, to, told):
    folder = publish(run_of(FIRST), tmp_path, TOLD)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    other = edited(manifest, *path, to=to)
    (folder / MANIFEST).write_text(json.dumps(other, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    assert any("manifest.json: altered after it was written" in breach for breach in verify(folder))
    (folder / MANIFEST).write_bytes(sealed(other))
    assert [breach for breach in verify(folder) if told in breach], verify(folder)


def test_a_damaged_run_and_one_with_a_stray_file_are_made_whole_by_publishing_again(run_of, tmp_path):
    folder = publish(run_of(FIRST), tmp_path, TOLD)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "stray.txt").write_text("x")
    assert publish(run_of(FIRST), tmp_path, TOLD) == folder
    assert verify(folder) == []
    (folder / MANIFEST).write_bytes(before[MANIFEST][:-2])
    publish(run_of(FIRST), tmp_path, TOLD)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_is_replaced_is_whole_for_readers_while_the_old_one_is_removed(tmp_path, monkeypatch):
    folder, seen = tmp_path / "answer", []
    write_folder(folder, {"a": b"1", "b": b"2"}, last="b")
    remove = durable.shutil.rmtree

    def removed(path, **options):
        seen.append((Path(path).name, {file.name: file.read_bytes() for file in folder.iterdir()}))
        remove(path, **options)

    monkeypatch.setattr(durable.shutil, "rmtree", removed)
    write_folder(folder, {"a": b"3", "b": b"4"}, last="b")
    assert seen[-1] == (".answer.old.aside", {"a": b"3", "b": b"4"})
    assert all(len(there) == 2 for _, there in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]


def test_a_folder_whose_replacement_cannot_be_renamed_in_stays(tmp_path, monkeypatch):
    folder, rename = tmp_path / "answer", Path.rename
    write_folder(folder, {"a": b"1"}, last="a")

    def refused(path, target):
        if path.name == ".answer.aside":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OutputError):
        write_folder(folder, {"a": b"2"}, last="a")
    assert (folder / "a").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]


def test_a_run_that_is_to_go_stays_while_as_many_later_ones_go_after_it_and_then_goes_at_once(run_of, tmp_path):
    keep = KeepParams(days=0, month_ends=0, leaving=2)
    found, there = [], []
    for number in range(6):
        found.append(publish(run_of(FIRST + dt.timedelta(number)), tmp_path, TOLD))
        prune_runs(tmp_path, keep)
        assert all(verify(run) == [] for run in found[-3:])
        there.append(sum(run.is_dir() for run in found))
    assert there == [1, 2, 3, 3, 3, 3]
    assert [path.name for path in tmp_path.glob("as_of=*")] == ["as_of=2025-01-06"]
    assert (tmp_path / ".leaving").read_text().split() == [run.name for run in found[3:5]]
    # A run that is wanted again leaves the list.
    assert publish(run_of(FIRST + dt.timedelta(4)), tmp_path, TOLD) == found[4]
    prune_runs(tmp_path, KeepParams(days=400, month_ends=0, leaving=0))
    assert [run.is_dir() for run in found] == [False] * 3 + [True] * 3
    assert (tmp_path / ".leaving").read_text() == ""


# A consumer that knows docs/scored-book.md and none of our code.
READS = """
import hashlib, io, json, os, sys, time
import pyarrow.parquet as pq
out = sys.argv[1]
told = {"reads": 0, "gone": 0, "broken": [], "days": []}
def read(folder):
    with open(os.path.join(folder, "manifest.json"), "rb") as file:
        manifest = json.load(file)
    content = {}
    for name, promised in manifest["files"].items():
        with open(os.path.join(folder, name), "rb") as file:
            content[name] = file.read()
        if hashlib.sha256(content[name]).hexdigest() != promised["sha256"]:
            told["broken"].append(folder + "/" + name)
    book = pq.read_table(io.BytesIO(content["scored_book.parquet"]))
    days = {str(day) for day in book["as_of"].to_pylist()}
    if book.num_rows != manifest["rows"]["scored_book"] or days != {manifest["as_of"]}:
        told["broken"].append(folder)
    return manifest["as_of"]
print("ready", flush=True)
while not os.path.exists(os.path.join(out, "stop")):
    folder = os.path.realpath(os.path.join(out, "latest"))
    try:
        day = read(folder)
    except FileNotFoundError as missing:
        told["gone"] += 1
        if os.path.isdir(folder):
            told["broken"].append(str(missing))
        continue
    told["reads"] += 1
    time.sleep(0.001)
    if day not in told["days"][-1:]:
        told["days"].append(day)
print(json.dumps(told))
"""


@pytest.mark.slow
def test_a_reader_in_a_loop_during_200_publications_never_sees_a_broken_run(run_of, tmp_path):
    publish(run_of(FIRST), tmp_path, TOLD)
    keep = KeepParams(days=0, month_ends=0, leaving=2)
    command = [sys.executable, "-c", READS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "ready\n"
        for number in range(1, 201):
            publish(run_of(FIRST + dt.timedelta(number)), tmp_path, TOLD)
            prune_runs(tmp_path, keep)
        (tmp_path / "stop").touch()
        told = json.loads(reader.stdout.read())
    assert told["broken"] == []
    assert told["reads"] > 50
    assert len(told["days"]) > 20
    assert told["days"] == sorted(told["days"])
    # A reader that takes as long as three publications looks again; it is the rare case, not the rule.
    assert told["gone"] < told["reads"]
    assert verify(tmp_path / "latest") == []
    assert len(list((tmp_path / ".runs").iterdir())) == 3


def test_the_run_id_is_the_hash_of_what_a_run_is_made_of(run_of, tmp_path):
    folder = publish(run_of(FIRST), tmp_path, TOLD)
    assert folder.name == run_id_of(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["inputs"])
