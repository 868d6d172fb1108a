"""A day's ledger, the model in force and the policy, to a published run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.datasets import code_hash, write_json, write_table
from pipeline.errors import ParameterError
from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.flows import log
from pipeline.flows.decision import day_of, user_of
from pipeline.flows.definition import default_definition
from pipeline.flows.night_gate import Decision, gates_told, let_through, newest_by_table
from pipeline.flows.night_log import tell_of_run
from pipeline.flows.no_ledger import NO_LEDGER, refuse_own_table, why_no_ledger
from pipeline.flows.setting import Setting, ledger_in, open_setting
from pipeline.history.point_in_time import customers_known
from pipeline.history.position import positions
from pipeline.history.snapshots import month_ends, months_before, snapshots_on, spine
from pipeline.score.applied import application, points_columns
from pipeline.score.breakers import Seen, breakers_of
from pipeline.score.conservation import TOTALLED, require_every_row_once, require_same_totals
from pipeline.score.model_folder import read_role
from pipeline.score.policy import read_policy
from pipeline.score.publish import previous_run, prune_runs, publish
from pipeline.score.scored_book import ScoredRun, score_book
from pipeline.tables.canonical import read_manifest
from pipeline.tables.own_table_writing import holds_own_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from pipeline.engine import Engine
    from pipeline.history.definition import DefaultDefinition
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.previous import PreviousRun
    from pipeline.tables.canonical import Ledger

_ORDER = ("as_of", "customer_id")
_ROLES: tuple[Literal["champion"], Literal["challenger"]] = ("champion", "challenger")
_DIVIDES = ("industry_section", "size_class")


@dataclass(frozen=True)
class Places:
    """Where a run reads and publishes."""

    tables: Path
    models: Path
    out: Path


@dataclass(frozen=True)
class _Judges:
    """Who judges the day: the model in force, the policy and the run before, if there is one.

    `others` are features that none of them reads and that are wanted all the same.
    """

    model: Model
    policy: Policy
    previous: PreviousRun | None
    others: frozenset[str] = frozenset()

    @property
    def previous_model(self) -> Model | None:
        return None if self.previous is None else self.previous.model

    @property
    def reads(self) -> list[str]:
        """The features they read, in the catalogue's order; one that is no longer in it is not built."""
        wanted = {*self.model.reads, self.policy.alerts.rules.orders_halved.feature, *self.others}
        if self.previous_model is not None:
            wanted.update(self.previous_model.reads)
        return [feature.name for feature in FEATURES if feature.name in wanted]


@dataclass(frozen=True)
class _Sight:
    """What was known on the days a run needs, one row per (as_of, customer_id).

    `applied` are the features of the day that are read, with the answers of the models; `points_before` those answers
    on the day of the previous run that tell what moved; `counted` the rows and sums of money of the positions by day,
    as the engine counted them.
    """

    applied: pa.Table
    points_before: pa.Table | None
    positions: pa.Table
    counted: pa.Table

    def positions_of(self, day: dt.date) -> pd.DataFrame:
        found: pd.DataFrame = _of_day(self.positions, day).to_pandas()
        return found

    def counted_of(self, day: dt.date) -> dict[str, Any]:
        nothing = dict.fromkeys(self.counted.column_names, 0)
        return next(iter(_of_day(self.counted, day).to_pylist()), nothing)


def score(setting: Setting) -> None:
    """The stage: scores `score.as_of` (null: the extract date); leaves a receipt, and the features with answers."""
    settings, project = setting.params.score, setting.project
    if holds_own_table(project.ledger):
        _leave_receipt_without_ledger(setting)
        return
    places = Places(project.ledger, project.models, project.root / settings.out)
    as_of = settings.as_of or _extract_date(places.tables)
    run, sight, folder = _scored(setting, as_of, places, _looked_at_by_day(project.models))
    write_table(sight.applied, project.night)
    receipt = {
        "run_id": folder.name,
        "as_of": as_of.isoformat(),
        "model_version": run.model.version,
        "out": settings.out,
        **{name: run.summary[name] for name in ("counts", "totals")},
    }
    write_json(receipt, project.receipt)


def _looked_at_by_day(models: Path) -> frozenset[str]:
    """What people look at on the day after: the features of both models in force, and by what the book is divided."""
    pair = [read_role(models, role) for role in _ROLES if (models / f"{role}.json").is_file()]
    return frozenset(_DIVIDES).union(*(model.features for model in pair))


def _leave_receipt_without_ledger(setting: Setting) -> None:
    """A modelling table has nothing to score: a receipt that says so, and no row for the monitoring."""
    project = setting.project
    why = why_no_ledger(project.ledger)
    write_json({"status": NO_LEDGER, "why": why}, project.receipt)
    write_table(pa.table({"customer_id": pa.array([], pa.string()), "as_of": pa.array([], pa.date32())}), project.night)
    log.say("nothing_scored", f"nothing scored: {why}")


def score_as_of(
    root: Path,
    as_of: dt.date,
    tables: Path | None,
    models: Path | None,
    out: Path | None,
    *,
    accept: str | None = None,
    by: str | None = None,
) -> None:
    """The command: scores a day from the places named, by default the project's.

    `accept` is the reason to publish the run whatever the breakers say, `by` who gives it (null: the user of the
    machine). Raises GateError when a breaker stops the run and there is no reason.
    """
    setting = open_setting(root)
    decision = None if accept is None else Decision(accept, user_of(by), day_of(setting, None))
    _scored(setting, as_of, _places(setting, tables, models, out), decision=decision)


def score_days(
    root: Path, days: tuple[dt.date, dt.date], tables: Path | None, models: Path | None, out: Path | None
) -> None:
    """The command's back-fill: every month end from the first day to the last, oldest first, each with only what was
    known then. Raises ParameterError when there is none between."""
    setting = open_setting(root)
    places = _places(setting, tables, models, out)
    first, last = days
    ends = month_ends(first, last)
    if not ends:
        raise ParameterError(f"score: no month end lies from {first} to {last}; name a later --to")
    for as_of in ends:
        _scored(setting, as_of, places)


def _places(setting: Setting, tables: Path | None, models: Path | None, out: Path | None) -> Places:
    project = setting.project
    places = Places(tables or project.ledger, models or project.models, out or project.root / setting.params.score.out)
    refuse_own_table(places.tables)
    return places


def _scored(
    setting: Setting,
    as_of: dt.date,
    places: Places,
    others: frozenset[str] = frozenset(),
    decision: Decision | None = None,
) -> tuple[ScoredRun, _Sight, Path]:
    watched, steps = setting.params.score.breakers, log.Steps()
    policy = read_policy(setting.project.policy)
    model = read_role(places.models, setting.params.score.role)
    previous = previous_run(places.out, as_of, places.models)
    judges = _Judges(model, policy, previous, others)
    with setting.engine() as engine, steps.step("features"):
        ledger = ledger_in(engine, places.tables)
        if as_of > ledger.extract_date:
            raise ParameterError(
                f"score: the day {as_of} lies after the extract date {ledger.extract_date}, beyond which nothing is "
                "known; score that day or an earlier one, or take in a newer ledger"
            )
        sight = _sight(engine, ledger, as_of, judges, default_definition(setting))
        newest = newest_by_table(engine, ledger, as_of, watched.stale_days)
    with steps.step("book"):
        run = score_book(
            sight.positions_of(as_of),
            sight.applied.to_pandas(),
            model,
            policy,
            previous,
            as_of,
            positions_before=sight.positions_of(months_before(as_of, 1)),
            points_before=None if sight.points_before is None else sight.points_before.to_pandas(),
        )
        require_same_totals(sight.counted_of(as_of), run.book)
    with steps.step("breakers"):
        breakers = breakers_of(run, Seen(sight.applied.to_pandas(), newest), watched)
        told = _told(ledger, places.tables) | gates_told(breakers, watched)
        let_through(run, places.out, told, breakers, decision)
    with steps.step("publishing"):
        folder = publish(run, places.out, told)
        prune_runs(places.out, setting.params.score.keep)
    tell_of_run(run, places.out / f"as_of={as_of}", folder, breakers, steps)
    return run, sight, folder


def _sight(engine: Engine, ledger: Ledger, as_of: dt.date, judges: _Judges, definition: DefaultDefinition) -> _Sight:
    """Everything for the day, its positions a month before, its points on the day of the previous run."""
    applied, points_before = _applied(engine, ledger, as_of, judges)
    placed = _views(engine, ledger, as_of, [as_of, months_before(as_of, 1)])
    days = engine.register("days_of_positions", spine(placed))
    stood = engine.keep(positions(ledger, days, definition, engine.keep), "positions")
    counted = stood.group_by("as_of").aggregate(rows=stood.count(), **{name: stood[name].sum() for name in TOTALLED})
    stands = engine.collect(stood, order_by=_ORDER)
    require_every_row_once("positions", placed, stands)
    return _Sight(applied, points_before, stands, engine.collect(counted, order_by=["as_of"]))


def _applied(engine: Engine, ledger: Ledger, as_of: dt.date, judges: _Judges) -> tuple[pa.Table, pa.Table | None]:
    """The day's features with the models' answers, and the points on the day of the previous run."""
    model, previous = judges.model, judges.previous
    asked = _views(engine, ledger, as_of, [as_of, previous.as_of] if previous else [as_of])
    days = engine.register("days_of_features", spine(asked))
    known = features(ledger, days, engine.keep, names=judges.reads)
    apply = application(model, judges.previous_model, known.schema().to_pyarrow())
    answered = engine.map_batches(known, apply, apply.schema, "applied")
    require_every_row_once("features", asked, engine.collect(answered.select(*_ORDER), order_by=_ORDER))
    applied = engine.collect(answered.filter(answered.as_of == as_of), order_by=_ORDER)
    if previous is None:
        return applied, None
    then = answered.filter(answered.as_of == previous.as_of).select(*_ORDER, *points_columns(model))
    return applied, engine.collect(then, order_by=_ORDER)


def _views(engine: Engine, ledger: Ledger, as_of: dt.date, dates: list[dt.date]) -> pa.Table:
    """Every customer known on the day, on each of the dates."""
    views = snapshots_on(customers_known(ledger, as_of), dates).select("customer_id", "as_of")
    return engine.collect(views, order_by=_ORDER)


def _extract_date(tables: Path) -> dt.date:
    return dt.date.fromisoformat(read_manifest(tables)["extract_date"])


def _of_day(rows: pa.Table, day: dt.date) -> pa.Table:
    return rows.filter(pc.equal(rows["as_of"], pa.scalar(day)))


def _told(ledger: Ledger, tables: Path) -> dict[str, Any]:
    """What the manifest tells beyond the run itself."""
    return {
        "base_currency": ledger.base_currency,
        "data_version": ledger.data_version,
        "code_version": code_hash(),
        "quarantined": read_manifest(tables).get("quarantined", {}),
    }
