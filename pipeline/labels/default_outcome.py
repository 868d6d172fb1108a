"""The label of kind default: a default that begins within the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.open_items import open_items
from pipeline.history.snapshots import in_book

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger

_VIEW = ["customer_id", "as_of"]


def default_outcome(
    ledger: Ledger, final: Ledger, book: ir.Table, episodes: ir.Table, definition: DefaultDefinition
) -> ir.Table:
    """One row per mature snapshot of `book`: customer_id, as_of, event_on, has_left, is_unclear.

    `final` is the ledger in hindsight; `episodes` the defaults as known at the extract date. event_on is the first day
    of a default that begins in the window (null: none); has_left: out of the book on the window's last day;
    is_unclear: items at least `days` past due add up above the absolute threshold that day, disputed parts included.
    """
    mature = book.filter(book.is_mature)
    ends = mature.select("customer_id", as_of="window_end", since_12m="end_since_12m").distinct()
    present = in_book(final, ends).mutate(is_present=ibis.literal(value=True))
    old = _old_items(ledger, final, ends, definition).mutate(is_old=ibis.literal(value=True))
    begun = _begun(mature, episodes)
    rows = mature.select(*_VIEW, "window_end")
    rows = rows.left_join(begun, _VIEW).select(rows, begun.event_on)
    rows = _at_the_end(_at_the_end(rows, present, "is_present"), old, "is_old")
    no = ibis.literal(value=False)
    return rows.select(
        *_VIEW, "event_on", has_left=~rows.is_present.fill_null(no), is_unclear=rows.is_old.fill_null(no)
    )


def _at_the_end(rows: ir.Table, found: ir.Table, name: str) -> ir.Table:
    same = (rows.customer_id == found.customer_id) & (rows.window_end == found.as_of)
    return rows.left_join(found, same).select(rows, found[name])


def _begun(mature: ir.Table, episodes: ir.Table) -> ir.Table:
    rows = mature.inner_join(
        episodes,
        (mature.customer_id == episodes.customer_id)
        & (episodes.started_on > mature.as_of)
        & (episodes.started_on <= mature.window_end),
    ).select(mature.customer_id, mature.as_of, episodes.started_on)
    return rows.group_by(*_VIEW).agg(event_on=rows.started_on.min())


def _old_items(ledger: Ledger, final: Ledger, ends: ir.Table, definition: DefaultDefinition) -> ir.Table:
    amounts = definition.threshold(ledger.base_currency)
    items = open_items(final, ends)
    items = items.filter((items.kind != "credit_note") & (items.days_past_due >= definition.days))
    sums = items.group_by(*_VIEW).agg(old_amount=items.open_amount.sum())
    customers = final.tables["customers"]
    rows = sums.left_join(customers, "customer_id").select(sums, customers.is_natural_person)
    is_person = rows.is_natural_person.fill_null(ibis.literal(value=False))
    threshold = ibis.ifelse(is_person, amounts.natural_person, amounts.company)
    return rows.filter(rows.old_amount > threshold).select(*_VIEW)
