"""From the ledger to labelled month-end snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from pipeline.datasets import write_table
from pipeline.flows.definition import default_definition
from pipeline.flows.setting import ledger_in
from pipeline.labels.outcomes import snapshot_outcomes

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def label(setting: Setting) -> None:
    """Writes one row per snapshot with its outcome; only good and bad are trained on, the others are kept, marked."""
    with setting.engine() as engine:
        ledger = ledger_in(engine, setting.project.ledger)
        outcomes = snapshot_outcomes(ledger, setting.params.label, default_definition(setting), engine.keep)
        rows = engine.collect(outcomes, order_by=("as_of", "customer_id"))
    write_table(rows, setting.project.snapshots)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(rows["outcome"]).to_pylist()}
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    print(f"{rows.num_rows:,} snapshots of {len(pc.unique(rows['as_of']))} month ends: {told}")
