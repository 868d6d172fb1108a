"""The two tables that monitoring keeps: drift run by run, and how the PDs of each run came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.score.cohorts import believed
from pipeline.score.drift import SCORE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from pipeline.score.model import Model
    from pipeline.score.watched_drift import Watched

_TEXT, _FLOAT, _COUNT, _FLAG = pa.string(), pa.float64(), pa.int64(), pa.bool_()
HISTORY_SCHEMA = pa.schema(
    [
        ("as_of", _TEXT),
        ("run_id", _TEXT),
        ("model_version", _TEXT),
        ("against", _TEXT),
        ("quantity", _TEXT),
        ("psi", _FLOAT),
        ("noise", _FLOAT),
        ("rows", _COUNT),
        ("light", _TEXT),
        ("why", _TEXT),
    ]
)
"""One row per run, comparison and quantity; `why` says why a grey one judges nothing (score/watched_drift.py)."""

PERFORMANCE_SCHEMA = pa.schema(
    [
        ("as_of", _TEXT),
        ("run_id", _TEXT),
        ("model_version", _TEXT),
        ("customers", _COUNT),
        ("expected", _FLOAT),
        ("expected_low", _FLOAT),
        ("expected_high", _FLOAT),
        ("expected_gini", _FLOAT),
        ("expected_gini_low", _FLOAT),
        ("expected_gini_high", _FLOAT),
        ("is_after_fit", _FLAG),
        ("known_on", _TEXT),
        ("known", _COUNT),
        ("bads", _COUNT),
        ("known_expected", _FLOAT),
        ("level", _FLOAT),
        ("level_low", _FLOAT),
        ("level_high", _FLOAT),
        ("p_too_low", _FLOAT),
        ("gini", _FLOAT),
        ("gini_low", _FLOAT),
        ("gini_high", _FLOAT),
    ]
)
"""One row per published run of the model in force. `customers`: with a PD. `expected…`: what the model believes of
itself. `is_after_fit`: the window holds no outcome that the fit used; null where that is not known. `known_on`: the day
on which its outcomes could be known. `known`: customers whose outcome is good or bad, of whom `known_expected` were
expected to default; null, with all that follows, while the window is not over."""


def as_known_on(row: Mapping[str, Any], day: str) -> dict[str, Any]:
    """A row of the performance table as a day (ISO text) knew it: an outcome known later is null."""
    if row["known_on"] <= day:
        return dict(row)
    cut = PERFORMANCE_SCHEMA.names[PERFORMANCE_SCHEMA.names.index("known") :]
    return {**row, **dict.fromkeys(cut)}


def kept_with(path: Path, measured: Sequence[tuple[Mapping[str, Any], Sequence[Watched]]]) -> pa.Table:
    """The history kept before, without earlier records of the runs measured (as_of, run_id, model_version; and their
    drift), and these."""
    renewed = {run["run_id"] for run, _ in measured}
    kept = pq.read_table(path).to_pylist() if path.is_file() else []
    # Written before comparisons had names: all were against development.
    kept = [{"against": "development", "why": "", **row} for row in kept if row["run_id"] not in renewed]
    rows = kept + [{**run, **one.as_json()} for run, found in measured for one in found]
    rows.sort(key=lambda row: (row["as_of"], row["run_id"], row["against"], row["quantity"]))
    return pa.Table.from_pylist(rows, schema=HISTORY_SCHEMA)


def cohort_row(  # noqa: PLR0917 - a row's parts
    as_of: dt.date,
    run_id: str,
    model: Model,
    answered: pd.DataFrame,
    measured: Mapping[str, Any] | None,
    is_after_fit: bool | None,  # noqa: FBT001 - null where not known
    known_on: dt.date,
    confidence: float,
) -> dict[str, Any]:
    """One row of PERFORMANCE_SCHEMA: what the run believed of itself, and what came of it where that is known."""
    own = believed(answered["pd"], confidence)
    row: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "run_id": run_id,
        "model_version": model.version,
        "customers": own["customers"],
        "expected": own["expected"],
        "expected_low": own["low"],
        "expected_high": own["high"],
        "expected_gini": own["gini"],
        "expected_gini_low": own["gini_low"],
        "expected_gini_high": own["gini_high"],
        "is_after_fit": is_after_fit,
        "known_on": known_on.isoformat(),
    }
    if measured is None:
        return row
    level, gini = measured["level"] or {}, measured["gini"] or {}
    return {
        **row,
        "known": measured["customers"],
        "bads": measured["bads"],
        "known_expected": measured["expected"],
        "level": level.get("value"),
        "level_low": level.get("low"),
        "level_high": level.get("high"),
        "p_too_low": measured.get("p_too_low"),
        "gini": gini.get("value"),
        "gini_low": gini.get("low"),
        "gini_high": gini.get("high"),
    }


def metrics_by_run(
    gates: Sequence[Mapping[str, Any]], newest: str, performance: pa.Table, history: pa.Table
) -> dict[tuple[str, str], dict[str, float]]:
    """The plain numbers of every run of the model in force by (as_of, run_id), for a store that draws them over time.

    The row of the performance table, the PSI of the score against each day (`psi.score.AGAINST`), and of the newest run
    the gates (`gate.NAME`). A number that is null is left out.
    """
    names = PERFORMANCE_SCHEMA.names
    numbers = [name for name in names if PERFORMANCE_SCHEMA.field(name).type in {_FLOAT, _COUNT}]
    found = {(row["as_of"], row["run_id"]): {name: row[name] for name in numbers} for row in performance.to_pylist()}
    for row in history.to_pylist():
        place = (row["as_of"], row["run_id"])
        if row["quantity"] == SCORE and place in found:
            found[place][f"psi.score.{row['against']}"] = row["psi"]
    for place in [place for place in found if place[1] == newest]:
        found[place] |= {f"gate.{gate['name']}": gate["value"] for gate in gates}
    return {
        place: {name: float(value) for name, value in told.items() if value is not None}
        for place, told in found.items()
    }
