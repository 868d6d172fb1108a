"""A ledger that featuretools can tell right: one time per row, no revisions, no credit notes, no write-offs.

It knows one time index per table, so knowledge and event must fall on one day; what it cannot tell is taken out of the
ledger for both sides, so that the values must agree.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.engine import write_parquet
from pipeline.tables.canonical import MANIFEST, file_hash, read_manifest
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.revisions import NEVER_SUPERSEDED

if TYPE_CHECKING:
    from pathlib import Path

TABLES = ("customers", "invoices", "payments", "orders")


def plain_ledger(ledger: Path, folder: Path) -> Path:
    """Writes the four tables of a canonical ledger, made plain, into `folder`."""
    folder.mkdir(parents=True)
    found = {name: _first_told(name, pq.read_table(ledger / f"{name}.parquet")) for name in TABLES}
    is_credit = pc.equal(found["invoices"]["kind"], "credit_note")
    credit_notes = found["invoices"].filter(is_credit)["invoice_id"]
    invoices = found["invoices"].filter(pc.invert(is_credit))
    nothing = pa.nulls(invoices.num_rows, pa.date32())
    found["invoices"] = _replaced(invoices, "written_off_on", nothing)
    found["payments"] = _after_issue(_without_clearings(found["payments"], credit_notes), invoices)
    manifest = read_manifest(ledger)
    manifest["files"] = {}
    manifest["present"] = sorted(TABLES)
    for name, rows in found.items():
        path = folder / f"{name}.parquet"
        write_parquet(rows, path)
        manifest["files"][name] = {"sha256": file_hash(path), "bytes": path.stat().st_size, "rows": rows.num_rows}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return folder


def _first_told(name: str, rows: pa.Table) -> pa.Table:
    """The first revision of each key, known on the day of its event (a customer from the beginning)."""
    rows = rows.filter(pc.equal(rows["revision"], 1))
    event_on = BY_NAME[name].event_on
    beginning = pa.array([dt.date(1990, 1, 1)] * rows.num_rows, pa.date32())
    rows = _replaced(rows, "known_on", rows[event_on] if event_on else beginning)
    return _replaced(rows, "superseded_on", pa.array([NEVER_SUPERSEDED] * rows.num_rows, pa.date32()))


def _without_clearings(payments: pa.Table, credit_notes: pa.ChunkedArray) -> pa.Table:
    touching = payments.filter(pc.is_in(payments["invoice_id"], value_set=credit_notes))["payment_id"]
    kept = payments.filter(pc.invert(pc.is_in(payments["payment_id"], value_set=touching)))
    return kept.filter(kept["invoice_id"].is_valid())


def _after_issue(payments: pa.Table, invoices: pa.Table) -> pa.Table:
    """Payments of the invoices, not made before the invoice was written."""
    place = pc.index_in(payments["invoice_id"], value_set=invoices["invoice_id"])
    issued = invoices["issued_on"].take(place)
    return payments.filter(pc.fill_null(pc.greater_equal(payments["paid_on"], issued), False))  # noqa: FBT003


def _replaced(rows: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(column), rows.schema.field(column), values)
