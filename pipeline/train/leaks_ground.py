"""What the leak detector reads and what it hands back: the labelled rows of a table, and findings with evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.score.feature_columns import category_column, number_column
from pipeline.train.splits import hashed_share

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import LabelParams, LeakParams
    from pipeline.train.label import Label
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Finding:
    """One suspicion: `verdict` is refuse, warn or accepted, `column` null where it is about the table as a whole.

    `told` says what was seen, `numbers` holds the same for a machine, `examples` are keys of rows, `remedy` says what
    to do. `accepted` is the reason a person gave for taking the finding on themselves.
    """

    check: str
    column: str | None
    verdict: str
    told: str
    remedy: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    accepted: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "check": self.check,
            "column": self.column,
            "verdict": self.verdict,
            "told": self.told,
            "remedy": self.remedy,
            "numbers": dict(self.numbers),
            "examples": list(self.examples),
            "accepted": self.accepted,
        }

    def text(self) -> str:
        """One line for a terminal."""
        where = self.check if self.column is None else f"{self.check}, {self.column}"
        shown = f", e.g. {self.examples[0]}" if self.examples else ""
        return f"{where}: {self.told}{shown}; {self.remedy}"


@dataclass(frozen=True)
class Half:
    """The rows of one half of the clusters: their positions, outcomes and clusters."""

    rows: Codes
    is_bad: Floats
    codes: Codes

    @property
    def has_both(self) -> bool:
        """There is a bad and a good row."""
        return bool(0 < self.is_bad.sum() < len(self.is_bad))


@dataclass(frozen=True)
class Ground:
    """The rows with a good or bad outcome as `sample`; `roles` is train, calibration, test or empty per row.

    `all_days` are the snapshot days of every row, with or without an outcome; none in a table without dates.
    `known_until` is the last day of which every event is known; null: not told.
    """

    sample: Sample
    roles: NDArray[np.object_]
    all_days: NDArray[np.datetime64]
    catalogue: Sequence[Mapping[str, Any]]
    label: LabelParams | Label
    settings: LeakParams
    known_until: dt.date | None = None

    @cached_property
    def customers(self) -> Codes:
        """The customer of each row as a number from 0."""
        return np.unique(self.sample.rows["customer_id"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def days(self) -> NDArray[np.datetime64]:
        """The snapshot day of each row; one and the same where the table has no dates."""
        if not len(self.all_days):
            return np.zeros(len(self.sample.is_bad), dtype="datetime64[D]")
        return self.sample.days.astype("datetime64[D]")

    @cached_property
    def dates(self) -> NDArray[np.datetime64]:
        """The different days with a labelled row, in order."""
        return np.unique(self.days)

    @property
    def has_window(self) -> bool:
        """The label tells how long after a row its outcome may come."""
        return self.label.window_months is not None or self.label.window_days is not None

    @cached_property
    def first_of_day(self) -> Codes:
        """For each row the position of the first row of its day."""
        _, first, day = np.unique(self.days, return_index=True, return_inverse=True)
        return np.asarray(first[day])

    @cached_property
    def halves(self) -> tuple[Half, Half]:
        """The clusters cut in two, bad ones and others each in halves, by a hash of their names."""
        names = np.unique(self.sample.clusters.astype(str))
        drawn = np.array([hashed_share(0, f"half:{name}") for name in names])
        is_bad = np.zeros(len(names), dtype=bool)
        is_bad[self.sample.codes[self.sample.is_bad == 1]] = True
        order = np.lexsort([drawn, is_bad])
        second = np.zeros(len(names), dtype=bool)
        second[order[1::2]] = True
        is_second = second[self.sample.codes]
        return self._half(~is_second), self._half(is_second)

    def _half(self, is_in: NDArray[np.bool_]) -> Half:
        return Half(np.flatnonzero(is_in), self.sample.is_bad[is_in], self.sample.codes[is_in])

    @property
    def has_both(self) -> bool:
        """There is a bad and a good row."""
        return bool(0 < self.sample.is_bad.sum() < len(self.sample.is_bad))

    def key(self, row: int) -> str:
        """Customer and day of a row, to be found again; the customer alone where there are no days."""
        customer = str(self.sample.rows["customer_id"].iloc[row])
        return f"{customer} on {self.sample.days[row]}" if len(self.all_days) else customer


@dataclass(frozen=True)
class Column:
    """One feature: `distinct` values in order and the position of each row's value among them, −1 for null."""

    name: str
    distinct: NDArray[Any]
    position: Codes
    is_category: bool

    @cached_property
    def is_known(self) -> NDArray[np.bool_]:
        """Rows with a value."""
        return self.position >= 0

    @cached_property
    def counts(self) -> Floats:
        """Rows of each distinct value."""
        return np.bincount(self.position[self.is_known], minlength=len(self.distinct)).astype(float)


def column_of(ground: Ground, feature: Mapping[str, Any]) -> Column:
    """Reads a feature of the labelled rows. Raises ContractError on infinities and on text where a number is needed."""
    name, rows = str(feature["name"]), ground.sample.rows
    if feature["holds"] == "category":
        position, texts = pd.factorize(category_column(rows, name)[0], sort=True)
        return Column(name, np.asarray(texts), position.astype(np.int64), is_category=True)
    values = number_column(rows, name)
    is_known = ~np.isnan(values)
    # Adding nothing makes −0 and 0 one value.
    numbers, inverse = np.unique(values[is_known] + 0.0, return_inverse=True)
    position = np.full(len(values), -1, dtype=np.int64)
    position[is_known] = inverse
    return Column(name, numbers, position, is_category=False)


def per_cent(share: float) -> str:
    """A share as text, with the digits that tell a little from nothing.

    >>> per_cent(0.5), per_cent(0.0123), per_cent(0.0004), per_cent(0)
    ('50 %', '1.2 %', '0.04 %', '0 %')
    """
    part = 100 * share
    return f"{part:.{0 if part >= 10 or part == 0 else 1 if part >= 1 else 2}f} %"
