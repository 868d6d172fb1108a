"""Writes an intake beside the old one and swaps them, so that a reader never sees half a ledger."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from pipeline import engine
from pipeline.errors import OutputError, StorageError
from pipeline.tables.canonical import FORMAT_VERSION, MANIFEST, file_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipeline.tables.intake import Intake

REPORT = "intake.json"
QUARANTINE = "quarantine"


def write_canonical(intake: Intake, folder: Path) -> None:
    """Writes one Parquet file per table, `quarantine/`, `intake.json` and, last, `manifest.json`.

    Equal intakes give equal bytes. The old folder is moved away only when the new one is whole on disk, and moved back
    if the swap fails. Raises OutputError when the folder cannot be created, StorageError when the disk fails.
    """
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror}; check the place and its rights") from error
    try:
        _fill(intake, new)
        _swap(new, folder, old)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise StorageError(
            f"{folder} could not be written: {error.strerror or error}; the ledger that was there is unchanged"
        ) from error


def recover(folder: Path) -> None:
    """Puts the old ledger back where a swap was cut short between its two renames; else does nothing."""
    old = folder.with_name(f".{folder.name}.old")
    if not old.exists():
        return
    if folder.exists():
        shutil.rmtree(old)
    else:
        old.rename(folder)


def _fill(intake: Intake, folder: Path) -> None:
    _write_tables(intake.tables, folder)
    if intake.quarantine:
        (folder / QUARANTINE).mkdir()
        _write_tables(intake.quarantine, folder / QUARANTINE)
    _write_json(dict(intake.report), folder / REPORT)
    _write_json(_manifest(intake, folder), folder / MANIFEST)
    _sync(folder)


def _write_tables(tables: Mapping[str, pa.Table], folder: Path) -> None:
    for name, rows in sorted(tables.items()):
        path = folder / f"{name}.parquet"
        engine.write_parquet(rows, path)
        _sync(path)
    _sync(folder)


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    _sync(path)


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


def _swap(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        _sync(folder.parent)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
