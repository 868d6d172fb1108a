"""A line between two processes of one run: words go pickled, rows in memory that both see; no file, nothing to tidy."""

from __future__ import annotations

import os
from multiprocessing import reduction
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    Tables = Mapping[str, pa.Table]

_SEEN = "/proc/self/fd/{}"


class Line:
    """One end. Both ends are processes of this run that hold no other end: what comes was said by us."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def say(self, words: object, tables: Tables | None = None) -> None:
        """Sends words and tables by name. Raises ConnectionError when nobody is at the other end, OSError when there is
        no memory for the rows."""
        if not tables:
            self._connection.send((words, ()))
            return
        # Memory without a name: the kernel takes it back when nobody has it open, however a process ends.
        memory = os.memfd_create("rows")
        try:
            _put(memory, tables)
            self._connection.send((words, tuple(tables)))
            reduction.send_handle(self._connection, memory, None)
        finally:
            os.close(memory)

    def heard(self) -> tuple[Any, dict[str, pa.Table]]:
        """What comes next; waits for it. Raises EOFError or ConnectionError when nobody is at the other end."""
        words, names = self._connection.recv()
        if not names:
            return words, {}
        memory = reduction.recv_handle(self._connection)
        try:
            # The rows are not copied: their memory stays as long as they do.
            with pa.memory_map(_SEEN.format(memory)) as source:
                return words, {name: pa.ipc.open_stream(source).read_all() for name in names}
        finally:
            os.close(memory)

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()


def _put(memory: int, tables: Tables) -> None:
    with pa.OSFile(_SEEN.format(memory), "wb") as sink:
        for rows in tables.values():
            with pa.ipc.new_stream(sink, rows.schema) as stream:
                stream.write_table(rows)
