"""One row per snapshot: what is open, overdue, billed, paid, allowed and covered, now and on earlier days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.arithmetic import days_between
from pipeline.features.ledger_rows import HABIT, INVOICES, OPEN, ORDERS, PAID, STANDING
from pipeline.features.relation import SNAPSHOT, Relation, Sight
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir


def _balance(sight: Sight) -> ir.Table:
    parts = (
        _open(sight),
        _open_before(sight),
        _billed(sight),
        _paid(sight),
        _ordered(sight),
        sight.rows(HABIT),
    )
    return sight.keep(join_parts(sight.snapshots, parts), "features_balance")


BALANCE = Relation("balance", ("invoices", "payments"), _balance, has_one_row=True)


def join_parts(snapshots: ir.Table, parts: Iterable[ir.Table]) -> ir.Table:
    """The snapshots with the columns of each part, null where a part has no row; each part has one row per snapshot."""
    joined = snapshots
    for part in parts:
        columns = [name for name in part.columns if name not in SNAPSHOT]
        joined = joined.left_join(part, SNAPSHOT).select(*joined.columns, *columns)
    return joined


def _open(sight: Sight) -> ir.Table:
    owed = sight.rows(OPEN)
    return owed.group_by(SNAPSHOT).aggregate(
        open_amount=owed.open_amount.sum(),
        overdue_amount=owed.overdue_amount.sum(),
        over_30_amount=owed.overdue_amount.sum(where=owed.days_past_due > 30).fill_null(0),
        over_90_amount=owed.overdue_amount.sum(where=owed.days_past_due > 90).fill_null(0),
        disputed_amount=owed.disputed_amount.sum().fill_null(0),
        # Within 30 days, overdue items included: what should be paid by then.
        due_soon_amount=owed.open_amount.sum(where=owed.days_to_due <= 30).fill_null(0),
        oldest_days_past_due=owed.days_past_due.max(),
    )


def _open_before(sight: Sight) -> ir.Table:
    """What was open three months earlier, as it was known then."""
    items = sight.rows(STANDING)
    owed = items.filter(items.open_amount > 0)
    earlier = owed.group_by(SNAPSHOT).aggregate(
        open_3m_ago_amount=owed.open_amount.sum(), overdue_3m_ago_amount=owed.overdue_amount.sum()
    )
    now = sight.snapshots.select(*SNAPSHOT, "since_3m")
    joined = now.inner_join(earlier.rename(earlier_day="as_of"), ["customer_id", ("since_3m", "earlier_day")])
    return joined.select(*SNAPSHOT, "open_3m_ago_amount", "overdue_3m_ago_amount")


def _billed(sight: Sight) -> ir.Table:
    """Invoices and debit notes less credit notes."""
    rows = INVOICES.window(sight.rows(INVOICES), 12)
    return rows.group_by(SNAPSHOT).aggregate(
        billed_3m_amount=rows.amount.sum(where=rows.within <= 3).fill_null(0),
        billed_12m_amount=rows.amount.sum(),
    )


def _paid(sight: Sight) -> ir.Table:
    rows = PAID.window(sight.rows(PAID), 12)
    return rows.group_by(SNAPSHOT).aggregate(
        paid_3m_amount=rows.amount.sum(where=rows.within <= 3).fill_null(0),
        paid_12m_amount=rows.amount.sum(),
        paid_3m_late_days=(rows.days_late * rows.amount).sum(where=rows.within <= 3),
        paid_12m_late_days=(rows.days_late * rows.amount).sum(),
        last_paid_on=rows.paid_on.max(),
    )


def _ordered(sight: Sight) -> ir.Table:
    rows = sight.rows(ORDERS)
    kept = rows.filter(rows.within <= 3, ~rows.is_cancelled)
    return kept.group_by(SNAPSHOT).aggregate(ordered_3m_amount=kept.amount.sum())


def _limits(sight: Sight) -> ir.Table:
    """The balance, with the limit valid on the day and those valid 12 months earlier, as known on the day."""
    rows = known_rows(sight.ledger, "limits", sight.snapshots)
    now = _valid(rows, rows.as_of)
    before = _valid(rows, rows.since_12m)
    limits = (
        now.group_by(SNAPSHOT).aggregate(
            limit_amount=now.limit_amount.argmax(now.valid_from), limit_from=now.valid_from.max()
        ),
        before.group_by(SNAPSHOT).aggregate(limit_12m_ago_amount=before.limit_amount.argmax(before.valid_from)),
    )
    joined = join_parts(sight.rows(BALANCE), limits)
    return joined.mutate(limit_age_days=days_between(joined.as_of, joined.limit_from))


LIMITS = Relation("limits", ("limits",), _limits, has_one_row=True)


def _covers(sight: Sight) -> ir.Table:
    """The balance, with the covers valid on the day and 12 months earlier, as known on the day."""
    rows = known_rows(sight.ledger, "covers", sight.snapshots)
    now = _valid(rows, rows.as_of)
    before = _valid(rows, rows.since_12m)
    covers = (
        now.group_by(SNAPSHOT).aggregate(cover_amount=now.amount.sum(), premium_rate=now.premium_rate.max()),
        before.group_by(SNAPSHOT).aggregate(cover_12m_ago_amount=before.amount.sum()),
    )
    return join_parts(sight.rows(BALANCE), covers)


COVERS = Relation("covers", ("covers",), _covers, has_one_row=True)


def _valid(rows: ir.Table, day: ir.Value) -> ir.Table:
    return rows.filter(rows.valid_from <= day, rows.valid_to.isnull() | (rows.valid_to >= day))
