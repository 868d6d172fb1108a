"""The book a model is fitted on: outcomes, features and what the thin-file rule reads, one row per snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import read_table
from pipeline.train.splits import Timetable, mature_dates, timetable

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.flows.setting import Setting

KEY = ["customer_id", "as_of"]
_FROM_POSITION = ["invoices_due_12m_count", "history_months"]


def training_book(setting: Setting) -> pd.DataFrame:
    """Every labelled snapshot with its features, sorted by (as_of, customer_id); `as_of` holds dates."""
    project = setting.project
    outcomes = read_table(project.snapshots, made_by="label").to_pandas()
    known = read_table(project.features, made_by="build_features").to_pandas()
    stood = read_table(project.positions, made_by="build_features").select([*KEY, *_FROM_POSITION]).to_pandas()
    added = [name for name in _FROM_POSITION if name not in known.columns]
    book: pd.DataFrame = outcomes.merge(known, on=KEY, how="left", validate="one_to_one")
    book = book.merge(stood[[*KEY, *added]], on=KEY, how="left", validate="one_to_one")
    return book.sort_values(["as_of", "customer_id"], ignore_index=True)


def timetable_of(setting: Setting, book: pd.DataFrame) -> Timetable:
    """Which snapshots serve what. Raises UnfitForTrainingError when the history is too short for it."""
    return timetable(mature_dates(book), setting.params.label, setting.params.split)
