"""Relations with a row per payment, item, order, dispute, obligation, contract or event, as known on each day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features.arithmetic import days_between, ratio
from pipeline.features.relation import SNAPSHOT, Relation, Sight
from pipeline.history.open_items import open_items
from pipeline.history.paid_items import paid_items
from pipeline.history.point_in_time import FAR as OPEN_END
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

_YEAR = (3, 6, 12)
_YEAR_AND_HALF = (3, 6, 12, 18)
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
            # 32 bits of days times an amount, times days again, stay within the 38 digits of a DECIMAL.
            days_late=paid.days_late.cast("int32"),
            days_to_pay=days_between(paid.paid_on, paid.issued_on).cast("int32"),
            within=PAYMENT_ROWS.shortest_window(paid, paid.paid_on),
        ),
        "features_payments",
    )


PAYMENT_ROWS = Relation("payment_rows", ("invoices", "payments"), _payments, _TWO_YEARS)


def _paid(sight: Sight) -> ir.Table:
    rows = sight.rows(PAYMENT_ROWS)
    return rows.filter(~rows.is_bounced, rows.amount > 0)


def _bounced(sight: Sight) -> ir.Table:
    rows = sight.rows(PAYMENT_ROWS)
    return rows.filter(rows.is_bounced)


PAID = Relation("paid", ("invoices", "payments"), _paid, _TWO_YEARS)
BOUNCED = Relation("bounced", ("invoices", "payments"), _bounced, _TWO_YEARS)


def _habit(sight: Sight) -> ir.Table:
    """One row per snapshot with a payment in 12 months: `habit_days`, the usual lateness, weighted by amount."""
    paid = PAID.window(sight.rows(PAID), 12)
    return paid.group_by(SNAPSHOT).aggregate(habit_days=ratio((paid.days_late * paid.amount).sum(), paid.amount.sum()))


HABIT = Relation("habit", ("invoices", "payments"), _habit, has_one_row=True)


def _standing(sight: Sight) -> ir.Table:
    """What was open on the days asked for and three months before each, as known then; `as_of` is that day.

    Told in one pass: in a panel most of the earlier days are days of the panel too.
    """
    earlier = sight.snapshots.select("customer_id", as_of="since_3m")
    items = open_items(sight.ledger, sight.snapshots.select(*SNAPSHOT).union(earlier, distinct=True))
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


STANDING = Relation("standing", ("invoices", "payments"), _standing)


def _open(sight: Sight) -> ir.Table:
    """What is open on the day, beside the customer's habit."""
    items = sight.rows(STANDING)
    today = items.semi_join(sight.snapshots, SNAPSHOT)
    joined = today.left_join(sight.rows(HABIT), SNAPSHOT)
    return sight.keep(joined.select(*items.columns, "habit_days"), "features_open")


OPEN_AND_CREDITS = Relation("open_and_credits", ("invoices", "payments"), _open)


def _owed(sight: Sight) -> ir.Table:
    rows = sight.rows(OPEN_AND_CREDITS)
    return rows.filter(rows.open_amount > 0)


# Credit notes not yet applied are left out: they must not hide an overdue item.
OPEN = Relation("open", ("invoices", "payments"), _owed)


def _lateness(sight: Sight) -> ir.Table:
    """Payments with their days late, and what is overdue now with its days past due, in every window."""
    paid = sight.rows(PAID)
    owed = sight.rows(OPEN)
    overdue = owed.filter(owed.overdue_amount > 0)
    settled = paid.select(*SNAPSHOT, "within", amount=paid.amount, days=paid.days_late)
    now = ibis.literal(min(_TWO_YEARS), "int16")
    standing = overdue.select(*SNAPSHOT, within=now, amount=overdue.overdue_amount, days=overdue.days_past_due)
    return ibis.union(settled, standing, distinct=False)


LATENESS = Relation("lateness", ("invoices", "payments"), _lateness, _TWO_YEARS)


def _due(sight: Sight) -> ir.Table:
    """Invoices and debit notes that fell due, with what of them is overdue still."""
    known = known_rows(sight.ledger, "invoices", sight.snapshots, months=12, on="due_on")
    known = known.filter(known.amount > 0)
    known = known.select(*SNAPSHOT, "invoice_id", "amount", within=DUE.shortest_window(known, known.due_on))
    owed = sight.rows(OPEN).select(*SNAPSHOT, "invoice_id", "overdue_amount")
    joined = known.left_join(owed, [*SNAPSHOT, "invoice_id"])
    unpaid = joined.overdue_amount.fill_null(0)
    return sight.keep(joined.select(*SNAPSHOT, "within", "amount", unpaid_amount=unpaid), "features_due")


DUE = Relation("due", ("invoices", "payments"), _due, _YEAR)


def _invoices(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "invoices", sight.snapshots, months=18)
    terms = days_between(rows.due_on, rows.issued_on).cast("int32")
    within = INVOICES.shortest_window(rows, rows.issued_on)
    return sight.keep(
        rows.select(*SNAPSHOT, "kind", "issued_on", "amount", terms_days=terms, within=within), "features_invoices"
    )


INVOICES = Relation("invoices", ("invoices",), _invoices, _YEAR_AND_HALF)


def _orders(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "orders", sight.snapshots, months=18)
    is_cancelled = rows.cancelled_on.notnull()
    within = ORDERS.shortest_window(rows, rows.ordered_on)
    return sight.keep(
        rows.select(*SNAPSHOT, "ordered_on", "amount", is_cancelled=is_cancelled, within=within), "features_orders"
    )


ORDERS = Relation("orders", ("orders",), _orders, _YEAR_AND_HALF)


def _disputes(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "disputes", sight.snapshots, months=12)
    days = days_between(rows.resolved_on.fill_null(rows.as_of), rows.opened_on)
    within = DISPUTES.shortest_window(rows, rows.opened_on)
    return rows.select(*SNAPSHOT, "resolved_on", "outcome", days_open=days, within=within)


DISPUTES = Relation("disputes", ("disputes",), _disputes, _YEAR)


def _obligations(sight: Sight) -> ir.Table:
    """Obligations due in two years, with the days they were or are late; negative when fulfilled early."""
    rows = known_rows(sight.ledger, "obligations", sight.snapshots, months=24, on="due_on")
    days = days_between(rows.fulfilled_on.fill_null(rows.as_of), rows.due_on)
    within = OBLIGATIONS.shortest_window(rows, rows.due_on)
    return rows.select(*SNAPSHOT, days_late=days, is_fulfilled=rows.fulfilled_on.notnull(), within=within)


OBLIGATIONS = Relation("obligations", ("obligations",), _obligations, _TWO_YEARS)


def _contracts(sight: Sight) -> ir.Table:
    """Contracts in force; `days_left` is null where the contract is open-ended."""
    rows = known_rows(sight.ledger, "contracts", sight.snapshots)
    ends_on = (rows.ends_on < OPEN_END).ifelse(rows.ends_on, None)
    in_force = rows.filter(rows.starts_on <= rows.as_of, ends_on.isnull() | (ends_on >= rows.as_of))
    days_left = days_between((in_force.ends_on < OPEN_END).ifelse(in_force.ends_on, None), in_force.as_of)
    return in_force.select(*SNAPSHOT, "amount", "deposit_amount", days_left=days_left)


CONTRACTS = Relation("contracts", ("contracts",), _contracts)


def _events(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "events", sight.snapshots, months=24)
    within = EVENTS.shortest_window(rows, rows.occurred_on)
    return sight.keep(
        rows.select(*SNAPSHOT, "event_id", "kind", "occurred_on", "value", "text", within=within), "features_events"
    )


EVENTS = Relation("events", ("events",), _events, _TWO_YEARS)
