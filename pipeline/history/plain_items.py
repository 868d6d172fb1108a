"""Plain items: documents of which nothing was ever revised or disputed, cleared by one payment row at most.

Most of a ledger is plain. Told as one row each, they need no running sums and no windows; `item_states` follows the
others. Which way an item goes depends on all that will ever be known of it, what is told of a day does not.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import ibis

from pipeline.history.point_in_time import FAR, is_only_revision, revisions

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

_NAME = "plain_items"
_MONEY = "decimal(18, 2)"


def prepared(ledger: Ledger, keep: Callable[[ir.Table, str], ir.Table]) -> Ledger:
    """The ledger with its plain items computed once, under a name that begins with history_."""
    if _NAME in ledger.derived:
        return ledger
    plain = keep(_plain_items(ledger), f"history_{_NAME}")
    return dataclasses.replace(ledger, derived={**ledger.derived, _NAME: plain})


def plain_items(ledger: Ledger) -> ir.Table:
    """One row per plain document, with the row that cleared it.

    Columns: invoice_id, customer_id, kind, issued_on, due_on, amount, amount_document, written_off_on, starts_on (from
    this day it is known and issued); payment_id, paid_on, paid_amount, paid_document and paid_from (from this day the
    payment is known and made), all null where nothing was ever paid.
    """
    return ledger.derived[_NAME] if _NAME in ledger.derived else _plain_items(ledger)


def _plain_items(ledger: Ledger) -> ir.Table:
    documents = revisions(ledger, "invoices")
    documents = documents.filter(is_only_revision(documents)).anti_join(ledger.tables["disputes"], "invoice_id")
    payments = revisions(ledger, "payments")
    payments = payments.filter(payments.invoice_id.notnull())
    # Of one row the largest is the row itself; several rows, or one that was revised, are told apart by their number.
    cleared = payments.group_by("invoice_id").agg(
        payment_rows=payments.count(),
        payment_id=payments.payment_id.max(),
        payer=payments.customer_id.max(),
        paid_on=payments.paid_on.max(),
        paid_amount=payments.amount.max(),
        paid_document=payments.amount_document.max(),
        paid_from=ibis.greatest(payments.known_on, payments.paid_on).max(),
    )
    joined = documents.left_join(cleared, "invoice_id")
    is_plain = joined.payment_rows.isnull() | ((joined.payment_rows == 1) & (joined.payer == joined.customer_id))
    plain = joined.filter(is_plain)
    return plain.select(
        *("invoice_id", "customer_id", "kind", "issued_on", "due_on", "amount", "amount_document", "written_off_on"),
        *("payment_id", "paid_on", "paid_amount", "paid_document", "paid_from"),
        starts_on=ibis.greatest(plain.known_on, plain.issued_on),
    )


def plain_states(ledger: Ledger) -> ir.Table:
    """The plain items as stretches of days; columns as of `item_states.item_states` before its amounts are told."""
    items = plain_items(ledger)
    before = items.mutate(
        from_on=items.starts_on,
        until_on=items.paid_from.fill_null(FAR),
        open_document=items.amount_document,
        open_base=items.amount,
    )
    paid = items.filter(items.paid_from.notnull())
    after = paid.mutate(
        from_on=ibis.greatest(paid.starts_on, paid.paid_from),
        until_on=ibis.literal(FAR),
        open_document=(paid.amount_document - paid.paid_document).cast(_MONEY),
        open_base=(paid.amount - paid.paid_amount).cast(_MONEY),
    )
    states = before.filter(before.from_on < before.until_on).union(after)
    return states.drop("payment_id", "paid_on", "paid_amount", "paid_document", "paid_from", "starts_on")
