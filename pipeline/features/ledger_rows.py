"""Relations with a row per payment, item, order, invoice or event, as known on each day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import ibis

from pipeline.features import sources
from pipeline.features.arithmetic import ORDINARY_DAYS, days_between, is_rounder, ratio
from pipeline.features.relation import SNAPSHOT, Kept, Read, Relation, told
from pipeline.history.open_items import open_items
from pipeline.history.paid_items import paid_items
from pipeline.history.point_in_time import known_rows
from pipeline.history.prepared import with_payments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

_YEAR = (3, 6, 12)
_YEAR_AND_HALF = (1, 3, 6, 12, 15, 18)
_TWO_YEARS = (3, 6, 12, 24)


def _payments(sight: Sight) -> ir.Table:
    ledger = with_payments(sight.ledger, sight.keep)
    paid = paid_items(ledger, sight.snapshots, months=sight.asked.months)
    return paid.select(
        *SNAPSHOT,
        "paid_on",
        "amount",
        "is_final",
        "is_bounced",
        days_late=paid.days_late.cast("int32"),
        days_to_pay=days_between(paid.paid_on, paid.issued_on).cast("int32"),
        is_round=is_rounder(paid.amount_document, than=paid.invoice_document),
        within=PAYMENT_ROWS.shortest_window(paid, paid.paid_on),
    )


_PAYMENT_COLUMNS = {
    "paid_on": told("date", sources.PAID_ON),
    "amount": sources.PAID,
    "is_final": told("boolean", *sources.SETTLED),
    "is_bounced": told("boolean", sources.PAID_AMOUNT),
    "days_late": sources.DAYS_LATE,
    "days_to_pay": told("int32", sources.PAID_ON, sources.ISSUED_ON),
    "is_round": told("boolean", *sources.SETTLED),
}
PAYMENT_ROWS = Relation(
    "payment_rows",
    ("invoices", "payments"),
    _payments,
    _TWO_YEARS,
    columns=_PAYMENT_COLUMNS,
    cut_by=sources.PAYMENT_CUT,
    kept=Kept.WHEN_SHARED,
)


def _paid(sight: Sight) -> ir.Table:
    rows = sight.rows(PAYMENT_ROWS)
    return rows.filter(~rows.is_bounced, rows.amount > 0)


def _bounced(sight: Sight) -> ir.Table:
    rows = sight.rows(PAYMENT_ROWS)
    return rows.filter(rows.is_bounced)


PAID = replace(
    PAYMENT_ROWS,
    name="paid",
    build=_paid,
    kept=Kept.NEVER,
    reads=(Read(PAYMENT_ROWS, columns=("is_bounced", "amount"), passed_on=tuple(_PAYMENT_COLUMNS)),),
)
BOUNCED = replace(
    PAYMENT_ROWS,
    name="bounced",
    build=_bounced,
    kept=Kept.NEVER,
    reads=(Read(PAYMENT_ROWS, columns=("is_bounced",), passed_on=tuple(_PAYMENT_COLUMNS)),),
)


def _habit(sight: Sight) -> ir.Table:
    """One row per snapshot with an ordinary payment in 12 months: `habit_days`, their lateness weighted by amount."""
    rows = sight.rows(PAID)
    paid = rows.filter(rows.days_late <= ORDINARY_DAYS)
    return paid.group_by(SNAPSHOT).aggregate(habit_days=ratio((paid.days_late * paid.amount).sum(), paid.amount.sum()))


HABIT_DAYS = told("float64", *sources.PAYMENT_CUT, sources.DUE_ON)
HABIT = Relation(
    "habit",
    ("invoices", "payments"),
    _habit,
    has_one_row=True,
    columns={"habit_days": HABIT_DAYS},
    reads=(Read(PAID, 12, ("days_late", "amount")),),
    kept=Kept.WHEN_SHARED,
)


def _standing(sight: Sight) -> ir.Table:
    """What was open on the days asked for, and so many months before each as is asked, as known then; `as_of` is that
    day.

    Told in one pass: in a panel many of the earlier days are days of the panel too.
    """
    days = sight.snapshots.select(*SNAPSHOT)
    earlier = [
        sight.snapshots.select("customer_id", as_of=f"since_{months}m") for months in sorted(sight.asked.days_before)
    ]
    items = open_items(sight.ledger, ibis.union(days, *earlier, distinct=True) if earlier else days)
    return items.select(
        *SNAPSHOT,
        "invoice_id",
        "open_amount",
        "disputed_amount",
        "overdue_amount",
        days_past_due=items.days_past_due.cast("int32"),
        days_to_due=days_between(items.due_on, items.as_of).cast("int32"),
    )


_ITEM_COLUMNS = {
    "invoice_id": told("string"),
    "open_amount": sources.OPEN_AMOUNT,
    "disputed_amount": sources.DISPUTED_AMOUNT,
    "overdue_amount": sources.OVERDUE_AMOUNT,
    "days_past_due": sources.DAYS_PAST_DUE,
    "days_to_due": told("int32", sources.DUE_ON),
}
STANDING = Relation(
    "standing",
    ("invoices", "payments"),
    _standing,
    columns=_ITEM_COLUMNS,
    cut_by=sources.OPEN_CUT,
    kept=Kept.WHEN_SHARED,
)


def _open(sight: Sight) -> ir.Table:
    """What is open on the day, beside the customer's habit."""
    items = sight.rows(STANDING)
    has_other_days = bool(sight.asked_of[STANDING].days_before)
    return sight.beside(items.semi_join(sight.snapshots, SNAPSHOT) if has_other_days else items, HABIT)


_OPEN_COLUMNS = {**_ITEM_COLUMNS, "habit_days": HABIT_DAYS}
OPEN_AND_CREDITS = replace(
    STANDING,
    name="open_and_credits",
    build=_open,
    columns=_OPEN_COLUMNS,
    reads=(
        Read(STANDING, columns=("open_amount",), passed_on=tuple(_ITEM_COLUMNS)),
        Read(HABIT, passed_on=("habit_days",)),
    ),
)


def _owed(sight: Sight) -> ir.Table:
    rows = sight.rows(OPEN_AND_CREDITS)
    return rows.filter(rows.open_amount > 0)


# Credit notes not yet applied are left out: they must not hide an overdue item.
OPEN = replace(
    OPEN_AND_CREDITS,
    name="open",
    build=_owed,
    kept=Kept.NEVER,
    reads=(Read(OPEN_AND_CREDITS, columns=("open_amount",), passed_on=tuple(_OPEN_COLUMNS)),),
)


def _lateness(sight: Sight) -> ir.Table:
    """Payments with their days late, and what is overdue now with its days past due, in every window."""
    paid = sight.rows(PAID)
    owed = sight.rows(OPEN)
    overdue = owed.filter(owed.overdue_amount > 0)
    settled = paid.select(
        *SNAPSHOT,
        "within",
        amount=paid.amount,
        days=paid.days_late,
        age_days=days_between(paid.as_of, paid.paid_on).cast("int32"),
    )
    standing = overdue.select(
        *SNAPSHOT,
        within=ibis.literal(min(_TWO_YEARS), "int16"),
        amount=overdue.overdue_amount,
        days=overdue.days_past_due,
        age_days=ibis.literal(0, "int32"),
    )
    return ibis.union(settled, standing, distinct=False)


LATENESS = Relation(
    "lateness",
    ("invoices", "payments"),
    _lateness,
    _TWO_YEARS,
    columns={"amount": sources.OVERDUE_AMOUNT, "days": sources.DAYS_PAST_DUE, "age_days": told("int32")},
    cut_by=(*sources.PAYMENT_CUT, *sources.OPEN_CUT, sources.DUE_ON),
    reads=(
        Read(PAID, columns=("paid_on", "amount", "days_late")),
        Read(OPEN, columns=("overdue_amount", "days_past_due")),
    ),
)


def _due(sight: Sight) -> ir.Table:
    """Invoices and debit notes that fell due, with what of them is overdue still."""
    known = known_rows(sight.ledger, "invoices", sight.snapshots, months=sight.asked.months, on="due_on")
    known = known.filter(known.amount > 0)
    known = known.select(*SNAPSHOT, "invoice_id", "amount", within=DUE.shortest_window(known, known.due_on))
    owed = sight.rows(OPEN).select(*SNAPSHOT, "invoice_id", "overdue_amount")
    joined = known.left_join(owed, [*SNAPSHOT, "invoice_id"])
    unpaid = joined.overdue_amount.fill_null(0)
    return joined.select(*SNAPSHOT, "within", "amount", unpaid_amount=unpaid)


DUE = Relation(
    "due",
    ("invoices", "payments"),
    _due,
    _YEAR,
    columns={"amount": told("decimal(18, 2)", sources.INVOICED), "unpaid_amount": sources.OVERDUE_AMOUNT},
    cut_by=(sources.DUE_ON, sources.ISSUED_ON, sources.INVOICED),
    reads=(Read(OPEN, columns=("invoice_id", "overdue_amount")),),
    kept=Kept.WHEN_SHARED,
)


def _invoices(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "invoices", sight.snapshots, months=sight.asked.months)
    terms = days_between(rows.due_on, rows.issued_on).cast("int32")
    within = INVOICES.shortest_window(rows, rows.issued_on)
    return rows.select(*SNAPSHOT, "kind", "issued_on", "amount", terms_days=terms, within=within)


INVOICES = Relation(
    "invoices",
    ("invoices",),
    _invoices,
    _YEAR_AND_HALF,
    columns={
        "kind": told("string", sources.KIND),
        "issued_on": told("date", sources.ISSUED_ON),
        "amount": told("decimal(18, 2)", sources.INVOICED),
        "terms_days": told("int32", sources.DUE_ON, sources.ISSUED_ON),
    },
    cut_by=(sources.ISSUED_ON,),
    kept=Kept.WHEN_OFTEN,
)


def _orders(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "orders", sight.snapshots, months=sight.asked.months)
    is_cancelled = rows.cancelled_on.notnull()
    within = ORDERS.shortest_window(rows, rows.ordered_on)
    return rows.select(*SNAPSHOT, "ordered_on", "amount", is_cancelled=is_cancelled, within=within)


ORDERS = Relation(
    "orders",
    ("orders",),
    _orders,
    _YEAR_AND_HALF,
    columns={
        "ordered_on": told("date", "orders.ordered_on"),
        "amount": told("decimal(18, 2)", "orders.amount"),
        "is_cancelled": told("boolean", "orders.cancelled_on"),
    },
    cut_by=("orders.ordered_on",),
    kept=Kept.WHEN_OFTEN,
)


def _events(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "events", sight.snapshots, months=sight.asked.months)
    within = EVENTS.shortest_window(rows, rows.occurred_on)
    return rows.select(*SNAPSHOT, "event_id", "kind", "occurred_on", "value", "text", within=within)


EVENTS = Relation(
    "events",
    ("events",),
    _events,
    _TWO_YEARS,
    columns={
        "kind": told("string", "events.kind"),
        "occurred_on": told("date", "events.occurred_on"),
        "value": told("float64", "events.value"),
        "text": told("string", "events.text"),
    },
    cut_by=("events.occurred_on",),
    kept=Kept.WHEN_SHARED,
)
