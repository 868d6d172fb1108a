"""The leak detector at work: every training table passes it before anything is fitted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pipeline.datasets import read_json
from pipeline.flows import log
from pipeline.flows.training_source import catalogue_of, label_of
from pipeline.train.leaks import LeakReport, find_leaks

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.flows.setting import Setting
    from pipeline.train.splits import Timetable


def leak_check(setting: Setting, book: pd.DataFrame, table: Timetable) -> LeakReport:
    """What was found, printed. Raises UnfitForTrainingError with every refusal at once."""
    label = label_of(setting)
    found = find_leaks(
        book, catalogue_of(setting), table, label, setting.params.leaks, known_until=_known_until(setting)
    )
    log.say("leaks", found.text())
    found.require_clean()
    return found


def _known_until(setting: Setting) -> dt.date | None:
    """The last day of which a ledger tells every default or payment; a table does not say when it was drawn.

    A default is told of days after its cause began, and all is posted late: both lie before the extract date.
    """
    if label_of(setting).is_of_table:
        return None
    ledger = read_json(setting.project.ledger / "manifest.json", made_by="ingest")
    told = setting.params.label
    lag = told.posting_lag_days + (told.days if told.kind == "default" else 0)
    return dt.date.fromisoformat(str(ledger["extract_date"])) - dt.timedelta(days=lag)
