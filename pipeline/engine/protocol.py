"""What the project asks of an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import ibis.expr.types as ir

BatchFunction = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Turns a batch of rows into a batch of rows; pure, picklable, and indifferent to how rows fall into batches."""

WhenKept = Callable[[float], None]
"""Told, in the thread that asked, when a table is kept, and the seconds it took."""


class Engine(Protocol):
    """An open connection. Expressions made from its tables run where it runs."""

    def read(self, path: Path, name: str) -> ir.Table:
        """The Parquet file as a table."""

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        """An Arrow table as a table of the engine; nulls stay nulls."""

    def keep(self, expression: ir.Table, name: str, when_kept: WhenKept | None = None) -> ir.Table:
        """Computes the expression once and gives back the stored rows; use it where many expressions build on one.

        The engine makes the name its own: a table made later never changes what an earlier expression reads. It may
        still be at work when this comes back: then whatever reads the rows waits, and raises what went wrong.
        """

    def collect(self, expression: ir.Table, order_by: Sequence[str]) -> pa.Table:
        """All rows in memory, in a total order that the caller names."""

    def write(self, expression: ir.Table, path: Path, order_by: Sequence[str]) -> int:
        """Streams all rows to one Parquet file, in a total order that the caller names; gives back their count.

        Memory stays bounded whatever the count; equal rows give equal bytes.
        """

    def map_batches(self, rows: ir.Table, function: BatchFunction, schema: pa.Schema, name: str) -> ir.Table:
        """The rows after `function`, which gives batches of `schema`, kept under `name`; on a cluster it runs on the
        workers."""

    def close(self) -> None:
        """Closes the connection, frees its memory and removes what it left on disk."""
