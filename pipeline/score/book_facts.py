"""What the limits of one customer need to know of the whole book, in one small object that adds up over parts of it.

The book may be handed in as one or in any pieces: everything held is a whole number, so the sum is the same. Memory is
bounded but for two numbers and the name of each group (score/group_totals.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.group_totals import GroupTotals
from pipeline.score.position_columns import cents, money, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from pipeline.score.limit_caps import OwnCaps

    Whole = npt.NDArray[np.int64]

# Losses are told apart to one part in 4,096; below 8,192 cents exactly.
_BITS = 12
_EXACT = 1 << _BITS
_HAIR = 1e-6
# The largest loss told apart: 2^52 cents, about 4.5e13.
_MOST = (1 << 52) - 1
_BUCKETS = (52 - _BITS + 1) * _EXACT


@dataclass(frozen=True, eq=False)
class BookFacts:
    """Totals of a book, or of a part of it, in cents of the base currency.

    `ead` and `billing` (12 months, not below 0) of all customers; `groups` by group_id; `loss_by_hand`: expected loss
    of the limits set by hand; `loss_counts` and `loss_sums`: customers and expected loss of the limits that the others
    would have by their own caps, by size of that loss (`bucket_of`).
    """

    ead: int
    billing: int
    groups: GroupTotals
    loss_by_hand: int
    loss_counts: Whole
    loss_sums: Whole

    @classmethod
    def nothing(cls) -> BookFacts:
        """Facts of no customer at all: where a sum begins."""
        return cls(0, 0, GroupTotals(), 0, np.zeros(_BUCKETS, dtype=np.int64), np.zeros(_BUCKETS, dtype=np.int64))

    def __add__(self, other: BookFacts) -> BookFacts:
        return BookFacts(
            self.ead + other.ead,
            self.billing + other.billing,
            self.groups + other.groups,
            self.loss_by_hand + other.loss_by_hand,
            self.loss_counts + other.loss_counts,
            self.loss_sums + other.loss_sums,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BookFacts):
            return NotImplemented
        mine, theirs = ((f.ead, f.billing, f.groups, f.loss_by_hand) for f in (self, other))
        same_losses = np.array_equal(self.loss_counts, other.loss_counts)
        return mine == theirs and same_losses and np.array_equal(self.loss_sums, other.loss_sums)

    __hash__ = None  # type: ignore[assignment]

    def group_rows(self, names: Sequence[str]) -> pa.Table:
        """The totals of these groups, a row each."""
        return self.groups.rows(names)

    def with_groups(self, rows: pa.Table) -> BookFacts:
        """The same with the groups of `group_rows` and no others: enough for whoever is in none but them."""
        return replace(self, groups=GroupTotals((rows,)))

    @property
    def loss_wanted(self) -> int:
        """Expected loss, in cents, if every customer had the limit of its own caps."""
        return self.loss_by_hand + int(self.loss_sums.sum())

    def waterline(self, budget: int) -> int | None:
        """The largest loss per customer, in cents, that keeps the book within the budget; null when nothing is over.

        w is the largest with Σ min(loss, w) <= budget − loss by hand. Within the bucket that holds it every loss counts
        as w, so that w may be one part in 4,096 too small, and the sum is never over. 0 when the limits set by hand
        alone use the budget up.
        """
        if self.loss_wanted <= budget:
            return None
        room = max(budget - self.loss_by_hand, 0)
        last = int(np.flatnonzero(self.loss_counts).max(initial=0))
        counts, sums = self.loss_counts[: last + 1], self.loss_sums[: last + 1]
        below = np.cumsum(sums) - sums
        at_or_above = counts[::-1].cumsum()[::-1]
        # The book's loss with w at the floor of each bucket; it rises from one to the next.
        at_floor = below + at_or_above * _floor_of(np.arange(last + 1))
        place = int(np.searchsorted(at_floor, room, side="right")) - 1
        if not at_or_above[place]:
            return 0
        return (room - int(below[place])) // int(at_or_above[place])


def book_facts(own: OwnCaps) -> BookFacts:
    """The facts of the customers handed in; add up those of all parts of the book before any limit is suggested."""
    judged = own.judged
    billing = np.maximum(np.nan_to_num(money(judged.positions["billing_12m_amount"])), 0.0)
    loss = loss_at(own, own.limit)
    counts, sums = _by_size(loss[own.is_reckoned])
    return BookFacts(
        ead=_total(judged.exposure.ead),
        billing=_total(billing),
        groups=_groups(own),
        loss_by_hand=int(loss[own.is_by_hand & judged.rating.is_graded].sum()),
        loss_counts=counts,
        loss_sums=sums,
    )


def loss_at(own: OwnCaps, limit: npt.NDArray[np.float64]) -> Whole:
    """Expected loss of each limit drawn in full, PD × LGD × limit, in cents rounded up; 0 where there is no grade."""
    judged = own.judged
    lost = np.where(judged.rating.is_graded, judged.rating.pd * judged.exposure.rates.loss(limit), 0.0)
    # A hair below a whole cent is that cent: the last digits of a product are none of money.
    whole: Whole = np.ceil(np.nan_to_num(lost) * 100.0 - _HAIR).astype(np.int64)
    return np.maximum(whole, 0)


def _groups(own: OwnCaps) -> GroupTotals:
    codes, names = pd.factorize(text(own.judged.positions["group_id"]), use_na_sentinel=True)
    has_group = codes >= 0
    taken = np.zeros(len(names), dtype=np.int64)
    wanted = np.zeros(len(names), dtype=np.int64)
    # Whoever is not graded keeps what is open, whoever has a limit by hand keeps it.
    held = np.where(own.is_by_hand & own.judged.rating.is_graded, own.limit, own.judged.exposure.ead)
    free = own.is_reckoned
    np.add.at(taken, codes[has_group & ~free], cents(np.nan_to_num(held[has_group & ~free])))
    np.add.at(wanted, codes[has_group & free], cents(own.limit[has_group & free]))
    return GroupTotals.of([str(name) for name in names], taken, wanted)


def _by_size(loss: Whole) -> tuple[Whole, Whole]:
    """Counts and sums of losses in cents by bucket."""
    bounded = np.minimum(loss, _MOST)
    bucket = bucket_of(bounded)
    sums = np.zeros(_BUCKETS, dtype=np.int64)
    np.add.at(sums, bucket, bounded)
    return np.bincount(bucket, minlength=_BUCKETS).astype(np.int64), sums


def bucket_of(loss: Whole) -> npt.NDArray[np.intp]:
    """The bucket of each loss: by its twelve leading binary digits and its size.

    >>> bucket_of(np.array([0, 8191, 8192, 8193, 8194])).tolist()
    [0, 8191, 8192, 8192, 8193]
    """
    size = np.maximum(np.frexp(loss.astype(np.float64))[1].astype(np.int64) - _BITS - 1, 0)
    bucket: npt.NDArray[np.intp] = ((size << _BITS) + (loss >> size)).astype(np.intp)
    return bucket


def _floor_of(bucket: npt.NDArray[np.intp]) -> Whole:
    """The smallest loss of each bucket."""
    number: Whole = bucket.astype(np.int64)
    size: Whole = np.maximum(number // _EXACT - 1, 0)
    floor: Whole = (number - size * _EXACT) << size
    return floor


def _total(amounts: npt.NDArray[np.float64]) -> int:
    return int(cents(np.nan_to_num(amounts)).sum())
