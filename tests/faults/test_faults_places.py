"""Places that fail: a full disk, a folder that may not be written, a damaged model, a clock set back."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from small_night import NOVEMBER, OCTOBER, command, tree

from pipeline.cli import _run
from pipeline.errors import CreditbookError, OutputError
from pipeline.flows.score_day import score_as_of
from pipeline.score.run_check import verify

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.fixture
def mounted(tmp_path):
    """Mounts a small file system in memory on a folder, and unmounts it at the end; skips where that is not allowed."""
    folders = []

    def mount(folder: Path, *options: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a file system: no disk is filled and none made read-only")
    yield mount
    for folder in reversed(folders):
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_the_night_is_completed_when_there_is_space_again(project, mounted, tmp_path):
    disk = mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m", "tmpfs")
    out = disk / "out"
    score_as_of(project, OCTOBER, None, None, out)
    before = tree(out)
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        # To the last page, then 40 KiB are given back: the small files fit, the book does not.
        while True:
            file.write(b"0" * 4096)
    os.truncate(filler, filler.stat().st_size - 40 * 1024)
    night = ["score", "--as-of", str(NOVEMBER), "--out", str(out)]
    failed = command(project, *night)
    assert failed.returncode == 74
    assert failed.stderr.count("error (74)") == 1
    assert str(out) in failed.stderr
    assert "No space left on device" in failed.stderr
    assert tree(out) == before
    filler.unlink()
    score_as_of(project, NOVEMBER, None, None, out)
    assert verify(out / "latest") == []
    score_as_of(project, OCTOBER, None, None, tmp_path / "undisturbed")
    score_as_of(project, NOVEMBER, None, None, tmp_path / "undisturbed")
    assert tree(out) == tree(tmp_path / "undisturbed")


def test_a_disk_that_is_full_where_the_engine_works_is_named(copied, mounted, tmp_path):
    scratch = mounted(copied / "data" / "scratch", "-t", "tmpfs", "-o", "size=4k", "tmpfs")
    with contextlib.suppress(OSError):
        (scratch / "filler").write_bytes(b"0" * 8192)
    failed = command(copied, "score", "--as-of", str(OCTOBER), "--out", str(tmp_path / "out"))
    assert failed.returncode == 74, failed.stderr
    assert "No space left on device" in failed.stderr
    assert not (tmp_path / "out").exists()


def test_an_engine_without_memory_that_cannot_spill_either_says_what_to_change(
    copied, mounted, tmp_path, monkeypatch, capsys
):
    mounted(copied / "data" / "scratch", "-t", "tmpfs", "-o", "size=64k", "tmpfs")
    params = (copied / "params.yaml").read_text(encoding="utf-8")
    little, found = re.subn(r"memory_limit: \S+", "memory_limit: 6MB", params)
    assert found == 1
    (copied / "params.yaml").write_text(little, encoding="utf-8")
    monkeypatch.chdir(copied)
    assert _run(["score", "--as-of", str(OCTOBER), "--out", str(tmp_path / "out")]) == 74
    told = capsys.readouterr().err
    assert "Out of Memory Error: failed to" in told
    assert "raise engine.memory_limit" in told
    assert not (tmp_path / "out").exists()


def test_a_folder_that_may_not_be_written_is_named(project, mounted, tmp_path):
    score_as_of(project, OCTOBER, None, None, tmp_path / "writable")
    before = tree(tmp_path / "writable")
    out = mounted(tmp_path / "out", "--bind", str(tmp_path / "writable"))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(out)], check=True)
    for night in (OCTOBER, NOVEMBER):
        with pytest.raises(OutputError, match="Read-only file system") as refused:
            score_as_of(project, night, None, None, out)
        assert refused.value.exit_code == 73
        assert str(out) in str(refused.value)
    assert tree(out) == before


def test_a_model_file_cut_short_or_altered_anywhere_is_named_before_anything_is_read(copied, tmp_path):
    folder = next(path for path in (copied / "models").iterdir() if (path / "manifest.json").is_file())
    tried = 0
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        flipped = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in (0, len(whole) // 2, len(whole) - 2)]
        for damaged in [b"", whole[:1], whole[: len(whole) // 2], whole[:-2], b"[]", *flipped]:
            path.write_bytes(damaged)
            with pytest.raises(CreditbookError) as refused:
                score_as_of(copied, OCTOBER, None, None, tmp_path / "out")
            assert refused.value.exit_code == 65, f"{path.name}: {refused.value}"
            assert path.name in str(refused.value)
            tried += 1
        path.write_bytes(whole)
    assert tried == 8 * len(list(folder.iterdir())) >= 48
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is absent: no clock is set back")
def test_a_clock_set_back_by_years_changes_no_byte_no_lock_and_nothing_that_is_kept(project, tmp_path):
    for day in (OCTOBER, NOVEMBER):
        score_as_of(project, day, None, None, tmp_path / "now")
    shutil.copytree(tmp_path / "now", tmp_path / "then", symlinks=True)
    shutil.rmtree((tmp_path / "then" / "latest").resolve())
    arguments = ["score", "--as-of", str(NOVEMBER), "--out", str(tmp_path / "then")]
    set_back = {"LD_PRELOAD": _library(), "FAKETIME": "@2001-02-03 04:05:06", "NO_FAKE_STAT": "1"}
    told = command(project, "--log-format", "json", *arguments, **set_back)
    assert told.returncode == 0, told.stderr
    assert '"at": "2001-02-03T' in told.stdout
    assert tree(tmp_path / "then") == tree(tmp_path / "now")
    with (tmp_path / "then" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert command(project, *arguments, **set_back).returncode == 75


def _library() -> str:
    """The library that `faketime` loads into the command it starts."""
    told = subprocess.run(
        ["faketime", "2001-02-03", "sh", "-c", "echo $LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()
