"""Base amounts of payments, so that those of an invoice add up to its document sum converted once.

A row takes the place of the earlier revision of its payment. With D the document sum of the rows that are valid after
a row and B(D) that sum converted at the row's rate, the row's base amount is B now less B before, plus the base amount
of the revision it replaces: after it the valid base amounts add up to B(D).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.rate_columns import RateColumn

    Whole = NDArray[np.int64]


def posted(
    documents: Whole, rates: RateColumn, *, books: Whole, payments: Whole, days: tuple[Whole, Whole], ids: pa.Array
) -> Whole:
    """The base cents of every row, in the rows' order.

    `books` numbers the invoices, `payments` the payments; rows of a book are taken in the order of `days` (known, paid)
    and of the payment's `ids`, then as they stand.
    """
    order = _in_order(books, days, ids)
    book, cents = books[order], documents[order]
    starts = np.flatnonzero(np.diff(book, prepend=book[:1] - 1))
    chain = np.argsort(book * (payments.max(initial=0) + 1) + payments[order], kind="stable")
    pair = (book[chain], payments[order][chain])
    follows = np.zeros(len(order), bool)
    follows[1:] = (pair[0][1:] == pair[0][:-1]) & (pair[1][1:] == pair[1][:-1])
    replaced = np.zeros(len(order), np.int64)
    replaced[chain[follows]] = cents[chain[np.flatnonzero(follows) - 1]]
    totals = _sums_within(cents - replaced, starts)
    converted = rates.take(order).convert(totals)
    steps = converted - np.concatenate([[0], converted[:-1]])
    steps[starts] = converted[starts]
    found = np.empty(len(order), np.int64)
    found[order[chain]] = _sums_within(steps[chain], np.flatnonzero(~follows))
    return found


def _in_order(books: Whole, days: tuple[Whole, Whole], ids: pa.Array) -> Whole:
    """Rows by book, days and the payment's id; ids are compared only where all else is equal."""
    order = np.lexsort((days[1], days[0], books))
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in (books, *days):
        same &= key[order][1:] == key[order][:-1]
    tied = np.zeros(len(order), bool)
    tied[1:] |= same
    tied[:-1] |= same
    rows = order[tied]
    if not len(rows):
        return order
    rank = np.zeros(len(order), np.int64)
    by_id = pc.sort_indices(pc.fill_null(ids.take(pa.array(rows)), "")).to_numpy()
    texts = pc.fill_null(ids.take(pa.array(rows[by_id])), "")
    changes = np.concatenate([[0], np.cumsum(pc.not_equal(texts[1:], texts[:-1]).to_numpy(zero_copy_only=False))])
    rank[rows[by_id]] = changes
    return np.lexsort((rank, days[1], days[0], books))


def _sums_within(values: Whole, starts: Whole) -> Whole:
    """Running sums that begin anew at every start; the first row is one."""
    sums = np.cumsum(values)
    lengths = np.diff(np.append(starts, len(values)))
    before = sums[starts] - values[starts]
    return sums - np.repeat(before, lengths)
