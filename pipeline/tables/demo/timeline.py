"""The months of the economy: a burn-in, then the months of the ledger, the last of which ends on the extract date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.economy import LAST_MONTH

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Ints

NEVER = 2_000_000
"""A day (since 1970-01-01) that never comes."""


@dataclass(frozen=True)
class Timeline:
    """Month starts and ends as days since 1970-01-01; month `burn_in` is the first of the ledger."""

    burn_in: int
    starts: Ints
    ends: Ints

    @property
    def count(self) -> int:
        """Months in all, burn-in included."""
        return len(self.starts)

    @property
    def first_day(self) -> int:
        """First day of the ledger."""
        return int(self.starts[self.burn_in])

    @property
    def last_day(self) -> int:
        """Last day of the ledger: its extract date."""
        return int(self.ends[-1])

    def month_of(self, days: Ints) -> Ints:
        """Index of each day's month, clipped to the timeline."""
        found: Ints = np.searchsorted(self.starts, days, side="right") - 1
        return np.clip(found, 0, self.count - 1)


def timeline(months: int, burn_in: int) -> Timeline:
    """The timeline of a ledger of that many months."""
    after_last = np.datetime64(LAST_MONTH, "M") + 1
    firsts = np.arange(after_last - (months + burn_in), after_last + 1).astype("datetime64[D]").astype(np.int64)
    return Timeline(burn_in=burn_in, starts=firsts[:-1], ends=firsts[1:] - 1)


def next_working_day(days: Ints) -> Ints:
    """Saturdays and Sundays become the Monday after; 1970-01-01 was a Thursday."""
    weekday = (days + 3) % 7
    return days + np.where(weekday >= 5, 7 - weekday, 0)
