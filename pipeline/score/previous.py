"""Earlier runs as they were published: the previous one with all of it, an older one with its ratings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.score.ranges import ParquetRows, Ranges, frame_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy


BOOK_COLUMNS = (
    "customer_id", "rating_status", "pd", "score", "grade", "segment", "model", "open_amount", "limit_suggested",
    "limit_binding_cap",
)  # fmt: skip
"""What a night looks at in the book before."""
RATINGS = ("customer_id", "pd", "score", "grade")
"""What alert rules look at in an older book."""


@dataclass(frozen=True)
class PreviousRun:
    """The newest published run of an earlier day; `manifest_sha256` is what names it in the next manifest. `book` has
    BOOK_COLUMNS at least.

    `model` is null when its folder is gone or damaged, `policy` when the manifest's text can no longer be read.
    """

    as_of: dt.date
    run_id: str
    manifest_sha256: str
    model_version: str
    policy_version: str
    book: pd.DataFrame
    alerts: pd.DataFrame
    policy: Policy | None = None
    model: Model | None = None


@dataclass(frozen=True)
class PreviousFolder:
    """A previous run whose rows are read when they are needed; `head` tells all else and has none."""

    head: PreviousRun
    folder: Path

    def book(self) -> Ranges:
        """BOOK_COLUMNS of its book from the front, a range of customers at a time."""
        return Ranges("previous scored_book", ParquetRows(self.folder / "scored_book.parquet"), BOOK_COLUMNS)

    def alerts(self) -> Ranges:
        """Its alerts, as its book."""
        return Ranges("previous alerts", ParquetRows(self.folder / "alerts.parquet"))

    def whole(self) -> PreviousRun:
        """All of its rows in memory."""
        return with_rows(self.head, self.book().rest(), self.alerts().rest())


def with_rows(head: PreviousRun, book: pa.Table, alerts: pa.Table) -> PreviousRun:
    """The run with those rows of its book and its alerts."""
    return replace(head, book=frame_of(book), alerts=frame_of(alerts))


@dataclass(frozen=True)
class EarlierRun:
    """An older published run whose ratings alert rules look back to; its rows are read when they are needed."""

    as_of: dt.date
    run_id: str
    manifest_sha256: str
    folder: Path

    def ratings(self) -> Ranges:
        """customer_id, pd, score and grade from the front, a range of customers at a time."""
        return Ranges("earlier scored_book", ParquetRows(self.folder / "scored_book.parquet"), RATINGS)


def no_rows(schema: pa.Schema, columns: Sequence[str]) -> pd.DataFrame:
    """A frame of those columns without a row."""
    frame: pd.DataFrame = schema.empty_table().select(list(columns)).to_pandas()
    return frame
