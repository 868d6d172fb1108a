"""The models of a walk forward: each fitted on a day of the past with what was known on it, and nothing later."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import UnfitForTrainingError
from pipeline.flows import log
from pipeline.flows.definition import default_definition
from pipeline.flows.fit_scorecard import card_on
from pipeline.flows.setting import ledger_in
from pipeline.flows.training_book import book_as_labelled
from pipeline.flows.training_source import label_of
from pipeline.history.point_in_time import known_by
from pipeline.history.snapshots import month_ends
from pipeline.labels.customer_share import drawn_share
from pipeline.labels.outcomes import snapshot_outcomes
from pipeline.labels.performance_window import is_mature, snapshot_dates
from pipeline.score.model_folder import read_role
from pipeline.tables.unchanged import unchanged
from pipeline.train.splits import mature_dates, timetable_tested_later

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.tables.canonical import Ledger
    from pipeline.train.fit import FittedModel


@dataclass(frozen=True)
class KnownModel:
    """A model with what it was fitted on: `snapshots` rows of `dates` month ends from `first_date` to `last_date`,
    `bads` of them bad rows of `bad_customers` groups of customers, labelled with the knowledge of `fitted_on`.

    `fitted_on` null is the champion in force, which stands in where no model could have been fitted yet: it has seen
    what came after the month, and its counts are null.
    """

    model: Model
    fitted_on: dt.date | None
    dates: int | None = None
    first_date: dt.date | None = None
    last_date: dt.date | None = None
    snapshots: int | None = None
    bads: int | None = None
    bad_customers: int | None = None

    @property
    def is_of_today(self) -> bool:
        """The model knows what no one knew in the month it is applied to."""
        return self.fitted_on is None


@dataclass(frozen=True)
class Refits:
    """The models in force at each of the replayed month ends; days on which none could be fitted, and why."""

    by_month: dict[dt.date, KnownModel]
    left_out: tuple[tuple[dt.date, str], ...]


def models_of_months(setting: Setting, months: Sequence[dt.date]) -> Refits:
    """The model in force at each month end: the last one fitted by then, at most `backtest.refit_months` old.

    Refits lie on one calendar, whatever months are asked for: the first on the first month end on which
    `backtest.first_fit_snapshots` month ends have a known outcome, then every `backtest.refit_months`. A refit that the
    book of its day cannot carry leaves the model before in force. Months before the first fit have the champion in
    force. Raises MissingInputError without a champion where one is needed.
    """
    days = _refit_days(setting, months[-1])
    fitted: dict[dt.date, KnownModel | None] = {}
    left_out: list[tuple[dt.date, str]] = []
    champion: KnownModel | None = None
    by_month: dict[dt.date, KnownModel] = {}
    for month in months:
        model = _latest(setting, [day for day in days if day <= month], fitted, left_out)
        if model is None:
            champion = champion or KnownModel(read_role(setting.project.models, "champion"), None)
            model = champion
        by_month[month] = model
    return Refits(by_month, tuple(sorted(left_out)))


def _latest(
    setting: Setting,
    days: Sequence[dt.date],
    fitted: dict[dt.date, KnownModel | None],
    left_out: list[tuple[dt.date, str]],
) -> KnownModel | None:
    """The model of the last of the days that has one; each day is fitted once, and only when it is needed."""
    for day in reversed(days):
        if day not in fitted:
            fitted[day] = _fitted_or_told(setting, day, left_out)
        if fitted[day] is not None:
            return fitted[day]
    return None


def _fitted_or_told(setting: Setting, day: dt.date, left_out: list[tuple[dt.date, str]]) -> KnownModel | None:
    try:
        return model_known_on(setting, day)
    except UnfitForTrainingError as error:
        log.say("refit_left_out", f"no model could be fitted on {day}: {error}", fitted_on=day.isoformat())
        left_out.append((day, str(error)))
        return None


def model_known_on(setting: Setting, day: dt.date) -> KnownModel:
    """A scorecard fitted with the knowledge of the day: outcomes that had matured, rows as they were known.

    All month ends whose outcomes had matured train and calibrate it, on customers apart: the months that follow are its
    test. Bins set by hand are left out, for whoever set them knew more. With too few defaults it is the expert card of
    the policy. Raises UnfitForTrainingError when the book of the day carries neither.
    """
    book = _book_known_on(setting, day)
    table = timetable_tested_later(mature_dates(book), label_of(setting), setting.params.split)
    fitted = card_on(setting, book, table, {})
    seen = fitted.details["samples"]["train"]
    told = f"model of {day}: {len(fitted.model.features)} features, {seen['rows']:,} snapshots, {seen['bads']:,} bad"
    log.say("refitted", told, fitted_on=day.isoformat(), rows=seen["rows"], bads=seen["bads"])
    return _known(fitted, day, table.train)


def _known(fitted: FittedModel, day: dt.date, dates: Sequence[dt.date]) -> KnownModel:
    seen = fitted.details["samples"]["train"]
    mark = "expert-" if fitted.model.basis == "expert" else ""
    model = dataclasses.replace(fitted.model, version=f"{fitted.model.kind}-{mark}{day:%Y%m%d}")
    return KnownModel(model, day, len(dates), dates[0], dates[-1], seen["rows"], seen["bads"], seen["bad_customers"])


def _book_known_on(setting: Setting, day: dt.date) -> pd.DataFrame:
    """Outcomes as the label stage would have told them on the day, with the features of their own days."""
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = known_by(ledger_in(engine, setting.project.ledger), day)
        outcomes = snapshot_outcomes(ledger, setting.params.label, default_definition(setting), engine.keep)
        rows = engine.collect(outcomes, order_by=("as_of", "customer_id"))
    return book_as_labelled(setting, drawn_share(rows, setting.params.label).to_pandas())


def _refit_days(setting: Setting, last: dt.date) -> list[dt.date]:
    """The calendar of refits up to the last month."""
    params = setting.params.backtest
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        first = _first_fit(setting, ledger, last)
    if first is None:
        return []
    ends = month_ends(first, last)
    return ends[:: params.refit_months]


def _first_fit(setting: Setting, ledger: Ledger, last: dt.date) -> dt.date | None:
    """The first month end by which enough month ends are mature; null when it lies after `last`."""
    label, needed = setting.params.label, setting.params.backtest.first_fit_snapshots
    try:
        dates = snapshot_dates(ledger, label)
    except UnfitForTrainingError:
        return None
    if len(dates) < needed:
        return None
    days = default_definition(setting).days if label.kind == "default" else label.days
    ends = month_ends(dates[needed - 1], last)
    return next((end for end in ends if is_mature(dates[needed - 1], end, days, label)), None)
