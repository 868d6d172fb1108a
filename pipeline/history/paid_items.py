"""What was paid in the window before a day, each payment beside the item it cleared, as known on the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.item_states import item_states
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger


def paid_items(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """One row per allocated payment row of the last `months` months and snapshot, with its invoice as known.

    Columns: customer_id, as_of, the spine's since_*, payment_id, invoice_id, kind, paid_on, amount (base currency),
    issued_on, due_on, invoice_amount, days_late (paid_on − due_on, negative when early; null without due date),
    is_final (this payment settled the item, which is settled on `as_of`), is_bounced (a returned payment: amount is
    negative). Clearings against a credit note and payments of a credit note are left out: nobody paid.
    """
    paid = known_rows(ledger, "payments", snapshots, months=months)
    paid = paid.filter(paid.invoice_id.notnull())
    cash = _without_clearings(ledger, _placed(ledger, _with_item(paid, item_states(ledger))))
    return cash.mutate(
        days_late=cash.paid_on.delta(cash.due_on, unit="day").cast("int64"),
        is_final=cash.is_last & (cash.open_document <= 0),
        is_bounced=cash.amount < 0,
    ).drop("is_last", "open_document")


def _placed(ledger: Ledger, rows: ir.Table) -> ir.Table:
    """Adds `is_last`: no later money came in for the item by `as_of`.

    A later payment lies in the window whenever an earlier one does, so the window's last is the item's last.
    """
    payments = ledger.tables["payments"]
    # Most items are cleared at one go; only the others need an order.
    several = payments.group_by("invoice_id").agg(rows=payments.count())
    several = several.filter(several.rows > 1).select("invoice_id")
    alone = rows.anti_join(several, "invoice_id")
    alone = alone.mutate(is_last=alone.amount > 0)
    rest = rows.semi_join(several, "invoice_id")
    order = ibis.window(
        group_by=["as_of", "invoice_id", rest.amount > 0], order_by=[ibis.desc("paid_on"), ibis.desc("payment_id")]
    )
    rest = rest.mutate(is_last=(ibis.row_number().over(order) == 0) & (rest.amount > 0))
    return alone.union(rest)


def _with_item(paid: ir.Table, states: ir.Table) -> ir.Table:
    joined = paid.join(
        states,
        (paid.invoice_id == states.invoice_id) & (states.from_on <= paid.as_of) & (states.until_on > paid.as_of),
    )
    windows = [paid[name] for name in paid.columns if name.startswith("since_")]
    return joined.select(
        paid.customer_id,
        paid.as_of,
        *windows,
        paid.payment_id,
        paid.invoice_id,
        states.kind,
        paid.paid_on,
        paid.amount,
        states.issued_on,
        states.due_on,
        states.open_document,
        invoice_amount=states.amount,
    )


def _without_clearings(ledger: Ledger, rows: ir.Table) -> ir.Table:
    """Leaves out rows on credit notes, and the rows of payments that net to nothing against one."""
    payments = ledger.tables["payments"]
    invoices = ledger.tables["invoices"]
    credit_notes = invoices.filter(invoices.kind == "credit_note").select("invoice_id").distinct()
    touching = payments.semi_join(credit_notes, "invoice_id").select("payment_id").distinct()
    # Few payments touch a credit note: only their sums are needed, and only as known on the day.
    mixed = rows.semi_join(touching, "payment_id")
    sums = mixed.group_by("customer_id", "as_of", "payment_id").agg(
        paid_in_all=mixed.amount.sum(), credit_rows=(mixed.kind == "credit_note").cast("int64").sum()
    )
    clearings = sums.filter((sums.credit_rows > 0) & (sums.paid_in_all == 0))
    items = rows.filter(rows.kind != "credit_note")
    return items.anti_join(clearings, ["as_of", "payment_id"])
