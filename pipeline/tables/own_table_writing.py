"""A modelling table on disk, in the folder where a ledger would lie: rows, catalogue as JSON, and a manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import engine
from pipeline.durable import draft_folder
from pipeline.errors import MissingInputError, StorageError
from pipeline.tables.canonical import FORMAT_VERSION, MANIFEST, file_hash, read_manifest
from pipeline.tables.content_hash import content_hash
from pipeline.tables.own_table import label_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.tables.own_table import OwnTable

ROWS = "table.parquet"
# Columns of the table that are not features.
LABEL_COLUMNS = ("customer_id", "as_of", "group_key", "outcome", "is_bad")


@dataclass(frozen=True)
class StoredTable:
    """A table as taken in: `rows` as in `OwnTable`, `told` what the manifest says of it."""

    rows: pa.Table
    told: dict[str, Any]


def write_own_table(table: OwnTable, folder: Path) -> None:
    """Replaces the folder whole; a ledger that lay there is gone. Equal tables give equal bytes.

    Raises OutputError when the folder cannot be created, StorageError when the disk fails.
    """
    with draft_folder(folder) as draft:
        engine.write_parquet(table.rows, draft / ROWS)
        manifest = {**_told(table), "files": {"table": {"sha256": file_hash(draft / ROWS), "rows": len(table.rows)}}}
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (draft / MANIFEST).write_text(text, encoding="utf-8")


def open_own_table(folder: Path) -> StoredTable:
    """The table in the folder. Raises MissingInputError without it, StorageError when it is not what was written."""
    told, path = read_manifest(folder), folder / ROWS
    if not path.is_file():
        raise MissingInputError(f"{path} is missing; run ingest again")
    if file_hash(path) != told["files"]["table"]["sha256"]:
        raise StorageError(f"{path} is not what {MANIFEST} says; it was damaged or edited; run ingest again")
    return StoredTable(engine.read_parquet(path), told)


def holds_own_table(folder: Path) -> bool:
    """A modelling table was taken in here, not a ledger. Raises MissingInputError when neither was."""
    return read_manifest(folder).get("holds") == "table"


def _told(table: OwnTable) -> dict[str, Any]:
    catalogue, last = table.catalogue, table.last_day
    return {
        "format_version": FORMAT_VERSION,
        "holds": "table",
        "name": catalogue.name,
        "source": catalogue.source,
        "licence": catalogue.licence,
        "extract_date": last.isoformat() if last else None,
        "data_version": _content_hash(table.rows),
        "source_sha256": table.source_sha256,
        "label": dict(label_of(catalogue)),
        "target": {
            "column": catalogue.target.column,
            "bad": list(catalogue.target.bad),
            "good": list(catalogue.target.good),
            "indeterminate": list(catalogue.target.indeterminate),
            "rule": catalogue.target.rule,
        },
        "features": [feature.as_json(catalogue.name) for feature in catalogue.features],
        "excluded": dict(catalogue.excluded),
        "identified_by": {
            "key": list(catalogue.key),
            "entity": catalogue.entity,
            "group": catalogue.group,
            "date": catalogue.date.column if catalogue.date else None,
        },
        "notes": list(catalogue.notes),
        "remarks": list(table.remarks),
    }


def _content_hash(rows: pa.Table) -> str:
    position = rows.column_names.index("is_bad")
    return content_hash({"table": rows.set_column(position, "is_bad", rows["is_bad"].cast(pa.int64()))})
