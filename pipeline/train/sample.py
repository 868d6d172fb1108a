"""The rows a model is fitted on: features, outcomes and the cluster of each row, in one total order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UnfitForTrainingError
from pipeline.train.splits import as_days, customer_groups

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.train.splits import Timetable

# Below these a model would learn names, not risks.
FEWEST_CUSTOMERS = 30
FEWEST_BAD_CUSTOMERS = 5


@dataclass(frozen=True)
class Sample:
    """Rows sorted by (as_of, customer_id); `clusters` names the group of customers a row belongs to.

    Every row weighs the same, for the model is asked about customers in the book on a day. That one customer stands in
    many rows is minded where it matters: errors, folds, thresholds and intervals go by cluster.
    """

    rows: pd.DataFrame
    is_bad: NDArray[np.float64]
    clusters: NDArray[np.object_]
    days: NDArray[np.object_]

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The cluster of each row as a number from 0, in the order of the clusters' names."""
        return np.unique(self.clusters.astype(str), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def bad_customers(self) -> int:
        """Clusters with a bad row."""
        return len(np.unique(self.codes[self.is_bad == 1]))

    @cached_property
    def customers(self) -> int:
        """Clusters in all."""
        return int(self.codes.max()) + 1 if len(self.codes) else 0

    def part(self, is_in: NDArray[np.bool_]) -> Sample:
        """The rows where the mask is true."""
        return Sample(self.rows[is_in], self.is_bad[is_in], self.clusters[is_in], self.days[is_in])

    def counts(self) -> dict[str, Any]:
        """Rows, bad rows, customers, bad customers and the default rate."""
        n = len(self.is_bad)
        return {
            "rows": n,
            "bads": int(self.is_bad.sum()),
            "customers": self.customers,
            "bad_customers": self.bad_customers,
            "default_rate": float(self.is_bad.sum() / n) if n else None,
        }


def samples(book: pd.DataFrame, table: Timetable) -> dict[str, Sample]:
    """One sample per role: train, calibration, test, out_of_time (all customers at the test dates) and all.

    Only rows with a good or bad outcome are kept.
    """
    days = np.array(as_days(book["as_of"]), dtype="datetime64[D]")
    order = np.lexsort([book["customer_id"].to_numpy(dtype=str), days])
    # Groups and roles are drawn from the whole book: a tie seen in a row without outcome binds all the same.
    clusters = customer_groups(book).to_numpy(dtype=object)[order]
    sorted_book = book.iloc[order]
    role = table.role(sorted_book).to_numpy(dtype=object)
    late = table.is_out_of_time(sorted_book).to_numpy(dtype=bool)
    is_known = sorted_book["is_bad"].notna().to_numpy(dtype=bool)
    known = sorted_book[is_known].reset_index(drop=True)
    whole = Sample(
        rows=known,
        is_bad=known["is_bad"].to_numpy(dtype=float),
        clusters=clusters[is_known],
        days=np.array(as_days(known["as_of"]), dtype=object),
    )
    role, late = role[is_known], late[is_known]
    parts = {name: whole.part(role == name) for name in ("train", "calibration", "test")}
    return {**parts, "out_of_time": whole.part(late), "all": whole}


def require_trainable(sample: Sample, dates: Sequence[dt.date]) -> None:
    """Raises UnfitForTrainingError when the training rows cannot carry a model; tells what was found and what helps.

    `dates` are those of the training, in order; none for rows without dates.
    """
    require_customers(sample, dates)
    found, told = sample.counts(), _told(sample, dates)
    if not found["bads"]:
        raise UnfitForTrainingError(
            f"{told}, none of which defaulted in its window; a model needs bad outcomes: hand in a longer history, or "
            "choose a label that happens (label.kind: late)"
        )
    if sample.bad_customers < FEWEST_BAD_CUSTOMERS or found["bads"] == found["rows"]:
        raise UnfitForTrainingError(
            f"{told}, of which {found['bads']:,} rows of {sample.bad_customers} group(s) are bad; a model needs "
            f"{FEWEST_BAD_CUSTOMERS} bad groups and some good rows: hand in a longer history or a broader label"
        )


def require_customers(sample: Sample, dates: Sequence[dt.date]) -> None:
    """Raises UnfitForTrainingError when the rows are of too few customer groups, whatever their outcomes."""
    if sample.customers < FEWEST_CUSTOMERS:
        example = f", e.g. {sample.clusters[0]!r}" if sample.customers else ""
        raise UnfitForTrainingError(
            f"{_told(sample, dates)}{example}; a model needs {FEWEST_CUSTOMERS} or more: hand in more customers, or "
            "correct group_id where unrelated customers share one"
        )


def _told(sample: Sample, dates: Sequence[dt.date]) -> str:
    span = f"from {dates[0]} to {dates[-1]}" if dates else "on rows without dates"
    return f"training {span}: {len(sample.is_bad):,} rows of {sample.customers:,} customer group(s)"
