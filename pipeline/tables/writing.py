"""Writes an intake beside the old one and swaps them, so that a reader never sees half a ledger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline import engine
from pipeline.durable import draft_folder
from pipeline.tables.canonical import FORMAT_VERSION, MANIFEST, file_hash
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.revisions import with_revisions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipeline.tables.intake import Intake

REPORT = "intake.json"
QUARANTINE = "quarantine"


def write_canonical(intake: Intake, folder: Path) -> None:
    """Writes one Parquet file per table, `quarantine/`, `intake.json` and, last, `manifest.json`, in one swap.

    Equal intakes give equal bytes. Raises OutputError when the folder cannot be created, StorageError when the disk
    fails; the ledger that was there is then unchanged.
    """
    with draft_folder(folder) as draft:
        _fill(intake, draft)


def _fill(intake: Intake, folder: Path) -> None:
    _write_tables({name: with_revisions(BY_NAME[name], rows) for name, rows in intake.tables.items()}, folder)
    if intake.quarantine:
        (folder / QUARANTINE).mkdir()
        _write_tables(intake.quarantine, folder / QUARANTINE)
    _write_json(dict(intake.report), folder / REPORT)
    _write_json(_manifest(intake, folder), folder / MANIFEST)


def _write_tables(tables: Mapping[str, pa.Table], folder: Path) -> None:
    for name, rows in sorted(tables.items()):
        path = folder / f"{name}.parquet"
        engine.write_parquet(rows, path)


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _manifest(intake: Intake, folder: Path) -> dict[str, Any]:
    files = {
        name: {
            "sha256": file_hash(folder / f"{name}.parquet"),
            "bytes": (folder / f"{name}.parquet").stat().st_size,
            "rows": rows.num_rows,
        }
        for name, rows in intake.tables.items()
    }
    return {
        "format_version": FORMAT_VERSION,
        "extract_date": None if intake.extract_date is None else intake.extract_date.isoformat(),
        "base_currency": intake.base_currency,
        "data_version": intake.data_version,
        "present": sorted(intake.present),
        "files": files,
        "sources": dict(intake.source_hashes),
        "quarantined": {name: rows.num_rows for name, rows in intake.quarantine.items()},
        "assumptions": list(intake.assumptions),
    }
