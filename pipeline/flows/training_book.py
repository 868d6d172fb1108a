"""The book a model is fitted on: outcomes, features and what the thin-file rule reads, one row per snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipeline.datasets import read_table
from pipeline.errors import ContractError
from pipeline.flows.training_source import label_of
from pipeline.train.splits import Timetable, is_undated, mature_dates, timetable, undated_timetable

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting

KEY = ["customer_id", "as_of"]
_FROM_POSITION = ["invoices_due_12m_count", "history_months"]


def training_book(setting: Setting) -> pd.DataFrame:
    """Every labelled snapshot with its features, sorted by (as_of, customer_id); `as_of` holds dates, or nothing but
    nulls for a table without dates. What the thin-file rule reads is there for a ledger only."""
    project = setting.project
    outcomes = read_table(project.snapshots, made_by="label").to_pandas()
    known = read_table(project.features, made_by="build_features").to_pandas()
    if label_of(setting).is_of_table:
        # (customer_id, as_of) is unique and the two files are in one order; null days would not meet in every merge.
        if not outcomes[KEY].equals(known[KEY]):
            raise ContractError(
                f"{project.features} and {project.snapshots} are of different tables ({len(known):,} and "
                f"{len(outcomes):,} rows); run creditbook stage build_features again"
            )
        rows: pd.DataFrame = outcomes.join(known.drop(columns=KEY))
        return rows
    return _with_what_was_known(setting, outcomes, known)


def book_as_labelled(setting: Setting, outcomes: pd.DataFrame) -> pd.DataFrame:
    """As `training_book` of a ledger, with outcomes told on another day than the label stage told its own; a row that
    has no features is an error. `outcomes` has the columns of that stage."""
    known = read_table(setting.project.features, made_by="build_features").to_pandas()
    book = _with_what_was_known(setting, outcomes, known)
    lacking = ~pd.MultiIndex.from_frame(outcomes[KEY]).isin(pd.MultiIndex.from_frame(known[KEY]))
    if lacking.any():
        first = outcomes[lacking].iloc[0]
        raise ContractError(
            f"{setting.project.features}: {int(lacking.sum()):,} of {len(outcomes):,} snapshots have no features, e.g. "
            f"customer {first['customer_id']!r} on {first['as_of']}; run creditbook stage build_features again"
        )
    return book


def _with_what_was_known(setting: Setting, outcomes: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    stood = read_table(setting.project.positions, made_by="build_features").select([*KEY, *_FROM_POSITION]).to_pandas()
    added = [name for name in _FROM_POSITION if name not in known.columns]
    book: pd.DataFrame = outcomes.merge(known, on=KEY, how="left", validate="one_to_one")
    book = book.merge(stood[[*KEY, *added]], on=KEY, how="left", validate="one_to_one")
    return book.sort_values(["as_of", "customer_id"], ignore_index=True)


def positions_of(setting: Setting, rows: pd.DataFrame) -> pd.DataFrame:
    """What stood open and who it was, in the order of the rows, which hold customer_id and as_of."""
    stood = read_table(setting.project.positions, made_by="build_features").to_pandas()
    placed: pd.DataFrame = rows[KEY].merge(stood, on=KEY, how="left", validate="one_to_one")
    return placed


def timetable_of(setting: Setting, book: pd.DataFrame) -> Timetable:
    """Which snapshots serve what. Raises UnfitForTrainingError when the history is too short for it."""
    label, split = label_of(setting), setting.params.split
    return undated_timetable(label, split) if is_undated(book) else timetable(mature_dates(book), label, split)
