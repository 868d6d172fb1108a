"""The features that a published run was made of: as the night left them, else built from the ledger as of the day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.errors import MissingInputError
from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.flows.no_ledger import refuse_own_table
from pipeline.flows.setting import ledger_in
from pipeline.history.snapshots import spine
from pipeline.score.ranges import KEY, ParquetRows
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.datasets import Project
    from pipeline.flows.explained_run import ExplainedRun
    from pipeline.flows.published_runs import PublishedRun
    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model


@dataclass(frozen=True)
class FeaturesOfRun:
    """Feature rows in the order of customer_id, and where they come from, in words."""

    rows: ParquetRows
    source: str


def kept_features(project: Project, run: PublishedRun) -> Path | None:
    """The file of features that the night left behind, where they are those of this run."""
    if not project.receipt.is_file() or not project.night.is_file():
        return None
    receipt = json.loads(project.receipt.read_text(encoding="utf-8"))
    return project.night if receipt.get("run_id") == run.folder.name else None


def features_of_run(
    setting: Setting, found: ExplainedRun, model: Model, customers: pa.Array, folder: Path
) -> FeaturesOfRun:
    """What the model read of those customers on the day of the run, and maybe of others; files go to `folder`.

    Raises MissingInputError when the night left nothing and there is no ledger to build them from, or when one is built
    no more, ContractError or StorageError when the ledger is damaged.
    """
    run, tables = found.run, found.tables
    kept = kept_features(setting.project, run)
    if kept is not None and {KEY, *model.reads} <= set(ParquetRows(kept).schema.names):
        return FeaturesOfRun(ParquetRows(kept), "as the night left them")
    _require_built(model)
    with setting.engine() as engine, unchanged(tables):
        try:
            refuse_own_table(tables)
            ledger = ledger_in(engine, tables)
        except MissingInputError as error:
            raise MissingInputError(
                f"explain: the features of the run of {run.as_of} are kept no more (only those of the last run of the "
                f"stage score are) and cannot be built again: {error}, or take in the ledger of the run"
            ) from error
        days = engine.register("explained_days", _spine_of(customers, run))
        path = folder / "features.parquet"
        engine.write(features(ledger, days, engine.keep, names=_in_order(model.reads)), path, order_by=[KEY])
    same = ledger.data_version == run.manifest["inputs"]["data_version"]
    which = "the ledger of the run" if same else "another ledger than that of the run"
    return FeaturesOfRun(ParquetRows(path), f"built again from {which}, as known on {run.as_of}")


def _require_built(model: Model) -> None:
    lacking = sorted(set(model.reads) - {feature.name for feature in FEATURES})
    if lacking:
        raise MissingInputError(
            f"explain: model {model.version} reads {len(lacking)} feature(s) that are no longer built, e.g. "
            f"{lacking[0]!r}; explain a run of a model in force"
        )


def _in_order(names: Sequence[str]) -> list[str]:
    wanted = set(names)
    return [feature.name for feature in FEATURES if feature.name in wanted]


def _spine_of(customers: pa.Array, run: PublishedRun) -> pa.Table:
    day = pa.array(np.full(len(customers), np.datetime64(run.as_of, "D")), pa.date32())
    return spine(pa.table({KEY: customers, "as_of": day}))
