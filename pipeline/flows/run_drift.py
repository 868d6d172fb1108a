"""Drift of published runs: of the newest one, and of those that were published since and have not been measured."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.datasets import read_table
from pipeline.features.build import features
from pipeline.flows import log
from pipeline.flows.published_runs import PublishedRun, nearest, published_runs
from pipeline.flows.setting import ledger_in
from pipeline.history.snapshots import month_ends_back, snapshots_on, spine
from pipeline.score.applied import application
from pipeline.score.drift import Cuts
from pipeline.score.watched_drift import GROUP, watched_drift
from pipeline.tables.canonical import read_manifest
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.score.watched_drift import Watched

_ORDER = ("as_of", "customer_id")


@dataclass(frozen=True)
class Newest:
    """The run that monitoring tells of: as_of, run_id and model_version, and all runs up to its day, oldest first.

    `is_night`: the stage score left the features of this run behind, so that they need not be told anew.
    """

    told: Mapping[str, str]
    runs: Sequence[PublishedRun]
    is_night: bool

    @property
    def as_of(self) -> dt.date:
        """Its day."""
        return dt.date.fromisoformat(self.told["as_of"])

    @property
    def own(self) -> list[PublishedRun]:
        """The runs that its model published."""
        return [run for run in self.runs if version_of(run) == self.told["model_version"]]


def newest_run(setting: Setting, receipt: Mapping[str, Any]) -> Newest:
    """The newest published run in the folder of the receipt, by the stage or by the command: of a day that the ledger
    knows and of a model that is here. The run of the receipt where there is none.

    Raises DamagedRunError when a published run is damaged.
    """
    project, day = setting.project, dt.date.fromisoformat(receipt["as_of"])
    known = dt.date.fromisoformat(read_manifest(project.ledger)["extract_date"])
    runs = published_runs(project.root / receipt["out"], max(known, day))
    there = [run for run in runs if run.as_of >= day and (project.models / version_of(run)).is_dir()]
    if not there:
        told = {name: receipt[name] for name in ("as_of", "run_id", "model_version")}
        return Newest(told, [run for run in runs if run.as_of <= day], is_night=True)
    last = there[-1]
    told = told_of(last)
    is_night = last.as_of == day and told["model_version"] == receipt["model_version"]
    return Newest(told, [run for run in runs if run.as_of <= last.as_of], is_night)


def told_of(run: PublishedRun) -> dict[str, str]:
    """as_of, run_id and model_version of a run."""
    return {"as_of": run.as_of.isoformat(), "run_id": run.folder.name, "model_version": version_of(run)}


def version_of(run: PublishedRun) -> str:
    """The model version that published a run."""
    return str(run.manifest["versions"]["model"]["version"])


def drift_due(
    setting: Setting, model: Model, newest: Newest, history: Path
) -> Iterator[tuple[Mapping[str, str], list[Watched]]]:
    """Each run of the model that `history` holds no row of, oldest first, and the newest run last, whatever it holds:
    what is told of it (as_of, run_id, model_version) and its drift against development, a month and a year before."""
    settings = setting.params.monitor
    cuts = Cuts(settings.psi_watch, settings.psi_act, settings.significance)
    measured = set(pq.read_table(history, columns=["run_id"])["run_id"].to_pylist()) if history.is_file() else set()
    earlier = [run for run in newest.own if run.as_of < newest.as_of and run.folder.name not in measured]
    last = [run for run in newest.runs if run.as_of == newest.as_of]
    for run in [*earlier, *last]:
        month = nearest(newest.runs, month_ends_back(run.as_of, 1)[0], run.as_of)
        year = nearest(newest.runs, month_ends_back(run.as_of, 12)[0], run.as_of)
        is_kept = newest.is_night and run.as_of == newest.as_of
        needed = [one for one in (month, year, None if is_kept else run) if one is not None]
        then = _features_of(setting, model, needed)
        now = _night(setting, run) if is_kept else then[run.as_of]
        before, long_before = (None if one is None else then[one.as_of] for one in (month, year))
        if run.as_of < newest.as_of:
            log.say("measured_late", f"drift of the run of {run.as_of}, published since", as_of=run.as_of.isoformat())
        yield told_of(run), watched_drift(model, now, before, long_before, cuts)
    if not last:
        yield newest.told, watched_drift(model, _night(setting, None), None, None, cuts)


def _night(setting: Setting, run: PublishedRun | None) -> pd.DataFrame:
    """The features that the stage score left of its day, of the customers rated in the run; none without a run."""
    rows: pd.DataFrame = read_table(setting.project.night, made_by="score").to_pandas()
    return rows.head(0).assign(**{GROUP: None}) if run is None else _rated(run, rows)


def _rated(run: PublishedRun, rows: pd.DataFrame) -> pd.DataFrame:
    """Those rows of the day whose customers the run rated, with the group that it tells of each."""
    book = run.book(["customer_id", "rating_status", GROUP])
    groups = book.filter(pc.equal(book["rating_status"], "rated")).select(["customer_id", GROUP]).to_pandas()
    kept = rows.drop(columns=GROUP, errors="ignore")
    return kept.merge(groups, on="customer_id", how="inner", validate="one_to_one")


def _features_of(setting: Setting, model: Model, runs: Sequence[PublishedRun]) -> dict[dt.date, pd.DataFrame]:
    """The features of the rated customers on the days of runs, with the answers of the model."""
    if not runs:
        return {}
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        days = sorted({run.as_of for run in runs})
        customers = ledger.tables["customers"].select("customer_id").distinct()
        views = engine.collect(snapshots_on(customers, days).select("customer_id", "as_of"), order_by=_ORDER)
        asked = engine.register("days_looked_back_on", spine(views))
        known = features(ledger, asked, engine.keep, names=list(model.reads))
        apply = application(model, None, known.schema().to_pyarrow())
        answered = engine.map_batches(known, apply, apply.schema, "looked_back_on")
        rows = engine.collect(answered, order_by=_ORDER).to_pandas()
    found = {}
    for run in runs:
        found[run.as_of] = _rated(run, rows[pd.to_datetime(rows["as_of"]).dt.date == run.as_of])
    return found
