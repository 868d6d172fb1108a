"""The label of kind late: an item due in the window is settled so many days after its due day, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.item_states import item_states

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

_VIEW = ["customer_id", "as_of"]


def late_outcome(final: Ledger, book: ir.Table, days: int) -> ir.Table:
    """One row per mature snapshot of `book`: customer_id, as_of, event_on, has_left, is_unclear (always false).

    `final` is the ledger in hindsight. event_on is the first day on which an invoice or debit note that fell due in
    `as_of` < due_on <= `window_end` stood `days` past due (null: none did); has_left: none fell due. A write-off or an
    open dispute settles nothing; a credit note applied does.
    """
    mature = book.filter(book.is_mature)
    items = _settlements(final)
    fell_due = mature.inner_join(
        items,
        (mature.customer_id == items.customer_id) & (items.due_on > mature.as_of) & (items.due_on <= mature.window_end),
    ).select(mature.customer_id, mature.as_of, items.due_on, items.settled_on)
    is_late = fell_due.settled_on.delta(fell_due.due_on, unit="day") >= days
    sums = fell_due.group_by(*_VIEW).agg(late_due_on=fell_due.due_on.min(where=is_late), items=fell_due.count())
    rows = mature.left_join(sums, _VIEW).select(*(mature[name] for name in _VIEW), sums.late_due_on, sums["items"])
    return rows.select(
        *_VIEW,
        event_on=(rows.late_due_on + ibis.interval(days=days)).cast("timestamp").cast("date"),
        has_left=rows["items"].isnull(),
        is_unclear=ibis.literal(value=False),
    )


def _settlements(final: Ledger) -> ir.Table:
    """Each invoice and debit note with the day from which it stayed settled (9999-12-31: it stands open)."""
    states = item_states(final)
    states = states.filter((states.kind != "credit_note") & states.due_on.notnull())
    standing = states.open_document > 0
    # A bounced payment reopens an item, so the last day it stood open decides; never open is settled in time.
    return states.group_by("invoice_id", "customer_id", "due_on").agg(
        settled_on=ibis.coalesce(states.until_on.max(where=standing), states.due_on.min())
    )
