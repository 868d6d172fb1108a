"""Since when rows of a table have been known of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.point_in_time import revisions
from pipeline.tables.ledger import BY_NAME

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger


def known_since(ledger: Ledger, table: str, snapshots: ir.Table) -> ir.Table:
    """One row per snapshot before which a row was known: customer_id, as_of, `known_since` (a day, not after as_of).

    The first day on which an event of the table had happened and was known. A later revision does not unmake it, so
    it is the same on every day that follows, and told by one pass over the table whatever the number of days.
    """
    rows = revisions(ledger, table)
    event_on = BY_NAME[table].event_on
    seen_on = rows.known_on if event_on is None else ibis.greatest(rows.known_on, rows[event_on])
    first = rows.mutate(seen_on=seen_on).group_by("customer_id").agg(known_since=lambda t: t.seen_on.min())
    days = snapshots.select("customer_id", "as_of")
    joined = days.inner_join(first, "customer_id").select(days.customer_id, days.as_of, first.known_since)
    return joined.filter(joined.known_since <= joined.as_of)
