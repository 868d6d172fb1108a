"""What was paid in the window before a day, each payment beside the item it cleared, as known on the day."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import ibis

from pipeline.history.item_states import FOLLOWED, followed_states
from pipeline.history.plain_items import ITEMS, OTHERS, items, other_items, plain_items
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger


def paid_items(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """One row per allocated payment row of the last `months` months and snapshot, with its invoice as known.

    Columns: customer_id, as_of, the spine's since_*, payment_id, invoice_id, kind, paid_on, amount (base currency),
    issued_on, due_on, invoice_amount, amount_document and invoice_document (the payment's and the invoice's amount in
    the currency of the document), days_late (paid_on − due_on, negative when early; null without due
    date), is_final (this payment settled the item, which is settled on `as_of`), is_bounced (a returned payment: amount
    is negative). Clearings against a credit note and payments of a credit note are left out: nobody paid.
    """
    rows = _rows(ledger, snapshots, months)
    documents = rows.filter(rows.kind != "credit_note")
    cash = documents.anti_join(_clearings(ledger, snapshots, months), ["as_of", "payment_id"])
    return cash.mutate(
        days_late=cash.paid_on.delta(cash.due_on, unit="day").cast("int64"),
        is_final=cash.is_last & (cash.open_document <= 0),
        is_bounced=cash.amount < 0,
    ).drop("is_last", "open_document")


def _rows(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """Every allocated payment row of the window beside its document."""
    return _plain(ledger, snapshots, months).union(_followed(ledger, snapshots, months))


def _plain(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """Payments of plain items: each stands beside its item already."""
    items = plain_items(ledger)
    days = snapshots.select("customer_id", "as_of", *_windows(snapshots))
    joined = days.inner_join(
        items,
        (days.customer_id == items.customer_id)
        & (items.paid_from <= days.as_of)
        & (items.starts_on <= days.as_of)
        & (items.paid_on > days[f"since_{months}m"]),
    )
    return joined.select(
        days.customer_id,
        days.as_of,
        *(days[name] for name in _windows(snapshots)),
        *(items[name] for name in ("payment_id", "invoice_id", "kind", "paid_on")),
        amount=items.paid_amount,
        issued_on=items.issued_on,
        due_on=items.due_on,
        open_document=(items.amount_document - items.paid_document).cast("decimal(18, 2)"),
        invoice_amount=items.amount,
        amount_document=items.paid_document,
        invoice_document=items.amount_document,
        is_last=items.paid_amount > 0,
    )


def _followed(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """Payments of all other items, beside the item as known on the day."""
    payments = ledger.tables["payments"].semi_join(other_items(ledger), "invoice_id")
    others = dataclasses.replace(ledger, tables={**ledger.tables, "payments": payments})
    paid = known_rows(others, "payments", snapshots, months=months)
    return _placed(_with_item(paid, followed_states(ledger)))


def _placed(rows: ir.Table) -> ir.Table:
    """Adds `is_last`: no later money came in for the item by `as_of`.

    A later payment lies in the window whenever an earlier one does, so the window's last is the item's last.
    """
    order = ibis.window(
        group_by=["as_of", "invoice_id", rows.amount > 0], order_by=[ibis.desc("paid_on"), ibis.desc("payment_id")]
    )
    return rows.mutate(is_last=(ibis.row_number().over(order) == 0) & (rows.amount > 0))


def _with_item(paid: ir.Table, states: ir.Table) -> ir.Table:
    joined = paid.join(
        states,
        (paid.invoice_id == states.invoice_id) & (states.from_on <= paid.as_of) & (states.until_on > paid.as_of),
    )
    return joined.select(
        paid.customer_id,
        paid.as_of,
        *(paid[name] for name in _windows(paid)),
        paid.payment_id,
        paid.invoice_id,
        states.kind,
        paid.paid_on,
        paid.amount,
        states.issued_on,
        states.due_on,
        states.open_document,
        invoice_amount=states.amount,
        amount_document=paid.amount_document,
        invoice_document=states.amount_document,
    )


def _windows(rows: ir.Table) -> list[str]:
    return [name for name in rows.columns if name.startswith("since_")]


def _clearings(ledger: Ledger, snapshots: ir.Table, months: int) -> ir.Table:
    """The payments (as_of, payment_id) whose rows net to nothing against a credit note, as known on the day."""
    payments = ledger.tables["payments"]
    invoices = ledger.tables["invoices"]
    credit_notes = invoices.filter(invoices.kind == "credit_note").select("invoice_id").distinct()
    touching = payments.semi_join(credit_notes, "invoice_id").select("payment_id").distinct()
    # Few payments touch a credit note: their rows alone are told here, not picked from those of all.
    derived = {
        ITEMS: items(ledger).semi_join(touching, "payment_id"),
        OTHERS: other_items(ledger),
        FOLLOWED: followed_states(ledger),
    }
    tables = {**ledger.tables, "payments": payments.semi_join(touching, "payment_id")}
    mixed = _rows(dataclasses.replace(ledger, tables=tables, derived=derived), snapshots, months)
    sums = mixed.group_by("customer_id", "as_of", "payment_id").agg(
        paid_in_all=mixed.amount.sum(), credit_rows=(mixed.kind == "credit_note").cast("int64").sum()
    )
    return sums.filter((sums.credit_rows > 0) & (sums.paid_in_all == 0))
