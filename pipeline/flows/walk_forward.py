"""The past month by month, each month with what was known at its end and a model fitted on what was known by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.errors import ParameterError
from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.flows.definition import default_definition
from pipeline.flows.known_models import models_of_months
from pipeline.flows.no_ledger import refuse_own_table
from pipeline.flows.setting import ledger_in
from pipeline.history.point_in_time import customers_known
from pipeline.history.position import positions
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import month_ends, spine
from pipeline.score.policy import read_policy
from pipeline.score.position_columns import ordered_positions
from pipeline.score.rating import Answers, aligned_features, rate
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    import ibis.expr.types as ir
    import pandas as pd

    from pipeline.engine import Engine
    from pipeline.flows.known_models import KnownModel, Refits
    from pipeline.flows.setting import Setting
    from pipeline.score.rating import Rating
    from pipeline.tables.canonical import Ledger

_ORDER = ("as_of", "customer_id")


@dataclass(frozen=True)
class ReplayedMonth:
    """A month end of the past as it was seen on it.

    `positions`: one row per customer known on the day, ordered by customer_id (history/position.py). `features`: row by
    row beside `positions`, with customer_id and as_of the columns asked for and those that the models read.
    `answers`: what the model of the month says of each, and `rating` what the policy in force today makes of it; rate
    the answers again to see another policy. `known`: the model and what it was fitted on. `is_hypothetical`: the model
    had seen the month, so that its order of the customers is better than it would have been.
    """

    as_of: dt.date
    positions: pd.DataFrame
    features: pd.DataFrame
    answers: Answers
    rating: Rating
    known: KnownModel

    @property
    def is_hypothetical(self) -> bool:
        """The model knows what no one knew on the day."""
        return self.known.is_of_today


@dataclass(frozen=True)
class Walk:
    """The month ends of a walk, the models in force at each and what to tell of refits that failed; see `months`."""

    setting: Setting
    days: tuple[dt.date, ...]
    refits: Refits
    columns: tuple[str, ...]

    def months(self) -> Iterator[ReplayedMonth]:
        """Every month end, oldest first; positions and features of all of them are built in one pass.

        Raises ParameterError when nobody was known on any of them.
        """
        policy = read_policy(self.setting.project.policy)
        folder = self.setting.project.ledger
        with self.setting.engine() as engine, unchanged(folder):
            ledger = prepared(ledger_in(engine, folder), engine.keep)
            views = _views(engine, ledger, self.days)
            if not views.num_rows:
                raise ParameterError(
                    f"no customer was known on any month end from {self.days[0]} to {self.days[-1]}; name a later --to"
                )
            days = engine.register("walk_days", spine(views))
            definition = default_definition(self.setting)
            stood = engine.keep(positions(ledger, days, definition, engine.keep), "walk_positions")
            known = engine.keep(features(ledger, days, engine.keep, names=self._reads()), "walk_features")
            for day in self.days:
                model = self.refits.by_month[day]
                rows = ordered_positions(_of_day(engine, stood, day), day)
                frame = aligned_features(_of_day(engine, known, day), rows).assign(customer_id=rows["customer_id"])
                answers = Answers(model.model.pd(frame), model.model.thin_file.pd_of(frame))
                rating = rate(rows, answers, model.model, policy, day)
                yield ReplayedMonth(day, rows, frame, answers, rating, model)

    def _reads(self) -> list[str]:
        wanted = set(self.columns).union(*(model.model.reads for model in self.refits.by_month.values()))
        return [feature.name for feature in FEATURES if feature.name in wanted]


def walk_forward(setting: Setting, first: dt.date, last: dt.date, columns: Iterable[str] = ()) -> Walk:
    """Opens a walk over every month end from `first` to `last`; the models are fitted here, the months come later.

    `columns` names features wanted besides those the models read. Use::

        walk = walk_forward(open_setting(root), dt.date(2023, 1, 31), dt.date(2024, 12, 31), ["mean_days_late_3m"])
        for month in walk.months():
            month.as_of, month.positions, month.features, month.rating, month.known.fitted_on, month.is_hypothetical

    A month is told with what was known at its end; its model is the last scorecard refitted by then
    (`backtest.refit_months`), on outcomes that had matured and were known by the day of the refit. Where none could be
    fitted yet the champion in force stands in and the month is hypothetical.

    Raises ParameterError when no month end lies between, when the last lies after the extract date or a column is no
    feature; MissingInputError without a ledger, the stages up to build_features, or a champion where it is needed.
    """
    refuse_own_table(setting.project.ledger)
    unknown = sorted(set(columns) - {feature.name for feature in FEATURES})
    if unknown:
        raise ParameterError(f"walk forward: {len(unknown)} column(s) are no features, e.g. {unknown[0]!r}")
    days = month_ends(first, last)
    if not days:
        raise ParameterError(f"no month end lies from {first} to {last}; name an earlier --from or a later --to")
    with setting.engine() as engine, unchanged(setting.project.ledger):
        extract = ledger_in(engine, setting.project.ledger).extract_date
    if days[-1] > extract:
        raise ParameterError(
            f"the month end {days[-1]} lies after the extract date {extract}, beyond which nothing is known; end the "
            "walk there or take in a newer ledger"
        )
    return Walk(setting, tuple(days), models_of_months(setting, days), tuple(columns))


def _views(engine: Engine, ledger: Ledger, days: Sequence[dt.date]) -> pa.Table:
    """Every customer known on each of the days, on that day."""
    found = []
    for day in days:
        rows = engine.collect(customers_known(ledger, day), order_by=("customer_id",))
        found.append(rows.append_column("as_of", pa.array([day] * rows.num_rows, pa.date32())))
    return pa.concat_tables(found)


def _of_day(engine: Engine, rows: ir.Table, day: dt.date) -> pd.DataFrame:
    found: pd.DataFrame = engine.collect(rows.filter(rows.as_of == day), order_by=_ORDER).to_pandas()
    return found
