"""What stands open on a day, as known on it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import ibis

from pipeline.history.item_states import open_states

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger


_NO_MONEY = ibis.literal(Decimal("0.00"), "decimal(18, 2)")


def open_items(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """One row per open document and snapshot: customer_id, as_of, invoice_id and what follows.

    kind · issued_on · due_on · amount · open_amount (base currency; above 0 for invoices and debit notes, below 0 for
    open credit notes) · disputed_amount (the part under open dispute, 0 to open_amount) · days_past_due (days, 0 when
    not past due or without due date) · overdue_amount (open_amount once past due, else 0; credit notes 0).
    Unallocated payments and open credit notes reduce nothing. Written-off items are not open.
    """
    states = open_states(ledger)
    # Most items were settled before the first of the days: the join need not look at them.
    first, last = snapshots.as_of.min().as_scalar(), snapshots.as_of.max().as_scalar()
    states = states.filter(states.until_on > first, states.from_on <= last)
    days = snapshots.select("customer_id", "as_of")
    items = days.join(
        states,
        (days.customer_id == states.customer_id) & (states.from_on <= days.as_of) & (states.until_on > days.as_of),
    ).select(
        states.customer_id,
        days.as_of,
        *(states[name] for name in ("invoice_id", "kind", "issued_on", "due_on", "amount")),
        *(states[name] for name in ("open_amount", "disputed_amount")),
    )
    is_past_due = (items.kind != "credit_note") & (items.due_on < items.as_of).fill_null(ibis.literal(value=False))
    return items.mutate(
        days_past_due=ibis.ifelse(is_past_due, items.as_of.delta(items.due_on, unit="day"), 0).cast("int64"),
        overdue_amount=ibis.ifelse(is_past_due, items.open_amount, _NO_MONEY),
    )
