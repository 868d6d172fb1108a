"""The life of alerts over past days, as the nights would have led it: when one opened, how long it stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lives:
    """By day and customer, shape (days, customers): `opened` on that day, `stands` (new or open) on that day.

    `is_told`, by day: the rule was judged, and had been on an earlier day, so that what opens was not already there.
    """

    opened: Flags
    stands: Flags
    is_told: Flags


def lives_of(bites: Flags, is_judged: Flags, days: Sequence[dt.date], open_days: int) -> Lives:
    """Follows the alerts of one rule through the days, oldest first.

    `bites`: shape (days, customers). `is_judged`: by day; on a day on which the rule could not be judged alerts stay as
    they were. An alert that opened less than `open_days` ago stays.

    >>> import datetime as dt
    >>> days = [dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)]
    >>> found = lives_of(np.array([[True, False], [False, True], [False, True]]), np.ones(3, dtype=bool), days, 0)
    >>> found.opened.tolist(), found.stands.tolist()
    ([[True, False], [False, True], [False, False]], [[True, False], [False, True], [False, True]])
    """
    opened, stands = np.zeros_like(bites), np.zeros_like(bites)
    is_told = np.zeros(len(days), dtype=bool)
    since = np.zeros(bites.shape[1], dtype=np.int64)
    before = np.zeros(bites.shape[1], dtype=bool)
    was_judged = False
    for at, day in enumerate(days):
        if not is_judged[at]:
            stands[at] = before
            continue
        rests = before & (day.toordinal() - since < open_days)
        stands[at] = bites[at] | rests
        opened[at] = stands[at] & ~before
        since[opened[at]] = day.toordinal()
        is_told[at] = was_judged
        before, was_judged = stands[at], True
    return Lives(opened, stands, is_told)
