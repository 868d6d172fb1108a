"""The ledger's columns behind the columns of more than one relation, as `table.column`.

Keys, `customer_id` and `known_on` need no naming: they count always (see `Relation`).
"""

from __future__ import annotations

from pipeline.features.relation import Told, told

ISSUED_ON, DUE_ON = "invoices.issued_on", "invoices.due_on"
KIND = "invoices.kind"
INVOICED = "invoices.amount"
PAID_ON = "payments.paid_on"
PAID_AMOUNT = "payments.amount"
SETTLED = ("invoices.amount_document", "payments.amount_document")
"""A document is settled when the amounts in its own currency say so."""

PAYMENT_CUT = (KIND, ISSUED_ON, PAID_ON, PAID_AMOUNT)
"""Payments of known invoices; clearings against a credit note, told by their sum, are left out."""

OPEN_CUT = (KIND, ISSUED_ON, "invoices.written_off_on", PAID_ON, *SETTLED)
"""Documents known, issued, not settled and not written off."""

BALANCE_OF_ITEM = (INVOICED, PAID_AMOUNT)
DISPUTES_OF_ITEM = ("disputes.invoice_id", "disputes.opened_on", "disputes.resolved_on", "disputes.amount")

DAYS_LATE = told("int32", PAID_ON, DUE_ON)
PAID = told("decimal(18, 2)", PAID_AMOUNT)
OPEN_AMOUNT = told("decimal(18, 2)", *BALANCE_OF_ITEM, *OPEN_CUT)
OVERDUE_AMOUNT = told("decimal(18, 2)", *BALANCE_OF_ITEM, DUE_ON, *OPEN_CUT)
DISPUTED_AMOUNT = told("decimal(18, 2)", *BALANCE_OF_ITEM, *DISPUTES_OF_ITEM, *OPEN_CUT)
DAYS_PAST_DUE = told("int32", DUE_ON, *OPEN_CUT)
BILLED = told("decimal(38, 2)", INVOICED, ISSUED_ON)
ORDERED = told("decimal(38, 2)", "orders.ordered_on", "orders.amount", "orders.cancelled_on")
PAID_SUM = told("decimal(38, 2)", *PAYMENT_CUT)
LATE_SUM = told("decimal(38, 2)", *PAYMENT_CUT, DUE_ON)


def also(column: Told, *sources: str) -> Told:
    """The column, told from more columns of the ledger besides."""
    return Told(column.dtype, (*column.sources, *sources))
