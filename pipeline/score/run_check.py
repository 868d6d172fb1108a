"""Is a published run what its manifest says? Hashes, run id, rows, columns, nulls by status, totals."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import MissingInputError, StorageError
from pipeline.score.alerts import ALERT_SCHEMA
from pipeline.score.change import CHANGES_SCHEMA
from pipeline.score.columns import breaches_of
from pipeline.score.limit_trace import TRACE_SCHEMA
from pipeline.score.summary import TOTALLED, counts_of, totals_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "manifest.json"
_TABLES: Mapping[str, pa.Schema] = {"alerts": ALERT_SCHEMA, "limit_trace": TRACE_SCHEMA, "changes": CHANGES_SCHEMA}
_FILES = ("scored_book.parquet", "scored_book.csv", *(f"{name}.parquet" for name in _TABLES))


def verify(folder: Path) -> list[str]:
    """Every breach of a published run (or of a link to one); empty when it is whole and true."""
    try:
        manifest = read_manifest(folder)
    except (MissingInputError, StorageError) as error:
        return [str(error)]
    breaches = hash_breaches(folder)
    if breaches:
        return breaches
    book = pq.read_table(folder / "scored_book.parquet", page_checksum_verification=True)
    breaches = breaches_of(book)
    if breaches:
        return breaches
    for title, told, found in (
        ("rows of scored_book", manifest["rows"]["scored_book"], book.num_rows),
        ("counts", manifest["counts"], counts_of(book)),
        ("totals", _of_columns(manifest["totals"]), totals_of(book)),
        (
            "as_of",
            [manifest["as_of"]],
            [str(day) for day in pc.unique(book["as_of"]).to_pylist()] or [manifest["as_of"]],
        ),
        ("lines of scored_book.csv", book.num_rows, _csv_rows(folder / "scored_book.csv")),
    ):
        if told != found:
            breaches.append(f"{folder}: {title}: the manifest says {told}, found {found}")
    for name, schema in _TABLES.items():
        table = pq.read_table(folder / f"{name}.parquet", page_checksum_verification=True)
        breaches += _table_breaches(folder, name, table, schema, manifest["rows"].get(name))
        strangers = sorted(set(pc.unique(table["customer_id"]).to_pylist()) - set(book["customer_id"].to_pylist()))
        # A closed alert may outlive its customer's place in the ledger.
        if strangers and name != "alerts":
            breaches.append(
                f"{folder}/{name}.parquet: {len(strangers)} customers not in the book, e.g. {strangers[0]!r}"
            )
    return breaches + _cap_breaches(folder, book)


def hash_breaches(folder: Path) -> list[str]:
    """Missing, extra and changed files, and a run id that is not the hash of the inputs."""
    try:
        manifest = read_manifest(folder)
    except (MissingInputError, StorageError) as error:
        return [str(error)]
    breaches = []
    run_id = run_id_of(manifest.get("inputs", {}))
    if not run_id == manifest.get("run_id") == folder.resolve().name:
        breaches.append(f"{folder}: run id {manifest.get('run_id')!r} is not the hash of its inputs, {run_id!r}")
    files = manifest.get("files", {})
    names = {path.name for path in folder.iterdir()} - {MANIFEST}
    breaches += [f"{folder}/{name}: not named in the manifest" for name in sorted(names - set(files))]
    breaches += [f"{folder}/{name}: the manifest has no hash of it" for name in sorted(set(_FILES) - set(files))]
    for name, told in sorted(files.items()):
        if name not in names:
            breaches.append(f"{folder}/{name}: missing")
            continue
        content = (folder / name).read_bytes()
        if len(content) != told["bytes"] or hashlib.sha256(content).hexdigest() != told["sha256"]:
            breaches.append(
                f"{folder}/{name}: {len(content)} bytes are not the {told['bytes']} the manifest has a hash of"
            )
    return breaches


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises MissingInputError without one, StorageError when it is no JSON object."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(f"{path} is missing: no whole run stands there; score the day first") from None
    except ValueError as error:
        raise StorageError(f"{path} is no JSON ({error}); restore the run or publish its day again") from error
    if not isinstance(manifest, dict):
        raise StorageError(f"{path} holds no manifest; restore the run or publish its day again")
    return manifest


def run_id_of(inputs: Mapping[str, str]) -> str:
    """Sixteen digits of the hash of what a run is made of."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:16]


def _of_columns(totals: Mapping[str, Any]) -> dict[str, Any]:
    """The totals that are sums of a column; the others tell of limits and loss budget."""
    return {name: total for name, total in totals.items() if name in TOTALLED}


def _csv_rows(path: Path) -> int:
    from pyarrow import csv

    options = csv.ConvertOptions(include_columns=["customer_id"], column_types={"customer_id": pa.string()})
    parse = csv.ParseOptions(newlines_in_values=True)
    rows: int = csv.read_csv(path, convert_options=options, parse_options=parse).num_rows
    return rows


def _table_breaches(folder: Path, name: str, table: pa.Table, schema: pa.Schema, rows: int | None) -> list[str]:
    found = []
    if table.schema.names != schema.names or table.schema.types != schema.types:
        found.append(f"{folder}/{name}.parquet: columns are not those described: {', '.join(table.schema.names)}")
    if table.num_rows != rows:
        found.append(f"{folder}/{name}.parquet: {table.num_rows} rows, the manifest says {rows}")
    return found


def _cap_breaches(folder: Path, book: pa.Table) -> list[str]:
    """Every suggested limit has its binding cap in the trace, and does not exceed it."""
    trace = pq.read_table(folder / "limit_trace.parquet", page_checksum_verification=True)
    binding = trace.filter(trace["is_binding"])
    caps = dict(
        zip(
            binding["customer_id"].to_pylist(),
            zip(binding["cap"].to_pylist(), binding["amount"].to_pylist(), strict=True),
            strict=True,
        )
    )
    columns = (book[name].to_pylist() for name in ("customer_id", "limit_binding_cap", "limit_suggested"))
    wrong = [
        customer
        for customer, cap, limit in zip(*columns, strict=True)
        if cap is not None and (customer not in caps or caps[customer][0] != cap or limit > caps[customer][1])
    ]
    return [f"{folder}: {len(wrong)} limits are not under their binding cap, e.g. of {wrong[0]!r}"] if wrong else []
