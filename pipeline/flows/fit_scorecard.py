"""Fits the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.flows.fitted import ground_of, keep
from pipeline.flows.leak_check import leak_check
from pipeline.flows.training_book import timetable_of, training_book
from pipeline.flows.training_source import catalogue_of
from pipeline.train.fit import train_scorecard

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def fit_scorecard(setting: Setting) -> None:
    """Leaves a candidate. Raises UnfitForTrainingError when the book cannot carry a model."""
    book = training_book(setting)
    table = timetable_of(setting, book)
    print(table.text())
    leaks = leak_check(setting, book, table)
    keep(
        setting,
        train_scorecard(book, catalogue_of(setting), table, setting.params.fit_scorecard, ground_of(setting)),
        leaks,
    )
