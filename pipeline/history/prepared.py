"""What follows from the ledger alone and many day views read: computed once, carried with the ledger."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pipeline.history.item_states import FOLLOWED, followed_states
from pipeline.history.plain_items import ITEMS, OTHERS, items, other_items

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

_STEPS = {ITEMS: items, OTHERS: other_items, FOLLOWED: followed_states}


def prepared(ledger: Ledger, keep: Callable[[ir.Table, str], ir.Table]) -> Ledger:
    """The ledger with its items and their states computed once, under names that begin with history_.

    A ledger that was prepared comes back as it is. Every day view gives the same rows of either; it only costs less.
    """
    for name, derive in _STEPS.items():
        if name not in ledger.derived:
            found = keep(derive(ledger), f"history_{name}")
            ledger = dataclasses.replace(ledger, derived={**ledger.derived, name: found})
    return ledger
