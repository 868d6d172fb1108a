"""The tables of orders and invoices: what of the trade was written down, and when it became known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.demo.arrays import Bools, Ints, as_table, choice_of, dates, ids, money
from pipeline.tables.demo.economy import PLACES
from pipeline.tables.ledger import INVOICES, ORDERS

if TYPE_CHECKING:
    from pipeline.tables.demo.agreements import Contracts
    from pipeline.tables.demo.conduct import Conduct
    from pipeline.tables.demo.credit_notes import CreditNotes
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.settlement import Settlement
    from pipeline.tables.demo.timeline import Timeline
    from pipeline.tables.demo.trade import Orders
    from pipeline.tables.demo.world import World

_NAMES_ORDER_SHARE = 0.93
_REVISED_SHARE = 0.003


@dataclass(frozen=True)
class Trade:
    """Everything that happened to the orders that were really placed, one entry per order in each part."""

    orders: Orders
    conduct: Conduct
    settlement: Settlement

    def take(self, chosen: Ints | Bools) -> Trade:
        """Those orders only."""
        return Trade(self.orders.take(chosen), self.conduct.take(chosen), self.settlement.take(chosen))

    def renumbered(self, number: Ints) -> Trade:
        """The same trade with firms numbered anew."""
        orders = dataclasses.replace(self.orders, firm=number[self.orders.firm])
        return dataclasses.replace(self, orders=orders)


@dataclass(frozen=True)
class Written:
    """Numbers of the documents: per order its invoice number and order number (−1: none in the ledger), per credit
    note its number, and the day each invoice became known."""

    invoice: Ints
    order: Ints
    credit_note: Ints
    invoice_known_on: Ints

    def invoice_ids(self, item: Ints) -> pa.Array:
        """Invoice ids of those items."""
        return ids("R", self.invoice[item], 7)


def written(trade: Trade, notes: CreditNotes, world: World) -> Written:
    """Numbers the documents in the order of their dates. A document that is closed before the ledger begins is not
    in it; one that is still open then is carried forward with all its payments."""
    draw, line = world.draw("documents"), world.line
    orders, settled = trade.orders, trade.settlement
    rows = len(orders.firm)
    closed_on = np.minimum(settled.settled_on, settled.written_off_on)
    known_on = np.maximum(orders.issued_on + (draw.random(rows) < 0.15), line.first_day)
    is_invoice = orders.is_invoiced & (known_on <= line.last_day) & (closed_on >= line.first_day)
    is_order = (orders.ordered_on <= line.last_day) & ((orders.ordered_on >= line.first_day) | is_invoice)
    note_known = is_invoice[notes.item] & (notes.issued_on <= line.last_day)
    invoice, order = _numbers(orders.issued_on, is_invoice), _numbers(orders.ordered_on, is_order)
    return Written(invoice, order, _numbers(notes.issued_on, note_known), known_on)


def _numbers(days: Ints, is_in: Bools) -> Ints:
    number = np.full(len(days), -1, dtype=np.int64)
    chosen = np.flatnonzero(is_in)
    number[chosen[np.argsort(days[chosen], kind="stable")]] = np.arange(1, len(chosen) + 1)
    return number


def order_table(trade: Trade, documents: Written, line: Timeline) -> pa.Table:
    """The orders: one row each, known on the day."""
    item = np.flatnonzero(documents.order >= 0)
    orders = trade.orders.take(item)
    columns = {
        "order_id": ids("O", documents.order[item], 7),
        "customer_id": customer_ids(orders.firm),
        "ordered_on": dates(orders.ordered_on),
        "amount": money(orders.cents),
        "cancelled_on": dates(orders.cancelled_on, orders.cancelled_on > line.last_day),
        "known_on": dates(orders.ordered_on),
    }
    return as_table(ORDERS, columns, ("order_id", "known_on"))


def invoice_table(trade: Trade, notes: CreditNotes, documents: Written, contracts: Contracts, world: World) -> pa.Table:
    """Invoices, debit notes and credit notes; a few invoices first came without their order and were revised."""
    draw, firms, line = world.draw("invoice table"), world.firms, world.line
    item = np.flatnonzero(documents.invoice >= 0)
    orders = trade.orders.take(item)
    contract, has_contract = contracts.in_force(orders.firm, orders.issued_on)
    names_order = draw.random(len(item)) < _NAMES_ORDER_SHARE
    written_off_on = trade.settlement.written_off_on[item]
    columns = {
        "invoice_id": documents.invoice_ids(item),
        "customer_id": customer_ids(orders.firm),
        "kind": choice_of(("invoice", "debit_note"), orders.is_debit_note.astype(np.int64)),
        "issued_on": dates(orders.issued_on),
        "due_on": dates(orders.due_on),
        "amount": money(orders.document_cents),
        "currency": currencies(firms, orders.firm),
        "contract_id": ids("K", contract, 5, ~has_contract),
        "order_id": ids("O", documents.order[item], 7, ~names_order),
        "written_off_on": dates(written_off_on, written_off_on > line.last_day),
        "known_on": dates(documents.invoice_known_on[item]),
    }
    order = ("invoice_id", "known_on")
    first = as_table(INVOICES, columns, order)
    revised = _revisions(first, line, draw)
    credits_ = _credit_note_rows(trade, notes, documents, firms)
    return pa.concat_tables([*revised, credits_]).sort_by([(n, "ascending") for n in order]).combine_chunks()


def _revisions(rows: pa.Table, line: Timeline, draw: np.random.Generator) -> list[pa.Table]:
    """A few invoices as first written, without their order, before the row that names it."""
    is_revised = pa.array(draw.random(rows.num_rows) < _REVISED_SHARE)
    later = rows.filter(is_revised)
    known = later["known_on"].cast(pa.int32()).to_numpy() + draw.integers(4, 30, later.num_rows)
    in_time = pa.array(known <= line.last_day)
    index = rows.schema.get_field_index
    second = later.set_column(index("known_on"), "known_on", dates(known)).filter(in_time)
    revised_ids = second["invoice_id"].combine_chunks()
    was_revised = pc.is_in(rows["invoice_id"], value_set=revised_ids)
    blank = pc.if_else(was_revised, pa.scalar(None, pa.string()), rows["order_id"])
    return [rows.set_column(index("order_id"), "order_id", blank), second]


def _credit_note_rows(trade: Trade, notes: CreditNotes, documents: Written, firms: Firms) -> pa.Table:
    at = np.flatnonzero(documents.credit_note >= 0)
    firm = trade.orders.firm[notes.item[at]]
    columns = {
        "invoice_id": ids("G", documents.credit_note[at], 6),
        "customer_id": customer_ids(firm),
        "kind": choice_of(("credit_note",), np.zeros(len(at), dtype=np.int64)),
        "issued_on": dates(notes.issued_on[at]),
        "amount": money(-notes.cents[at]),
        "currency": currencies(firms, firm),
        "known_on": dates(notes.issued_on[at]),
    }
    return as_table(INVOICES, columns, ("invoice_id",))


def customer_ids(firm: Ints) -> pa.Array:
    """Customer numbers with leading zeros."""
    return ids("", firm + 1, 6)


def currencies(firms: Firms, firm: Ints) -> pa.Array:
    """The currency each firm is invoiced in."""
    return choice_of([p.currency for p in PLACES], firms.place[firm])
