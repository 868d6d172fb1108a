"""Customers that one of them can be measured against: rated alike, of its size and industry where enough are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.score.position_columns import text

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.master_scale import MasterScale

Width = Literal["size_and_industry", "size", "industry", "grade"]
# What the book is divided by, the closest likeness first.
_DIVISIONS: tuple[tuple[Width, tuple[str, ...]], ...] = (
    ("size_and_industry", ("size_class", "industry_section")),
    ("size", ("size_class",)),
    ("industry", ("industry_section",)),
    ("grade", ()),
)


@dataclass(frozen=True)
class Comparables:
    """Positions in the book of the comparable customers, and how wide the circle had to be drawn."""

    at: npt.NDArray[np.intp]
    width: Width


def comparables(
    book: pd.DataFrame, divided: pd.DataFrame, at: int, scale: MasterScale, fewest: int
) -> Comparables | None:
    """Others of the same status, the same grade or one better, and the same size and industry if that leaves `fewest`.

    `book` has rating_status and grade, `divided` size_class and industry_section (both may be missing), row by row;
    `at` is the customer's row. The circle widens to the size class, the industry, then all of those grades. Null where
    even that holds fewer than `fewest`: a quantile of a handful would tell of single customers.
    """
    notch = scale.position(text(book["grade"]))
    status = text(book["rating_status"])
    is_like = (status == status[at]) & ((notch == notch[at]) | (notch == notch[at] - 1))
    is_like[at] = False
    for width, columns in _DIVISIONS:
        within = _within(divided, columns, at)
        if within is None:
            continue
        found = np.flatnonzero(is_like & within)
        if len(found) >= fewest:
            return Comparables(found, width)
    return None


def _within(divided: pd.DataFrame, columns: tuple[str, ...], at: int) -> npt.NDArray[np.bool_] | None:
    """Who shares the customer's values; null where the customer has none of one."""
    within = np.ones(len(divided), dtype=bool)
    for column in columns:
        if column not in divided.columns:
            return None
        values = text(divided[column])
        if values[at] is None:
            return None
        within &= values == values[at]
    return within
