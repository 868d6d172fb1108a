"""Items through event time, as known on one later day: what the default definition counts.

Unlike `item_states`, which follows knowledge from day to day, everything here is told with the knowledge of `as_of`,
each fact on the day it happened: a payment posted late counts from the day it was paid.
Days are numbers, amounts whole cents of the base currency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import NEVER, cents, day_number
from pipeline.history.point_in_time import known_rows, revisions

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

ITEM = ("customer_id", "as_of", "invoice_id", "due", "written_off")


def known_items(ledger: Ledger, views: ir.Table, invoices: ir.Table) -> ir.Table:
    """The invoices and debit notes named in `invoices` (invoice_id) as known in each view (customer_id, as_of).

    Columns: ITEM (due and written_off as day numbers, NEVER when null), issued (day number), amount_document and
    amount in cents.
    """
    rows = known_rows(ledger, "invoices", views).semi_join(invoices, "invoice_id")
    rows = rows.filter(rows.kind != "credit_note")
    return rows.select(
        "customer_id",
        "as_of",
        "invoice_id",
        due=day_number(rows.due_on).fill_null(NEVER),
        written_off=day_number(rows.written_off_on).fill_null(NEVER),
        issued=day_number(rows.issued_on),
        document=cents(rows.amount_document),
        base=cents(rows.amount),
    )


def open_stretches(ledger: Ledger, items: ir.Table) -> ir.Table:
    """Stretches `since` <= day < `until` over which an item stands open with one amount: ITEM, since, until, amount.

    `until` is NEVER when it stands open on `as_of`. A write-off does not end a stretch.
    """
    changes = ibis.union(
        items.select(*ITEM, "document", "base", day=items.issued),
        _payments(ledger, items),
    )
    days = changes.group_by(*ITEM, "day").agg(document=changes.document.sum(), base=changes.base.sum())
    running = ibis.cumulative_window(group_by=["as_of", "invoice_id"], order_by="day")
    order = ibis.window(group_by=["as_of", "invoice_id"], order_by="day")
    stretches = days.select(
        *ITEM,
        since=days.day,
        until=days.day.lead().over(order).fill_null(NEVER),
        document=days.document.sum().over(running).cast("int64"),
        base=days.base.sum().over(running).cast("int64"),
    )
    stretches = stretches.filter(stretches.document > 0)
    # The document's currency decides what is open; the converted amount may miss it by a cent.
    return stretches.select(*ITEM, "since", "until", amount=ibis.greatest(stretches.base, 1))


def dispute_stretches(ledger: Ledger, items: ir.Table) -> ir.Table:
    """Stretches of the items that were ever disputed: ITEM, since, until, disputed (cents; 0 between disputes).

    They cover all days; a dispute of the whole item is told as an amount above any invoice.
    """
    rows = revisions(ledger, "disputes")
    known = items.inner_join(
        rows,
        (items.invoice_id == rows.invoice_id)
        & (rows.known_on <= items.as_of)
        & (rows.superseded_on > items.as_of)
        & (rows.opened_on <= items.as_of),
    ).select(
        *(items[name] for name in ITEM),
        opened=day_number(rows.opened_on),
        # A settlement after the day is not known yet: the dispute stands open.
        resolved=ibis.ifelse(rows.resolved_on <= items.as_of, day_number(rows.resolved_on), NEVER).fill_null(NEVER),
        part=ibis.ifelse(rows.amount.isnull(), WHOLE, cents(rows.amount)),
    )
    known = known.filter(known.opened < known.resolved)
    changes = ibis.union(
        known.select(*ITEM).distinct().select(*ITEM, day=_number(-NEVER), part=_number(0)),
        known.select(*ITEM, day=known.opened, part=known.part.cast("int64")),
        known.filter(known.resolved < NEVER).select(*ITEM, day=known.resolved, part=(-known.part).cast("int64")),
    )
    days = changes.group_by(*ITEM, "day").agg(part=changes.part.sum())
    running = ibis.cumulative_window(group_by=["as_of", "invoice_id"], order_by="day")
    order = ibis.window(group_by=["as_of", "invoice_id"], order_by="day")
    return days.select(
        *ITEM,
        since=days.day,
        until=days.day.lead().over(order).fill_null(NEVER),
        disputed=days.part.sum().over(running).cast("int64"),
    )


WHOLE = 10**15
"""Cents no invoice reaches: a dispute without an amount is about the whole item."""


def _number(value: int) -> ir.IntegerScalar:
    return ibis.literal(value).cast("int64")


def _payments(ledger: Ledger, items: ir.Table) -> ir.Table:
    rows = revisions(ledger, "payments")
    return items.inner_join(
        rows,
        (items.invoice_id == rows.invoice_id)
        & (rows.known_on <= items.as_of)
        & (rows.superseded_on > items.as_of)
        & (rows.paid_on <= items.as_of),
    ).select(
        *(items[name] for name in ITEM),
        document=-cents(rows.amount_document),
        base=-cents(rows.amount),
        day=day_number(rows.paid_on),
    )
