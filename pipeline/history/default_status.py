"""Who is in default on a day, as known on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.default_episodes import default_episodes

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger


def default_status(
    ledger: Ledger, snapshots: ir.Table, definition: DefaultDefinition, keep: Callable[[ir.Table, str], ir.Table]
) -> ir.Table:
    """One row per snapshot: customer_id, as_of, is_in_default, default_on, default_reason (null when not in default).

    Told with the knowledge of `as_of`, each fact on the day it happened: a payment posted late but known by then counts
    from the day it was paid. `keep` computes an intermediate once under a name that begins with default_.
    """
    views = snapshots.select("customer_id", "as_of").distinct()
    episodes = default_episodes(ledger, views, definition, keep)
    current = episodes.filter(episodes.ended_on.isnull())
    joined = views.left_join(current, ["customer_id", "as_of"])
    status = joined.select(
        views.customer_id,
        views.as_of,
        is_in_default=current.started_on.notnull(),
        default_on=current.started_on,
        default_reason=ibis.ifelse(current.started_on.notnull(), current.default_reason, ibis.null("string")),
    )
    return keep(status, "default_status")
