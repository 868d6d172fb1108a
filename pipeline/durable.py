"""Files that are whole or not there: written aside, flushed to the disk, renamed in."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from pipeline.errors import CreditbookError, LockedError, OutputError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ASK_EVERY_SECONDS = 0.05
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM}


def write_folder(folder: Path, files: Mapping[str, bytes], last: str) -> None:
    """Writes all files beside the folder, `last` last, and renames them in at once; an equal folder stays as it is.

    Raises OutputError when nothing can be written there, StorageError when the disk is full.
    """
    with told_errors(folder):
        if _holds_just(folder, files):
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = folder.parent / f".{folder.name}.aside"
        shutil.rmtree(aside, ignore_errors=True)
        with gone_on_error(aside):
            aside.mkdir()
            for name in sorted(n for n in files if n != last):
                write_file(aside / name, files[name])
            put_folder(aside, folder, last, files[last])


def put_folder(aside: Path, folder: Path, last: str, content: bytes) -> None:
    """Writes the last file of a folder whose others are flushed, and renames it to where readers look.

    What is there is renamed aside first and removed last: readers miss it between two renames, not while it is removed.
    It is put back when the second rename fails.
    """
    write_file(aside / last, content)
    sync_folder(aside)
    old = folder.parent / f".{folder.name}.old.aside"
    if folder.exists():
        _remove(old)
    _swap(aside, folder, old)
    # Of a swap that was killed between its renames.
    _remove(old)


def _holds_just(folder: Path, files: Mapping[str, bytes]) -> bool:
    """These files, byte for byte, and no other."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(files):
        return False
    return all((folder / name).is_file() and (folder / name).read_bytes() == files[name] for name in files)


@contextmanager
def gone_on_error(aside: Path) -> Iterator[None]:
    """Removes what was written aside when the block fails or is interrupted: half a run must not keep a disk full."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            _remove(aside)
        raise


def remove_folder(folder: Path) -> None:
    """Removes a folder at once for readers; what a killed removal leaves has the ending of things aside."""
    aside = folder.parent / f".{folder.name}.aside"
    _remove(aside)
    folder.rename(aside)
    _remove(aside)


def sweep_asides(parent: Path) -> None:
    """Removes what killed runs left aside in `parent`."""
    for leftover in parent.glob(".*.aside"):
        _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def draft_folder(target: Path) -> Iterator[Path]:
    """A folder to fill beside `target`; when the block ends it takes the target's place whole.

    The old folder is moved away only when the new one is whole on disk, and moved back if the swap fails. A swap that
    an earlier run did not finish is mended first. Raises OutputError, or StorageError when the disk is full.
    """
    draft, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    with told_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
    try:
        with told_errors(target):
            yield draft
            _sync_tree(draft)
            _swap(draft, target, old)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def recover(target: Path) -> None:
    """Puts the old folder back where a swap was cut short between its two renames; else does nothing."""
    old = target.with_name(f".{target.name}.old")
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


def _swap(draft: Path, target: Path, old: Path) -> None:
    if not target.exists():
        draft.rename(target)
        sync_folder(target.parent)
        return
    target.rename(old)
    try:
        draft.rename(target)
    except OSError:
        old.rename(target)
        raise
    sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        sync_folder(path)
    sync_folder(folder)


def write_file(path: Path, content: bytes) -> None:
    """Writes and flushes one file."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_text(path: Path, text: str) -> None:
    """Replaces a small file at once: readers see the old one or the new one."""
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """The same for any content."""
    with told_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.aside")
        with gone_on_error(aside):
            write_file(aside, content)
            aside.replace(path)
        sync_folder(path.parent)


def replace_link(link: Path, target: str) -> None:
    """Points a symbolic link to `target` (relative) at once; nothing is done when it points there already."""
    with told_errors(link):
        if link.is_symlink() and str(link.readlink()) == target:
            return
        aside = link.with_name(f".{link.name}.aside")
        aside.unlink(missing_ok=True)
        with gone_on_error(aside):
            aside.symlink_to(target)
            aside.replace(link)
        sync_folder(link.parent)


def sync_folder(folder: Path) -> None:
    """Flushes a folder's entries, or a file, so that they survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Holds the lock file; the kernel frees it when the process ends, however it does.

    Raises LockedError when another run still holds it after `wait_seconds`.
    """
    with told_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    with file:
        if not _taken(file, wait_seconds):
            raise LockedError(
                f"{path}: another run is at work here and was not done in {wait_seconds:g} s; wait for it to end, "
                "then run again"
            )
        yield


def _taken(file: IO[str], wait_seconds: float) -> bool:
    """The lock is ours. It is asked for again and again: a wait that the kernel keeps could not be ended in time."""
    end = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_ASK_EVERY_SECONDS)
        else:
            return True


@contextmanager
def told_errors(path: Path) -> Iterator[None]:
    """Turns an OSError into OutputError (73) or, when the disk or the device failed, StorageError (74)."""
    try:
        yield
    except CreditbookError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"{path}: {error.strerror}; what was there is unchanged; free space or mend the disk, then run again"
            ) from error
        raise OutputError(
            f"{path} cannot be created: {error.strerror or error}; choose another place or mend its rights"
        ) from error
