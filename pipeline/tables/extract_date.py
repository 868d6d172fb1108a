"""The day a ledger was drawn, from the ledger itself: nothing is compared with a clock."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH = dt.date(1970, 1, 1)
# A ledger speaks of its whole life; rows that stand more than a year beyond all others are slips, not news.
_LONGEST_GAP_DAYS = 366
_LARGEST_STRAY_SHARE = 0.01


def extract_date_of(known_on: Sequence[pa.ChunkedArray], declared: dt.date | None) -> dt.date | None:
    """The declared date; without one the largest `known_on`, slips aside; null when there is none.

    Rows are slips when they are at most 1 % of the ledger and more than a year later than every other row (a 2109 for
    2019 would otherwise move the extract date, and with it the day that is scored). They then break the rule that no
    event is after the extract date.
    """
    if declared is not None:
        return declared
    days = [column.drop_null().cast(pa.int32()).to_numpy() for column in known_on]
    together = np.concatenate(days) if days else np.empty(0, np.int32)
    if len(together) == 0:
        return None
    distinct, counts = np.unique(together, return_counts=True)
    later = np.cumsum(counts[::-1])[::-1]
    gaps = np.flatnonzero(np.diff(distinct) > _LONGEST_GAP_DAYS)
    slips = [gap for gap in gaps if later[gap + 1] <= _LARGEST_STRAY_SHARE * len(together)]
    last = distinct[slips[0]] if slips else distinct[-1]
    return _EPOCH + dt.timedelta(days=int(last))
