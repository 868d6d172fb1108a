"""Is a published run what its manifest says? Hashes, run id, rows, columns, nulls by status, totals."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from pipeline.errors import DamagedRunError, MissingInputError
from pipeline.score.alerts import ALERT_SCHEMA
from pipeline.score.change import CHANGES_SCHEMA
from pipeline.score.columns import BOOK_SCHEMA
from pipeline.score.cores import threads
from pipeline.score.csv_text import csv_lines
from pipeline.score.limit_trace import TRACE_SCHEMA
from pipeline.score.table_check import table_breaches

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

# The folder of all runs of a place; a run is found there by its name, a copy elsewhere may have any.
RUNS = ".runs"
MANIFEST = "manifest.json"
_EMPTY_SEAL, _FORMAT_WITHOUT_SEAL = '"seal": ""', 1
_TABLES: Mapping[str, pa.Schema] = {"alerts": ALERT_SCHEMA, "limit_trace": TRACE_SCHEMA, "changes": CHANGES_SCHEMA}
_FILES = ("scored_book.parquet", "scored_book.csv", *(f"{name}.parquet" for name in _TABLES))


def verify(folder: Path) -> list[str]:
    """Every breach of a published run (or of a link to one); empty when it is whole and true.

    Read in parts, so that memory does not grow with the book.
    """
    try:
        manifest = read_manifest(folder)
    except (MissingInputError, DamagedRunError) as error:
        return [str(error)]
    breaches = hash_breaches(folder) or _column_breaches(folder)
    if breaches:
        return breaches
    # The lines are counted beside the tables: whole blocks of bytes, which leave the interpreter to the other.
    with ThreadPoolExecutor(1, "lines") as pool:
        lines = pool.submit(_line_breaches, folder, manifest["rows"]["scored_book"])
        return [*table_breaches(folder, manifest), *lines.result()]


def hash_breaches(folder: Path) -> list[str]:
    """Missing, extra and changed files, a run id that is not the hash of the inputs, and among the runs of a place a
    folder that is not named by it; a copy elsewhere may have any name."""
    try:
        manifest = read_manifest(folder)
    except (MissingInputError, DamagedRunError) as error:
        return [str(error)]
    if not _is_sealed(folder, manifest):
        return [f"{folder}/{MANIFEST}: altered after it was written"]
    breaches = []
    run_id = run_id_of(manifest.get("inputs", {}))
    if run_id != manifest.get("run_id"):
        breaches.append(f"{folder}: run id {manifest.get('run_id')!r} is not the hash of its inputs, {run_id!r}")
    elif folder.resolve().parent.name == RUNS and run_id != folder.resolve().name:
        breaches.append(f"{folder}: the folder is named {folder.resolve().name!r}, the run in it is {run_id!r}")
    files = manifest.get("files", {})
    names = {path.name for path in folder.iterdir()} - {MANIFEST}
    breaches += [f"{folder}/{name}: not named in the manifest" for name in sorted(names - set(files))]
    breaches += [f"{folder}/{name}: the manifest has no hash of it" for name in sorted(set(_FILES) - set(files))]
    breaches += [f"{folder}/{name}: missing" for name in sorted(set(files) - names)]
    there = [(folder / name, told) for name, told in sorted(files.items()) if name in names]
    with ThreadPoolExecutor(max(min(threads(), len(there)), 1), "hashes") as pool:
        breaches += [breach for found in pool.map(lambda one: _file_breaches(*one), there) for breach in found]
    return breaches


def _file_breaches(path: Path, told: Mapping[str, Any]) -> list[str]:
    size = path.stat().st_size
    if size != told["bytes"]:
        return [f"{path}: {size} bytes where the manifest has {told['bytes']}"]
    if _hash(path) != told["sha256"]:
        return [f"{path}: altered; its {size} bytes have another hash than in the manifest"]
    return []


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """The text of a manifest, with the hash of all its other bytes under `seal`."""
    text = json.dumps({**manifest, "seal": ""}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return text.replace(_EMPTY_SEAL, _EMPTY_SEAL[:-1] + hashlib.sha256(text.encode()).hexdigest() + '"').encode()


def _is_sealed(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """No byte of the manifest is another than when it was written; the first format had no seal."""
    seal = manifest.get("seal")
    if seal is None:
        return bool(manifest.get("format", _FORMAT_WITHOUT_SEAL) == _FORMAT_WITHOUT_SEAL)
    text = (folder / MANIFEST).read_bytes().replace(f'"seal": "{seal}"'.encode(), _EMPTY_SEAL.encode())
    return bool(hashlib.sha256(text).hexdigest() == seal)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises MissingInputError without one, DamagedRunError when it is no JSON object."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(f"{path} is missing: no whole run stands there; score the day first") from None
    except ValueError as error:
        raise DamagedRunError(f"{path} is no JSON ({error}); restore the run or publish its day again") from error
    if not isinstance(manifest, dict):
        raise DamagedRunError(f"{path} holds no manifest; restore the run or publish its day again")
    return manifest


def run_id_of(inputs: Mapping[str, str]) -> str:
    """Sixteen digits of the hash of what a run is made of."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:16]


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _column_breaches(folder: Path) -> list[str]:
    found = []
    for name, schema in {"scored_book": BOOK_SCHEMA, **_TABLES}.items():
        there = pq.read_schema(folder / f"{name}.parquet")
        if there.names != schema.names or there.types != schema.types:
            found.append(f"{folder}/{name}.parquet: columns are not those described: {', '.join(there.names)}")
    return found


def _line_breaches(folder: Path, rows: int) -> list[str]:
    lines = csv_lines(folder / "scored_book.csv") - 1
    if lines == rows:
        return []
    return [f"{folder}: lines of scored_book.csv: the manifest says {rows}, found {lines}"]
