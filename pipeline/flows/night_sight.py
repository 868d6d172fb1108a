"""What a night must see of the ledger to judge a day: its rows as they were known, in files of the run's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.flows.known_rows import KnownRows
from pipeline.history.position import positions
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import months_before
from pipeline.score.applied import application, points_columns
from pipeline.score.conservation import TOTALLED
from pipeline.score.meanwhile import RunsBefore
from pipeline.score.night_parts import NightRows

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    import ibis.expr.types as ir

    from pipeline.engine import Engine
    from pipeline.history.definition import DefaultDefinition
    from pipeline.score.alert_sections import AlertsSection
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.previous import EarlierRun, PreviousFolder
    from pipeline.score.ranges import ParquetRows
    from pipeline.tables.canonical import Ledger


@dataclass(frozen=True)
class Judges:
    """Who judges the day: the model in force, the policy, the run before and the one looked back to, if there are.

    `others` are features that none of them reads and that are wanted all the same.
    """

    model: Model
    policy: Policy
    previous: PreviousFolder | None
    looked_back: EarlierRun | None
    others: frozenset[str] = frozenset()

    @property
    def previous_model(self) -> Model | None:
        """The model in force on the night of the run before; null without one."""
        return None if self.previous is None else self.previous.head.model

    @property
    def runs_before(self) -> RunsBefore:
        """The folders of the earlier runs that the day is compared with."""
        previous, looked_back = (None if run is None else run.folder for run in (self.previous, self.looked_back))
        return RunsBefore(previous, looked_back)

    @property
    def reads(self) -> list[str]:
        """The features they read, in the catalogue's order; one that is no longer in it is not built."""
        wanted = {*self.model.reads, *self.policy.alerts.features, *self.others}
        if self.previous_model is not None:
            wanted.update(self.previous_model.reads)
        return [feature.name for feature in FEATURES if feature.name in wanted]


@dataclass(frozen=True)
class Sight:
    """What was known on the days a run needs, in files of a folder of the run's own.

    `features` are those of the day that are read, with the answers of the models; `counted` the rows and sums of money
    of the day's positions, as the engine counted them.
    """

    rows: NightRows
    features: Path
    counted: dict[str, Any]


def sight_of(  # noqa: PLR0917 - the engine, what it reads, the day, who judges it and where the rows go
    engine: Engine, ledger: Ledger, as_of: dt.date, judges: Judges, definition: DefaultDefinition, folder: Path
) -> Sight:
    """Everything for the day, its positions a month before, its points on the day of the previous run."""
    # Features and positions follow the same items: they are prepared once for both.
    ledger = prepared(ledger, engine.keep)
    known = KnownRows.of(engine, ledger, as_of, folder)
    answered = _answered(engine, ledger, known, as_of, judges)
    features = known.written("features", answered, as_of)
    points_before = None
    if judges.previous is not None:
        # What the card of thin files reads comes along, so that it can be told what moved one.
        thin = [name for name in judges.model.thin_file.features if name in answered.columns]
        points = answered.select("customer_id", "as_of", *points_columns(judges.model), *thin)
        points_before = known.written("points", points, judges.previous.head.as_of)
    month_before = months_before(as_of, 1)
    stood = engine.keep(positions(ledger, known.on([as_of, month_before]), definition, engine.keep), "positions")
    of_day = stood.filter(stood.as_of == as_of)
    counted = of_day.aggregate(rows=of_day.count(), **{name: of_day[name].sum() for name in TOTALLED})
    rows = NightRows(
        positions=known.written("positions", stood, as_of),
        features=features,
        positions_before=known.written("positions", stood, month_before),
        points_before=points_before,
        previous=judges.previous,
        month_before=month_before,
        features_before=_features_before(engine, ledger, known, month_before, judges.policy.alerts),
        looked_back=judges.looked_back,
    )
    return Sight(rows, features.path, engine.collect(counted, order_by=["rows"]).to_pylist()[0])


def _answered(engine: Engine, ledger: Ledger, known: KnownRows, as_of: dt.date, judges: Judges) -> ir.Table:
    """The features of the day and of the day of the previous run, with the models' answers."""
    dates = [as_of] if judges.previous is None else [as_of, judges.previous.head.as_of]
    built = features(ledger, known.on(dates), engine.keep, names=judges.reads)
    apply = application(judges.model, judges.previous_model, built.schema().to_pyarrow())
    answered = engine.map_batches(built, apply, apply.schema, "applied")
    known.require_no_other_day("features", answered, dates)
    return answered


def _features_before(
    engine: Engine, ledger: Ledger, known: KnownRows, day: dt.date, section: AlertsSection
) -> ParquetRows | None:
    """The features that alert rules look at as they stood a month before; null when no rule does."""
    if not section.features_before:
        return None
    built = features(ledger, known.on([day]), engine.keep, names=section.features_before)
    return known.written("features_before", built, day)
