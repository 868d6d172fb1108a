"""What became of each delivery: the day it is judged on, and what was lost of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.backtest.items import NEVER, day_numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.score.backtest.items import Items

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]

# Customers and days in one number: a day is below it.
_DAYS = NEVER + 1


@dataclass(frozen=True)
class Outcomes:
    """Per item, told with all that is known today.

    `is_of_defaulter`: the customer was in default when it was delivered, or defaulted after, by the end of the window.
    `open_at_default`: whole cents that stood open on the day of that default, or at the end of the window where the
    customer was in default already; 0 otherwise. `is_judged`: of a month that counts.
    """

    is_of_defaulter: Flags
    open_at_default: Ints
    is_judged: Flags


def outcomes_of(items: Items, defaults: pa.Table, window_ends: Ints, is_judged: Flags) -> Outcomes:
    """Judges every delivery by the first default that began on its day or later and by `window_ends` of its month.

    `defaults` are of labels/deliveries.py; `window_ends` and `is_judged` are told by month.
    """
    begun, in_default = _met(items, defaults)
    month = np.maximum(items.month, 0)
    end = window_ends[month]
    judged = np.where(in_default, end, np.where(begun <= end, begun, NEVER))
    judged = np.where(items.is_delivery, judged, NEVER)
    return Outcomes(judged < NEVER, items.open_on(judged), is_judged[month] & items.is_delivery)


def _met(items: Items, defaults: pa.Table) -> tuple[Ints, Flags]:
    """The first default that begins on the day of delivery or later (`NEVER`: none), and whether one was running."""
    names = defaults["customer_id"].to_numpy(zero_copy_only=False).astype(str)
    at = np.searchsorted(items.customers.astype(str), names)
    is_here = np.isin(names, items.customers.astype(str))
    start, end = day_numbers(defaults["started_on"])[is_here], day_numbers(defaults["ended_on"])[is_here]
    customer = at[is_here]
    order = np.lexsort((start, customer))
    start, end, customer = start[order], end[order], customer[order]
    keys = customer.astype(np.int64) * _DAYS + start
    place = np.searchsorted(keys, items.customer * _DAYS + items.issued, side="left")
    after = np.minimum(place, max(len(keys) - 1, 0))
    before = np.maximum(place - 1, 0)
    if not len(keys):
        return np.full(len(items.customer), NEVER, dtype=np.int64), np.zeros(len(items.customer), dtype=bool)
    begun = np.where((place < len(keys)) & (customer[after] == items.customer), start[after], NEVER)
    running = (place > 0) & (customer[before] == items.customer) & (end[before] > items.issued)
    return begun, running
