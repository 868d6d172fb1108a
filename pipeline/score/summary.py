"""Counts and control totals of a scored book, as its manifest tells them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_COUNTED = {"by_status": "rating_status", "by_grade": "grade", "by_segment": "segment", "by_action": "limit_action"}
TOTALLED = ("open_amount", "overdue_amount", "ead", "expected_loss", "limit_current", "limit_suggested")


class Tally:
    """Rows counted and money added up, part by part of a book."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts: dict[str, Counter[str]] = {title: Counter() for title in _COUNTED}
        self._totals = dict.fromkeys(TOTALLED, Decimal("0.00"))

    def __add__(self, other: Tally) -> Tally:
        total = Tally()
        for one in (self, other):
            total.rows += one.rows
            for title, count in one._counts.items():
                total._counts[title].update(count)
            for name, amount in one._totals.items():
                total._totals[name] += amount
        return total

    def add(self, book: pa.Table) -> None:
        """Counts further customers."""
        self.rows += book.num_rows
        for title, column in _COUNTED.items():
            pairs = pc.value_counts(book[column]).to_pylist()
            self._counts[title].update({pair["values"] or "none": pair["counts"] for pair in pairs})
        for name in TOTALLED:
            self._totals[name] += pc.sum(book[name]).as_py() or 0

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by each value, in the order of the values."""
        return {title: dict(sorted(count.items())) for title, count in self._counts.items()}

    @property
    def totals(self) -> dict[str, str]:
        """Sums of the money columns as text, nulls left out."""
        return {name: str(total) for name, total in self._totals.items()}

    def summary(self, notes: Sequence[str] = (), planned: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """Counts by status, grade, segment and action (null is "none") and sums of money as text, to the cent.

        `planned` are totals that no column of the book adds up to: what its limits are expected to lose.
        """
        return {"counts": self.counts, "totals": self.totals | dict(planned or {}), "notes": list(notes)}


def tally_of(book: pa.Table) -> Tally:
    """Of a whole book."""
    tally = Tally()
    tally.add(book)
    return tally
