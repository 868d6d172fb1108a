"""Plain items: documents of which nothing was ever revised or disputed, cleared by one payment row at most, and that by
no payment that touches a credit note.

Most of a ledger is plain. Told as one row each, they need no running sums and no windows; `item_states` follows the
others. Which way an item goes depends on all that will ever be known of it, what is told of a day does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.point_in_time import FAR, is_only_revision, revisions

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

ITEMS, OTHERS, MIXED = "items", "other_items", "mixed_payments"
_MONEY = "decimal(18, 2)"


def plain_items(ledger: Ledger) -> ir.Table:
    """One row per plain document, with the row that cleared it.

    Columns: invoice_id, customer_id, kind, issued_on, due_on, amount, amount_document, written_off_on, starts_on (from
    this day it is known and issued); payment_id, paid_on, paid_amount, paid_document and paid_from (from this day the
    payment is known and made), all null where nothing was ever paid.
    """
    rows = items(ledger)
    return rows.filter(rows.is_plain).drop("is_plain")


def other_items(ledger: Ledger) -> ir.Table:
    """The `invoice_id` of every document that is not plain, each once."""
    if OTHERS in ledger.derived:
        return ledger.derived[OTHERS]
    documents = revisions(ledger, "invoices")
    rows = items(ledger)
    revised = documents.filter(~is_only_revision(documents)).select("invoice_id")
    return ibis.union(
        revised, rows.filter(~rows.is_plain).select("invoice_id"), ledger.tables["disputes"].select("invoice_id"),
        distinct=True,
    )  # fmt: skip


def items(ledger: Ledger) -> ir.Table:
    """Every document that was never revised, beside what cleared it, with `is_plain`; columns of `plain_items`."""
    if ITEMS in ledger.derived:
        return ledger.derived[ITEMS]
    documents = revisions(ledger, "invoices")
    documents = documents.filter(is_only_revision(documents))
    disputed = ledger.tables["disputes"].group_by("invoice_id").agg(is_disputed=ibis.literal(value=True))
    joined = documents.left_join(_cleared(ledger), "invoice_id").left_join(disputed, "invoice_id")
    joined = joined.left_join(mixed_payments(ledger), "payment_id")
    is_cleared_once = (joined.payment_rows == 1) & (joined.payer == joined.customer_id) & joined.is_mixed.isnull()
    is_alone = joined.payment_rows.isnull() | is_cleared_once
    return joined.select(
        *("invoice_id", "customer_id", "kind", "issued_on", "due_on", "amount", "amount_document", "written_off_on"),
        *("payment_id", "paid_on", "paid_amount", "paid_document", "paid_from"),
        starts_on=ibis.greatest(joined.known_on, joined.issued_on),
        is_plain=is_alone & joined.is_disputed.isnull(),
    )


def mixed_payments(ledger: Ledger) -> ir.Table:
    """The `payment_id` of every payment that has a row for a credit note, each once, with `is_mixed` (true).

    Only such a payment can be a clearing: a payment in name that nobody made.
    """
    if MIXED in ledger.derived:
        return ledger.derived[MIXED]
    invoices = revisions(ledger, "invoices")
    credit_notes = invoices.filter(invoices.kind == "credit_note").select("invoice_id").distinct()
    touching = revisions(ledger, "payments").semi_join(credit_notes, "invoice_id").select("payment_id").distinct()
    return touching.mutate(is_mixed=ibis.literal(value=True))


def _cleared(ledger: Ledger) -> ir.Table:
    """Payments by document. Of one row the largest is the row itself; more rows are told by their number alone."""
    payments = revisions(ledger, "payments")
    payments = payments.filter(payments.invoice_id.notnull())
    return payments.group_by("invoice_id").agg(
        payment_rows=payments.count(),
        payment_id=payments.payment_id.max(),
        payer=payments.customer_id.max(),
        paid_on=payments.paid_on.max(),
        paid_amount=payments.amount.max(),
        paid_document=payments.amount_document.max(),
        paid_from=ibis.greatest(payments.known_on, payments.paid_on).max(),
    )


def plain_states(ledger: Ledger) -> ir.Table:
    """The plain items as stretches of days; columns as of `item_states.item_states` before its amounts are told."""
    plain = plain_items(ledger)
    before = plain.mutate(
        from_on=plain.starts_on,
        until_on=plain.paid_from.fill_null(FAR),
        open_document=plain.amount_document,
        open_base=plain.amount,
    )
    paid = plain.filter(plain.paid_from.notnull())
    after = paid.mutate(
        from_on=ibis.greatest(paid.starts_on, paid.paid_from),
        until_on=ibis.literal(FAR),
        open_document=(paid.amount_document - paid.paid_document).cast(_MONEY),
        open_base=(paid.amount - paid.paid_amount).cast(_MONEY),
    )
    states = before.filter(before.from_on < before.until_on).union(after)
    return states.drop("payment_id", "paid_on", "paid_amount", "paid_document", "paid_from", "starts_on")
