"""Who is in the book at each month end: an open item, or an invoice, payment or order in the twelve months before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pipeline.tables.demo.timeline import NEVER

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.arrays import Bools, Ints
    from pipeline.tables.demo.invoices import Trade, Written
    from pipeline.tables.demo.timeline import Timeline
    from pipeline.tables.demo.world import World

_MONTHS = 12


def in_book(tables: dict[str, pa.Table], trade: Trade, documents: Written, world: World) -> Bools:
    """Firms × months: in the book on the month's last day, as far as known then; never before the ledger begins."""
    line = world.line
    change = np.zeros((world.count, line.count + 1), dtype=np.int64)
    for name, column in (("invoices", "issued_on"), ("payments", "paid_on"), ("orders", "ordered_on")):
        rows = tables[name]
        firm = pc.cast(rows["customer_id"], "int64").to_numpy() - 1
        day, known_on = (rows[c].cast("int32").to_numpy().astype(np.int64) for c in (column, "known_on"))
        is_counted = day >= line.starts[0]
        first = line.month_of(np.maximum(day, known_on))
        # An event on the last day of a month twelve months ago lies outside the window.
        until = np.minimum(line.month_of(day) + _MONTHS, line.count)
        until = np.maximum(until, first)
        np.add.at(change, (firm[is_counted], first[is_counted]), 1)
        np.add.at(change, (firm[is_counted], until[is_counted]), -1)
    item = np.flatnonzero(documents.invoice >= 0)
    closed_on = np.minimum(trade.settlement.settled_on, trade.settlement.written_off_on)[item]
    _add_open(change, trade.orders.firm[item], documents.invoice_known_on[item], closed_on, line)
    found: Bools = np.cumsum(change, axis=1)[:, :-1] > 0
    found[:, : line.burn_in] = False
    return found


def _add_open(change: Ints, firm: Ints, from_on: Ints, closed_on: Ints, line: Timeline) -> None:
    first = line.month_of(from_on)
    until = np.where(closed_on < NEVER, np.maximum(line.month_of(closed_on), first), line.count)
    until = np.where(closed_on > line.last_day, line.count, until)
    np.add.at(change, (firm, first), 1)
    np.add.at(change, (firm, until), -1)
