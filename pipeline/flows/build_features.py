"""From the ledger and the snapshots to what was known on each day: features and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import read_table, write_json, write_table
from pipeline.durable import draft_folder
from pipeline.features import catalog
from pipeline.features.build import features
from pipeline.flows import log
from pipeline.flows.definition import default_definition
from pipeline.flows.progress import Progress
from pipeline.flows.setting import ledger_in
from pipeline.history.position import positions
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import spine
from pipeline.tables.own_table_writing import holds_own_table, open_own_table
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.flows.progress import Keep
    from pipeline.flows.setting import Setting

_ORDER = ("as_of", "customer_id")


def build_features(setting: Setting) -> None:
    """Writes two files of one row per snapshot: every feature of the catalogue, and the position of the customer;
    beside them what the features mean."""
    if holds_own_table(setting.project.ledger):
        _take_own_features(setting)
        return
    snapshots = read_table(setting.project.snapshots, made_by="label")
    definition = default_definition(setting)
    ledger_folder, target = setting.project.ledger, setting.project.features.parent
    with setting.engine() as engine, draft_folder(target) as draft, unchanged(ledger_folder):
        days = engine.register("snapshots", spine(snapshots.select(["customer_id", "as_of"])))
        ledger = ledger_in(engine, ledger_folder)

        def compute(keep: Keep) -> tuple[ir.Table, ir.Table]:
            book = prepared(ledger, keep)
            return features(book, days, keep), positions(book, days, definition, keep)

        progress = Progress("build_features", engine.keep, compute)
        known, stood = compute(progress.keep)
        rows = engine.write(known, draft / setting.project.features.name, _ORDER)
        engine.write(stood, draft / setting.project.positions.name, _ORDER)
        write_json(catalog.as_json(), draft / setting.project.catalogue.name)
    text = f"{rows:,} snapshots x {len(catalog.FEATURES)} features"
    log.say("features_built", text, rows=rows, columns=len(catalog.FEATURES))


def _take_own_features(setting: Setting) -> None:
    """A table's features as they stand, and what they mean; positions of a ledger that lay there are gone."""
    project = setting.project
    stored = open_own_table(project.ledger)
    names = [str(feature["name"]) for feature in stored.told["features"]]
    with draft_folder(project.features.parent) as draft:
        write_table(stored.rows.select(["customer_id", "as_of", *names]), draft / project.features.name)
        write_json(stored.told["features"], draft / project.catalogue.name)
    text = f"{stored.rows.num_rows:,} rows x {len(names)} features of the table"
    log.say("features_built", text, rows=stored.rows.num_rows, columns=len(names))
