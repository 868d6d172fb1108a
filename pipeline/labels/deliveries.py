"""What was delivered and what became of it: each item from its issue on, told with all that is known today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.default_episodes import default_episodes
from pipeline.history.item_states import item_states

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger


def delivered_stretches(final: Ledger, first: dt.date, last: dt.date) -> ir.Table:
    """Stretches of days in which an item did not change: one row (invoice_id, from_on), `until_on` not included.

    `final` is the ledger in hindsight (history/point_in_time.py). Of invoices and debit notes issued up to `last` that
    stood open after `first`. Columns: customer_id, invoice_id, kind, issued_on, amount, written_off_on, from_on,
    until_on, open_amount (base currency, not below 0; a write-off does not end it).
    """
    states = item_states(final)
    states = states.filter(states.kind != "credit_note", states.issued_on <= last, states.until_on > first)
    nothing = ibis.literal(0).cast(states.open_amount.type())
    return states.select(
        "customer_id",
        "invoice_id",
        "kind",
        "issued_on",
        "amount",
        "written_off_on",
        "from_on",
        "until_on",
        open_amount=ibis.greatest(states.open_amount, nothing),
    )


def defaults_begun(
    ledger: Ledger, definition: DefaultDefinition, keep: Callable[[ir.Table, str], ir.Table]
) -> ir.Table:
    """Every default as known at the extract date: customer_id, started_on, ended_on (null: not over)."""
    customers = ledger.tables["customers"].select("customer_id").distinct()
    views = customers.mutate(as_of=ibis.literal(ledger.extract_date))
    return default_episodes(ledger, views, definition, keep).select("customer_id", "started_on", "ended_on")
