"""A day's ledger, the model in force and the policy, to a published run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.datasets import code_hash, write_json, write_table
from pipeline.errors import ParameterError
from pipeline.features.build import features
from pipeline.flows.definition import default_definition
from pipeline.flows.setting import Setting, ledger_in, open_setting
from pipeline.history.position import positions
from pipeline.history.snapshots import months_before, snapshots_on, spine
from pipeline.score.model_folder import read_role
from pipeline.score.policy import read_policy
from pipeline.score.publish import previous_run, publish
from pipeline.score.scored_book import ScoredRun, score_book
from pipeline.tables.canonical import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    import ibis.expr.types as ir
    import pandas as pd

    from pipeline.engine import Engine
    from pipeline.score.previous import PreviousRun
    from pipeline.tables.canonical import Ledger

_ORDER = ("as_of", "customer_id")


@dataclass(frozen=True)
class Places:
    """Where a run reads and publishes."""

    tables: Path
    models: Path
    out: Path


@dataclass(frozen=True)
class _Sight:
    """What was known on the days a run needs, one row per (as_of, customer_id)."""

    features: pa.Table
    positions: pa.Table

    def features_of(self, day: dt.date) -> pd.DataFrame:
        return _of_day(self.features, day)

    def positions_of(self, day: dt.date) -> pd.DataFrame:
        return _of_day(self.positions, day)


def score(setting: Setting) -> None:
    """The stage: scores `score.as_of` (null: the extract date), and leaves a receipt and the day's features."""
    settings, project = setting.params.score, setting.project
    places = Places(project.ledger, project.models, project.root / settings.out)
    as_of = settings.as_of or _extract_date(places.tables)
    run, sight, folder = _scored(setting, as_of, places)
    write_table(pa.Table.from_pandas(sight.features_of(as_of), preserve_index=False), project.night)
    receipt = {
        "run_id": folder.name,
        "as_of": as_of.isoformat(),
        "model_version": run.model.version,
        "out": settings.out,
        **{name: run.summary[name] for name in ("counts", "totals")},
    }
    write_json(receipt, project.receipt)


def score_as_of(root: Path, as_of: dt.date, tables: Path | None, models: Path | None, out: Path | None) -> None:
    """The command: scores a day from the places named, by default the project's."""
    setting = open_setting(root)
    project = setting.project
    places = Places(tables or project.ledger, models or project.models, out or project.root / setting.params.score.out)
    _scored(setting, as_of, places)


def _scored(setting: Setting, as_of: dt.date, places: Places) -> tuple[ScoredRun, _Sight, Path]:
    policy = read_policy(setting.project.policy)
    model = read_role(places.models, setting.params.score.role)
    previous = previous_run(places.out, as_of, places.models)
    with setting.engine() as engine:
        ledger = ledger_in(engine, places.tables)
        if as_of > ledger.extract_date:
            raise ParameterError(
                f"score: the day {as_of} lies after the extract date {ledger.extract_date}, beyond which nothing is "
                "known; score that day or an earlier one, or take in a newer ledger"
            )
        sight = _sight(engine, ledger, as_of, previous, setting)
    before = months_before(as_of, 1)
    run = score_book(
        sight.positions_of(as_of),
        sight.features_of(as_of),
        model,
        policy,
        previous,
        as_of,
        positions_before=sight.positions_of(before),
        features_before=sight.features_of(previous.as_of) if previous else None,
    )
    folder = publish(run, places.out, _told(ledger, places.tables))
    _print(run, places.out, folder)
    return run, sight, folder


def _sight(engine: Engine, ledger: Ledger, as_of: dt.date, previous: PreviousRun | None, setting: Setting) -> _Sight:
    """Everything for the day, its positions a month before, its features on the day of the previous run."""
    definition = default_definition(setting)
    with_features = [as_of, previous.as_of] if previous else [as_of]
    with_positions = [as_of, months_before(as_of, 1)]

    def days(dates: list[dt.date], name: str) -> ir.Table:
        known = _customers(ledger, as_of)
        views = engine.collect(snapshots_on(known, dates).select("customer_id", "as_of"), order_by=_ORDER)
        return engine.register(name, spine(views))

    known = features(ledger, days(with_features, "days_of_features"), engine.keep)
    stood = positions(ledger, days(with_positions, "days_of_positions"), definition, engine.keep)
    return _Sight(engine.collect(known, order_by=_ORDER), engine.collect(stood, order_by=_ORDER))


def _customers(ledger: Ledger, as_of: dt.date) -> ir.Table:
    """Every customer of the ledger that was known on the day."""
    customers = ledger.tables["customers"]
    return customers.filter(customers.known_on <= as_of).select("customer_id").distinct()


def _extract_date(tables: Path) -> dt.date:
    return dt.date.fromisoformat(read_manifest(tables)["extract_date"])


def _of_day(rows: pa.Table, day: dt.date) -> pd.DataFrame:
    found: pd.DataFrame = rows.filter(pc.equal(rows["as_of"], pa.scalar(day))).to_pandas()
    return found


def _told(ledger: Ledger, tables: Path) -> dict[str, Any]:
    """What the manifest tells beyond the run itself."""
    return {
        "base_currency": ledger.base_currency,
        "data_version": ledger.data_version,
        "code_version": code_hash(),
        "quarantined": read_manifest(tables).get("quarantined", {}),
    }


def _print(run: ScoredRun, out: Path, folder: Path) -> None:
    counts = run.summary["counts"]
    told = ", ".join(f"{name} {count:,}" for name, count in counts["by_status"].items())
    print(f"{run.book.num_rows:,} customers on {run.as_of}: {told}")
    print(f"published: {out / f'as_of={run.as_of}'} (run {folder.name})")
