"""What the circuit breakers compare of a night: counts and sums, added up part by part of the book."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline.score.drift import bin_counts
from pipeline.score.position_columns import money, number

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from pipeline.score.model import Model
    from pipeline.score.previous import PreviousRun

# PDs are added up as whole multiples of this, of which every sum is exact whatever its order; about 1e-12.
_PD_UNIT = 2.0**-40


class BookFigures:
    """Of the night and, where there is one, of the run before. PDs are added to twelve decimals.

    `steps` counts customers by the size of their move in notches; `of_both` has the customers with a PD on both days
    and the sums of it, then and now. `bins` are the rated customers in the bins of the model's development, by
    quantity, `nulls` those without a value, by feature.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.customers = self.customers_before = self.rated = 0
        self.open_amount = self.open_amount_before = Decimal("0.00")
        self.steps: Counter[int] = Counter()
        self.of_both = (0, 0.0, 0.0)
        self.segments: Counter[str] = Counter()
        self.segments_before: Counter[str] = Counter()
        self.bins: dict[str, list[int]] = {}
        self.nulls: dict[str, int] = dict.fromkeys(model.development.get("features", {}), 0)
        self._pd_units = [0, 0]

    def add(self, book: pa.Table, features: pd.DataFrame, previous: PreviousRun | None) -> None:
        """Adds some customers: their scored rows, the features in their order, and the run before with their rows."""
        self.customers += book.num_rows
        self.open_amount += pc.sum(book["open_amount"]).as_py() or 0
        self.segments.update(_counted(book["segment"]))
        self.steps.update(_counted(pc.abs(book["notches"])))
        is_rated = pc.equal(book["rating_status"], "rated").combine_chunks().to_numpy(zero_copy_only=False)
        self._add_features(features[is_rated])
        if previous is not None:
            self._add_before(book, previous.book)

    def _add_features(self, rated: pd.DataFrame) -> None:
        self.rated += len(rated)
        for name in self.nulls:
            self.nulls[name] += int(rated[name].isna().sum())
        for quantity, counts in bin_counts(self._model, rated).items():
            before = self.bins.get(quantity, [0] * len(counts))
            self.bins[quantity] = [a + b for a, b in zip(before, counts, strict=True)]

    def _add_before(self, book: pa.Table, before: pd.DataFrame) -> None:
        self.customers_before += len(before)
        cents = np.rint(np.nan_to_num(money(before["open_amount"])) * 100.0).astype(np.int64)
        self.open_amount_before += Decimal(int(cents.sum())) / 100
        self.segments_before.update(before["segment"].dropna().tolist())
        then = number(before.set_index("customer_id")["pd"].reindex(book["customer_id"].to_pylist()))
        now = book["pd"].to_numpy()
        known = ~np.isnan(then) & ~np.isnan(now)
        for at, values in enumerate((then, now)):
            self._pd_units[at] += int(np.rint(values[known] / _PD_UNIT).astype(np.int64).sum())
        then_units, now_units = self._pd_units
        self.of_both = (self.of_both[0] + int(known.sum()), then_units * _PD_UNIT, now_units * _PD_UNIT)


def _counted(column: pa.ChunkedArray) -> dict[Any, int]:
    """How often each value stands there; nulls do not count."""
    pairs = pc.value_counts(column.drop_null()).to_pylist()
    return {pair["values"]: pair["counts"] for pair in pairs}
