"""Documents written off in two years, as known on each day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.features.relation import SNAPSHOT, Relation
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight


def _write_offs(sight: Sight) -> ir.Table:
    tables = sight.ledger.tables
    invoices = tables["invoices"]
    # Few documents are ever written off; all revisions of those few.
    ever = invoices.filter(invoices.written_off_on.notnull()).select("invoice_id").distinct()
    ledger = replace(sight.ledger, tables={**tables, "invoices": invoices.semi_join(ever, "invoice_id")})
    rows = known_rows(ledger, "invoices", sight.snapshots, months=sight.asked.months, on="written_off_on")
    within = WRITE_OFFS.shortest_window(rows, rows.written_off_on)
    return sight.keep(rows.select(*SNAPSHOT, within=within), "features_write_offs")


WRITE_OFFS = Relation(
    "write_offs", ("invoices",), _write_offs, (12, 24), cut_by=("invoices.written_off_on", "invoices.issued_on")
)
