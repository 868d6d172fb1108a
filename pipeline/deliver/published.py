"""A published run as a target takes it: its tables in batches, and the figures by which it is known to have arrived."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import ContractError, DamagedRunError
from pipeline.score.draft import RUN_TABLES
from pipeline.score.run_check import MANIFEST, hash_breaches, read_manifest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_RUN_ID, _AS_OF = pa.field("run_id", pa.string(), nullable=False), pa.field("as_of", pa.date32(), nullable=False)
# Rows held in memory at a time; the book has some 50 columns.
_BATCH = 20_000


@dataclass(frozen=True)
class Control:
    """What a table must hold when it is read back: rows; by column, values that are not null and sums of money."""

    rows: int
    values: Mapping[str, int]
    sums: Mapping[str, Decimal]


@dataclass(frozen=True)
class PublishedDay:
    """A day and the folder of the run that `as_of=DATE` points to. `manifest_sha256` is of the manifest's bytes."""

    as_of: dt.date
    run_id: str
    manifest_sha256: str
    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run tells of itself."""
        return read_manifest(self.folder)

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of a table in order, as `schema_in_targets` has them."""
        schema = schema_in_targets(name)
        file = pq.ParquetFile(self.folder / f"{name}.parquet", page_checksum_verification=True)
        with file:
            # Group by group: one iterator over all of them holds the compressed bytes of every group it has passed.
            groups = (file.iter_batches(_BATCH, row_groups=[group]) for group in range(file.num_row_groups))
            for batch in chain.from_iterable(groups):
                told = {"run_id": _constant(_RUN_ID, self.run_id, batch), "as_of": _constant(_AS_OF, self.as_of, batch)}
                columns = [told[f.name] if f.name in told else batch.column(f.name) for f in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def control(self, name: str) -> Control:
        """What a target must hold of a table."""
        return control_of(self.batches(name), schema_in_targets(name))

    def require_whole(self) -> None:
        """Raises DamagedRunError when a file is not what the manifest says, ContractError when a table has other
        columns than those handed on now."""
        breaches = hash_breaches(self.folder)
        if breaches:
            raise DamagedRunError(
                f"{self.folder}: the run is damaged ({breaches[0]}); restore it or publish its day again"
            )
        for name, schema in RUN_TABLES.items():
            found = pq.read_schema(self.folder / f"{name}.parquet")
            if found.names != schema.names or found.types != schema.types:
                odd = sorted(set(found.names) ^ set(schema.names)) or ["their order or types"]
                raise ContractError(
                    f"{self.folder}/{name}.parquet: {len(odd)} column(s) are not those handed on now, e.g. {odd[0]!r}: "
                    f"the run is of another version of the program; score {self.as_of} again, or set "
                    "deliver.first_day to a later day"
                )


def published_day(as_of: dt.date, folder: Path) -> PublishedDay:
    """The run in a folder. Raises MissingInputError or DamagedRunError when it has no manifest to read."""
    manifest = read_manifest(folder)
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    return PublishedDay(as_of, str(manifest.get("run_id")), digest, folder)


def schema_in_targets(name: str) -> pa.Schema:
    """The columns of a table in a target: the run and the day, then the table's own.

    >>> schema_in_targets("limit_trace").names[:4]
    ['run_id', 'as_of', 'customer_id', 'cap']
    """
    return pa.schema([_RUN_ID, _AS_OF, *(field for field in RUN_TABLES[name] if field.name != "as_of")])


def control_of(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Control:
    """The figures of some rows; a sum over nothing is 0.00."""
    money = [field.name for field in schema if pa.types.is_decimal(field.type)]
    rows, values, sums = 0, dict.fromkeys(schema.names, 0), dict.fromkeys(money, Decimal("0.00"))
    for batch in batches:
        rows += batch.num_rows
        for name in schema.names:
            values[name] += batch.num_rows - batch.column(name).null_count
        for name in money:
            sums[name] += pc.sum(batch.column(name)).as_py() or Decimal(0)
    return Control(rows, values, sums)


def differences(told: Control, found: Control) -> list[str]:
    """In which figures a target differs from what was handed on; empty when it holds the same.

    >>> one = Control(2, {"pd": 2}, {"ead": Decimal("5.00")})
    >>> differences(one, Control(2, {"pd": 1}, {"ead": Decimal("5.00")}))
    ['pd: 1 value(s), handed on were 2']
    """
    if told.rows != found.rows:
        return [f"{found.rows} row(s), handed on were {told.rows}"]
    gaps = [
        f"{name}: {found.values.get(name)} value(s), handed on were {count}"
        for name, count in told.values.items()
        if found.values.get(name) != count
    ]
    return gaps + [
        f"{name}: the sum is {found.sums.get(name)}, handed on was {total}"
        for name, total in told.sums.items()
        if found.sums.get(name) != total
    ]


def _constant(field: pa.Field, value: object, batch: pa.RecordBatch) -> pa.Array:
    return pa.repeat(pa.scalar(value, field.type), batch.num_rows)
