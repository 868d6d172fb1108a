"""The performance window after a snapshot: where it ends and whether its outcome can be known yet."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.errors import UnfitForTrainingError
from pipeline.history.snapshots import month_ends, months_before, window_starts

if TYPE_CHECKING:
    from pipeline.params import LabelParams
    from pipeline.tables.canonical import Ledger


def window_end(as_of: dt.date, settings: LabelParams) -> dt.date:
    """Last day of the window after `as_of`: calendar months (clipped to the month's length) or days on."""
    if settings.window_months is not None:
        return months_before(as_of, -settings.window_months)
    return as_of + dt.timedelta(days=settings.window_days or 0)


def settled_on(as_of: dt.date, settings: LabelParams) -> dt.date:
    """The day by which every outcome of a snapshot has happened: from it on a snapshot shares none of them."""
    return window_end(as_of, settings) + dt.timedelta(days=settings.days if settings.kind == "late" else 0)


def is_mature(as_of: dt.date, extract_date: dt.date, days: int, settings: LabelParams) -> bool:
    """Whether all that decides the window is known: its end, the label's `days` and the posting lag are past."""
    return window_end(as_of, settings) + dt.timedelta(days=days + settings.posting_lag_days) <= extract_date


def snapshot_dates(ledger: Ledger, settings: LabelParams) -> list[dt.date]:
    """Month ends to the extract date, from `first_snapshot` or the observation months after the first known invoice.

    `last_snapshot` ends them earlier. Raises UnfitForTrainingError when no month end lies between.
    """
    first = settings.first_snapshot or _observed_from(ledger, settings.observation_months)
    last = min(settings.last_snapshot or ledger.extract_date, ledger.extract_date)
    dates = month_ends(first, last)
    if not dates:
        raise UnfitForTrainingError(
            f"no month end lies between {first} and {last}, so there is no snapshot; hand in a longer ledger or set "
            "label.observation_months, label.first_snapshot and label.last_snapshot"
        )
    return dates


def windows(dates: list[dt.date], extract_date: dt.date, days: int, settings: LabelParams) -> pa.Table:
    """One row per day: as_of, window_end, `end_since_12m` (start of the 12 months before the end), is_mature."""
    ends = [window_end(day, settings) for day in dates]
    starts = {row["as_of"]: row["since_12m"] for row in window_starts(ends).to_pylist()}
    return pa.table(
        {
            "as_of": pa.array(dates, pa.date32()),
            "window_end": pa.array(ends, pa.date32()),
            "end_since_12m": pa.array([starts[end] for end in ends], pa.date32()),
            "is_mature": pa.array([is_mature(day, extract_date, days, settings) for day in dates], pa.bool_()),
        }
    )


def _observed_from(ledger: Ledger, months: int) -> dt.date:
    # Open items carried over from before are known from the first day of the books: nothing was seen of their time.
    first: dt.date | None = ledger.tables["invoices"].known_on.min().to_pyarrow().as_py()
    if first is None:
        raise UnfitForTrainingError("the ledger has no invoice, so there is nothing to predict; hand in invoices")
    return months_before(first, -months)
