"""Credit notes: for disputes that were upheld, for returned goods, and some that nobody has applied yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.timeline import NEVER

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Bools, Ints
    from pipeline.tables.demo.conduct import Conduct
    from pipeline.tables.demo.trade import Orders
    from pipeline.tables.demo.world import World

_UNAPPLIED_SHARE = 0.12


@dataclass(frozen=True)
class CreditNotes:
    """One entry per credit note: the item it belongs to, its day, its cents (positive, document currency), and
    whether it clears the item on that day or stays open."""

    item: Ints
    issued_on: Ints
    cents: Ints
    is_applied: Bools

    def applied_cents(self, rows: int) -> Ints:
        """Per item (`rows` of them) the cents cleared by credit notes."""
        cleared = np.zeros(rows, dtype=np.int64)
        cleared[self.item[self.is_applied]] = self.cents[self.is_applied]
        return cleared


def credit_notes(orders: Orders, conduct: Conduct, world: World) -> CreditNotes:
    """At most one credit note per item, dated before the payment that settles it."""
    draw = world.draw("credit notes")
    rows = len(orders.firm)
    returned_on = np.minimum(orders.issued_on + draw.integers(2, 21, rows), conduct.pays_on)
    is_disputed = conduct.disputed_on < NEVER
    issued_on = np.where(is_disputed, conduct.resolved_on, returned_on)
    is_applied = is_disputed | (draw.random(rows) >= _UNAPPLIED_SHARE)
    cents = np.rint(orders.document_cents * conduct.credited_share).astype(np.int64)
    item = np.flatnonzero(cents > 0)
    return CreditNotes(item, issued_on[item], cents[item], is_applied[item])
