"""Outcomes of rows and their customers, and how many of both each bin holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

_MOST_CELLS = 50_000_000
"""Customers times bins up to which a table of flags (a byte each) is quicker than sorting the pairs."""


@dataclass(frozen=True)
class Outcomes:
    """1.0 where a row is bad, and the number of the customer group it belongs to: all that bins are weighed by."""

    is_bad: Floats
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, sample: Sample) -> Outcomes:
        """Those of all rows of a sample."""
        return cls(sample.is_bad, sample.codes)

    @cached_property
    def bad_customers(self) -> int:
        """Groups with a bad row."""
        return int(np.count_nonzero(np.bincount(self.groups[self.is_bad == 1])))

    @cached_property
    def groups_at_most(self) -> int:
        """One more than the greatest number of a group."""
        return int(self.groups.max(initial=-1)) + 1

    def part(self, is_in: NDArray[np.bool_]) -> Outcomes:
        """The rows where the mask is true; the groups keep their numbers."""
        return self if is_in.all() else Outcomes(self.is_bad[is_in], self.groups[is_in])


@dataclass(frozen=True)
class BinCounts:
    """Per bin: rows by outcome, and customer groups seen with that outcome."""

    bads: Floats
    goods: Floats
    bad_customers: Floats
    good_customers: Floats

    def is_enough(self, settings: ScorecardParams) -> NDArray[np.bool_]:
        """True for bins with as many bad and good customers as the settings ask for."""
        return (self.bad_customers >= settings.min_bads_per_bin) & (self.good_customers >= settings.min_goods_per_bin)


def counted(codes: NDArray[Any], outcomes: Outcomes, bins: int) -> BinCounts:
    """Counts of the rows, whose bins from 0 to `bins` − 1 the codes name."""
    cells = codes.astype(np.int64) * 2 + (outcomes.is_bad == 1)
    rows = np.bincount(cells, minlength=2 * bins).reshape(bins, 2).astype(float)
    pairs = _distinct(outcomes.groups * (2 * bins) + cells, outcomes.groups_at_most * 2 * bins)
    customers = np.bincount(pairs % (2 * bins), minlength=2 * bins).reshape(bins, 2).astype(float)
    return BinCounts(bads=rows[:, 1], goods=rows[:, 0], bad_customers=customers[:, 1], good_customers=customers[:, 0])


def _distinct(numbers: NDArray[np.int64], below: int) -> NDArray[np.int64]:
    """The distinct numbers in rising order, all of them from 0 to `below` − 1."""
    if below > _MOST_CELLS:
        return np.unique(numbers)
    is_there = np.zeros(below, dtype=np.bool_)
    is_there[numbers] = True
    return np.flatnonzero(is_there)
