"""From the ledger to labelled month-end snapshots, and what they are labelled with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.datasets import write_json, write_table
from pipeline.flows import log
from pipeline.flows.definition import default_definition
from pipeline.flows.progress import Progress
from pipeline.flows.setting import ledger_in
from pipeline.labels.customer_share import drawn_share
from pipeline.labels.outcomes import snapshot_outcomes
from pipeline.tables.own_table_writing import LABEL_COLUMNS, holds_own_table, open_own_table
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.flows.progress import Keep
    from pipeline.flows.setting import Setting


def label(setting: Setting) -> None:
    """Writes one row per snapshot with its outcome; only good and bad are trained on, the others are kept, marked."""
    if holds_own_table(setting.project.ledger):
        _label_own_table(setting)
        return
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        definition = default_definition(setting)

        def compute(keep: Keep) -> ir.Table:
            return snapshot_outcomes(ledger, setting.params.label, definition, keep)

        outcomes = compute(Progress("label", engine.keep, compute).keep)
        rows = drawn_share(engine.collect(outcomes, order_by=("as_of", "customer_id")), setting.params.label)
    write_table(rows, setting.project.snapshots)
    settings = setting.params.label
    label_told = {name: getattr(settings, name) for name in ("kind", "days", "window_months", "window_days")}
    write_json(label_told, setting.project.label)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(rows["outcome"]).to_pylist()}
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    text = f"{rows.num_rows:,} snapshots of {len(pc.unique(rows['as_of']))} month ends: {told}"
    log.say("labelled", text, rows=rows.num_rows, outcomes=counts)


def _label_own_table(setting: Setting) -> None:
    """The rows of a table with the outcomes its catalogue told."""
    stored = open_own_table(setting.project.ledger)
    rows = stored.rows.select(list(LABEL_COLUMNS))
    # A table tells whether, not when; the columns stand so that the file has one shape.
    for name in ("event_on", "window_end"):
        rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.date32()))
    write_table(rows, setting.project.snapshots)
    write_json(stored.told["label"], setting.project.label)
    text = f"{rows.num_rows:,} rows labelled by the column {stored.told['target']['column']!r} of the table"
    log.say("labelled", text, rows=rows.num_rows)
