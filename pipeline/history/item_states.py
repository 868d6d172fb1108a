"""Items through time, as known day by day: one row per document and stretch of days in which it does not change.

A document is expanded over the days at which it stands open by joining these stretches to the days, so a panel of
many days costs one pass over the ledger.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import ibis

from pipeline.history.plain_items import other_items, plain_states
from pipeline.history.point_in_time import FAR, revisions

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

FOLLOWED = "followed_states"
_BEGINNING = dt.date(1900, 1, 1)
_MONEY = "decimal(18, 2)"
# With their type: an untyped literal is a DECIMAL(18, 3) to DuckDB, and the cast back costs half a microsecond a row.
_CENT = ibis.literal(Decimal("0.01"), _MONEY)
_NO_MONEY = ibis.literal(Decimal("0.00"), _MONEY)
_DOCUMENT = ("invoice_id", "customer_id", "kind", "issued_on", "due_on", "amount", "amount_document", "written_off_on")
_STATE = ("from_on", "until_on", "open_document", "open_base")


def item_states(ledger: Ledger) -> ir.Table:
    """Stretches `from_on` <= day < `until_on` per document, as known on each day of the stretch.

    Columns: invoice_id, customer_id, kind, issued_on, due_on, amount, amount_document, written_off_on (as the revision
    tells it: it may lie after the day), from_on, until_on, open_document (document currency; settled is 0, overpaid
    below 0, an open credit note below 0), open_amount (base currency, same sign), disputed_amount (base currency,
    within 0 and open_amount). Stretches of one document do not overlap. A write-off does not end them.
    """
    return _amounts(_plain(ledger)).union(followed_states(ledger))


def followed_states(ledger: Ledger) -> ir.Table:
    """The stretches of `item_states` of the documents that are not plain."""
    return ledger.derived[FOLLOWED] if FOLLOWED in ledger.derived else _amounts(_followed(ledger))


def open_states(ledger: Ledger) -> ir.Table:
    """The stretches of `item_states` in which the document stands open and is not written off."""
    states = item_states(ledger)
    standing = ibis.ifelse(states.kind == "credit_note", states.open_document < 0, states.open_document > 0)
    ends_on = ibis.least(states.until_on, states.written_off_on.fill_null(FAR))
    states = states.filter(standing).mutate(until_on=ends_on)
    return states.filter(states.from_on < states.until_on)


def _plain(ledger: Ledger) -> ir.Table:
    states = plain_states(ledger)
    return states.select(*_DOCUMENT, *_STATE, disputed=_NO_MONEY, is_wholly_disputed=ibis.literal(value=False))


def _followed(ledger: Ledger) -> ir.Table:
    """The stretches of all that is not plain, by running sums over the days on which something changed."""
    documents = _documents(ledger)
    steps = _steps(ledger, documents)
    joined = documents.join(
        steps,
        (documents.invoice_id == steps.invoice_id)
        & (documents.starts_on < steps.next_on)
        & (documents.ends_on > steps.day),
    )
    states = joined.select(
        *(documents[name] for name in _DOCUMENT),
        from_on=ibis.greatest(documents.starts_on, steps.day),
        until_on=ibis.least(documents.ends_on, steps.next_on),
        open_document=(documents.amount_document - steps.paid_document).cast(_MONEY),
        open_base=(documents.amount - steps.paid_amount).cast(_MONEY),
        disputed=steps.disputed_amount,
        is_wholly_disputed=steps.whole_disputes > 0,
    )
    return states.select(*_DOCUMENT, *_STATE, "disputed", "is_wholly_disputed")


def _amounts(states: ir.Table) -> ir.Table:
    # Converted amounts may miss a settled or an open item by a cent; the document's currency decides what is open.
    open_amount = ibis.cases(
        (states.open_document > 0, ibis.greatest(states.open_base, _CENT)),
        (states.open_document < 0, ibis.least(states.open_base, -_CENT)),
        else_=_NO_MONEY,
    ).cast(_MONEY)
    states = states.mutate(open_amount=open_amount)
    whole = ibis.ifelse(states.is_wholly_disputed, states.open_amount, states.disputed)
    disputed = ibis.greatest(ibis.least(whole, states.open_amount), _NO_MONEY)
    return states.mutate(disputed_amount=disputed.cast(_MONEY)).drop("open_base", "disputed", "is_wholly_disputed")


def _documents(ledger: Ledger) -> ir.Table:
    rows = revisions(ledger, "invoices").semi_join(other_items(ledger), "invoice_id")
    rows = rows.mutate(starts_on=ibis.greatest(rows.known_on, rows.issued_on), ends_on=rows.superseded_on)
    return rows.filter(rows.starts_on < rows.ends_on)


def _steps(ledger: Ledger, documents: ir.Table) -> ir.Table:
    """Running sums of payments and open disputes per document: valid from `day` until `next_on`."""
    beginning = documents.select("invoice_id").distinct().mutate(day=ibis.literal(_BEGINNING), **_nothing())
    changes = ibis.union(beginning, *_payment_changes(ledger), *_dispute_changes(ledger))
    days = changes.group_by("invoice_id", "day").agg(**{name: changes[name].sum() for name in _nothing()})
    order = ibis.window(group_by="invoice_id", order_by="day")
    running = ibis.cumulative_window(group_by="invoice_id", order_by="day")
    sums = {name: days[name].sum().over(running).cast(kind) for name, kind in _KINDS.items()}
    return days.select("invoice_id", "day", next_on=days.day.lead().over(order).fill_null(FAR), **sums)


_KINDS = {"paid_document": _MONEY, "paid_amount": _MONEY, "disputed_amount": _MONEY, "whole_disputes": "int64"}


def _nothing() -> dict[str, ir.Scalar]:
    return {name: _NO_MONEY if kind == _MONEY else ibis.literal(0, kind) for name, kind in _KINDS.items()}


def _payment_changes(ledger: Ledger) -> tuple[ir.Table, ir.Table]:
    rows = revisions(ledger, "payments").semi_join(other_items(ledger), "invoice_id")
    rows = rows.mutate(starts_on=ibis.greatest(rows.known_on, rows.paid_on), ends_on=rows.superseded_on)
    rows = rows.filter(rows.starts_on < rows.ends_on)
    return _on_and_off(rows, paid_document=rows.amount_document, paid_amount=rows.amount)


def _dispute_changes(ledger: Ledger) -> tuple[ir.Table, ir.Table]:
    rows = revisions(ledger, "disputes")
    rows = rows.mutate(
        starts_on=ibis.greatest(rows.known_on, rows.opened_on),
        ends_on=ibis.least(rows.superseded_on, rows.resolved_on.fill_null(FAR)),
    )
    rows = rows.filter(rows.starts_on < rows.ends_on)
    part = rows.amount.fill_null(_NO_MONEY)
    return _on_and_off(rows, disputed_amount=part, whole_disputes=rows.amount.isnull().cast("int64"))


def _on_and_off(rows: ir.Table, **amounts: ir.NumericValue) -> tuple[ir.Table, ir.Table]:
    """Each row as a change on the day it starts to count and the opposite on the day it ceases to."""
    starts = rows.select("invoice_id", day=rows.starts_on, **(_nothing() | amounts))
    ending = rows.select("invoice_id", "ends_on", **(_nothing() | amounts))
    ending = ending.filter(ending.ends_on < FAR)
    taken = {name: (-ending[name]).cast(kind) for name, kind in _KINDS.items()}
    return starts, ending.select("invoice_id", day=ending.ends_on, **taken)
