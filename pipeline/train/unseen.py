"""The rows that can judge between two models: customers and dates that neither was fitted or calibrated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pipeline.train.sample import Sample


@dataclass(frozen=True)
class TrainedOn:
    """What a model has seen: the customers of its training and calibration rows, and the first day of its test.

    Dates before `first_test` belong to training, calibration or the windows purged after them; null where the rows
    have no dates.
    """

    customers: frozenset[str]
    first_test: dt.date | None


@dataclass(frozen=True)
class Unseen:
    """`sample` is what is left, `left_out` counts rows by why they are not: `customers` first, then `dates`."""

    sample: Sample
    left_out: dict[str, int]
    first_day: dt.date | None

    def as_json(self) -> dict[str, Any]:
        """Counts in plain values."""
        first = None if self.first_day is None else self.first_day.isoformat()
        return {**self.sample.counts(), "left_out": dict(self.left_out), "first_as_of": first}


def unseen(rows: Sample, seen: Sequence[TrainedOn]) -> Unseen:
    """The rows with an outcome whose customer group no model has seen a member of, at days that are test for all."""
    known = frozenset().union(*(one.customers for one in seen))
    customers = rows.rows["customer_id"].astype(str).to_numpy(dtype=object)
    touched = np.unique(rows.clusters[np.array([name in known for name in customers], dtype=bool)].astype(str))
    is_seen = np.isin(rows.clusters.astype(str), touched)
    firsts = [one.first_test for one in seen if one.first_test is not None]
    first_day = max(firsts) if firsts else None
    is_early = np.zeros(len(is_seen), dtype=bool)
    if first_day is not None:
        is_early = np.array([day is None or day < first_day for day in rows.days], dtype=bool)
    left_out = {"customers": int(is_seen.sum()), "dates": int((is_early & ~is_seen).sum())}
    return Unseen(rows.part(~is_seen & ~is_early), left_out, first_day)
