"""The law of the day: the only place that cuts rows to what was known and had happened on a day.

As of a day, the latest revision known by that day is the truth; an event after the day is not seen; a fact revealed
after the day reads as null, with all that came with it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import ibis

from pipeline.errors import ParameterError
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.revisions import NEVER_SUPERSEDED

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

FAR = NEVER_SUPERSEDED
"""Stands for never: a revision that nothing follows, a state that lasts."""


def revisions(ledger: Ledger, table: str) -> ir.Table:
    """Every revision of the table with `revision` (1: the first) and `superseded_on` (FAR: nothing follows)."""
    return ledger.tables[table]


def is_only_revision(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row of `revisions` is all that was ever known of its key."""
    return (rows.revision == 1) & (rows.superseded_on == FAR)


def known_rows(
    ledger: Ledger, table: str, snapshots: ir.Table, *, months: int | None = None, on: str | None = None
) -> ir.Table:
    """Rows of the table as known on each snapshot: every canonical column, then `as_of` and the spine's `since_*`.

    One row per key and snapshot: the latest revision known, revealed facts of later days cut to null, dated (by the
    table's event column, or `on`) not after `as_of` and, with `months`, after `since_{months}m`. A table without an
    event column and without `on` is not cut by event. Rows whose event day is null are left out where a cut applies.
    """
    rows = revisions(ledger, table)
    days = snapshots.select("customer_id", "as_of", *_window_names(snapshots))
    event_on = on or BY_NAME[table].event_on
    known = [days.customer_id == rows.customer_id, *_visible(rows, days, event_on, months)]
    return _reveal(days.join(rows, known), table, list(_window_names(snapshots)))


def known_series(
    ledger: Ledger, snapshots: ir.Table, *, table: str = "indicators", months: int | None = None
) -> ir.Table:
    """Rows of a table without customers (`indicators`, `fx_rates`) as known on each distinct day of the snapshots.

    Columns and rules as `known_rows`; one row per key and day, so join the result on `as_of`.
    """
    rows = revisions(ledger, table)
    days = snapshots.select("as_of", *_window_names(snapshots)).distinct()
    joined = days.join(rows, _visible(rows, days, BY_NAME[table].event_on, months))
    return _reveal(joined, table, list(_window_names(snapshots)))


def known_by(ledger: Ledger, day: dt.date) -> Ledger:
    """The ledger as it would have been handed in on an earlier day, which becomes its extract date.

    Rows known later are gone, a revision that only they follow counts without end, and facts revealed later are null.
    Whatever reads the cut ledger sees no more than whoever stood on that day; `data_version` stays that of the whole.
    Raises ParameterError for a day after the extract date.
    """
    if day > ledger.extract_date:
        raise ParameterError(
            f"the day {day} lies after the extract date {ledger.extract_date}, beyond which nothing is known; name "
            "that day or an earlier one"
        )
    cut = {name: _handed_in_on(ledger, name, day) for name in ledger.tables}
    return dataclasses.replace(ledger, tables=cut, extract_date=day, derived={})


def _handed_in_on(ledger: Ledger, table: str, day: dt.date) -> ir.Table:
    rows = revisions(ledger, table)
    rows = rows.filter(rows.known_on <= day)
    end = ibis.literal(day)
    shown = {name: _before(rows, name, revealing, end) for name, revealing in _revealed_by(table).items()}
    followed = ibis.ifelse(rows.superseded_on > end, ibis.literal(FAR), rows.superseded_on)
    return rows.mutate(**shown, superseded_on=followed).select(*rows.columns)


def in_hindsight(ledger: Ledger) -> Ledger:
    """The ledger as if all that is known at the extract date had been known from the beginning.

    Only the last revision of each key known by then stays, and events after it are cut. The way labels look at the
    past; never to be used for anything known on a day.
    """
    final = {name: _final(ledger, name) for name in ledger.tables}
    return dataclasses.replace(ledger, tables=final, derived={})


def _final(ledger: Ledger, table: str) -> ir.Table:
    rows = revisions(ledger, table)
    last = rows.filter((rows.known_on <= ledger.extract_date) & (rows.superseded_on > ledger.extract_date))
    event_on = BY_NAME[table].event_on
    if event_on is not None:
        last = last.filter(last[event_on] <= ledger.extract_date)
    shown = {
        name: _before(last, name, revealing, ibis.literal(ledger.extract_date))
        for name, revealing in _revealed_by(table).items()
    }
    always = {"known_on": ibis.literal(dt.date(1900, 1, 1)), "superseded_on": ibis.literal(FAR)}
    return last.mutate(**shown, **always, revision=ibis.literal(1).cast("int16"))


def _visible(rows: ir.Table, days: ir.Table, event_on: str | None, months: int | None) -> list[ir.BooleanValue]:
    conditions = [rows.known_on <= days.as_of, rows.superseded_on > days.as_of]
    if event_on is not None:
        conditions.append(rows[event_on] <= days.as_of)
    if event_on is not None and months is not None:
        conditions.append(rows[event_on] > days[f"since_{months}m"])
    return conditions


def _reveal(joined: ir.Table, table: str, windows: list[str]) -> ir.Table:
    cut = _revealed_by(table)
    names = [name for name in BY_NAME[table].canonical_schema.names if name not in cut]
    shown = {name: _before(joined, name, revealing, joined.as_of) for name, revealing in cut.items()}
    ordered = BY_NAME[table].canonical_schema.names
    return joined.select(*names, "as_of", *windows, **shown).select(*ordered, "as_of", *windows)


def _before(rows: ir.Table, name: str, revealing: str, day: ir.DateValue) -> ir.Value:
    return ibis.cases((rows[revealing] <= day, rows[name]), else_=ibis.null(rows[name].type()))


def _revealed_by(table: str) -> dict[str, str]:
    """Each column that may be cut, with the revealed column that decides."""
    found: dict[str, str] = {}
    for column in BY_NAME[table].columns:
        if column.is_revealed:
            found |= dict.fromkeys((column.name, *column.reveals), column.name)
    return found


def _window_names(snapshots: ir.Table) -> tuple[str, ...]:
    return tuple(name for name in snapshots.columns if name.startswith("since_"))


def customers_known(ledger: Ledger, as_of: dt.date) -> ir.Table:
    """The customers known by the day, each once: one column `customer_id`."""
    customers = revisions(ledger, "customers")
    return customers.filter(customers.known_on <= as_of).select("customer_id").distinct()


def newest_known(ledger: Ledger, table: str, as_of: dt.date) -> ir.Table:
    """One row, `day`: the newest day up to `as_of` on which a row of the table became known; null where none had."""
    rows = ledger.tables[table]
    return rows.filter(rows.known_on <= as_of).aggregate(day=rows.known_on.max())
