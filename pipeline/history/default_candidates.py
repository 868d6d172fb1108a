"""Who could be in default at all: a cheap sieve over the whole ledger that lets nobody through who matters.

The default definition is evaluated for every day on which knowledge ends; the sieve keeps that small. It looks at
all revisions of all days, so it decides only what need not be computed, never a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import NEVER, cents, day_number
from pipeline.history.plain_items import other_items, plain_items
from pipeline.history.point_in_time import is_only_revision

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger

_BOUNDS = ("invoice_id", "customer_id", "most", "due", "written_off", "in_time", "at_last", "last_on")


def item_sieve(ledger: Ledger, definition: DefaultDefinition) -> ir.Table:
    """One row per invoice or debit note (invoice_id, customer_id) with what bounds it, whatever will be known when.

    `suspect_from`: the first day (number) on which it could count as past due or be written off; NEVER when it cannot.
    `gone_on`: the day from which it is settled as known, for good; NEVER when that is not sure.
    """
    rows = _plain(ledger, definition.days).union(_others(ledger, definition.days))
    ripe_on = ibis.ifelse(rows.most > rows.in_time, rows.due + definition.days, NEVER)
    return rows.select(
        "invoice_id",
        "customer_id",
        suspect_from=ibis.least(ripe_on, rows.written_off),
        gone_on=ibis.ifelse(rows.most <= rows.at_last, rows.last_on, NEVER),
    )


def _plain(ledger: Ledger, days: int) -> ir.Table:
    """The bounds of documents that were never revised and are cleared by one payment row at most, which stands beside
    them already; columns of `_others`."""
    rows = plain_items(ledger)
    rows = rows.filter(rows.kind != "credit_note")
    rows = rows.mutate(
        most=cents(rows.amount_document),
        due=day_number(rows.due_on).fill_null(NEVER),
        written_off=day_number(rows.written_off_on).fill_null(NEVER),
        at_last=cents(rows.paid_document).fill_null(0),
        last_on=day_number(rows.paid_from).fill_null(0),
    )
    is_early = (rows.last_on < rows.due + days) | (rows.at_last < 0)
    return rows.mutate(in_time=ibis.ifelse(is_early, rows.at_last, 0)).select(*_BOUNDS)


def _others(ledger: Ledger, days: int) -> ir.Table:
    """The bounds of all other documents, over their revisions and those of their payments, in cents and day numbers:
    `most` is owed at the most, `in_time` was surely paid and known before it could count, `at_last` ever."""
    others = other_items(ledger)
    documents = _documents(ledger.tables["invoices"].semi_join(others, "invoice_id"))
    sums = _payment_bounds(ledger, documents, days)
    rows = documents.left_join(sums, "invoice_id").select(
        *(documents[name] for name in documents.columns),
        in_time=sums.in_time.fill_null(0),
        at_last=sums.at_last.fill_null(0),
        last_on=sums.last_on.fill_null(0),
    )
    return rows.select(*_BOUNDS)


def _documents(rows: ir.Table) -> ir.Table:
    """Per invoice and customer: the largest amount (cents) and earliest days any revision of the invoice tells."""
    rows = rows.filter(rows.kind != "credit_note")
    bounds = rows.group_by("invoice_id").agg(
        most=cents(rows.amount_document.max()),
        due=day_number(rows.due_on.min()).fill_null(NEVER),
        written_off=day_number(rows.written_off_on.min()).fill_null(NEVER),
    )
    return rows.select("invoice_id", "customer_id").distinct().inner_join(bounds, "invoice_id")


def _payment_bounds(ledger: Ledger, documents: ir.Table, days: int) -> ir.Table:
    """Per invoice, in cents: what was surely paid and known before it could count (`in_time`), and ever (`at_last`)."""
    rows = ledger.tables["payments"]
    rows = rows.filter(rows.invoice_id.notnull())
    rows = rows.mutate(
        amount=cents(rows.amount_document),
        is_only=is_only_revision(rows),
        told=ibis.greatest(day_number(rows.paid_on), day_number(rows.known_on)),
    )
    due = documents.group_by("invoice_id").agg(due=documents.due.min())
    rows = rows.inner_join(due, "invoice_id")
    # A revised row may yet shrink, so it settles nothing for sure; a returned one takes away whenever it came.
    sure = ibis.ifelse((rows.amount > 0) & rows.is_only, rows.amount, ibis.least(rows.amount, 0))
    early = ibis.ifelse((rows.told < rows.due + days) | (rows.amount < 0), sure, 0)
    return rows.group_by("invoice_id").agg(in_time=early.sum(), at_last=sure.sum(), last_on=rows.told.max())
