"""Files that must not change while they are read: either all of the old ones were read, or all of the new."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Seen = dict[str, tuple[int, int, int, int]]


@contextmanager
def unchanged(folder: Path, names: Iterable[str] | None = None) -> Iterator[None]:
    """The files named in `folder` (null: all that lie in it) are the same at the end of the block as at its beginning.

    A file is told by device, inode, size and time of its last change, so that one that was replaced is noticed as well
    as one that was written to; where all files count, the folder itself too, which may have been away and come back.
    No clock is read. Raises StorageError (74) when one differs, also in place of whatever
    error reading files of two kinds led to.
    """
    wanted = None if names is None else frozenset(names)
    before = _seen(folder, wanted)
    try:
        yield
    except Exception as error:
        _require_same(folder, before, _seen(folder, wanted), error)
        raise
    _require_same(folder, before, _seen(folder, wanted), None)


def _seen(folder: Path, wanted: frozenset[str] | None) -> Seen:
    found: Seen = {}
    try:
        paths = list(folder.iterdir()) if wanted is None else [folder / name for name in wanted]
        if wanted is None:
            itself = folder.stat()
            # Renaming a folder leaves all in it as it was, but changes its own ctime.
            found[folder.name] = (itself.st_dev, itself.st_ino, itself.st_mtime_ns, itself.st_ctime_ns)
    except OSError:
        # Just now being swapped, or not there at all: whoever reads it tells which.
        return {}
    for path in paths:
        try:
            told = path.stat()
        except OSError:
            continue
        found[path.name] = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
    return found


def _require_same(folder: Path, before: Seen, after: Seen, cause: Exception | None) -> None:
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        raise StorageError(
            f"{folder}: {len(changed)} file(s) or folder(s) changed while they were read, e.g. {changed[0]}; what was "
            "read may mix the old with the new and is not used; run again when the writer is done"
        ) from cause
