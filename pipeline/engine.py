"""The engine behind one Ibis connection: open it, read Parquet, write Parquet in a total order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend


@dataclass(frozen=True)
class Engine:
    """An open connection. Expressions made from its tables run where it runs."""

    backend: Backend
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def read(self, path: Path, name: str) -> ir.Table:
        """The Parquet file as a table."""
        return self.backend.read_parquet(str(path), table_name=name)

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        """An Arrow table as a table of the engine; nulls stay nulls."""
        return self.backend.create_table(self._own(name), rows, temp=True)

    def keep(self, expression: ir.Table, name: str) -> ir.Table:
        """Computes the expression once and gives back the stored rows; use it where many expressions build on one."""
        return self.backend.create_table(self._own(name), expression, temp=True)

    def _own(self, name: str) -> str:
        """The name with a number: a table made later never changes what an earlier expression reads."""
        return f"{name}_{next(self._numbers)}"

    def collect(self, expression: ir.Table, order_by: Sequence[str]) -> pa.Table:
        """All rows, in a total order that the caller names."""
        return expression.order_by(list(order_by)).to_pyarrow()

    def close(self) -> None:
        """Closes the connection and frees its memory."""
        self.backend.disconnect()


def connect(threads: int, memory_limit: str) -> Engine:
    """DuckDB in the process: no server, spills to disk above `memory_limit` (such as "2GB")."""
    backend = ibis.duckdb.connect(threads=threads, memory_limit=memory_limit)
    # A progress bar of the engine would tear the lines of ours; in a notebook DuckDB refuses even to be told so.
    if backend.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        backend.raw_sql("SET enable_progress_bar = false")
    backend.raw_sql("SET preserve_insertion_order = false")
    return Engine(backend)


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Writes rows so that equal rows give equal bytes and a flipped bit is found on reading."""
    pq.write_table(
        rows.replace_schema_metadata(None),
        path,
        compression="zstd",
        version="2.6",
        write_page_checksum=True,
        store_schema=False,
    )


def read_parquet(path: Path) -> pa.Table:
    """Reads rows and checks every page's checksum. Raises OSError when the file is damaged."""
    return pq.read_table(path, page_checksum_verification=True)
