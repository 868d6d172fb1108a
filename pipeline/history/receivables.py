"""The receivables of a whole book through time: which items were lost and when, and what was billed before a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import day_number, number_of, to_day
from pipeline.history.item_states import item_states, open_states
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import datetime as dt

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger


def lost_items(ledger: Ledger, as_of: dt.date, past_due_days: int) -> ir.Table:
    """One row per item that was lost by `as_of`, as known on it: invoice_id, lost_on, written_off_on (null: not).

    `lost_on` is the first day on which the books showed the item open more than `past_due_days` past due, or the day
    of its write-off when that came first. Credit notes are never lost. A write-off that became known late counts
    from the day it was known, as the books of the days between did not show it.
    """
    overdue = _long_overdue(ledger, as_of, past_due_days)
    written_off = _written_off(ledger, as_of)
    rows = overdue.union(written_off)
    found = rows.group_by("invoice_id").agg(lost=rows.day.min(), off=rows.day.min(where=rows.is_write_off))
    return found.select("invoice_id", lost_on=to_day(found.lost), written_off_on=to_day(found.off))


def billed(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """One row per snapshot that was billed within 12 months: customer_id, as_of, billed_3m, billed_12m.

    Invoices and debit notes less credit notes by day of issue, in base currency, as known on `as_of`; `billed_3m` is 0
    where the last three months hold none. `snapshots` needs the spine's `since_3m` and `since_12m`.
    """
    rows = known_rows(ledger, "invoices", snapshots, months=12)
    found = rows.group_by("customer_id", "as_of").agg(
        billed_3m=rows.amount.sum(where=rows.issued_on > rows.since_3m), billed_12m=rows.amount.sum()
    )
    nothing = ibis.literal(0).cast("decimal(18, 2)")
    return found.mutate(
        billed_3m=found.billed_3m.fill_null(nothing).cast("decimal(18, 2)"),
        billed_12m=found.billed_12m.cast("decimal(18, 2)"),
    )


def _long_overdue(ledger: Ledger, as_of: dt.date, past_due_days: int) -> ir.Table:
    """The first day of each open stretch on which the item stood past due long enough."""
    states = open_states(ledger)
    states = states.filter(states.kind != "credit_note", states.due_on.notnull(), states.from_on <= as_of)
    since = ibis.greatest(day_number(states.from_on), day_number(states.due_on) + past_due_days + 1)
    until = ibis.least(day_number(states.until_on), ibis.literal(number_of(as_of) + 1).cast("int64"))
    found = states.select("invoice_id", day=since.cast("int64"), until=until.cast("int64"))
    found = found.filter(found.day < found.until)
    return found.select("invoice_id", "day", is_write_off=ibis.literal(value=False))


def _written_off(ledger: Ledger, as_of: dt.date) -> ir.Table:
    """The day on which each item that stood open was written off."""
    states = item_states(ledger)
    states = states.filter(
        states.kind != "credit_note",
        states.open_document > 0,
        states.written_off_on <= as_of,
        states.from_on <= as_of,
        states.until_on > states.written_off_on,
    )
    day = ibis.greatest(day_number(states.written_off_on), day_number(states.from_on)).cast("int64")
    return states.select("invoice_id", day=day, is_write_off=ibis.literal(value=True))
