"""Drift of the day that was scored last, kept run by run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.datasets import read_json, read_table, write_json, write_table
from pipeline.durable import draft_folder
from pipeline.flows.no_ledger import NO_LEDGER
from pipeline.score.drift import Cuts, Drift, drift_of
from pipeline.score.model_folder import read_model

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.flows.setting import Setting

HISTORY_SCHEMA = pa.schema(
    [
        ("as_of", pa.string()),
        ("run_id", pa.string()),
        ("model_version", pa.string()),
        ("quantity", pa.string()),
        ("psi", pa.float64()),
        ("noise", pa.float64()),
        ("rows", pa.int64()),
        ("light", pa.string()),
    ]
)


def monitor(setting: Setting) -> None:
    """Writes data/monitor/: the latest run's drift, and the history of all runs, one row per run and quantity."""
    project, settings = setting.project, setting.params.monitor
    receipt = read_json(project.receipt, made_by="score")
    if receipt.get("status") == NO_LEDGER:
        _keep(setting, {**receipt, "drift": []}, _history(_history_of(setting), {"run_id": None}, []))
        print(f"no drift to measure: {receipt['why']}")
        return
    model = read_model(project.models / receipt["model_version"])
    book = pq.read_table(
        project.root / receipt["out"] / ".runs" / receipt["run_id"] / "scored_book.parquet",
        columns=["customer_id", "rating_status"],
    ).to_pandas()
    rated = set(book.loc[book["rating_status"] == "rated", "customer_id"])
    night = read_table(project.night, made_by="score").to_pandas()
    cuts = Cuts(settings.psi_watch, settings.psi_act, settings.significance)
    found = drift_of(model, night[night["customer_id"].isin(rated)], cuts)
    run = {name: receipt[name] for name in ("as_of", "run_id", "model_version")}
    _keep(
        setting,
        {**run, "drift": [asdict(drift) for drift in found]},
        _history(_history_of(setting), run, found),
    )
    print(_told(found))


def _history_of(setting: Setting) -> Path:
    return setting.project.monitoring / "history.parquet"


def _keep(setting: Setting, told: dict[str, Any], history: pa.Table) -> None:
    with draft_folder(setting.project.monitoring) as draft:
        write_table(history, draft / "history.parquet")
        write_json(told, draft / "monitoring.json")


def _history(path: Path, run: dict[str, Any], found: list[Drift]) -> pa.Table:
    """What was kept before, without an earlier record of the same run, and this run."""
    kept = pq.read_table(path).to_pylist() if path.is_file() else []
    rows = [row for row in kept if row["run_id"] != run["run_id"]] + [{**run, **asdict(drift)} for drift in found]
    rows.sort(key=lambda row: (row["as_of"], row["run_id"], row["quantity"]))
    return pa.Table.from_pylist(rows, schema=HISTORY_SCHEMA)


def _told(found: list[Drift]) -> str:
    score, *features = found
    moved = [drift for drift in features if drift.light in ("amber", "red")]
    told = "cannot be told: no rated customer" if score.psi is None else f"{score.psi:.3f} ({score.light})"
    worst = f", most in {moved[0].quantity} (PSI {moved[0].psi:.2f})" if moved else ""
    return f"PSI of the score against development {told}; {len(moved)} of {len(features)} features moved{worst}"
