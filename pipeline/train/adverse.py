"""Works out, from the training sample, at which values of a booster's features customers go bad more often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.adverse import AdverseFeature, AdverseValues, Cell
from pipeline.score.feature_columns import category_column, codes_of, number_column, without_codes
from pipeline.train.development import quantile_splits
from pipeline.train.sample import FEWEST_BAD_CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


_MOST_CELLS = 10


def adverse_values(sample: Sample, catalogue: Sequence[Mapping[str, Any]], names: Sequence[str]) -> AdverseValues:
    """The adverse values of the features `names`, each of which the catalogue has.

    `sample` is the training sample; every row weighs the same, as in the trees. A number with a direction has one
    neutral value, where the isotonic regression of `is_bad` on it crosses the sample's bad rate: beyond it values are
    adverse however few they are, for the catalogue says beforehand which way the risk goes; the safest value of the
    sample never is, for nothing of the feature could be better. A number without direction has a cell for each of ten
    values or fewer, else ten of about equal size, a text one for each category. These, a special code and null have
    their own rows alone to speak for them: they are adverse where the bad rate lies above the sample's and the bad rows
    are of 5 customers or more; fewer would tell names, not risks.
    """
    by_name = {str(entry["name"]): entry for entry in catalogue}
    rate = float(sample.is_bad.sum()) / len(sample.is_bad)
    return AdverseValues(rate, {name: _feature(sample, by_name[name]) for name in names})


def _feature(sample: Sample, entry: Mapping[str, Any]) -> AdverseFeature:
    name = str(entry["name"])
    if entry["holds"] == "category":
        texts, is_null = category_column(sample.rows, name)
        categories = tuple(sorted(set(texts[~is_null].tolist())))
        cells = tuple(_by_own_rows(sample, texts == text) for text in categories)
        return AdverseFeature(cells, _by_own_rows(sample, is_null), categories=categories)
    values, codes = number_column(sample.rows, name), codes_of(entry)
    numbers = without_codes(values, codes)
    risk = str(entry["risk"])
    splits, cells = _undirected(sample, numbers) if risk == "either" else _directed(sample, numbers, risk)
    special = tuple((code, _by_own_rows(sample, values == code)) for code in codes)
    return AdverseFeature(cells, _by_own_rows(sample, np.isnan(values)), splits, special)


def _directed(sample: Sample, numbers: Floats, risk: str) -> tuple[tuple[float, ...], tuple[Cell, ...]]:
    """The neutral value with the cells below it and from it on; one cell where no value is adverse."""
    distinct, excess = _excess_below(sample, numbers)
    whole = Cell(*_counted(sample, ~np.isnan(numbers)), is_adverse=False)
    if len(distinct) < 2:
        return (), (whole,)
    is_rising = risk == "rises"
    # Of equal sums that which leaves fewer values adverse: those whose rate is the sample's are not.
    below = len(distinct) - int(excess[:0:-1].argmin()) if is_rising else int(excess[:-1].argmax())
    if below in {0, len(distinct)}:
        return (), (whole,)
    split = float(distinct[below])
    lower = Cell(*_counted(sample, numbers < split), not is_rising)
    return (split,), (lower, Cell(*_counted(sample, numbers >= split), is_rising))


def _undirected(sample: Sample, numbers: Floats) -> tuple[tuple[float, ...], tuple[Cell, ...]]:
    distinct = np.unique(numbers[~np.isnan(numbers)])
    splits = distinct[1:].tolist() if len(distinct) <= _MOST_CELLS else _cuts(numbers, distinct)
    place = np.where(np.isnan(numbers), -1, np.searchsorted(splits, numbers, side="right"))
    return tuple(splits), tuple(_by_own_rows(sample, place == cell) for cell in range(len(splits) + 1))


def _cuts(numbers: Floats, distinct: Floats) -> list[float]:
    """Tenths of the numbers; where more than nine of them are the lowest number, that one and tenths of the others."""
    return quantile_splits(numbers) or [float(distinct[1]), *quantile_splits(numbers[numbers > distinct[0]])]


def _excess_below(sample: Sample, numbers: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The distinct numbers, rising; and below each of them, then in all, the bad rows beyond those of the sample's bad
    rate, in whole multiples of 1 / rows of the sample.

    A rising isotonic fit lies above the rate on the largest values over which that excess is greatest (from the
    max-min formulas: Robertson, Wright and Dykstra 1988, Order Restricted Statistical Inference, chapter 1).
    """
    is_known = ~np.isnan(numbers)
    distinct, place = np.unique(numbers[is_known], return_inverse=True)
    rows = np.bincount(place, minlength=len(distinct)).astype(np.int64)
    bads = np.bincount(place, sample.is_bad[is_known], len(distinct)).astype(np.int64)
    beyond = bads * len(sample.is_bad) - rows * int(sample.is_bad.sum())
    return distinct, np.concatenate([[0], np.cumsum(beyond)])


def _counted(sample: Sample, is_in: Mask) -> tuple[int, int]:
    return int(is_in.sum()), int(sample.is_bad[is_in].sum())


def _by_own_rows(sample: Sample, is_in: Mask) -> Cell:
    rows, bads = _counted(sample, is_in)
    customers = len(np.unique(sample.codes[is_in & (sample.is_bad == 1)]))
    # In whole numbers, so that a cell that is the whole sample does not lie above it by a rounding.
    is_above = bads * len(sample.is_bad) > rows * int(sample.is_bad.sum())
    return Cell(rows, bads, is_above and customers >= FEWEST_BAD_CUSTOMERS)
