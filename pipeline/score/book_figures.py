"""What the circuit breakers compare of a night: counts and sums, added up part by part of the book."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline.score.drift import binned
from pipeline.score.master_scale import DEFAULT_GRADE
from pipeline.score.position_columns import money

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from pipeline.score.drift import Binned
    from pipeline.score.model import Model
    from pipeline.score.previous import PreviousRun

# PDs are added up as whole multiples of this, of which every sum is exact whatever its order; about 1e-12.
_PD_UNIT = 2.0**-40


class BookFigures:
    """Of the night and, where there is one, of the run before. PDs are added to twelve decimals. Figures of parts of a
    book add up to those of the book.

    `steps` counts customers by the size of their move in notches. `of_both` has the customers with a PD on both days
    and in default on neither, and the sums of it, then and now: in default it is 1 and does not move. `fallen` has the
    customers with a grade on both days that were not in default then, and how many of them now are. `bins` are the
    rated customers in the bins of the model's development with their groups, null before anybody is counted; `nulls`
    those without a value, by feature.
    """

    def __init__(self) -> None:
        self.customers = self.customers_before = self.rated = 0
        self.open_amount = self.open_amount_before = Decimal("0.00")
        self.steps: Counter[int] = Counter()
        self.segments: Counter[str] = Counter()
        self.segments_before: Counter[str] = Counter()
        self.bins: Binned | None = None
        self.nulls: Counter[str] = Counter()
        self.fallen = [0, 0]
        self._of_both = [0, 0, 0]

    @property
    def of_both(self) -> tuple[int, float, float]:
        """Customers with a PD on both days and in default on neither, and the sums of it."""
        both, then, here = self._of_both
        return both, then * _PD_UNIT, here * _PD_UNIT

    def __add__(self, other: BookFigures) -> BookFigures:
        total = BookFigures()
        for one in (self, other):
            for name in ("customers", "customers_before", "rated", "open_amount", "open_amount_before"):
                setattr(total, name, getattr(total, name) + getattr(one, name))
            for name in ("steps", "segments", "segments_before", "nulls"):
                getattr(total, name).update(getattr(one, name))
            if one.bins is not None:
                total.bins = one.bins if total.bins is None else total.bins + one.bins
            total.fallen = _summed(total.fallen, one.fallen)
            total._of_both = _summed(total._of_both, one._of_both)
        return total

    @classmethod
    def of(cls, model: Model, book: pa.Table, features: pd.DataFrame, previous: PreviousRun | None) -> BookFigures:
        """Of some customers: their scored rows, the features in their order, and the run before with their rows."""
        figures = cls()
        figures._add_book(book)
        is_rated = pc.equal(book["rating_status"], "rated").combine_chunks().to_numpy(zero_copy_only=False)
        groups = book["group_id"].to_numpy()[is_rated]
        figures._add_features(model, features[is_rated], groups)
        if previous is not None:
            figures._add_before(book, previous.book)
        return figures

    def _add_book(self, book: pa.Table) -> None:
        self.customers += book.num_rows
        self.open_amount += pc.sum(book["open_amount"]).as_py() or 0
        self.segments.update(_counted(book["segment"]))
        self.steps.update(_counted(pc.abs(book["notches"])))

    def _add_features(self, model: Model, rated: pd.DataFrame, groups: npt.NDArray[np.object_]) -> None:
        self.rated += len(rated)
        self.bins = binned(model, rated, groups)
        self.nulls.update({name: int(rated[name].isna().sum()) for name in model.development.get("features", {})})

    def _add_before(self, book: pa.Table, before: pd.DataFrame) -> None:
        self.customers_before += len(before)
        cents = np.rint(np.nan_to_num(money(before["open_amount"])) * 100.0).astype(np.int64)
        self.open_amount_before += Decimal(int(cents.sum())) / 100
        self.segments_before.update(before["segment"].dropna().tolist())
        then, now = book["pd_previous"].to_numpy(), book["pd"].to_numpy()
        was_in_default, is_in_default = (_in_default(book[name]) for name in ("grade_previous", "grade"))
        at_risk = pc.and_(pc.is_valid(book["grade_previous"]), pc.is_valid(book["grade"])).to_numpy() & ~was_in_default
        self.fallen = [int(at_risk.sum()), int((at_risk & is_in_default).sum())]
        known = ~np.isnan(then) & ~np.isnan(now) & ~was_in_default & ~is_in_default
        units = (int(np.rint(values[known] / _PD_UNIT).astype(np.int64).sum()) for values in (then, now))
        self._of_both = [int(known.sum()), *units]


def _in_default(grade: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    is_default: npt.NDArray[np.bool_] = pc.fill_null(pc.equal(grade, DEFAULT_GRADE), fill_value=False).to_numpy()
    return is_default


def _counted(column: pa.ChunkedArray) -> dict[Any, int]:
    """How often each value stands there; nulls do not count."""
    pairs = pc.value_counts(column.drop_null()).to_pylist()
    return {pair["values"]: pair["counts"] for pair in pairs}


def _summed(first: list[int], second: list[int]) -> list[int]:
    return [a + b for a, b in zip(first, second, strict=True)]
