"""What an early-warning rule may look at, by name, and where each column of a night comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from pipeline.score.position_columns import money, number, places_of, text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import numpy.typing as npt

    from pipeline.score.alert_sections import LookBack
    from pipeline.score.master_scale import MasterScale
    from pipeline.score.rating import Rating

Kind: TypeAlias = Literal["number", "money", "grade", "text"]

_MONEY = (
    "open_amount", "overdue_amount", "disputed_amount", "committed_orders_amount", "limit_current",
    "billing_12m_amount", "cover_amount", "equity_amount",
)  # fmt: skip
_NUMBERS = (
    "max_days_past_due", "mean_terms_days", "covered_share", "invoices_due_12m_count", "history_months",
    "group_default_count",
)  # fmt: skip
_TEXTS = ("industry", "region", "country", "size_class", "group_id")
# As positions are built, who is not there owes nothing: the same as a row with nothing in it.
_NOTHING_IS_ZERO = frozenset({
    "open_amount", "overdue_amount", "disputed_amount", "committed_orders_amount", "billing_12m_amount", "cover_amount",
    "max_days_past_due", "invoices_due_12m_count", "history_months",
})  # fmt: skip

_POSITION: Mapping[str, Kind] = {
    **dict.fromkeys(_MONEY, "money"), **dict.fromkeys(_NUMBERS, "number"), **dict.fromkeys(_TEXTS, "text"),
}  # fmt: skip
_SEEN: Mapping[str, Kind] = {"pd": "number", "score": "number", "grade": "grade"}
_RATING: Mapping[str, Kind] = {
    **_SEEN,
    **dict.fromkeys(("status", "segment", "model", "data_depth"), "text"),
}
KNOWN: Mapping[str, Mapping[str, Kind]] = {
    "position": _POSITION,
    "month_before.position": _POSITION,
    "rating": _RATING,
    "run_before.rating": _SEEN,
    "look_back.rating": _SEEN,
}
"""The columns by where they are looked at; features stand below `feature` and `month_before.feature`."""
FEATURE_PLACES = ("feature", "month_before.feature")


@dataclass(frozen=True)
class Column:
    """A column aligned to the positions: `values` to compare (NaN for null; null texts None), `told` to tell, and the
    earlier day it is of (null: the day itself)."""

    kind: Kind
    values: npt.NDArray[Any]
    told: npt.NDArray[Any]
    on: dt.date | None = None


@dataclass(frozen=True)
class RatingSeen:
    """The ratings of an earlier run, any order of customers: customer_id, pd, score, grade."""

    as_of: dt.date
    book: pd.DataFrame


@dataclass(frozen=True)
class Night:
    """What the rules look at, row by row: a rule never looks at another row, so that a part of the customers is judged
    as the whole is.

    `features` is aligned to the positions. `positions_before` and `features_before` are of `month_before`, any order of
    customers; `run_before` is the newest earlier run, `look_back` the one policy compares with. Null: there is none.
    """

    positions: pd.DataFrame
    features: pd.DataFrame
    rating: Rating
    scale: MasterScale
    as_of: dt.date
    month_before: dt.date | None = None
    positions_before: pd.DataFrame | None = None
    features_before: pd.DataFrame | None = None
    run_before: RatingSeen | None = None
    look_back: RatingSeen | None = None

    @cached_property
    def customers(self) -> npt.NDArray[np.object_]:
        """customer_id of each row."""
        return text(self.positions["customer_id"])

    @cached_property
    def _found(self) -> dict[str, Column | None]:
        return {}

    @cached_property
    def _rows_in(self) -> dict[str, npt.NDArray[np.int64]]:
        return {}

    @cached_property
    def _by_status(self) -> dict[tuple[str, ...], npt.NDArray[np.bool_]]:
        return {}

    def has_status(self, statuses: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Whose rating status is one of these."""
        if statuses not in self._by_status:
            self._by_status[statuses] = is_among(self.rating.status, statuses)
        return self._by_status[statuses]

    def column(self, name: str) -> Column | None:
        """The column of that name (see `KNOWN`); null where it cannot be had tonight."""
        if name not in self._found:
            self._found[name] = self._column(name)
        return self._found[name]

    def _column(self, name: str) -> Column | None:
        place, _, column = name.rpartition(".")
        if place == "rating":
            return self._rating(column)
        if place in {"run_before.rating", "look_back.rating"}:
            return self._seen(place, self.run_before if place == "run_before.rating" else self.look_back, column)
        frame, on = self._frame(place)
        if frame is None or column not in frame.columns:
            return None
        is_before = place.startswith("month_before.")
        values = self._aligned(place, frame, column) if is_before else frame[column]
        kind = kind_of(place, column, values)
        if kind == "text":
            return Column(kind, text(values), text(values), on)
        numbers = money(values) if kind == "money" else number(values)
        if place == "month_before.position" and column in _NOTHING_IS_ZERO:
            numbers = np.nan_to_num(numbers)
        return Column(kind, numbers, numbers, on)

    def _frame(self, place: str) -> tuple[pd.DataFrame | None, dt.date | None]:
        return {
            "position": (self.positions, None),
            "feature": (self.features, None),
            "month_before.position": (self.positions_before, self.month_before),
            "month_before.feature": (self.features_before, self.month_before),
        }[place]

    def _aligned(self, place: str, frame: pd.DataFrame, column: str) -> pd.Series:
        """A column of another day in the order of tonight's customers; looked up once for all columns of a place."""
        if place not in self._rows_in:
            self._rows_in[place] = places_of(self.positions["customer_id"], frame["customer_id"])
        return frame[column].reset_index(drop=True).reindex(self._rows_in[place])

    def _rating(self, column: str) -> Column:
        found = getattr(self.rating, column)
        kind = _RATING[column]
        return Column(kind, _notches(self.scale, found) if kind == "grade" else found, found)

    def _seen(self, place: str, seen: RatingSeen | None, column: str) -> Column | None:
        if seen is None or column not in seen.book.columns:
            return None
        values = self._aligned(place, seen.book, column)
        if column == "grade":
            names = text(values)
            return Column("grade", _notches(self.scale, names), names, seen.as_of)
        return Column("number", number(values), number(values), seen.as_of)


def kind_of(place: str, column: str, values: pd.Series) -> Kind:
    """The kind of a column of positions or features; a feature's is that of its values."""
    if place in KNOWN:
        return KNOWN[place][column]
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"


def is_among(values: npt.NDArray[np.object_], names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Which texts are one of the names; a null is none."""
    found: npt.NDArray[np.bool_] = pd.Series(values, dtype=object).isin(names).to_numpy(dtype=bool)
    return found


def _notches(scale: MasterScale, grades: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """`scale.position` by one look-up of the whole column."""
    at = pd.Index(scale.names_with_default, dtype=object).get_indexer(pd.Index(grades, dtype=object))
    found: npt.NDArray[np.float64] = np.where(at < 0, np.nan, at.astype(np.float64))
    return found


def day_looked_back_to(days: list[dt.date], as_of: dt.date, rule: LookBack) -> dt.date | None:
    """Of the days of earlier runs the one that a rule on `look_back` compares with; null when there is none.

    The newest that is at least `days` old and at most `at_most_days`; without one the oldest that is younger.

    >>> from pipeline.score.alert_sections import LookBack
    >>> ends = [dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)]
    >>> day_looked_back_to(ends, dt.date(2025, 5, 31), LookBack(90, 135))
    datetime.date(2025, 2, 28)
    """
    ages = {(as_of - day).days: day for day in days if day < as_of}
    old = [age for age in ages if rule.days <= age <= rule.at_most_days]
    young = [age for age in ages if age < rule.days]
    if old:
        return ages[min(old)]
    return ages[max(young)] if young else None
