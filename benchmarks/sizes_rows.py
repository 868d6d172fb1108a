"""Rows of a made-up book as arrays, for tests that read no more: thousands of books in the time of a hundred frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.sizes_book import SETTINGS, TESTED
from benchmarks.sizes_tenures import CYCLE, LAST
from pipeline.statistics.clustered import distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.sizes_tenures import Tenures

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """One entry a customer and month: PD, outcome, customer group as a number from 0, month."""

    pd: Floats
    is_bad: Floats
    codes: NDArray[np.int64]
    month: NDArray[np.int64]

    def newest(self) -> Rows:
        """Those of the last month."""
        is_in = self.month == LAST
        return Rows(self.pd[is_in], self.is_bad[is_in], self.codes[is_in], self.month[is_in])

    @property
    def is_enough(self) -> bool:
        """As the validation asks: so many bad customers; good ones there are."""
        return distinct(self.codes[self.is_bad == 1]) >= SETTINGS.min_bad_customers


def arrays_of(book: Tenures, months: Sequence[int] = TESTED) -> Rows:
    """The rows of one book; a tied pair is one customer group."""
    standing = [(month, book.at(month)) for month in months]
    pd, slot, number = (
        np.concatenate([getattr(one, name) for _, one in standing]) for name in ("pd", "slot", "number")
    )
    leader = np.where(slot % CYCLE == 1, slot - 1, slot)
    groups = leader * 1000 + np.where(leader % CYCLE == 0, 0, number)
    is_bad = np.concatenate([one.is_bad_from(month) for month, one in standing]).astype(float)
    month = np.concatenate([np.full(len(one.slot), month) for month, one in standing])
    return Rows(pd, is_bad, np.unique(groups, return_inverse=True)[1].astype(np.int64), month)
