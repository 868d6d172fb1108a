"""Defaults from beginning to cure, as known on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import NEVER, day_number, to_day
from pipeline.history.default_candidates import item_sieve
from pipeline.history.item_timeline import known_items, open_stretches
from pipeline.history.past_due import breaches, counting_pieces
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger

_VIEW = ("customer_id", "as_of")
# On one day the graver cause gives the reason.
_RANK = {"insolvency": 0, "write_off": 1, "past_due": 2}


def default_episodes(
    ledger: Ledger, views: ir.Table, definition: DefaultDefinition, keep: Callable[[ir.Table, str], ir.Table]
) -> ir.Table:
    """Every default of each view (customer_id, as_of) up to `as_of`, told with the knowledge of `as_of`.

    Columns: customer_id, as_of, started_on, ended_on (first day out of default; null when that lies after `as_of` or
    never comes), default_reason (`insolvency`, `write_off` or `past_due`: the cause of the first day). Causes that
    overlap, each with its probation, are one default. `keep` computes an intermediate once under a name that begins
    with default_. Raises ParameterError when the definition has no threshold in the ledger's base currency.
    """
    definition.threshold(ledger.base_currency)
    views = views.select(*_VIEW).distinct()
    sieve = keep(item_sieve(ledger, definition), "default_sieve")
    suspects = sieve.filter(sieve.suspect_from < NEVER)
    first = suspects.group_by("customer_id").agg(first=suspects.suspect_from.min())
    joined = views.inner_join(first, "customer_id")
    watched = keep(joined.filter(day_number(joined.as_of) >= joined.first).select(*_VIEW), "default_watched")
    items = keep(known_items(ledger, watched, suspects.select("invoice_id").distinct()), "default_items")
    stretches = keep(open_stretches(ledger, items), "default_stretches")
    pieces = keep(counting_pieces(ledger, items, stretches, definition.days), "default_pieces")
    past_due = keep(breaches(ledger, definition, pieces, sieve, keep), "default_breaches")
    causes = ibis.union(
        _past_due(past_due, definition),
        _write_offs(stretches, definition),
        _insolvencies(ledger, views, definition),
    )
    return _episodes(causes)


def _past_due(found: ir.Table, definition: DefaultDefinition) -> ir.Table:
    ends = ibis.ifelse(found.until < NEVER, found.until + definition.probation_days, NEVER)
    return found.select(*_VIEW, since=found.since, until=ends, rank=ibis.literal(_RANK["past_due"]).cast("int64"))


def _write_offs(stretches: ir.Table, definition: DefaultDefinition) -> ir.Table:
    found = stretches.filter(
        (stretches.written_off < NEVER)
        & (stretches.since <= stretches.written_off)
        & (stretches.until > stretches.written_off)
        & (stretches.amount > definition.write_off_above * 100)
    )
    return found.select(
        *_VIEW,
        since=found.written_off,
        until=found.written_off + definition.write_off_days,
        rank=ibis.literal(_RANK["write_off"]).cast("int64"),
    )


def _insolvencies(ledger: Ledger, views: ir.Table, definition: DefaultDefinition) -> ir.Table:
    events = known_rows(ledger, "events", views)
    events = events.filter(events.kind.isin(definition.insolvency_events))
    return events.select(
        *_VIEW,
        since=day_number(events.occurred_on),
        until=ibis.literal(NEVER).cast("int64"),
        rank=ibis.literal(_RANK["insolvency"]).cast("int64"),
    )


def _episodes(causes: ir.Table) -> ir.Table:
    """Overlapping causes joined into one default each."""
    order = {"group_by": list(_VIEW), "order_by": ["since", "rank", "until"]}
    rows = causes.distinct()
    rows = rows.mutate(reach=rows.until.max().over(ibis.cumulative_window(**order)))
    rows = rows.mutate(reach_before=rows.reach.lag().over(ibis.window(**order)))
    is_new = (rows.reach_before.isnull() | (rows.since >= rows.reach_before)).cast("int64")
    rows = rows.mutate(is_new=is_new)
    rows = rows.mutate(number=rows.is_new.sum().over(ibis.cumulative_window(**order)))
    reason = ibis.cases(*((rows["rank"] == rank, name) for name, rank in _RANK.items()), else_=None)
    rows = rows.mutate(first_reason=ibis.ifelse(rows.is_new == 1, reason, ibis.null("string")))
    found = rows.group_by(*_VIEW, "number").agg(
        started=rows.since.min(), ended=rows.until.max(), default_reason=rows.first_reason.max()
    )
    is_over = found.ended <= day_number(found.as_of)
    return found.select(
        *_VIEW,
        started_on=to_day(found.started),
        ended_on=to_day(ibis.ifelse(is_over, found.ended, ibis.null("int64"))),
        default_reason=found.default_reason,
    )
