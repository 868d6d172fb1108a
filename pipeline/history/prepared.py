"""What follows from the ledger alone and many day views read: computed once, carried with the ledger."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pipeline.history.item_states import FOLLOWED, followed_states
from pipeline.history.paid_items import FOLLOWED_PAYMENTS, followed_payments
from pipeline.history.plain_items import ITEMS, MIXED, OTHERS, items, mixed_payments, other_items

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

_STEPS = {MIXED: mixed_payments, ITEMS: items, OTHERS: other_items, FOLLOWED: followed_states}


def prepared(ledger: Ledger, keep: Callable[[ir.Table, str], ir.Table]) -> Ledger:
    """The ledger with its items and their states computed once, under names that begin with history_.

    A ledger that was prepared comes back as it is. Every day view gives the same rows of either; it only costs less.
    """
    for name, derive in _STEPS.items():
        ledger = _with(ledger, name, derive, keep)
    return ledger


def with_payments(ledger: Ledger, keep: Callable[[ir.Table, str], ir.Table]) -> Ledger:
    """The prepared ledger with the payments of its followed items computed once as well, for `paid_items`."""
    return _with(ledger, FOLLOWED_PAYMENTS, followed_payments, keep)


def _with(
    ledger: Ledger, name: str, derive: Callable[[Ledger], ir.Table], keep: Callable[[ir.Table, str], ir.Table]
) -> Ledger:
    if name in ledger.derived:
        return ledger
    return dataclasses.replace(ledger, derived={**ledger.derived, name: keep(derive(ledger), f"history_{name}")})
