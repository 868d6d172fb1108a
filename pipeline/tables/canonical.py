"""The canonical ledger: fourteen tables with one schema each, opened from intake's folder or made from Arrow tables."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import ContractError, MissingInputError, StorageError
from pipeline.tables.content_hash import content_hash
from pipeline.tables.ledger import BY_NAME, TABLES
from pipeline.tables.revisions import with_revisions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import ibis.expr.types as ir

    from pipeline.tables.contract import Table

MANIFEST = "manifest.json"
FORMAT_VERSION = 2


@dataclass(frozen=True)
class Ledger:
    """What was handed in, in canonical types, every revision kept.

    `tables` holds all fourteen names, each with its canonical columns, `revision` and `superseded_on`
    (`tables/revisions.py`); a table that was not handed in is empty and not in `present`. `data_version` is the sha256
    of the canonical tables' content. `derived` holds what follows from the tables alone and was computed once, by name.
    """

    tables: Mapping[str, ir.Table]
    present: frozenset[str]
    extract_date: dt.date
    base_currency: str
    data_version: str
    derived: Mapping[str, ir.Table] = field(default_factory=dict, repr=False)


def open_ledger(
    read: Callable[[Path, str], ir.Table], register: Callable[[str, pa.Table], ir.Table], folder: Path
) -> Ledger:
    """The ledger that intake wrote into `folder`; every file is checked against the manifest before it is opened.

    Raises MissingInputError when the folder, its manifest or a file is absent, StorageError when a file is not what
    the manifest says, ContractError when the manifest is of another format.
    """
    manifest = read_manifest(folder)
    files: dict[str, Any] = manifest["files"]
    _check_files(folder, files)
    version = str(manifest["data_version"])
    tables = {}
    for table in TABLES:
        name = f"{table.name}_{version[:12]}"
        if table.name in files:
            tables[table.name] = read(folder / f"{table.name}.parquet", f"{name}_file")
        else:
            tables[table.name] = register(f"{name}_rows", with_revisions(table, table.empty()))
    return Ledger(
        tables,
        frozenset(manifest["present"]),
        dt.date.fromisoformat(manifest["extract_date"]),
        str(manifest["base_currency"]),
        version,
    )


def ledger_of(
    register: Callable[[str, pa.Table], ir.Table],
    tables: Mapping[str, pa.Table],
    base_currency: str = "EUR",
    extract_date: dt.date | None = None,
) -> Ledger:
    """A ledger from Arrow tables in memory; `extract_date` null is the largest `known_on`.

    Columns that may be null may be missing; a missing `amount_document` is `amount`. Raises ContractError for an
    unknown table or column, or a type that does not cast.
    """
    conformed = {name: conform(name, rows) for name, rows in tables.items()}
    version = content_hash(conformed)
    everything = {t.name: conformed.get(t.name, t.empty()) for t in TABLES}
    registered = {
        name: register(f"{name}_{version[:12]}_rows", with_revisions(BY_NAME[name], rows))
        for name, rows in everything.items()
    }
    day = extract_date or _largest_known_on(conformed)
    return Ledger(registered, frozenset(conformed), day, base_currency, version)


def conform(name: str, rows: pa.Table) -> pa.Table:
    """The rows in the canonical schema, sorted by key and `known_on`; columns that may be null are added when missing.

    Raises ContractError for an unknown table, an unknown or missing column, or a value that does not cast.
    """
    table = BY_NAME.get(name)
    if table is None:
        raise ContractError(f"{name!r} is no table of the ledger; the tables are {', '.join(BY_NAME)}")
    unknown = sorted(set(rows.column_names) - set(table.canonical_schema.names))
    if unknown:
        raise ContractError(f"{name}: unknown column(s) {', '.join(unknown)}; rename or remove them")
    columns = [_column(table, rows, field) for field in table.canonical_schema]
    return sort_canonical(table, pa.Table.from_arrays(columns, schema=table.canonical_schema))


def sort_canonical(table: Table, rows: pa.Table) -> pa.Table:
    """Rows by key, `known_on` and then every other column, so that equal contents stand in equal order."""
    first = [*table.key, "known_on"]
    order = [*first, *(n for n in rows.column_names if n not in first)]
    positions = pc.sort_indices(rows, [(n, "ascending", "at_start") for n in order])
    return rows.take(positions).combine_chunks()


def _column(table: Table, rows: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name in rows.column_names:
        return _cast(table, rows, field.name, field.type)
    if field.name == "amount_document":
        return _cast(table, rows, "amount", field.type)
    if not table.column(field.name).is_null_allowed:
        raise ContractError(f"{table.name}.{field.name} is missing; add the column")
    return pa.chunked_array([pa.nulls(rows.num_rows, field.type)])


def _cast(table: Table, rows: pa.Table, name: str, wanted: pa.DataType) -> pa.ChunkedArray:
    column = rows[name]
    try:
        if pa.types.is_integer(column.type) and pa.types.is_decimal(wanted):
            # Arrow demands room for all 19 digits of an int64 before it narrows.
            column = column.cast(pa.decimal128(21, 2))
        return column.cast(wanted)
    except pa.ArrowInvalid as error:
        raise ContractError(f"{table.name}.{name} does not fit {wanted}: {error}; hand in canonical types") from error


def _largest_known_on(tables: Mapping[str, pa.Table]) -> dt.date:
    days = [pc.max(rows["known_on"]).as_py() for rows in tables.values() if rows.num_rows]
    if not days:
        raise ContractError("the ledger has no row, so it has no extract date; hand in rows or name the date")
    day: dt.date = max(days)
    return day


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a canonical folder. Raises MissingInputError when absent, ContractError when unreadable."""
    path = folder / MANIFEST
    if not path.is_file():
        raise MissingInputError(f"{folder} holds no canonical ledger ({MANIFEST} is not there); run ingest first")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ContractError(f"{path} is not a manifest of a canonical ledger: {error}; run ingest again") from error
    if version != FORMAT_VERSION:
        raise ContractError(f"{path} has format {version}, this version reads {FORMAT_VERSION}; run ingest again")
    return manifest


def file_hash(path: Path) -> str:
    """sha256 of the file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_files(folder: Path, files: Mapping[str, Any]) -> None:
    missing = [name for name in files if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise MissingInputError(
            f"{folder}: {len(missing)} file(s) of the manifest missing, e.g. {missing[0]}.parquet; run ingest again"
        )
    changed = [name for name, told in files.items() if file_hash(folder / f"{name}.parquet") != told["sha256"]]
    if changed:
        raise StorageError(
            f"{folder}: {len(changed)} file(s) not what {MANIFEST} says, e.g. {changed[0]}.parquet; "
            "they were damaged or edited after ingest; run ingest again"
        )
