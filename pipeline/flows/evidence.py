"""models/evidence/<model_version>/: what a model was trained on and how it was measured, kept as long as the model.

The folder of a fit is replaced by the next fit; who decides on a promotion months later must still know which customers
a model has seen. Customers' numbers stay here: they are no part of the model folder and do not go to MLflow.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.datasets import file_hash, write_json, write_table
from pipeline.durable import draft_folder
from pipeline.errors import DamagedModelError
from pipeline.train.unseen import TrainedOn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.datasets import Project
    from pipeline.flows.candidates import Candidate
    from pipeline.train.sample import Sample
    from pipeline.train.splits import Timetable

FORMAT = 1
_FILE, _CUSTOMERS = "evidence.json", "trained_on.parquet"


@dataclass(frozen=True)
class Evidence:
    """`told`: lineage, leaks, tendency, timetable and validation in plain values; `trained_on`: what the model has
    seen."""

    told: dict[str, Any]
    trained_on: TrainedOn

    @property
    def tendency_shift(self) -> float:
        """What a long-run rate adds to the ln odds of good; 0 without one, and where a fit of an earlier version kept
        none."""
        return float((self.told.get("tendency") or {}).get("shift") or 0.0)


def folder_of(project: Project, model_version: str) -> Path:
    """Where the evidence of a model lies."""
    return project.models / "evidence" / model_version


def write_evidence(
    project: Project,
    candidate: Candidate,
    *,
    validation: Mapping[str, Any],
    lineage: Mapping[str, str],
    parts: Mapping[str, Sample],
    table: Timetable,
) -> None:
    """Replaces the evidence of a candidate whole; the last validation counts."""
    customers = sorted({str(c) for role in ("train", "calibration") for c in parts[role].rows["customer_id"]})
    with draft_folder(folder_of(project, candidate.model.version)) as draft:
        write_table(pa.table({"customer_id": pa.array(customers, pa.string())}), draft / _CUSTOMERS)
        told = {
            "format": FORMAT,
            "model_version": candidate.model.version,
            "kind": candidate.model.kind,
            "lineage": dict(lineage),
            "leaks": candidate.details.get("leaks"),
            "tendency": (candidate.details.get("calibration") or {}).get("tendency"),
            "timetable": table.as_json(),
            "validation": dict(validation),
            "trained_on": {"customers": len(customers), "sha256": file_hash(draft / _CUSTOMERS)},
        }
        write_json({"sha256": _hash(told), **told}, draft / _FILE)


def read_evidence(project: Project, model_version: str) -> Evidence | None:
    """The evidence of a model; null where none was kept, as of models registered by an earlier version.

    Raises DamagedModelError when a file is not what was written.
    """
    folder = folder_of(project, model_version)
    if not (folder / _FILE).is_file():
        return None
    try:
        raw: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        told = {name: value for name, value in raw.items() if name != "sha256"}
        is_whole = raw["sha256"] == _hash(told) and told["model_version"] == model_version
        is_whole = is_whole and file_hash(folder / _CUSTOMERS) == told["trained_on"]["sha256"]
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        raise _damaged(folder) from error
    if not is_whole:
        raise _damaged(folder)
    customers = pq.read_table(folder / _CUSTOMERS)["customer_id"].to_pylist()
    tested = [dt.date.fromisoformat(day) for day in told["timetable"]["test"]]
    return Evidence(told, TrainedOn(frozenset(customers), min(tested) if tested else None))


def _damaged(folder: Path) -> DamagedModelError:
    return DamagedModelError(
        f"{folder}: the evidence was changed after it was written; restore it, or run creditbook stage validate again "
        "if the model is the last candidate"
    )


def _hash(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
