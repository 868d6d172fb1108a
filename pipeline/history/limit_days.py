"""How many days a customer stood over its limit: what was open and what was allowed day by day, as known on each.

What was known on a day does not depend on who looks back at it later, so both are told once per customer as stretches
of days, with running counts; a window of a snapshot is then the difference of two counts.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import NEVER, day_number, number_of
from pipeline.history.item_states import open_states
from pipeline.history.point_in_time import revisions

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

_BEGINNING = number_of(dt.date(1900, 1, 1))
_BY_DAY = {"group_by": "customer_id", "order_by": "day"}


def used_limit_days(ledger: Ledger, snapshots: ir.Table, keep: Callable[[ir.Table, str], ir.Table]) -> ir.Table:
    """One row per snapshot of a customer that ever has a limit: days of the 12 months up to `as_of`, as known on each.

    Columns: customer_id, as_of, limited_days (days on which a limit was valid) and over_limit_days (those of them on
    which the open invoices and debit notes passed it). `snapshots` needs `since_12m`. `keep` computes an intermediate
    once under a name that begins with history_.
    """
    counts = keep(_counts(_spells(ledger, snapshots)), "history_limit_days")
    days = snapshots.select(
        "customer_id", "as_of", last=day_number(snapshots.as_of), first=day_number(snapshots.since_12m)
    )
    until = _counted(days, counts, "last")
    before = _counted(days, counts, "first")
    both = until.inner_join(before, ["customer_id", "as_of"], rname="{name}_before")
    return both.select(
        "customer_id",
        "as_of",
        limited_days=both.limited_days - both.limited_days_before,
        over_limit_days=both.over_limit_days - both.over_limit_days_before,
    )


def _counted(days: ir.Table, counts: ir.Table, name: str) -> ir.Table:
    """The days counted from the beginning to the end of the day `name`."""
    found = days.join(
        counts,
        (days.customer_id == counts.customer_id) & (counts.day <= days[name]) & (counts.next_day > days[name]),
    )
    passed = found[name] - found.day + 1
    return found.select(
        days.customer_id,
        days.as_of,
        limited_days=found.limited_before + found.is_limited * passed,
        over_limit_days=found.over_before + found.is_over * passed,
    )


def _counts(spells: ir.Table) -> ir.Table:
    """The spells from `day` to before `next_day`, with the days counted before each."""
    order = ibis.window(**_BY_DAY)
    before = ibis.window(**_BY_DAY, preceding=(None, 1))
    rows = spells.mutate(next_day=spells.day.lead().over(order).fill_null(NEVER))
    length = rows.next_day - rows.day
    return rows.mutate(
        limited_before=(rows.is_limited * length).sum().over(before).fill_null(0).cast("int64"),
        over_before=(rows.is_over * length).sum().over(before).fill_null(0).cast("int64"),
    )


def _spells(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """The days on which `is_limited` or `is_over` (0 or 1) changes, from the beginning on.

    True from the first day that a window reaches to the last; what stood open before that is left out.
    """
    limits = _limit_steps(ledger)
    owed = _open_steps(ledger, limits, snapshots)
    joined = owed.join(
        limits,
        (owed.customer_id == limits.customer_id) & (owed.day < limits.next_day) & (owed.next_day > limits.day),
    ).select(
        owed.customer_id,
        day=ibis.greatest(owed.day, limits.day),
        is_limited=limits.limit_amount.notnull().cast("int64"),
        is_over=(owed.open_amount > limits.limit_amount).fill_null(ibis.literal(value=False)).cast("int64"),
    )
    order = ibis.window(**_BY_DAY)
    state = joined.is_limited + joined.is_over
    rows = joined.mutate(state=state)
    rows = rows.mutate(state_before=rows.state.lag().over(order))
    changed = rows.filter(rows.state_before.isnull() | (rows.state != rows.state_before))
    return changed.select("customer_id", "day", "is_limited", "is_over")


def _limit_steps(ledger: Ledger) -> ir.Table:
    """The limit valid from `day` until before `next_day` as known on each day: the one valid last; null where none."""
    rows = revisions(ledger, "limits")
    rows = rows.select(
        "customer_id",
        "limit_amount",
        valid_from=day_number(rows.valid_from),
        start=day_number(ibis.greatest(rows.known_on, rows.valid_from)),
        end=ibis.least(day_number(rows.superseded_on), day_number(rows.valid_to).fill_null(NEVER - 1) + 1),
    )
    rows = rows.filter(rows.start < rows.end)
    edges = ibis.union(
        rows.select("customer_id", day=ibis.literal(_BEGINNING, "int64")),
        rows.select("customer_id", day="start"),
        rows.select("customer_id", day="end").filter(lambda t: t.day < NEVER),
        distinct=True,
    )
    steps = edges.mutate(next_day=edges.day.lead().over(ibis.window(**_BY_DAY)).fill_null(NEVER))
    held = steps.left_join(
        rows, [steps.customer_id == rows.customer_id, rows.start <= steps.day, rows.end > steps.day]
    ).select(steps.customer_id, steps.day, steps.next_day, rows.limit_amount, rows.valid_from)
    latest = ibis.window(group_by=["customer_id", "day"], order_by=ibis.desc("valid_from"))
    return held.mutate(place=ibis.row_number().over(latest)).filter(lambda t: t.place == 0).drop("place", "valid_from")


def _open_steps(ledger: Ledger, limits: ir.Table, snapshots: ir.Table) -> ir.Table:
    """What stood open from `day` until before `next_day`, of customers with a limit; 0 from the beginning."""
    states = open_states(ledger)
    first, last = snapshots.since_12m.min().as_scalar(), snapshots.as_of.max().as_scalar()
    states = states.filter(states.kind != "credit_note", states.until_on > first, states.from_on <= last)
    states = states.semi_join(limits, "customer_id")
    ends = states.select("customer_id", day=day_number(states.until_on), amount=-states.open_amount)
    changes = ibis.union(
        limits.select("customer_id", day=ibis.literal(_BEGINNING, "int64"), amount=_NOTHING).distinct(),
        states.select("customer_id", day=day_number(states.from_on), amount=states.open_amount.cast(_MONEY)),
        ends.filter(ends.day < NEVER).mutate(amount=lambda t: t.amount.cast(_MONEY)),
    )
    days = changes.group_by("customer_id", "day").agg(change=changes.amount.sum())
    return days.select(
        "customer_id",
        "day",
        next_day=days.day.lead().over(ibis.window(**_BY_DAY)).fill_null(NEVER),
        open_amount=days.change.sum().over(ibis.cumulative_window(**_BY_DAY)),
    )


_MONEY = "decimal(18, 2)"
_NOTHING = ibis.literal(0).cast(_MONEY)
