"""Kill -9 and failing disks at the system calls of publishing, on the unmodified command.

What a kill leaves is looked at after every call: the command is stopped there and its folder copied. Killed it is at
one call of every kind, and a disk fails at one of every name. CREDITBOOK_FAULTS=all (`make faults`) kills and fails at
every call.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
import traced_command
from small_night import NOVEMBER, tree

from pipeline.flows import score_day
from pipeline.score.run_check import read_manifest, verify

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

ALL = os.environ.get("CREDITBOOK_FAULTS") == "all"
# A file's content, its name, a link, a removal: other calls leave what the call before one of these leaves.
KINDS = ("write", "rename", "symlink", "unlinkat")
DAYS = {"2025-09-30", "2025-10-31", "2025-11-30"}


def chosen(calls):
    """All of them on demand; else of every name the middle one."""
    by_name = {}
    for call in calls:
        by_name.setdefault(call.name, []).append(call)
    middle = {of_name[len(of_name) // 2] for of_name in by_name.values()}
    return [call for call in calls if ALL or call in middle]


@pytest.fixture
def run_again(later_night, monkeypatch, tmp_path_factory):
    """The night once more; what it sees of the ledger is computed once, since no fault below touches the ledger."""
    seen = {}
    real, real_folder = score_day.sight_of, score_day._folder_of_run

    def sight(engine, ledger, as_of, judges, *others):
        key = (as_of, judges.previous.head.run_id)
        if key not in seen:
            seen[key] = real(engine, ledger, as_of, judges, *others)
        return seen[key]

    @contextmanager
    def folder_that_stays(setting):
        # Opened for what it sweeps; the rows that were seen lie where the next finds them.
        with real_folder(setting):
            yield tmp_path_factory.mktemp("rows") if not seen else None

    monkeypatch.setattr(score_day, "sight_of", sight)
    monkeypatch.setattr(score_day, "_folder_of_run", folder_that_stays)

    def run(*, by_command=False):
        if by_command:
            done = subprocess.run(later_night.command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        else:
            score_day.score_as_of(later_night.project, NOVEMBER, None, None, later_night.out)

    return run


def wrong_for_readers(night):
    """What a reader would find broken: a link that points to no whole run, or `latest` on another day than the two."""
    links = [night.out / "latest", *night.out.glob("as_of=*")]
    wrong = [breach for link in links for breach in verify(link)]
    day = read_manifest(night.out / "latest")["as_of"]
    return wrong + ([] if day in DAYS else [f"latest is of {day}"])


def wrong_afterwards(night, run_again, **how):
    """What differs from an undisturbed night once the night ran again."""
    run_again(**how)
    found, due = tree(night.out), night.undisturbed
    wrong = [f"{name}: differs" for name in sorted({*found, *due}) if found.get(name) != due.get(name)]
    return wrong + [f"left over: {path}" for path in (night.project / "data" / "scratch").iterdir()]


def test_the_later_night_publishes_in_the_way_the_faults_below_suppose(later_night):
    calls = [call for call in later_night.traced.calls if call.changes]
    by_name = {name: sum(call.name == name for call in calls) for name in {call.name for call in calls}}
    # Six files and two links at least: written, flushed, renamed.
    assert by_name["write"] >= 6
    assert by_name["fsync"] >= 8
    assert by_name["rename"] >= 3
    assert by_name["symlink"] == 2
    # The night of 30 June is no longer kept.
    assert {name for name in later_night.undisturbed if "as_of=" in name} == {f"as_of={day}" for day in DAYS}


def test_after_every_call_whole_runs_stand_there_and_the_next_night_completes_them(later_night, run_again):
    states, faults = later_night.scratch / "states", []
    later_night.reset()

    def look(number):
        shutil.copytree(later_night.out, states / f"{number:03}", symlinks=True)

    log = later_night.scratch / "stop.log"
    assert traced_command.stop_after_each(later_night.traced, later_night.command, log, look) == 0
    assert tree(later_night.out) == later_night.undisturbed
    looked_at = sorted(states.iterdir())
    assert len(looked_at) == len(later_night.traced.calls)
    seen = []
    for call, state in zip(later_night.traced.calls, looked_at, strict=True):
        if tree(state) in seen:
            continue
        seen.append(tree(state))
        later_night.reset(state)
        wrong = wrong_for_readers(later_night) + wrong_afterwards(later_night, run_again)
        faults += [f"after {call}: {one}" for one in wrong]
    print(f"{len(looked_at)} calls, {len(seen)} different states")
    assert faults == []
    # Six files, the folder, two links and what is no longer kept, each in its turn.
    assert len(seen) > 20


def test_a_night_killed_at_a_call_leaves_whole_runs_and_is_completed_by_the_next(later_night, run_again):
    log, faults = later_night.scratch / "kill.log", []
    calls = chosen([call for call in later_night.traced.calls if call.changes and (ALL or call.name in KINDS)])
    assert {call.name for call in calls} >= set(KINDS)
    for call in calls:
        later_night.reset()
        done = traced_command.kill_at(call, later_night.command, log)
        wrong = [] if done.returncode == -9 else [f"ended with {done.returncode}: {done.stderr}"]
        wrong += wrong_for_readers(later_night)
        wrong += wrong_afterwards(later_night, run_again, by_command=call == calls[len(calls) // 2])
        faults += [f"killed at {call}: {one}" for one in wrong]
    print(f"killed at {len(calls)} calls")
    assert faults == []


@pytest.mark.parametrize(
    ("error", "names", "says"),
    [
        ("ENOSPC", ("openat", "write", "mkdir", "symlink", "rename", "fsync"), "No space left on device"),
        ("EIO", ("fsync", "write"), "Input/output error"),
    ],
)
def test_a_disk_that_fails_is_named_and_leaves_the_old_runs(later_night, run_again, error, names, says):
    log, faults = later_night.scratch / "fail.log", []
    calls = chosen([call for call in later_night.traced.calls if call.changes and call.name in names])
    for call in calls:
        later_night.reset()
        # A full disk stays full; but it refuses new files only, folders open all the same.
        lasts = error == "ENOSPC" and call.name != "openat"
        fault = traced_command.fail_from if lasts else traced_command.fail_once
        done = fault(call, error, later_night.command, log)
        wrong = [] if done.returncode == 74 else [f"ended with {done.returncode}: {done.stderr}"]
        wrong += [] if says in done.stderr and str(later_night.out) in done.stderr else [f"told {done.stderr!r}"]
        wrong += [f"left over: {path}" for path in later_night.out.rglob(".*.aside")]
        wrong += wrong_for_readers(later_night) + wrong_afterwards(later_night, run_again)
        faults += [f"{error} at {call}: {one}" for one in wrong]
    print(f"{error} at {len(calls)} calls")
    assert faults == []
