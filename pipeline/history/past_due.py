"""The past-due cause of default: items each past due long enough that together exceed both thresholds.

Days are numbers, amounts whole cents of the base currency, everything as known on `as_of` (see `item_timeline`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import NEVER, day_number
from pipeline.history.item_timeline import ITEM, WHOLE, dispute_stretches, known_items, open_stretches
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger

_VIEW = ("customer_id", "as_of")
_LAYER = ("as_of", "invoice_id", "lower", "upper")


def counting_pieces(ledger: Ledger, items: ir.Table, stretches: ir.Table, days: int) -> ir.Table:
    """What counts as past due, piece by piece: customer_id, as_of, since, until, amount.

    An item without disputes counts whole from `days` past its due day. A disputed part lies below the undisputed one
    (a payment reduces the undisputed part first); it does not count and does not age while its dispute is open.
    """
    disputes = dispute_stretches(ledger, items)
    disputed_items = disputes.select("as_of", "invoice_id").distinct()
    plain = stretches.anti_join(disputed_items, ["as_of", "invoice_id"])
    plain = plain.mutate(since=ibis.greatest(plain.since, plain.due + days))
    layered = _layered_pieces(stretches, disputes, _ripe_layers(disputes, days))
    pieces = plain.select(*_VIEW, "written_off", "since", "until", "amount").union(layered)
    pieces = pieces.mutate(until=ibis.least(pieces.until, pieces.written_off))
    standing = (pieces.since < pieces.until) & (pieces.since <= day_number(pieces.as_of))
    return pieces.filter(standing).drop("written_off")


def breaches(
    ledger: Ledger,
    definition: DefaultDefinition,
    pieces: ir.Table,
    sieve: ir.Table,
    keep: Callable[[ir.Table, str], ir.Table],
) -> ir.Table:
    """Stretches in which the counting pieces exceed both thresholds: customer_id, as_of, since, until.

    `keep` computes an intermediate once; it is given names that begin with default_.
    """
    counted = _on_and_off(pieces, "counted")
    above = keep(_views_above(ledger, definition, counted), "default_views_above")
    total = keep(_total_open(ledger, sieve, above), "default_total_open")
    changes = ibis.union(
        counted.semi_join(above, list(_VIEW)).select(*_VIEW, "day", "counted", total=ibis.literal(0).cast("int64")),
        total.select(*_VIEW, "day", counted=ibis.literal(0).cast("int64"), total=total.total),
    )
    steps = _running(changes, "counted", "total").inner_join(above, list(_VIEW))
    is_breach = (steps.counted > steps.threshold) & (
        steps.counted * 10_000 > steps.total * definition.relative_basis_points
    )
    return steps.filter(is_breach).select(*_VIEW, "since", "until")


def _views_above(ledger: Ledger, definition: DefaultDefinition, counted: ir.Table) -> ir.Table:
    """The views that ever exceed the absolute threshold, with it in cents; only they need the whole book."""
    amounts = definition.threshold(ledger.base_currency)
    steps = _running(counted, "counted")
    customers = known_rows(ledger, "customers", counted.select(*_VIEW).distinct())
    people = customers.filter(customers.is_natural_person).select(*_VIEW, is_person=ibis.literal(1))
    told = steps.left_join(people, list(_VIEW)).select(
        *(steps[name] for name in _VIEW), steps.counted, is_person=people.is_person.notnull()
    )
    threshold = ibis.ifelse(told.is_person, amounts.natural_person, amounts.company)
    told = told.mutate(threshold=threshold.cast("int64") * 100)
    return told.filter(told.counted > told.threshold).select(*_VIEW, "threshold").distinct()


def _total_open(ledger: Ledger, sieve: ir.Table, views: ir.Table) -> ir.Table:
    """Changes of all that stands open: credit notes and overpaid items deduct nothing."""
    suspects = sieve.group_by("customer_id").agg(first=sieve.suspect_from.min())
    # What was settled for good before the customer's first suspect day has left every sum that matters.
    lasting = sieve.inner_join(suspects, "customer_id")
    lasting = lasting.filter(lasting.gone_on >= lasting.first).select("invoice_id").distinct()
    stretches = open_stretches(ledger, known_items(ledger, views.select(*_VIEW), lasting))
    stretches = stretches.mutate(until=ibis.least(stretches.until, stretches.written_off))
    changes = _on_and_off(stretches.filter(stretches.since < stretches.until), "total")
    return changes.group_by(*_VIEW, "day").agg(total=changes.total.sum().cast("int64"))


def _on_and_off(pieces: ir.Table, name: str) -> ir.Table:
    starts = pieces.select(*_VIEW, day=pieces.since, **{name: pieces.amount})
    ends = pieces.filter(pieces.until < NEVER)
    return starts.union(ends.select(*_VIEW, day=ends.until, **{name: -ends.amount}))


def _running(changes: ir.Table, *names: str) -> ir.Table:
    """Changes summed up day by day: customer_id, as_of, since, until and the running sums."""
    days = changes.group_by(*_VIEW, "day").agg(**{name: changes[name].sum() for name in names})
    running = ibis.cumulative_window(group_by=list(_VIEW), order_by="day")
    order = ibis.window(group_by=list(_VIEW), order_by="day")
    sums = {name: days[name].sum().over(running).cast("int64") for name in names}
    return days.select(*_VIEW, since=days.day, until=days.day.lead().over(order).fill_null(NEVER), **sums)


def _ripe_layers(disputes: ir.Table, days: int) -> ir.Table:
    """The layers of each disputed item (lower, upper in cents) and `ripe`, the day on which the layer's clock is full.

    Layers are cut at every amount that was disputed at some time; a layer's clock stands still while at least its
    upper end is disputed.
    """
    cuts = disputes.filter(disputes.disputed > 0).select(*ITEM, upper=disputes.disputed)
    top = disputes.select(*ITEM, upper=ibis.literal(1000 * WHOLE).cast("int64"))
    layers = cuts.union(top, distinct=True)
    order = ibis.window(group_by=["as_of", "invoice_id"], order_by="upper")
    layers = layers.mutate(lower=layers.upper.lag().over(order).fill_null(0))
    pauses = layers.inner_join(
        disputes,
        (layers.as_of == disputes.as_of)
        & (layers.invoice_id == disputes.invoice_id)
        & (disputes.disputed >= layers.upper)
        & (disputes.until > layers.due + 1),
    ).select(
        *(layers[name] for name in _LAYER),
        layers.due,
        since=ibis.greatest(disputes.since, layers.due + 1),
        until=disputes.until,
    )
    paused = _paused_days(pauses, days)
    return layers.left_join(paused, list(_LAYER)).select(
        *(layers[name] for name in _LAYER), ripe=layers.due + days + paused.paused.fill_null(0)
    )


def _paused_days(pauses: ir.Table, days: int) -> ir.Table:
    """Days each layer's clock stood still before it was full."""
    running = ibis.cumulative_window(group_by=list(_LAYER), order_by="since")
    pauses = pauses.mutate(length=pauses.until - pauses.since)
    pauses = pauses.mutate(before=pauses.length.sum().over(running) - pauses.length)
    aged = pauses.since - 1 - pauses.due - pauses.before
    pauses = pauses.filter(aged < days)
    return pauses.group_by(*_LAYER).agg(paused=pauses.length.sum().cast("int64"))


def _layered_pieces(stretches: ir.Table, disputes: ir.Table, layers: ir.Table) -> ir.Table:
    standing = stretches.inner_join(
        disputes,
        (stretches.as_of == disputes.as_of)
        & (stretches.invoice_id == disputes.invoice_id)
        & (stretches.since < disputes.until)
        & (stretches.until > disputes.since),
    ).select(
        *(stretches[name] for name in (*_VIEW, "invoice_id", "written_off", "amount")),
        disputes.disputed,
        since=ibis.greatest(stretches.since, disputes.since),
        until=ibis.least(stretches.until, disputes.until),
    )
    pieces = standing.inner_join(
        layers,
        (standing.as_of == layers.as_of)
        & (standing.invoice_id == layers.invoice_id)
        & (layers.upper > standing.disputed)
        & (layers.lower < standing.amount),
    )
    return pieces.select(
        *_VIEW,
        "written_off",
        since=ibis.greatest(pieces.since, pieces.ripe),
        until=pieces.until,
        amount=ibis.least(pieces.upper, pieces.amount) - pieces.lower,
    )
