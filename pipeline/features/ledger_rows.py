"""Relations with a row per payment, item, order, invoice or event, as known on each day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import ibis

from pipeline.features import sources
from pipeline.features.arithmetic import days_between, is_rounder, ratio
from pipeline.features.relation import SNAPSHOT, Relation, Sight, told
from pipeline.history.open_items import open_items
from pipeline.history.paid_items import paid_items
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

_YEAR = (3, 6, 12)
_YEAR_AND_HALF = (1, 3, 6, 12, 15, 18)
_TWO_YEARS = (3, 6, 12, 24)


def _payments(sight: Sight) -> ir.Table:
    paid = paid_items(sight.ledger, sight.snapshots, months=24)
    return sight.keep(
        paid.select(
            *SNAPSHOT,
            "paid_on",
            "amount",
            "is_final",
            "is_bounced",
            days_late=paid.days_late.cast("int32"),
            days_to_pay=days_between(paid.paid_on, paid.issued_on).cast("int32"),
            is_round=is_rounder(paid.amount_document, than=paid.invoice_document),
            within=PAYMENT_ROWS.shortest_window(paid, paid.paid_on),
        ),
        "features_payments",
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
)


def _paid(sight: Sight) -> ir.Table:
    rows = sight.rows(PAYMENT_ROWS)
    return rows.filter(~rows.is_bounced, rows.amount > 0)


def _bounced(sight: Sight) -> ir.Table:
    rows = sight.rows(PAYMENT_ROWS)
    return rows.filter(rows.is_bounced)


PAID = replace(PAYMENT_ROWS, name="paid", build=_paid)
BOUNCED = replace(PAYMENT_ROWS, name="bounced", build=_bounced)


def _habit(sight: Sight) -> ir.Table:
    """One row per snapshot with a payment in 12 months: `habit_days`, the usual lateness, weighted by amount."""
    paid = PAID.window(sight.rows(PAID), 12)
    return paid.group_by(SNAPSHOT).aggregate(habit_days=ratio((paid.days_late * paid.amount).sum(), paid.amount.sum()))


HABIT_DAYS = told("float64", *sources.PAYMENT_CUT, sources.DUE_ON)
HABIT = Relation("habit", ("invoices", "payments"), _habit, has_one_row=True, columns={"habit_days": HABIT_DAYS})


def _standing(sight: Sight) -> ir.Table:
    """What was open on the days asked for, a month and three months before each, as known then; `as_of` is that day.

    Told in one pass: in a panel many of the earlier days are days of the panel too.
    """
    earlier = (sight.snapshots.select("customer_id", as_of=f"since_{months}m") for months in (1, 3))
    items = open_items(sight.ledger, ibis.union(sight.snapshots.select(*SNAPSHOT), *earlier, distinct=True))
    return sight.keep(
        items.select(
            *SNAPSHOT,
            "invoice_id",
            "open_amount",
            "disputed_amount",
            "overdue_amount",
            days_past_due=items.days_past_due.cast("int32"),
            days_to_due=days_between(items.due_on, items.as_of).cast("int32"),
        ),
        "features_standing",
    )


_ITEM_COLUMNS = {
    "open_amount": sources.OPEN_AMOUNT,
    "disputed_amount": sources.DISPUTED_AMOUNT,
    "overdue_amount": sources.OVERDUE_AMOUNT,
    "days_past_due": sources.DAYS_PAST_DUE,
    "days_to_due": told("int32", sources.DUE_ON),
}
STANDING = Relation("standing", ("invoices", "payments"), _standing, columns=_ITEM_COLUMNS, cut_by=sources.OPEN_CUT)


def _open(sight: Sight) -> ir.Table:
    """What is open on the day, beside the customer's habit."""
    items = sight.rows(STANDING)
    today = items.semi_join(sight.snapshots, SNAPSHOT)
    joined = today.left_join(sight.rows(HABIT), SNAPSHOT)
    return sight.keep(joined.select(*items.columns, "habit_days"), "features_open")


OPEN_AND_CREDITS = replace(
    STANDING, name="open_and_credits", build=_open, columns={**_ITEM_COLUMNS, "habit_days": HABIT_DAYS}
)


def _owed(sight: Sight) -> ir.Table:
    rows = sight.rows(OPEN_AND_CREDITS)
    return rows.filter(rows.open_amount > 0)


# Credit notes not yet applied are left out: they must not hide an overdue item.
OPEN = replace(OPEN_AND_CREDITS, name="open", build=_owed)


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
)


def _due(sight: Sight) -> ir.Table:
    """Invoices and debit notes that fell due, with what of them is overdue still."""
    known = known_rows(sight.ledger, "invoices", sight.snapshots, months=12, on="due_on")
    known = known.filter(known.amount > 0)
    known = known.select(*SNAPSHOT, "invoice_id", "amount", within=DUE.shortest_window(known, known.due_on))
    owed = sight.rows(OPEN).select(*SNAPSHOT, "invoice_id", "overdue_amount")
    joined = known.left_join(owed, [*SNAPSHOT, "invoice_id"])
    unpaid = joined.overdue_amount.fill_null(0)
    return sight.keep(joined.select(*SNAPSHOT, "within", "amount", unpaid_amount=unpaid), "features_due")


DUE = Relation(
    "due",
    ("invoices", "payments"),
    _due,
    _YEAR,
    columns={"amount": told("decimal(18, 2)", sources.INVOICED), "unpaid_amount": sources.OVERDUE_AMOUNT},
    cut_by=(sources.DUE_ON, sources.ISSUED_ON, sources.INVOICED),
)


def _invoices(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "invoices", sight.snapshots, months=18)
    terms = days_between(rows.due_on, rows.issued_on).cast("int32")
    within = INVOICES.shortest_window(rows, rows.issued_on)
    return sight.keep(
        rows.select(*SNAPSHOT, "kind", "issued_on", "amount", terms_days=terms, within=within), "features_invoices"
    )


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
)


def _orders(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "orders", sight.snapshots, months=18)
    is_cancelled = rows.cancelled_on.notnull()
    within = ORDERS.shortest_window(rows, rows.ordered_on)
    return sight.keep(
        rows.select(*SNAPSHOT, "ordered_on", "amount", is_cancelled=is_cancelled, within=within), "features_orders"
    )


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
)


def _events(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "events", sight.snapshots, months=24)
    within = EVENTS.shortest_window(rows, rows.occurred_on)
    return sight.keep(
        rows.select(*SNAPSHOT, "event_id", "kind", "occurred_on", "value", "text", within=within), "features_events"
    )


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
)
