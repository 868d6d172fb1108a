"""What was published, watched: drift of the newest run, how the PDs of older ones came out, gates, kept run by run."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.datasets import read_json, write_json, write_table
from pipeline.durable import draft_folder
from pipeline.flows import log
from pipeline.flows.no_ledger import NO_LEDGER
from pipeline.flows.run_drift import drift_due, newest_run
from pipeline.flows.validated import validated
from pipeline.labels.performance_window import window_end
from pipeline.registry import MonitoredRun, open_registry
from pipeline.score.cohorts import matured, pooled_level, yearly
from pipeline.score.model_folder import read_model
from pipeline.score.monitor_gates import monitor_gates
from pipeline.score.monitored import PERFORMANCE_SCHEMA, cohort_row, kept_with, metrics_by_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.flows.published_runs import PublishedRun
    from pipeline.flows.setting import Setting
    from pipeline.flows.validated import Validated
    from pipeline.score.model import Model
    from pipeline.score.watched_drift import Watched

_ANSWERED = ("rated", "thin_file")


def monitor(setting: Setting) -> None:
    """Writes data/monitor/: monitoring.json with the gates, the history of drift and the performance of all runs.

    Told is the newest published run, and drift of all that were published since the last time. Drift is measured
    against development, the run of a month before and, for what follows the calendar, of a year before. The result also
    goes to MLflow, where the project has a store. Raises TargetUnreachableError when that store does not answer; the
    files are then in place all the same.
    """
    project = setting.project
    receipt = read_json(project.receipt, made_by="score")
    if receipt.get("status") == NO_LEDGER:
        told = {**receipt, "drift": [], "gates": []}
        _keep(setting, told, kept_with(_history_of(setting), []), _no_performance())
        log.say("nothing_monitored", f"no drift to measure: {receipt['why']}")
        return
    newest = newest_run(setting, receipt)
    run, model = newest.told, read_model(project.models / newest.told["model_version"])
    measured = list(drift_due(setting, model, newest, _history_of(setting)))
    drift = measured[-1][1]
    known = validated(setting, model.version)
    performance, cohort, pooled = _performance(setting, model, newest.own, known)
    gates = monitor_gates(drift, cohort, known.gini, setting.params.monitor)
    history = kept_with(_history_of(setting), measured)
    told = {
        **run,
        "drift": [one.as_json() for one in drift if one.against == "development"],
        "drift_over_time": [one.as_json() for one in drift if one.against != "development"],
        "gates": [gate.as_json() for gate in gates],
        "cohort": cohort,
        "matured": pooled,
        **{name: _iso(getattr(known, name)) for name in ("fitted_until", "unseen_from")},
    }
    _keep(setting, told, history, performance)
    _log(setting, metrics_by_run(told["gates"], run["run_id"], performance, history), told)
    lights = {gate.name: gate.light for gate in gates}
    log.say("monitored", _told(drift), **run, lights=lights)
    for gate in gates:
        if gate.light in {"amber", "red"}:
            told_gate = f"{gate.light}: {gate.name} {gate.value:.3f} ({gate.threshold}); {gate.says}"
            log.warn("gate", told_gate, **gate.as_json())


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _history_of(setting: Setting) -> Path:
    return setting.project.monitoring / "history.parquet"


def _no_performance() -> pa.Table:
    return pa.Table.from_pylist([], schema=PERFORMANCE_SCHEMA)


def _keep(setting: Setting, told: Mapping[str, Any], history: pa.Table, performance: pa.Table) -> None:
    with draft_folder(setting.project.monitoring) as draft:
        write_table(history, draft / "history.parquet")
        write_table(performance, draft / "performance.parquet")
        write_json(dict(told), draft / "monitoring.json")


def _performance(
    setting: Setting, model: Model, runs: Sequence[PublishedRun], fit: Validated
) -> tuple[pa.Table, dict[str, Any] | None, dict[str, Any] | None]:
    """One row per published run of the model in force, the newest matured cohort whose outcomes came after those of its
    fit, and all such together.

    Outcomes are those of the label stage, as known at its extract date: month ends only.
    """
    settings = setting.params.monitor
    outcomes = _outcomes(setting)
    rows, cohorts, newest = [], [], None
    for run in runs:
        book = run.book(["customer_id", "rating_status", "pd", "grade"]).to_pandas()
        answered = book[book["rating_status"].isin(_ANSWERED)]
        told = outcomes.get(run.as_of)
        known = None if told is None else answered.merge(told, on="customer_id")
        is_after = fit.is_unseen(run.as_of)
        measured = None if known is None or not len(known) else matured(known, settings)
        label = setting.params.label
        known_on = window_end(run.as_of, label) + dt.timedelta(days=label.days + label.posting_lag_days)
        row = cohort_row(run.as_of, run.folder.name, model, answered, measured, is_after, known_on, settings.confidence)
        rows.append(row)
        if measured is not None and known is not None and is_after:
            newest = {"as_of": run.as_of.isoformat(), "run_id": run.folder.name, **measured}
            cohorts.append(known.assign(as_of=run.as_of))
    table = pa.Table.from_pylist(rows, schema=PERFORMANCE_SCHEMA)
    return table, newest, _together(setting, cohorts)


def _outcomes(setting: Setting) -> dict[dt.date, pd.DataFrame]:
    """By month end, group_key and is_bad of customers whose outcome is good or bad; empty before the stage label."""
    if not setting.project.snapshots.is_file():
        return {}
    columns = ["customer_id", "as_of", "group_key", "is_bad"]
    rows = pq.read_table(setting.project.snapshots, columns=columns)
    frame = rows.filter(pc.is_valid(rows["is_bad"])).to_pandas()
    return {day: part.drop(columns="as_of") for day, part in frame.groupby("as_of")}


def _together(setting: Setting, cohorts: Sequence[pd.DataFrame]) -> dict[str, Any] | None:
    """The cohorts after the fit whose windows do not overlap, and the level over all of them by group of customers."""
    if not cohorts:
        return None
    label = setting.params.label
    days = [part["as_of"].iloc[0] for part in cohorts]
    ends = [window_end(day, label) for day in days]
    return {
        "cohorts": len(cohorts),
        "first": days[0].isoformat(),
        "last": days[-1].isoformat(),
        "not_overlapping": [day.isoformat() for day in yearly(days, ends)],
        "level": pooled_level(pd.concat(cohorts), setting.params.monitor),
    }


def _log(setting: Setting, metrics: Mapping[tuple[str, str], Mapping[str, float]], told: Mapping[str, Any]) -> None:
    """Into MLflow, where a store is named or validation has made one: watching makes none of its own."""
    if setting.params.registry.tracking_uri is None and not setting.project.tracking.is_dir():
        log.say("not_logged", "not logged to MLflow: the project has no store yet (the stage validate makes it)")
        return
    settings = setting.params.registry
    store = open_registry(setting.project.tracking, settings.tracking_uri, settings.experiment, settings.model_name)
    store.log_monitoring(
        [
            MonitoredRun(run_id, told["model_version"], as_of, numbers, told if run_id == told["run_id"] else None)
            for (as_of, run_id), numbers in metrics.items()
        ]
    )


def _told(found: Sequence[Watched]) -> str:
    score, *features_ = [one for one in found if one.against == "development"]
    judged = [one for one in features_ if not one.why]
    moved = [one for one in judged if one.light in ("amber", "red")]
    told = "cannot be told: no rated customer" if score.psi is None else f"{score.psi:.3f} ({score.light})"
    worst = f", most in {moved[0].quantity} (PSI {moved[0].psi:.2f})" if moved else ""
    left = len(features_) - len(judged)
    beside = f"; {left} of the economy, the group or the calendar are not judged so" if left else ""
    return f"PSI of the score against development {told}; {len(moved)} of {len(judged)} features moved{worst}{beside}"
