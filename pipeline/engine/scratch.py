"""A folder of a run's own for what does not fit into memory; gone at the end, or at the next run's start."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from pipeline.durable import told_errors

_LOCK = "in-use"


class ScratchFolder:
    """A new folder in `parent`, held by a lock that the kernel frees when the process ends.

    Folders of the same `kind` whose process has ended are removed first, so that a killed run fills no disk.
    Raises OutputError when the folder cannot be created.
    """

    def __init__(self, parent: Path, kind: str) -> None:
        with told_errors(parent):
            parent.mkdir(parents=True, exist_ok=True)
            _sweep(parent, kind)
            self.path = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=parent)).resolve()
            self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Removes the folder and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep(parent: Path, kind: str) -> None:
    for folder in parent.glob(f"{kind}-*"):
        lock = _taken(folder / _LOCK)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _taken(path: Path) -> int | None:
    """The lock, now ours; None when its run is alive, or has not come so far as to make it."""
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
