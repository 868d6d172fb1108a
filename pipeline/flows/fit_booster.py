"""Fits the booster, on the same rows and in the same directions as the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.flows.fitted import ground_of, keep
from pipeline.flows.leak_check import leak_check
from pipeline.flows.training_book import timetable_of, training_book
from pipeline.flows.training_source import catalogue_of
from pipeline.train.fit import train_booster

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def fit_booster(setting: Setting) -> None:
    """Leaves a candidate. Raises UnfitForTrainingError when the book cannot carry a model."""
    book = training_book(setting)
    table = timetable_of(setting, book)
    leaks = leak_check(setting, book, table)
    catalogue, ground = catalogue_of(setting), ground_of(setting)
    keep(setting, train_booster(book, catalogue, table, setting.params.fit_booster, ground), leaks)
