"""Parquet files: equal rows give equal bytes, and a flipped bit is found on reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ROWS_PER_GROUP = 65_536
"""Most rows of a row group of a streamed file."""

_CELLS_PER_GROUP = 4 * 1024**2
"""Most cells of one: a writer holds them in memory, 32 MiB of numbers."""

_OPTIONS: dict[str, Any] = {"compression": "zstd", "version": "2.6", "write_page_checksum": True, "store_schema": False}


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Writes rows so that equal rows give equal bytes and a flipped bit is found on reading."""
    rows = rows.replace_schema_metadata(None)
    pq.write_table(rows, path, **_OPTIONS, use_dictionary=_repeating(rows.schema))


def read_parquet(path: Path) -> pa.Table:
    """Reads rows and checks every page's checksum. Raises OSError when the file is damaged."""
    return pq.read_table(path, page_checksum_verification=True)


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
    """Writes rows as they come, one row group in memory at a time; gives back their count.

    A row group has ROWS_PER_GROUP rows, of a table of many columns a half, a quarter and so on of them.

    The bytes depend on the rows and their order, not on how they fall into batches.
    """
    count = 0
    schema = schema.remove_metadata()
    with pq.ParquetWriter(path, schema, **_OPTIONS, use_dictionary=_repeating(schema)) as writer:
        for group in _groups(batches, schema):
            writer.write_table(group, row_group_size=group.num_rows)
            count += group.num_rows
    return count


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns to write by a dictionary of their values: not measurements, of which a file grows larger and slower."""
    return [field.name for field in schema if not pa.types.is_floating(field.type)]


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in tables of a row group each, the last one shorter; one chunk per column."""
    size = _rows_per_group(len(schema))
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for whole in batches:
        batch = whole
        while rows + batch.num_rows >= size:
            waiting.append(batch.slice(0, size - rows))
            batch, rows = batch.slice(size - rows), 0
            yield _joined(waiting, schema)
        if batch.num_rows:
            waiting.append(batch)
            rows += batch.num_rows
    if waiting:
        yield _joined(waiting, schema)


def _rows_per_group(columns: int) -> int:
    rows = ROWS_PER_GROUP
    while rows * columns > _CELLS_PER_GROUP and rows > 1:
        rows //= 2
    return rows


def _joined(waiting: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """The batches as one table; nobody waits any longer, so that their memory can go."""
    rows = pa.Table.from_batches(waiting).cast(schema)
    waiting.clear()
    return rows.combine_chunks()
