"""From the ledger and the snapshots to what was known on each day: features and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import read_table, write_table
from pipeline.features.build import features
from pipeline.flows.definition import default_definition
from pipeline.flows.setting import ledger_in
from pipeline.history.position import positions
from pipeline.history.snapshots import spine

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting

_ORDER = ("as_of", "customer_id")


def build_features(setting: Setting) -> None:
    """Writes two files of one row per snapshot: every feature of the catalogue, and the position of the customer."""
    snapshots = read_table(setting.project.snapshots, made_by="label")
    with setting.engine() as engine:
        ledger = ledger_in(engine, setting.project.ledger)
        days = engine.register("snapshots", spine(snapshots.select(["customer_id", "as_of"])))
        known = engine.collect(features(ledger, days, engine.keep), order_by=_ORDER)
        stood = engine.collect(positions(ledger, days, default_definition(setting), engine.keep), order_by=_ORDER)
    write_table(known, setting.project.features)
    write_table(stood, setting.project.positions)
    print(f"{known.num_rows:,} snapshots x {known.num_columns - 2} features")
