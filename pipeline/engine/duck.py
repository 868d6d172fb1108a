"""DuckDB in the process: no server; what does not fit into the memory limit spills to disk."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis.expr.operations as ops
from ibis.backends.sql.datatypes import DuckDBType

from pipeline.engine.ahead import AheadBackend
from pipeline.engine.parquet_files import write_batches
from pipeline.engine.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import ibis.expr.types as ir
    import pyarrow as pa

    from pipeline.engine.protocol import BatchFunction, WhenKept

_ROWS_PER_BATCH = 16_384


@dataclass(frozen=True)
class DuckEngine:
    """An open DuckDB database in memory; `scratch` holds what it spills."""

    backend: AheadBackend
    scratch: ScratchFolder
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def read(self, path: Path, name: str) -> ir.Table:
        """The Parquet file as a table."""
        return self.backend.read_parquet(str(path), table_name=name)

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        """An Arrow table as a table of the engine; nulls stay nulls."""
        return self.backend.create_table(self._own(name), rows, temp=True)

    def keep(self, expression: ir.Table, name: str, when_kept: WhenKept | None = None) -> ir.Table:
        """Computes the expression once, in its turn, and gives back what will be the stored rows.

        Use it where many expressions build on one. It does not wait: whatever reads the rows does.
        """
        own = self._own(name)
        schema = expression.schema()
        # Made and filled in one statement: Ibis makes the table, then inserts, which takes three times as long.
        # The casts are those of that insert: a sum of integers, say, is wider in DuckDB than Ibis tells.
        types = ((column, DuckDBType.to_string(dtype)) for column, dtype in schema.items())
        columns = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in types)
        self.backend._run_pre_execute_hooks(expression)
        sql = f'CREATE TEMP TABLE "{own}" AS SELECT {columns} FROM ({self.backend.compile(expression)})'
        self.backend.run_ahead(sql, when_kept)
        return ops.DatabaseTable(own, schema=schema, source=self.backend).to_expr()

    def collect(self, expression: ir.Table, order_by: Sequence[str]) -> pa.Table:
        """All rows in memory, in a total order that the caller names."""
        return expression.order_by(list(order_by)).to_pyarrow()

    def write(self, expression: ir.Table, path: Path, order_by: Sequence[str]) -> int:
        """Streams all rows to one Parquet file in a total order; the sort spills to disk."""
        schema = expression.schema().to_pyarrow()
        return write_batches(self._batches(expression.order_by(list(order_by))), schema, path)

    def map_batches(self, rows: ir.Table, function: BatchFunction, schema: pa.Schema, name: str) -> ir.Table:
        """The rows after `function`, batch by batch in this process, kept on disk under `name`."""
        own = self._own(name)
        # By way of a file: a second query on the connection would end the stream of the first.
        path = self.scratch.path / f"{own}.parquet"
        write_batches((function(batch) for batch in self._batches(rows)), schema, path)
        return self.read(path, own)

    def close(self) -> None:
        """Closes the connection, frees its memory and removes what it spilled."""
        self.backend.disconnect()
        self.scratch.close()

    def _batches(self, expression: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = expression.schema().to_pyarrow()
        reader = self.backend.raw_sql(self.backend.compile(expression)).to_arrow_reader(_ROWS_PER_BATCH)
        for batch in reader:
            yield batch.cast(schema)

    def _own(self, name: str) -> str:
        """The name with a number: a table made later never changes what an earlier expression reads."""
        return f"{name}_{next(self._numbers)}"


def open_duckdb(threads: int, memory_limit: str, scratch: Path) -> DuckEngine:
    """DuckDB that spills into a folder of its own under `scratch` above `memory_limit` (such as "2GB")."""
    folder = ScratchFolder(scratch, "duckdb")
    backend = AheadBackend().connect(threads=threads, memory_limit=memory_limit, temp_directory=str(folder.path))
    # A progress bar of the engine would tear the lines of ours; in a notebook DuckDB refuses even to be told so.
    if backend.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        backend.raw_sql("SET enable_progress_bar = false")
    backend.raw_sql("SET preserve_insertion_order = false")
    return DuckEngine(backend, folder)
