"""Counts and control totals of a scored book, as its manifest tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_COUNTED = {"by_status": "rating_status", "by_grade": "grade", "by_segment": "segment", "by_action": "limit_action"}
TOTALLED = ("open_amount", "overdue_amount", "ead", "expected_loss", "limit_current", "limit_suggested")


def summary_of(
    book: pa.Table, notes: Sequence[str] = (), planned: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """Counts by status, grade, segment and action (null is "none") and sums of money as text, to the cent.

    `planned` are totals that no column of the book adds up to: what its limits are expected to lose.
    """
    return {"counts": counts_of(book), "totals": totals_of(book) | dict(planned or {}), "notes": list(notes)}


def counts_of(book: pa.Table) -> dict[str, dict[str, int]]:
    """Rows by each value, in the order of the values."""
    counts = {}
    for title, column in _COUNTED.items():
        pairs = pc.value_counts(book[column]).to_pylist()
        counts[title] = dict(sorted((pair["values"] or "none", pair["counts"]) for pair in pairs))
    return counts


def totals_of(book: pa.Table) -> dict[str, str]:
    """Sums of the money columns as text, nulls left out."""
    return {name: str(pc.sum(book[name]).as_py() or "0.00") for name in TOTALLED}
