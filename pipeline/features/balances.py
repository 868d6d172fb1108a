"""One row per snapshot: what is open, overdue, billed, paid, allowed and covered, now and on earlier days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features import sources
from pipeline.features.arithmetic import days_between
from pipeline.features.ledger_rows import HABIT, HABIT_DAYS, INVOICES, OPEN, ORDERS, PAID, STANDING
from pipeline.features.relation import SNAPSHOT, Relation, Sight, told
from pipeline.history.limit_days import used_limit_days
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
        _paid_for_newer(sight),
        _ordered(sight),
        sight.rows(HABIT),
    )
    return sight.keep(join_parts(sight.snapshots, parts), "features_balance")


BALANCE_COLUMNS = {
    "open_amount": sources.OPEN_AMOUNT,
    "overdue_amount": sources.OVERDUE_AMOUNT,
    "over_30_amount": sources.OVERDUE_AMOUNT,
    "over_90_amount": sources.OVERDUE_AMOUNT,
    "disputed_amount": sources.DISPUTED_AMOUNT,
    "due_soon_amount": sources.OVERDUE_AMOUNT,
    "oldest_days_past_due": sources.DAYS_PAST_DUE,
    "open_3m_ago_amount": sources.OPEN_AMOUNT,
    "overdue_3m_ago_amount": sources.OVERDUE_AMOUNT,
    "billed_3m_amount": sources.BILLED,
    "billed_12m_amount": sources.BILLED,
    "paid_3m_amount": sources.PAID_SUM,
    "paid_12m_amount": sources.PAID_SUM,
    "paid_3m_late_days": sources.LATE_SUM,
    "paid_12m_late_days": sources.LATE_SUM,
    "paid_3m_for_newer_amount": sources.also(sources.LATE_SUM, *sources.OPEN_CUT),
    "last_paid_on": told("date", *sources.PAYMENT_CUT),
    "ordered_1m_amount": sources.ORDERED,
    "ordered_3m_amount": sources.ORDERED,
    "ordered_12m_amount": sources.ORDERED,
    "habit_days": HABIT_DAYS,
}
BALANCE = Relation("balance", ("invoices", "payments"), _balance, has_one_row=True, columns=BALANCE_COLUMNS)


def join_parts(snapshots: ir.Table, parts: Iterable[ir.Table]) -> ir.Table:
    """The snapshots with the columns of each part, null where a part has no row; each part has one row per snapshot."""
    joined, columns = snapshots, list(snapshots.columns)
    for place, part in enumerate(parts):
        # One chain of joins and one choice of columns: a choice after each join takes as long again to put together.
        joined = joined.left_join(part, SNAPSHOT, rname=f"{{name}}_{place}")
        columns += [name for name in part.columns if name not in SNAPSHOT]
    return joined.select(*columns)


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


def _paid_for_newer(sight: Sight) -> ir.Table:
    """What was paid in 3 months, since the oldest overdue item fell due, for items that fell due after it."""
    owed = sight.rows(OPEN)
    overdue = owed.filter(owed.days_past_due > 0)
    oldest = overdue.group_by(SNAPSHOT).aggregate(oldest_days=overdue.days_past_due.max())
    paid = PAID.window(sight.rows(PAID), 3).inner_join(oldest, SNAPSHOT)
    days_ago = days_between(paid.as_of, paid.paid_on)
    newer = paid.filter(days_ago < paid.oldest_days, days_ago + paid.days_late < paid.oldest_days)
    return newer.group_by(SNAPSHOT).aggregate(paid_3m_for_newer_amount=newer.amount.sum())


def _ordered(sight: Sight) -> ir.Table:
    """Orders of the last year; those cancelled since are left out."""
    rows = ORDERS.window(sight.rows(ORDERS), 12)
    kept = rows.filter(~rows.is_cancelled)
    return kept.group_by(SNAPSHOT).aggregate(
        ordered_1m_amount=kept.amount.sum(where=kept.within <= 1).fill_null(0),
        ordered_3m_amount=kept.amount.sum(where=kept.within <= 3).fill_null(0),
        ordered_12m_amount=kept.amount.sum(),
    )


def _limits(sight: Sight) -> ir.Table:
    """The balance, with the limit valid on the day and those valid 12 months earlier, as known on the day."""
    rows = known_rows(sight.ledger, "limits", sight.snapshots)
    now = _valid(rows, rows.as_of)
    before = _valid(rows, rows.since_12m)
    limits = (
        used_limit_days(sight.ledger, sight.snapshots, sight.keep),
        now.group_by(SNAPSHOT).aggregate(
            limit_amount=now.limit_amount.argmax(now.valid_from), limit_from=now.valid_from.max()
        ),
        before.group_by(SNAPSHOT).aggregate(limit_12m_ago_amount=before.limit_amount.argmax(before.valid_from)),
    )
    joined = join_parts(sight.rows(BALANCE), limits)
    dated = joined.mutate(limit_age_days=days_between(joined.as_of, joined.limit_from))
    return sight.keep(dated.select(*SNAPSHOT, *_LIMIT_COLUMNS), "features_limits")


_VALID_LIMIT = ("limits.valid_from", "limits.valid_to")
_LIMIT = ("limits.limit_amount", *_VALID_LIMIT)
_LIMIT_COLUMNS = {
    **{name: BALANCE_COLUMNS[name] for name in ("open_amount", "overdue_amount", "open_3m_ago_amount")},
    "billed_12m_amount": sources.BILLED,
    "limit_amount": told("decimal(18, 2)", *_LIMIT),
    "limit_12m_ago_amount": told("decimal(18, 2)", *_LIMIT),
    "limit_age_days": told("int64", *_VALID_LIMIT),
    "limited_days": told("int64", *_VALID_LIMIT),
    "over_limit_days": sources.also(told("int64", *_LIMIT), *sources.OPEN_AMOUNT.sources),
}
LIMITS = Relation("limits", ("limits",), _limits, has_one_row=True, columns=_LIMIT_COLUMNS)


_SECURING = ("insurance", "guarantee", "collateral")


def _covers(sight: Sight) -> ir.Table:
    """The balance, with the covers valid on the day and 12 months earlier, as known on the day."""
    rows = known_rows(sight.ledger, "covers", sight.snapshots)
    now = _valid(rows, rows.as_of)
    before = _valid(rows, rows.since_12m)
    covers = (
        now.group_by(SNAPSHOT).aggregate(
            cover_amount=now.amount.sum(where=now.kind.isin(_SECURING)), premium_rate=now.premium_rate.max()
        ),
        before.group_by(SNAPSHOT).aggregate(cover_12m_ago_amount=before.amount.sum(where=before.kind.isin(_SECURING))),
    )
    return join_parts(sight.rows(BALANCE), covers)


_VALID = ("covers.valid_from", "covers.valid_to")
COVERS = Relation(
    "covers",
    ("covers",),
    _covers,
    has_one_row=True,
    columns={
        **BALANCE_COLUMNS,
        "cover_amount": told("decimal(38, 2)", "covers.amount", "covers.kind", *_VALID),
        "cover_12m_ago_amount": told("decimal(38, 2)", "covers.amount", "covers.kind", *_VALID),
        "premium_rate": told("float64", "covers.premium_rate", *_VALID),
    },
)


def _valid(rows: ir.Table, day: ir.Value) -> ir.Table:
    return rows.filter(rows.valid_from <= day, rows.valid_to.isnull() | (rows.valid_to >= day))
