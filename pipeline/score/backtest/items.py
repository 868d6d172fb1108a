"""The deliveries of the past as arrays: what each added to the exposure of its customer, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.portfolio.amounts import whole_cents

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NEVER = 10**7
"""A day number after every day."""


@dataclass(frozen=True)
class Items:
    """Invoices and debit notes, ordered by invoice_id, and the changes of what stands open of them.

    `customers`: their names, sorted; `customer` and all else of an item by its place. Days are days since 1970-01-01,
    amounts whole cents of the base currency. `month`: the replayed month whose limit a delivery met, -1 for what was
    delivered before the replay. `is_delivery`: an invoice within the replay, which a limit can refuse.
    """

    invoice_id: NDArray[np.object_]
    customers: NDArray[np.object_]
    customer: Ints
    issued: Ints
    amount: Ints
    month: Ints
    is_delivery: Flags
    stretches: Stretches

    def open_on(self, days: Ints) -> Ints:
        """What stood open of each item at the end of its day in `days`, written off or not; 0 for `NEVER`."""
        told = self.stretches
        wanted = days[told.item]
        is_then = (told.from_on <= wanted) & (told.until_on > wanted) & (wanted < NEVER)
        found = np.zeros(len(self.customer), dtype=np.int64)
        np.add.at(found, told.item[is_then], told.open[is_then])
        return found


@dataclass(frozen=True)
class Stretches:
    """Days `from_on` <= day < `until_on` in which `open` of an item (its place) stood open; `counts_until` is the day
    on which it ceases to count against a limit, by settlement or by write-off."""

    item: Ints
    from_on: Ints
    until_on: Ints
    counts_until: Ints
    open: Ints


def items_of(rows: pa.Table, months: Sequence[dt.date]) -> Items:
    """From the rows of labels/deliveries.py, of items that stood open after the first of the months or came later."""
    names, item = np.unique(rows["invoice_id"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    at = np.full(len(names), -1, dtype=np.int64)
    at[item[::-1]] = np.arange(len(item) - 1, -1, -1)
    customers, customer = np.unique(
        rows["customer_id"].to_numpy(zero_copy_only=False)[at].astype(str), return_inverse=True
    )
    issued = day_numbers(rows["issued_on"])[at]
    ends = np.array([np.datetime64(day, "D").astype(np.int64) for day in months])
    month = np.searchsorted(ends, issued, side="left") - 1
    is_invoice = rows["kind"].to_numpy(zero_copy_only=False)[at] == "invoice"
    until, off = day_numbers(rows["until_on"]), day_numbers(rows["written_off_on"])
    return Items(
        names.astype(object),
        customers.astype(object),
        customer.astype(np.int64),
        issued,
        whole_cents(rows["amount"])[at],
        month,
        is_invoice & (month >= 0),
        Stretches(
            item.astype(np.int64),
            day_numbers(rows["from_on"]),
            until,
            np.minimum(until, off),
            whole_cents(rows["open_amount"]),
        ),
    )


def day_numbers(column: pa.ChunkedArray) -> Ints:
    """Days since 1970-01-01; null and 9999-12-31 are `NEVER`."""
    days = pd.Series(column.cast("int32").to_pandas()).fillna(NEVER).to_numpy(dtype=np.int64)
    capped: Ints = np.minimum(days, NEVER)
    return capped
