"""Deliveries met by limits: which of them a path of limits would have refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.score.backtest.items import Items

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NO_LIMIT = np.iinfo(np.int64).max
"""Stands for a customer without a limit: deliveries are not checked against any."""


@dataclass(frozen=True)
class Movements:
    """What adds to and takes from the exposure of each customer, in the order in which it counts: by customer and day;
    on one day settlements come before deliveries, deliveries by invoice_id. The same for every policy."""

    customer: Ints
    item: Ints
    is_issue: Flags
    change: Ints
    exposure_before: Ints

    @property
    def bounds(self) -> Ints:
        """Where the movements of each customer begin, and the end of the last."""
        starts = np.flatnonzero(np.diff(self.customer, prepend=-1))
        return np.append(starts, len(self.customer))


def movements_of(items: Items) -> Movements:
    """Every change of an open amount: plus at the beginning of a stretch, minus at its end."""
    told = items.stretches
    lasts = told.counts_until > told.from_on
    start, end = told.from_on[lasts], told.counts_until[lasts]
    item, amount = told.item[lasts], told.open[lasts]
    at = np.concatenate([item, item])
    day = np.concatenate([start, end])
    change = np.concatenate([amount, -amount])
    is_issue = np.concatenate([start == items.issued[item], np.zeros(len(item), dtype=bool)])
    customer = items.customer[at]
    order = np.lexsort((at, is_issue, day, customer))
    customer, at, is_issue, change = customer[order], at[order], is_issue[order], change[order]
    total = np.cumsum(change)
    before = total - change
    first = np.searchsorted(customer, customer, side="left")
    return Movements(customer, at, is_issue, change, before - before[first])


def refused(items: Items, movements: Movements, limits: Ints) -> Flags:
    """One flag per item: a delivery that would have taken the exposure above the limit in force.

    `limits` has one row per month and one column per customer of `items`: whole cents, 0 while held, `NO_LIMIT` for
    none. A delivery is let through whole or not at all; what was refused never stood open, so that it leaves room for
    the next; what was let through is paid as it was in truth. What is paid in advance needs no room.
    """
    month = np.maximum(items.month, 0)
    limit = np.where(items.is_delivery, limits[month, items.customer], NO_LIMIT)
    room = limit[movements.item]
    is_met = movements.is_issue & (movements.change > 0) & (movements.exposure_before > room - movements.change)
    found = np.zeros(len(items.customer), dtype=bool)
    bounds = movements.bounds
    begins = np.searchsorted(bounds, np.flatnonzero(is_met), side="right") - 1
    # Whoever never met the limit was let through as in truth: only the others are walked through.
    for place in np.unique(begins):
        _walk(movements, slice(int(bounds[place]), int(bounds[place + 1])), room, found)
    return found


def _walk(movements: Movements, of_customer: slice, room: Ints, found: Flags) -> None:
    """Follows the exposure of one customer and marks what is refused."""
    rows = zip(
        movements.item[of_customer].tolist(),
        movements.is_issue[of_customer].tolist(),
        movements.change[of_customer].tolist(),
        room[of_customer].tolist(),
        strict=True,
    )
    exposure, out = 0, set()
    for item, is_issue, change, limit in rows:
        if item in out:
            continue
        if is_issue and change > 0 and exposure + change > limit:
            out.add(item)
            continue
        exposure += change
    found[list(out)] = True
