"""Rows in the order of customer_id, read once from front to back, a range of customers at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEY = "customer_id"
_ROWS_PER_BATCH = 65_536


class Rows(Protocol):
    """Rows in the order of customer_id that can be read from the front as often as need be."""

    @property
    def schema(self) -> pa.Schema:
        """Their columns."""

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows from the front, some columns of them."""


@dataclass(frozen=True)
class ParquetRows:
    """Rows of a Parquet file; every page's checksum is verified when it is read."""

    path: Path

    @property
    def schema(self) -> pa.Schema:
        """The columns of the file."""
        return pq.read_schema(self.path)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows, a row group in memory at a time. Raises OSError when the file is damaged."""
        with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
            # Group by group: one iterator over all of them holds the compressed bytes of every group it has passed.
            for group in range(file.num_row_groups):
                yield from file.iter_batches(_ROWS_PER_BATCH, row_groups=[group], columns=list(columns))


class Ranges:
    """What is left of the rows; each call takes the customers up to one and leaves those after it."""

    def __init__(self, what: str, rows: Rows, columns: Sequence[str] | None = None) -> None:
        self._what = what
        schema = rows.schema
        names = schema.names if columns is None else columns
        self._schema = pa.schema([schema.field(name) for name in names])
        self._batches = rows.batches(names)
        self._ahead: pa.RecordBatch | None = None
        self._last: str | None = None

    def upto(self, last: str) -> pa.Table:
        """The rows left of customers whose name is not after `last`. Raises ContractError on rows out of order."""
        taken = []
        while (batch := self._next()) is not None:
            inside = _not_after(batch[KEY], last)
            if inside:
                taken.append(batch.slice(0, inside))
            if inside < batch.num_rows:
                self._ahead = batch.slice(inside)
                break
        return self._table(taken)

    def some(self, rows: int) -> pa.Table:
        """So many of the rows left, or all of them when they are fewer."""
        taken: list[pa.RecordBatch] = []
        while rows and (batch := self._next()) is not None:
            taken.append(batch.slice(0, rows))
            if batch.num_rows > rows:
                self._ahead = batch.slice(rows)
            rows -= taken[-1].num_rows
        return self._table(taken)

    def rest(self) -> pa.Table:
        """All that is left."""
        taken = []
        while (batch := self._next()) is not None:
            taken.append(batch)
        return self._table(taken)

    def _next(self) -> pa.RecordBatch | None:
        if self._ahead is not None:
            batch, self._ahead = self._ahead, None
            return batch
        for batch in self._batches:
            if batch.num_rows:
                self._require_order(batch[KEY])
                return batch
        return None

    def _require_order(self, keys: pa.Array) -> None:
        falls = pc.less(keys.slice(1), keys.slice(0, len(keys) - 1))
        first = keys[0].as_py()
        if (self._last is not None and first < self._last) or pc.any(falls).as_py():
            raise ContractError(
                f"{self._what}.customer_id: rows are not in order, near {first!r}; hand them in ordered by customer_id"
            )
        self._last = keys[-1].as_py()

    def _table(self, taken: list[pa.RecordBatch]) -> pa.Table:
        return pa.Table.from_batches([batch.cast(self._schema) for batch in taken], schema=self._schema)


def frame_of(rows: pa.Table) -> pd.DataFrame:
    """The rows as scoring reads them quickest: money as doubles, days as datetime64, texts as plain objects."""
    columns = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if pa.types.is_string(column.type):
            columns[name] = pd.Series(column.to_numpy(), dtype=object)
            continue
        numbers = column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column
        columns[name] = numbers.to_pandas(date_as_object=False)
    return pd.DataFrame(columns, copy=False)


def _not_after(keys: pa.Array, last: str) -> int:
    """How many of the rising keys are not after `last`, found by halving."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle].as_py() <= last:
            low = middle + 1
        else:
            high = middle
    return low
