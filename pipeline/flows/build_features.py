"""From the ledger and the snapshots to the features as they were known on each day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import read_table, write_table
from pipeline.features.build import features
from pipeline.flows.setting import default_definition, ledger_in
from pipeline.history.snapshots import spine

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def build_features(setting: Setting) -> None:
    """Writes one row per snapshot: customer_id, as_of, then every feature of the catalogue."""
    snapshots = read_table(setting.project.snapshots, made_by="label")
    with setting.engine() as engine:
        ledger = ledger_in(engine, setting.project.ledger)
        days = engine.register("snapshots", spine(snapshots.select(["customer_id", "as_of"])))
        built = features(ledger, days, engine.keep)
        rows = engine.collect(built, order_by=("as_of", "customer_id"))
    write_table(rows, setting.project.features)
    print(f"{rows.num_rows:,} snapshots x {rows.num_columns - 2} features")
