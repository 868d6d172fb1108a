"""What was paid in the window before a day, each payment beside the item it cleared, as known on the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.item_states import followed_states
from pipeline.history.plain_items import mixed_payments, other_items, plain_items
from pipeline.history.point_in_time import revisions

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

FOLLOWED_PAYMENTS = "followed_payments"
_PAYMENT = ("payment_id", "invoice_id", "kind", "paid_on", "amount", "issued_on", "due_on", "open_document")
_DOCUMENT = ("invoice_amount", "amount_document", "invoice_document", "is_last")


def paid_items(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """One row per allocated payment row of the last `months` months and snapshot, with its invoice as known.

    Columns: customer_id, as_of, the spine's since_*, payment_id, invoice_id, kind, paid_on, amount (base currency),
    issued_on, due_on, invoice_amount, amount_document and invoice_document (the payment's and the invoice's amount in
    the currency of the document), days_late (paid_on − due_on, negative when early; null without due
    date), is_final (this payment settled the item, which is settled on `as_of`), is_bounced (a returned payment: amount
    is negative). Clearings against a credit note and payments of a credit note are left out: nobody paid.
    """
    cash = _plain(ledger, snapshots, months).union(_followed(ledger, snapshots, months))
    return cash.mutate(
        days_late=cash.paid_on.delta(cash.due_on, unit="day").cast("int64"),
        is_final=cash.is_last & (cash.open_document <= 0),
        is_bounced=cash.amount < 0,
    ).drop("is_last", "open_document")


def followed_payments(ledger: Ledger) -> ir.Table:
    """One row per payment row of an item that is not plain and stretch of days in which neither changes.

    Columns: customer_id (the payer), `from_on` <= day < `until_on`, _PAYMENT, _DOCUMENT (`is_last`: no later money had
    come in for the item) and `is_mixed` (its payment has a row for a credit note).
    """
    if FOLLOWED_PAYMENTS in ledger.derived:
        return ledger.derived[FOLLOWED_PAYMENTS]
    payments = revisions(ledger, "payments").semi_join(other_items(ledger), "invoice_id")
    payments = payments.mutate(starts_on=ibis.greatest(payments.known_on, payments.paid_on))
    payments = payments.filter(payments.starts_on < payments.superseded_on)
    payments = payments.left_join(mixed_payments(ledger), "payment_id").select(*payments.columns, "is_mixed")
    # A stretch of the item ends wherever one of its payments comes or goes, so each payment is seen in whole stretches.
    states = followed_states(ledger)
    joined = payments.join(
        states,
        (payments.invoice_id == states.invoice_id)
        & (payments.starts_on <= states.from_on)
        & (payments.superseded_on > states.from_on),
    ).select(
        *(payments[name] for name in ("customer_id", "payment_id", "invoice_id", "paid_on", "amount")),
        *(states[name] for name in ("from_on", "until_on", "kind", "issued_on", "due_on", "open_document")),
        invoice_amount=states.amount,
        amount_document=payments.amount_document,
        invoice_document=states.amount_document,
        is_mixed=payments.is_mixed.notnull(),
    )
    order = ibis.window(
        group_by=["invoice_id", "from_on", joined.amount > 0], order_by=[ibis.desc("paid_on"), ibis.desc("payment_id")]
    )
    # A later payment lies in a window whenever an earlier one does, so the last of all is the last of any window.
    rows = joined.mutate(is_last=(ibis.row_number().over(order) == 0) & (joined.amount > 0))
    return rows.select("customer_id", "from_on", "until_on", "is_mixed", *_PAYMENT, *_DOCUMENT)


def _plain(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """Payments of plain items: each stands beside its item already, and none is mixed."""
    items = plain_items(ledger)
    items = items.filter(items.paid_from.notnull(), items.paid_on > _first(snapshots, months))
    rows = items.select(
        "customer_id",
        "payment_id",
        "invoice_id",
        "kind",
        "paid_on",
        "issued_on",
        "due_on",
        from_on=ibis.greatest(items.paid_from, items.starts_on),
        amount=items.paid_amount,
        open_document=(items.amount_document - items.paid_document).cast("decimal(18, 2)"),
        invoice_amount=items.amount,
        amount_document=items.paid_document,
        invoice_document=items.amount_document,
        is_last=items.paid_amount > 0,
    )
    days = _days(snapshots)
    joined = days.inner_join(
        rows,
        (days.customer_id == rows.customer_id)
        & (rows.from_on <= days.as_of)
        & (rows.paid_on > days[f"since_{months}m"]),
    )
    return joined.select(*days.columns, *_PAYMENT, *_DOCUMENT)


def _followed(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """Payments of all other items, less clearings and payments of credit notes."""
    rows = followed_payments(ledger)
    rows = rows.filter(rows.paid_on > _first(snapshots, months))
    unmixed = _on_days(rows.filter(~rows.is_mixed), snapshots, months)
    mixed = _on_days(rows.filter(rows.is_mixed), snapshots, months)
    together = ibis.window(group_by=["customer_id", "as_of", "payment_id"])
    mixed = mixed.mutate(
        paid_in_all=mixed.amount.sum().over(together),
        credit_rows=(mixed.kind == "credit_note").cast("int64").sum().over(together),
    )
    is_clearing = (mixed.credit_rows > 0) & (mixed.paid_in_all == 0)
    cash = mixed.filter((mixed.kind != "credit_note") & ~is_clearing).drop("paid_in_all", "credit_rows")
    return unmixed.union(cash)


def _on_days(rows: ir.Table, snapshots: ir.Table, months: int) -> ir.Table:
    """The payments seen on each snapshot, of its window."""
    days = _days(snapshots)
    joined = days.inner_join(
        rows,
        (days.customer_id == rows.customer_id)
        & (rows.from_on <= days.as_of)
        & (rows.until_on > days.as_of)
        & (rows.paid_on > days[f"since_{months}m"]),
    )
    return joined.select(*days.columns, *_PAYMENT, *_DOCUMENT)


def _days(snapshots: ir.Table) -> ir.Table:
    return snapshots.select("customer_id", "as_of", *(name for name in snapshots.columns if name.startswith("since_")))


def _first(snapshots: ir.Table, months: int) -> ir.Scalar:
    """Before this day no window begins: what was paid until then need not be looked at."""
    return snapshots[f"since_{months}m"].min().as_scalar()
