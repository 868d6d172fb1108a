"""A published day as its customers' pages need it: the book as it was scored, built again and held to what it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.datasets import read_table
from pipeline.errors import ContractError, CreditbookError, MissingInputError
from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.flows.definition import default_definition
from pipeline.flows.features_of_run import kept_features
from pipeline.flows.setting import ledger_in
from pipeline.history.point_in_time import known_rows
from pipeline.history.position import positions
from pipeline.history.snapshots import spine
from pipeline.score.applied import PD, THIN_PD, application, points_columns
from pipeline.score.model_folder import read_model
from pipeline.score.policy import Policy, parse_policy
from pipeline.score.position_columns import ordered_positions
from pipeline.score.rating import aligned_features
from pipeline.score.statement.prospects import BookDay, Seat
from pipeline.tables.ledger import TABLES
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir
    import pandas as pd

    from pipeline.engine import Engine
    from pipeline.flows.published_runs import PublishedRun
    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.tables.canonical import Ledger

_DIVIDES = ("industry_section", "size_class")
_ORDER = ("as_of", "customer_id")


@dataclass(frozen=True)
class PublishedDay:
    """A published run with what it was made from. `book` is its scored book, row by row that of `day`; `points` are
    the points of each feature of the model, `present` the tables of the ledger, `holders` by table of the ledger the
    customers with rows in it as known on the day; a table without customers (the economy's series) is not there."""

    manifest: Mapping[str, Any]
    book: pd.DataFrame
    day: BookDay
    points: pd.DataFrame
    present: frozenset[str]
    holders: Mapping[str, frozenset[str]]

    def has_rows_of(self, customer_id: str, table: str) -> bool:
        """Whether the table was handed in and, where its rows are of customers, some are of this one."""
        return table in self.present and customer_id in self.holders.get(table, {customer_id})

    def row_of(self, customer_id: str) -> int:
        """The row of a customer of the book."""
        return int(np.flatnonzero(self.book["customer_id"].to_numpy() == customer_id)[0])


def published_day(setting: Setting, run: PublishedRun) -> PublishedDay:
    """The run's book built again from ledger, model and policy of the run.

    Features of the day that was scored last are read, those of other days built from the ledger as of the day. Raises
    MissingInputError when the model or the ledger is gone, DamagedModelError when the model is damaged.
    """
    manifest = run.manifest
    model = read_model(setting.project.models / manifest["versions"]["model"]["version"])
    policy = _policy(manifest, run)
    book = run.book().to_pandas()
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        days = engine.register("statement_days", _spine_of(book, run))
        stands = engine.collect(positions(ledger, days, default_definition(setting), engine.keep), order_by=_ORDER)
        kept = _kept(setting, run, model)
        known = _built(engine, ledger, days, model) if kept is None else kept
        holders = _holders(engine, ledger, days)
    placed = ordered_positions(stands.to_pandas(), run.as_of)
    rows = aligned_features(known.to_pandas(), placed)
    answered = _answered(rows, model)
    day = BookDay(placed, rows, answered[[PD, THIN_PD]], model, policy, run.as_of)
    points = answered[points_columns(model)].set_axis(list(model.features), axis=1)
    return PublishedDay(manifest, book, day, points, ledger.present, holders)


def require_as_published(found: PublishedDay, seat: Seat) -> None:
    """Raises ContractError when the customer of the seat no longer comes out as it was published: ledger, definition of
    default or code have moved on, and a page made of both would contradict itself."""
    row, now = found.book.iloc[seat.at], seat.now
    pairs = {
        "status": (row["rating_status"], seat.status),
        "grade": (row["grade"], now.grade),
        "PD": (row["pd"], now.pd),
        "limit": (None if row["limit_suggested"] is None else float(row["limit_suggested"]), now.limit),
    }
    moved = [f"{name} {now} for {then}" for name, (then, now) in pairs.items() if not _is_same(then, now)]
    if moved:
        raise ContractError(
            f"statement: customer {row['customer_id']!r} comes out otherwise than the run of {found.day.as_of} "
            f"published ({', '.join(moved)}): the ledger or the code has moved on; score the day "
            "again, then make the page"
        )


def _is_same(then: Any, now: Any) -> bool:
    is_null = then is None or then != then  # noqa: PLR0124 - NaN is a null from pandas
    return now is None if is_null else bool(then == now)


def _policy(manifest: Mapping[str, Any], run: PublishedRun) -> Policy:
    try:
        return parse_policy(manifest["versions"]["policy"]["texts"])
    except (CreditbookError, KeyError) as error:
        raise MissingInputError(
            f"{run.folder}: the policy of this run can no longer be read, it was written for another version of the "
            f"program ({str(error).splitlines()[0]}); score the day again, then make the page"
        ) from error


def _spine_of(book: pd.DataFrame, run: PublishedRun) -> pa.Table:
    """Every customer of the book on the day."""
    customers = pa.array(book["customer_id"], pa.string())
    day = pa.array(np.full(len(book), np.datetime64(run.as_of, "D")), pa.date32())
    return spine(pa.table({"customer_id": customers, "as_of": day}))


def _holders(engine: Engine, ledger: Ledger, days: ir.Table) -> dict[str, frozenset[str]]:
    """By table of customers that was handed in, whose rows it holds as known on the day."""
    names = [
        one.name for one in TABLES if one.name in ledger.present and "customer_id" in ledger.tables[one.name].columns
    ]
    found = {}
    for name in names:
        rows = known_rows(ledger, name, days).select("customer_id").distinct()
        found[name] = frozenset(engine.collect(rows, order_by=["customer_id"])["customer_id"].to_pylist())
    return found


def _wanted(model: Model) -> list[str]:
    wanted = {*model.reads, *_DIVIDES}
    return [feature.name for feature in FEATURES if feature.name in wanted]


def _kept(setting: Setting, run: PublishedRun, model: Model) -> pa.Table | None:
    """The features that the night left behind, where they are those of this run."""
    path = kept_features(setting.project, run)
    if path is None:
        return None
    night = read_table(path, "score")
    wanted = _wanted(model)
    return night.select(["customer_id", *wanted]) if set(wanted) <= set(night.column_names) else None


def _built(engine: Engine, ledger: Ledger, days: ir.Table, model: Model) -> pa.Table:
    lacking = sorted(set(model.reads) - {feature.name for feature in FEATURES})
    if lacking:
        raise MissingInputError(
            f"statement: model {model.version} reads {len(lacking)} feature(s) that are no longer built, e.g. "
            f"{lacking[0]!r}; make pages of a run of a model in force"
        )
    known = features(ledger, days, engine.keep, names=_wanted(model))
    return engine.collect(known, order_by=_ORDER).drop_columns(["as_of"])


def _answered(rows: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The model's answers for every row, also for those out of the book, which nobody reads."""
    table = pa.Table.from_pandas(rows[list(model.reads)], preserve_index=False)
    cast = [
        column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else pc.cast(column, "float64")
        for column in table.columns
    ]
    batch = pa.table(cast, names=table.column_names).combine_chunks().to_batches()
    apply = application(model, None, batch[0].schema) if batch else application(model, None, table.schema)
    frame: pd.DataFrame = pa.Table.from_batches([apply(one) for one in batch], apply.schema).to_pandas()
    return frame
