"""One row per snapshot: what is open, overdue, billed, paid, allowed and covered, now and on earlier days."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ibis import _

from pipeline.features import sources
from pipeline.features.arithmetic import days_between
from pipeline.features.ledger_rows import HABIT, INVOICES, OPEN, ORDERS, PAID, STANDING
from pipeline.features.relation import SNAPSHOT, Kept, Read, Relation, Totals, told
from pipeline.history.limit_days import used_limit_days
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import ibis.expr.types as ir
    from ibis.common.deferred import Deferred

    from pipeline.features.relation import Told
    from pipeline.features.sight import Sight


def join_parts(snapshots: ir.Table, parts: Iterable[ir.Table]) -> ir.Table:
    """The snapshots with the columns of each part, null where a part has no row; each part has one row per snapshot."""
    joined, columns = snapshots, list(snapshots.columns)
    for place, part in enumerate(parts):
        # One chain of joins and one choice of columns: a choice after each join takes as long again to put together.
        joined = joined.left_join(part, SNAPSHOT, rname=f"{{name}}_{place}")
        columns += [name for name in part.columns if name not in SNAPSHOT]
    return joined.select(*columns)


def side_by_side(name: str, tables: tuple[str, ...], parts: tuple[Relation, ...], kept: Kept = Kept.NEVER) -> Relation:
    """The relation of every snapshot with the columns of the parts, of which only those asked for are built."""
    return Relation(
        name,
        tables,
        lambda sight: join_parts(sight.snapshots.select(*SNAPSHOT), sight.parts()),
        has_one_row=True,
        columns={column: told for part in parts for column, told in part.columns.items()},
        reads=tuple(Read(part, passed_on=tuple(part.columns)) for part in parts),
        kept=kept,
    )


def _part(name: str, build: Callable[[Sight], ir.Table], columns: dict[str, Told], *reads: Read) -> Relation:
    """A part of the balance."""
    return Relation(name, ("invoices", "payments"), build, has_one_row=True, columns=columns, reads=reads)


def _sums(name: str, columns: dict[str, Told], read: Read, values: dict[str, Deferred]) -> Relation:
    """A part of the balance that totals the rows of what it reads."""
    totals = Totals(read.relation, read.months, values)
    return dataclasses.replace(_part(name, lambda sight: sight.totals(), columns, read), totals=totals)


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


def _paid_for_newer(sight: Sight) -> ir.Table:
    """What was paid in 3 months, since the oldest overdue item fell due, for items that fell due after it."""
    owed = sight.rows(OPEN)
    overdue = owed.filter(owed.days_past_due > 0)
    oldest = overdue.group_by(SNAPSHOT).aggregate(oldest_days=overdue.days_past_due.max())
    paid = sight.rows(PAID).inner_join(oldest, SNAPSHOT)
    days_ago = days_between(paid.as_of, paid.paid_on)
    newer = paid.filter(days_ago < paid.oldest_days, days_ago + paid.days_late < paid.oldest_days)
    return newer.group_by(SNAPSHOT).aggregate(paid_3m_for_newer_amount=newer.amount.sum())


def _ordered(sight: Sight) -> ir.Table:
    """Orders of the last year; those cancelled since are left out."""
    rows = sight.rows(ORDERS)
    kept = rows.filter(~rows.is_cancelled)
    return kept.group_by(SNAPSHOT).aggregate(
        ordered_1m_amount=kept.amount.sum(where=kept.within <= 1).fill_null(0),
        ordered_3m_amount=kept.amount.sum(where=kept.within <= 3).fill_null(0),
        ordered_12m_amount=kept.amount.sum(),
    )


_OPEN_SUMS = _sums(
    "open_sums",
    {
        "open_amount": sources.OPEN_AMOUNT,
        "overdue_amount": sources.OVERDUE_AMOUNT,
        "over_30_amount": sources.OVERDUE_AMOUNT,
        "over_90_amount": sources.OVERDUE_AMOUNT,
        "disputed_amount": sources.DISPUTED_AMOUNT,
        "due_soon_amount": sources.OVERDUE_AMOUNT,
        "oldest_days_past_due": sources.DAYS_PAST_DUE,
    },
    Read(
        OPEN,
        columns=("open_amount", "overdue_amount", "days_past_due", "days_to_due"),
        passed_on=("disputed_amount",),
    ),
    {
        "open_amount": _.open_amount.sum(),
        "overdue_amount": _.overdue_amount.sum(),
        "over_30_amount": _.overdue_amount.sum(where=_.days_past_due > 30).fill_null(0),
        "over_90_amount": _.overdue_amount.sum(where=_.days_past_due > 90).fill_null(0),
        "disputed_amount": _.disputed_amount.sum().fill_null(0),
        # Within 30 days, overdue items included: what should be paid by then.
        "due_soon_amount": _.open_amount.sum(where=_.days_to_due <= 30).fill_null(0),
        "oldest_days_past_due": _.days_past_due.max(),
    },
)
_OPEN_BEFORE = _part(
    "open_before",
    _open_before,
    {"open_3m_ago_amount": sources.OPEN_AMOUNT, "overdue_3m_ago_amount": sources.OVERDUE_AMOUNT},
    Read(STANDING, columns=("open_amount", "overdue_amount"), days_before=(3,)),
)
# Invoices and debit notes less credit notes.
_BILLED = _sums(
    "billed",
    {"billed_3m_amount": sources.BILLED, "billed_12m_amount": sources.BILLED},
    Read(INVOICES, 12, ("amount",)),
    {
        "billed_3m_amount": _.amount.sum(where=_.within <= 3).fill_null(0),
        "billed_12m_amount": _.amount.sum(),
    },
)
_PAID_SUMS = _sums(
    "paid_sums",
    {
        "paid_3m_amount": sources.PAID_SUM,
        "paid_12m_amount": sources.PAID_SUM,
        "paid_3m_late_days": sources.LATE_SUM,
        "paid_12m_late_days": sources.LATE_SUM,
        "last_paid_on": told("date", *sources.PAYMENT_CUT),
    },
    Read(PAID, 12, ("amount", "days_late", "paid_on")),
    {
        "paid_3m_amount": _.amount.sum(where=_.within <= 3).fill_null(0),
        "paid_12m_amount": _.amount.sum(),
        "paid_3m_late_days": (_.days_late * _.amount).sum(where=_.within <= 3),
        "paid_12m_late_days": (_.days_late * _.amount).sum(),
        "last_paid_on": _.paid_on.max(),
    },
)
_PAID_FOR_NEWER = _part(
    "paid_for_newer",
    _paid_for_newer,
    {"paid_3m_for_newer_amount": sources.also(sources.LATE_SUM, *sources.OPEN_CUT)},
    Read(OPEN, columns=("days_past_due",)),
    Read(PAID, 3, ("amount", "days_late", "paid_on")),
)
_ORDERED = _part(
    "ordered",
    _ordered,
    {"ordered_1m_amount": sources.ORDERED, "ordered_3m_amount": sources.ORDERED, "ordered_12m_amount": sources.ORDERED},
    Read(ORDERS, 12, ("amount", "is_cancelled")),
)
_PARTS = (_OPEN_SUMS, _OPEN_BEFORE, _BILLED, _PAID_SUMS, _PAID_FOR_NEWER, _ORDERED, HABIT)
BALANCE = side_by_side("balance", ("invoices", "payments"), _PARTS, Kept.ALWAYS)


def _limit(sight: Sight) -> ir.Table:
    """The limit valid on the day, as known on it."""
    rows = known_rows(sight.ledger, "limits", sight.snapshots)
    now = _valid(rows, rows.as_of)
    held = now.group_by(SNAPSHOT).aggregate(
        limit_amount=now.limit_amount.argmax(now.valid_from), limit_from=now.valid_from.max()
    )
    return held.select(*SNAPSHOT, "limit_amount", limit_age_days=days_between(held.as_of, held.limit_from))


def _limit_before(sight: Sight) -> ir.Table:
    """The limit valid 12 months earlier, as known on the day."""
    rows = known_rows(sight.ledger, "limits", sight.snapshots)
    before = _valid(rows, rows.since_12m)
    return before.group_by(SNAPSHOT).aggregate(limit_12m_ago_amount=before.limit_amount.argmax(before.valid_from))


def _limit_days(sight: Sight) -> ir.Table:
    return used_limit_days(sight.ledger, sight.snapshots, sight.keep)


_VALID_LIMIT = ("limits.valid_from", "limits.valid_to")
_LIMIT_SOURCES = ("limits.limit_amount", *_VALID_LIMIT)
LIMIT = Relation(
    "limit",
    ("limits",),
    _limit,
    has_one_row=True,
    columns={
        "limit_amount": told("decimal(18, 2)", *_LIMIT_SOURCES),
        "limit_age_days": told("int64", *_VALID_LIMIT),
    },
)
_LIMIT_BEFORE = Relation(
    "limit_before",
    ("limits",),
    _limit_before,
    has_one_row=True,
    columns={"limit_12m_ago_amount": told("decimal(18, 2)", *_LIMIT_SOURCES)},
)
_LIMIT_DAYS = Relation(
    "limit_days",
    ("limits",),
    _limit_days,
    has_one_row=True,
    columns={
        "limited_days": told("int64", *_VALID_LIMIT),
        "over_limit_days": sources.also(told("int64", *_LIMIT_SOURCES), *sources.OPEN_AMOUNT.sources),
    },
)
LIMITS = side_by_side("limits", ("limits",), (BALANCE, _LIMIT_DAYS, LIMIT, _LIMIT_BEFORE), Kept.ALWAYS)


_SECURING = ("insurance", "guarantee", "collateral")


def _cover(sight: Sight) -> ir.Table:
    """The covers valid on the day, as known on it."""
    rows = known_rows(sight.ledger, "covers", sight.snapshots)
    now = _valid(rows, rows.as_of)
    return now.group_by(SNAPSHOT).aggregate(
        cover_amount=now.amount.sum(where=now.kind.isin(_SECURING)), premium_rate=now.premium_rate.max()
    )


def _cover_before(sight: Sight) -> ir.Table:
    """The covers valid 12 months earlier, as known on the day."""
    rows = known_rows(sight.ledger, "covers", sight.snapshots)
    before = _valid(rows, rows.since_12m)
    return before.group_by(SNAPSHOT).aggregate(
        cover_12m_ago_amount=before.amount.sum(where=before.kind.isin(_SECURING))
    )


_VALID = ("covers.valid_from", "covers.valid_to")
_COVERED = told("decimal(38, 2)", "covers.amount", "covers.kind", *_VALID)
_COVER = Relation(
    "cover",
    ("covers",),
    _cover,
    has_one_row=True,
    columns={"cover_amount": _COVERED, "premium_rate": told("float64", "covers.premium_rate", *_VALID)},
)
_COVER_BEFORE = Relation(
    "cover_before", ("covers",), _cover_before, has_one_row=True, columns={"cover_12m_ago_amount": _COVERED}
)
COVERS = side_by_side("covers", ("covers",), (BALANCE, _COVER, _COVER_BEFORE))


def _valid(rows: ir.Table, day: ir.Value) -> ir.Table:
    return rows.filter(rows.valid_from <= day, rows.valid_to.isnull() | (rows.valid_to >= day))
