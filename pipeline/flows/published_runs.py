"""The runs that were published, day by day, as those who look back at them read them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from pipeline.errors import DamagedRunError, MissingInputError
from pipeline.score.run_check import hash_breaches, read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

_LINK = "as_of="
# A run this many days from the day looked for still stands for it: month ends fall on weekends.
_NEAR = 10


@dataclass(frozen=True)
class PublishedRun:
    """A whole run of a day; what it holds is read when it is asked for."""

    as_of: dt.date
    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run tells of itself."""
        return read_manifest(self.folder)

    def book(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The scored book, or some columns of it."""
        return pq.read_table(
            self.folder / "scored_book.parquet", columns=None if columns is None else list(columns),
            page_checksum_verification=True,
        )  # fmt: skip

    def alerts(self) -> pd.DataFrame:
        """The alerts of the run, days as plain dates."""
        columns = ["as_of", "customer_id", "rule", "severity", "state", "opened_on"]
        rows = pq.read_table(self.folder / "alerts.parquet", columns=columns, page_checksum_verification=True)
        frame: pd.DataFrame = rows.to_pandas()
        return frame


def published_runs(out: Path, until: dt.date) -> list[PublishedRun]:
    """Every published run of a day up to `until`, oldest first. Raises DamagedRunError when one is damaged."""
    found = []
    for run in linked_runs(out):
        if run.as_of <= until:
            breaches = hash_breaches(run.folder)
            if breaches:
                raise DamagedRunError(
                    f"{out}/{_LINK}{run.as_of}: the run is damaged ({breaches[0]}); restore it or publish its day again"
                )
            found.append(run)
    return found


def linked_runs(out: Path) -> list[PublishedRun]:
    """The run that each `as_of=DATE` points to, oldest first; not one file of them is looked at."""
    links = [(_day(link.name), link) for link in sorted(out.glob(f"{_LINK}*"))]
    return [PublishedRun(day, link.resolve()) for day, link in links if day is not None]


def nearest(runs: Sequence[PublishedRun], day: dt.date, before: dt.date) -> PublishedRun | None:
    """The run of a day before `before` that lies nearest to `day`, ten days off at most; null without one."""
    near = [one for one in runs if one.as_of < before and abs((one.as_of - day).days) <= _NEAR]
    return min(near, key=lambda one: (abs((one.as_of - day).days), one.as_of), default=None)


def run_of(out: Path, as_of: dt.date | None) -> PublishedRun:
    """The run of a day, or the latest. Raises MissingInputError without one, DamagedRunError when it is damaged."""
    link = out / (f"{_LINK}{as_of}" if as_of else "latest")
    if not link.is_dir():
        days = [day for day in (_day(path.name) for path in sorted(out.glob(f"{_LINK}*"))) if day is not None]
        there = f"published are {days[0]} to {days[-1]}" if days else "no day is"
        raise MissingInputError(f"{link}: no published run here, {there}; run creditbook score --as-of DATE first")
    breaches = hash_breaches(link)
    if breaches:
        raise DamagedRunError(f"{link}: the run is damaged ({breaches[0]}); restore it or publish its day again")
    return PublishedRun(dt.date.fromisoformat(read_manifest(link)["as_of"]), link.resolve())


def _day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(name.removeprefix(_LINK))
    except ValueError:
        # `publish` refuses such a link; who only reads passes it by.
        return None
