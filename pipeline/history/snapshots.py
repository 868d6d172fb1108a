"""Snapshots: one row per customer and day on which knowledge ends, with the starts of the windows before it."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.history.item_states import open_states
from pipeline.history.point_in_time import revisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

WINDOWS_MONTHS: tuple[int, ...] = (1, 2, 3, 6, 9, 12, 15, 18, 24, 36)
"""The windows a spine carries: `since_12m` < event day <= `as_of` is the window of 12 months."""

_ACTIVITY = {"invoices": "issued_on", "payments": "paid_on", "orders": "ordered_on"}


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day of the month, `months` calendar months earlier (negative: later), clipped to the month's length.

    >>> months_before(dt.date(2024, 3, 31), 1)
    datetime.date(2024, 2, 29)
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    """Every last day of a month from `first` to `last`, both included.

    >>> month_ends(dt.date(2024, 1, 31), dt.date(2024, 3, 30))
    [datetime.date(2024, 1, 31), datetime.date(2024, 2, 29)]
    """
    found = []
    day = _month_end(first)
    while day <= last:
        found.append(day)
        day = _month_end(day + dt.timedelta(days=1))
    return found


def month_ends_back(day: dt.date, months: int) -> list[dt.date]:
    """The day and the same day of each month before, oldest first; a month end stays a month end.

    >>> [str(d) for d in month_ends_back(dt.date(2025, 11, 30), 1)]
    ['2025-10-31', '2025-11-30']
    """
    if day != _month_end(day):
        return [months_before(day, back) for back in range(months, -1, -1)]
    return [_month_end(months_before(day.replace(day=1), back)) for back in range(months, -1, -1)]


def window_starts(dates: Sequence[dt.date]) -> pa.Table:
    """One row per distinct day: `as_of` and `since_1m` to `since_36m` (date32), sorted by `as_of`."""
    days = sorted(set(dates))
    columns = {"as_of": pa.array(days, pa.date32())}
    for months in WINDOWS_MONTHS:
        columns[f"since_{months}m"] = pa.array([months_before(day, months) for day in days], pa.date32())
    return pa.table(columns)


def spine(rows: pa.Table) -> pa.Table:
    """The rows (customer_id, as_of) with the window starts added, in the order given; other columns stay.

    Window starts come from the calendar in Python because month arithmetic differs between engines.
    """
    as_of = rows["as_of"].cast(pa.date32()).combine_chunks()
    starts = window_starts(pc.unique(as_of).to_pylist())
    position = pc.index_in(as_of, value_set=starts["as_of"].combine_chunks())
    for name in starts.column_names[1:]:
        rows = rows.append_column(name, starts[name].take(position))
    return rows


def snapshots_on(customers: ir.Table, dates: Sequence[dt.date]) -> ir.Table:
    """Every customer (column `customer_id`) on every day, with window starts."""
    return customers.select("customer_id").distinct().cross_join(ibis.memtable(window_starts(dates)))


def customers_in_book(ledger: Ledger, dates: Sequence[dt.date]) -> ir.Table:
    """Who was in the book of each day, as known on it: one row (customer_id, as_of)."""
    everyone = ibis.union(*(ledger.tables[t].select("customer_id") for t in _ACTIVITY), distinct=True)
    return in_book(ledger, snapshots_on(everyone, dates))


def in_book(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """Those of the snapshots that are in the book: (customer_id, as_of), each once.

    In the book is who has an open item on the day, or an invoice, payment or order in the 12 months before, as known
    on the day. `snapshots` needs `since_12m`.
    """
    days = snapshots.select("customer_id", "as_of", "since_12m")
    found = [_active(ledger, table, event_on, days) for table, event_on in _ACTIVITY.items()]
    states = open_states(ledger).select("customer_id", "from_on", "until_on").distinct()
    held = days.join(
        states,
        (days.customer_id == states.customer_id) & (states.from_on <= days.as_of) & (states.until_on > days.as_of),
    ).select(days.customer_id, days.as_of)
    return ibis.union(held, *found, distinct=True)


def _active(ledger: Ledger, table: str, event_on: str, days: ir.Table) -> ir.Table:
    rows = revisions(ledger, table)
    # What lies before every window counts for no day: told first, most of a long ledger is left out of the rest.
    rows = rows.filter(rows[event_on] > days.since_12m.min().as_scalar())
    # Many documents of one day say the same; telling it once keeps the join small.
    spells = rows.select(
        "customer_id",
        event_on=rows[event_on],
        from_on=ibis.greatest(rows.known_on, rows[event_on]),
        until_on=rows.superseded_on,
    ).distinct()
    spells = spells.filter(spells.from_on < spells.until_on)
    spells = spells.group_by("customer_id", "event_on", "until_on").agg(from_on=spells.from_on.min())
    return days.join(
        spells,
        (days.customer_id == spells.customer_id)
        & (spells.event_on > days.since_12m)
        & (spells.from_on <= days.as_of)
        & (spells.until_on > days.as_of),
    ).select(days.customer_id, days.as_of)


def _month_end(day: dt.date) -> dt.date:
    return day.replace(day=monthrange(day.year, day.month)[1])
