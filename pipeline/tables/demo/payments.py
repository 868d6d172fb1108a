"""The table of payments: pay runs over several invoices, instalments, bounces, clearings, late postings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.demo.arrays import Bools, Floats, Ints, as_table, choice_of, dates, ids, money
from pipeline.tables.demo.economy import BASE_CURRENCY, PLACES
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.settlement import FAILS_AFTER_DAYS
from pipeline.tables.demo.timeline import NEVER
from pipeline.tables.ledger import PAYMENTS

if TYPE_CHECKING:
    from pipeline.tables.demo.credit_notes import CreditNotes
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.invoices import Trade, Written
    from pipeline.tables.demo.world import World

_ORDER = ("payment_id", "invoice_id", "known_on")


@dataclass(frozen=True)
class _Movements:
    """Money moved on an item on a day; negative when it came back. Cents of the invoice's currency."""

    item: Ints
    day: Ints
    cents: Ints

    def take(self, chosen: Bools) -> _Movements:
        return _Movements(self.item[chosen], self.day[chosen], self.cents[chosen])


def payment_table(trade: Trade, notes: CreditNotes, documents: Written, world: World) -> pa.Table:
    """All payments known by the last day of the ledger."""
    draw = world.draw("payments")
    moved = _movements(trade, notes, documents)
    paid, returned = moved.take(moved.cents > 0), moved.take(moved.cents < 0)
    tables = [
        _paid(draw, paid, trade, documents, world),
        _returned(returned, trade, documents, world.firms),
        _clearings(trade, notes, documents, world.firms),
        _unallocated(draw, paid, trade, world.economy),
    ]
    rows = pa.concat_tables(tables)
    is_known = pc.less_equal(rows["known_on"].cast(pa.int32()), world.line.last_day)
    return rows.filter(is_known).sort_by([(n, "ascending") for n in _ORDER]).combine_chunks()


def _movements(trade: Trade, notes: CreditNotes, documents: Written) -> _Movements:
    """Every movement of money on the invoices that are in the ledger."""
    orders, conduct, settled = trade.orders, trade.conduct, trade.settlement
    owed = orders.document_cents - notes.applied_cents(len(orders.firm))
    until = np.minimum(settled.stopped_on, settled.settled_on)
    has_first = conduct.first_pays_on < until
    first = _part(has_first, owed * conduct.first_share)
    account = _part(settled.account_on < NEVER, (owed - first) * conduct.instalment)
    rest = owed - first - account
    bounced = np.where((conduct.bounced_on < until) & ~has_first, rest, 0)
    failed = np.where(settled.failed_on < NEVER, rest, 0)
    moves = [
        (settled.settled_on, np.where(settled.settled_on < NEVER, rest, 0)),
        (conduct.first_pays_on, first),
        (settled.account_on, account),
        (settled.recovered_on, _part(settled.recovered_on < NEVER, rest * settled.recovered_share)),
        (conduct.bounce_tried_on, bounced),
        (conduct.bounced_on, -bounced),
        (settled.failed_on, failed),
        (settled.failed_on + FAILS_AFTER_DAYS, -failed),
    ]
    kept = [np.flatnonzero((cents != 0) & (documents.invoice >= 0)) for _, cents in moves]
    day = np.concatenate([day[at] for (day, _), at in zip(moves, kept, strict=True)])
    cents = np.concatenate([cents[at] for (_, cents), at in zip(moves, kept, strict=True)])
    return _Movements(np.concatenate(kept), day, cents)


def _part(applies: Bools, cents: Floats) -> Ints:
    return np.where(applies, np.rint(cents), 0.0).astype(np.int64)


def _paid(draw: np.random.Generator, paid: _Movements, trade: Trade, documents: Written, world: World) -> pa.Table:
    """Money in: one payment per firm and day, for firms pay several invoices at once; posted late now and then."""
    keys, run = np.unique(paid.day * 10_000_000 + trade.orders.firm[paid.item], return_inverse=True)
    lag = _posting_lags(draw, len(keys), world.economy)[run]
    names = ids("P", run + 1, 7), documents.invoice_ids(paid.item)
    return _table(names, paid, paid.day + lag, trade, world.firms)


def _posting_lags(draw: np.random.Generator, count: int, economy: Economy) -> Ints:
    """Days from payment to posting: mostly none or one, up to twelve for a tenth, rarely a month."""
    kind = draw.random(count)
    some_days = np.where(kind < economy.late_posting_share, draw.integers(3, 13, count), draw.integers(0, 2, count))
    return np.where(kind < economy.very_late_posting_share, draw.integers(25, 36, count), some_days)


def _returned(returned: _Movements, trade: Trade, documents: Written, firms: Firms) -> pa.Table:
    """Money that came back: a payment of its own, negative."""
    order = np.lexsort((returned.item, returned.day))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(1, len(order) + 1)
    return _table((ids("B", number, 6), documents.invoice_ids(returned.item)), returned, returned.day, trade, firms)


def _clearings(trade: Trade, notes: CreditNotes, documents: Written, firms: Firms) -> pa.Table:
    """A credit note applied: one payment id, the cents on the invoice and the same cents back on the note."""
    at = np.flatnonzero((documents.credit_note >= 0) & notes.is_applied)
    number, item, day, cents = documents.credit_note[at], notes.item[at], notes.issued_on[at], notes.cents[at]
    payment = ids("C", number, 6)
    on_invoice = _table((payment, documents.invoice_ids(item)), _Movements(item, day, cents), day, trade, firms)
    on_note = _table((payment, ids("G", number, 6)), _Movements(item, day, -cents), day, trade, firms)
    return pa.concat_tables([on_invoice, on_note])


def _table(names: tuple[pa.Array, pa.Array], moved: _Movements, known_on: Ints, trade: Trade, firms: Firms) -> pa.Table:
    """Rows of the table; `names` are the payment ids and the invoice ids."""
    firm = trade.orders.firm[moved.item]
    # No currency means the invoice's; sources name it where it is a foreign one.
    named = [None if p.currency == BASE_CURRENCY else p.currency for p in PLACES]
    columns = {
        "payment_id": names[0],
        "invoice_id": names[1],
        "customer_id": customer_ids(firm),
        "paid_on": dates(moved.day),
        "amount": money(moved.cents),
        "currency": choice_of(named, firms.place[firm]),
        "known_on": dates(known_on),
    }
    return as_table(PAYMENTS, columns, _ORDER)


def _unallocated(draw: np.random.Generator, paid: _Movements, trade: Trade, economy: Economy) -> pa.Table:
    """Small payments that nobody has been able to allocate."""
    at = np.flatnonzero(draw.random(len(paid.item)) < economy.unallocated_share)
    at = at[np.argsort(paid.day[at], kind="stable")]
    columns = {
        "payment_id": ids("U", np.arange(1, len(at) + 1), 5),
        "customer_id": customer_ids(trade.orders.firm[paid.item[at]]),
        "paid_on": dates(paid.day[at]),
        "amount": money(draw.integers(10_00, 250_00, len(at))),
        "currency": choice_of((BASE_CURRENCY,), np.zeros(len(at), dtype=np.int64)),
        "known_on": dates(paid.day[at] + 1),
    }
    return as_table(PAYMENTS, columns, _ORDER)
