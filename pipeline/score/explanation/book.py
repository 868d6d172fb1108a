"""The explained book: one row per customer with the base, what each feature adds to it, and the raw score they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.score.calibration import log_odds_of_pd
from pipeline.score.crew import Done
from pipeline.score.explanation.contributions import Contributions, contributions_of
from pipeline.score.feature_columns import number_column, require_columns
from pipeline.score.position_columns import places_of, text
from pipeline.score.ranges import KEY, Ranges, frame_of
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.crew_line import Tables
    from pipeline.score.model import Model
    from pipeline.score.ranges import Rows

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

VALUE, BIN, CONTRIBUTION = "value_", "bin_", "contribution_"
EXPLAINED = "explained"
"""The table a job makes of its customers."""
ROWS_AT_ONCE = 32_768
OF_BOOK = (KEY, "rating_status", "model", "pd", "score")
"""What is read of the scored book."""
# What the last binary digit may do to a PD on another kind of processor; as for a model's golden rows.
_SAME_PD = 1e-12
_NUMBERS = ("base", "raw_score", "raw_log_odds", "calibrated_log_odds")


@dataclass(frozen=True)
class AsPublished:
    """Of the customers `asked` for whom a model or a card answers: how many have no features, how many come out with
    another PD or score than was published, and one example of what is wrong (empty: nothing is)."""

    asked: int = 0
    lacking: int = 0
    moved: int = 0
    example: str = ""

    def __add__(self, other: AsPublished) -> AsPublished:
        return AsPublished(
            self.asked + other.asked,
            self.lacking + other.lacking,
            self.moved + other.moved,
            self.example or other.example,
        )


def explained_schema(model: Model) -> pa.Schema:
    """The columns of an explained book of that model.

    `value_`, `bin_` and `contribution_` stand for each feature that the model or its thin-file card reads, in that
    order; there is a bin where a card reads it. Null means that whoever rated the customer does not read the feature;
    a null value beside a contribution is the customer's own. `unit` is that of base, contributions and raw score.
    """
    told = [
        pa.field("as_of", pa.date32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("run_id", "model_version", KEY, "rating_status")),
        pa.field("model", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("base", pa.float64()),
    ]
    categories, binned = _categories(model), _binned(model)
    for name in model.reads:
        told.append(pa.field(VALUE + name, pa.string() if name in categories else pa.float64()))
        told += [pa.field(BIN + name, pa.string())] if name in binned else []
        told.append(pa.field(CONTRIBUTION + name, pa.float64()))
    after = [pa.field(name, pa.float64()) for name in (*_NUMBERS[1:], "pd")]
    return pa.schema([*told, *after, pa.field("score", pa.int64())])


def parts_of(book: Rows, features: Rows, model: Model, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[Tables]:
    """So many customers of the scored book at a time, with the feature rows that there are of them; both in the order
    of customer_id. Raises ContractError naming the features that the model reads and the rows lack."""
    require_columns(features.schema.empty_table().to_pandas(), model.reads)
    customers = Ranges("scored book", book, OF_BOOK)
    known = Ranges("features", features, (KEY, *model.reads))
    while (some := customers.some(rows_at_once)).num_rows:
        yield {"book": some, "features": known.upto(some[KEY][-1].as_py())}


@dataclass(frozen=True)
class Explaining:
    """Explains some customers of a published run, each by itself; tells whether they come out as published.

    Customers in default, not rated or graded by hand have nothing to be explained by: their PD and score stand alone.
    """

    model: Model
    run_id: str
    as_of: dt.date

    def __call__(self, rows: Tables) -> Done:
        """The explained rows of a part of `parts_of`. Raises as `contributions_of`."""
        book, features = frame_of(rows["book"]), frame_of(rows["features"])
        at = places_of(book[KEY], features[KEY])
        columns = self._empty(len(book))
        made_by = book["model"].to_numpy(dtype=object)
        is_asked = (made_by == self.model.kind) | (made_by == "thin_file")
        for kind, told in ((self.model.kind, self._by_model), ("thin_file", self._by_thin_file)):
            rated = np.flatnonzero((made_by == kind) & (at >= 0))
            if len(rated):
                told(columns, rated, features.iloc[at[rated]].reset_index(drop=True))
        table = self._table(book, columns)
        return Done(_as_published(book, columns, is_asked, is_asked & (at < 0)), {EXPLAINED: table})

    def _by_model(self, columns: dict[str, Any], rated: Places, rows: pd.DataFrame) -> None:
        found = contributions_of(self.model.predictor, rows)
        calibrated = self.model.calibration.log_odds(found.log_odds)
        _put(columns, rated, found, rows)
        _put_pd(columns, rated, calibrated, self.model.calibration.pd(found.log_odds), self.model)

    def _by_thin_file(self, columns: dict[str, Any], rated: Places, rows: pd.DataFrame) -> None:
        """By the card of the pool, or without one by the pool's PD, which is the base and all there is."""
        thin = self.model.thin_file
        if thin.card is None:
            alike = np.full(len(rated), float(log_odds_of_pd(thin.pd)))
            nothing, no_bins = np.empty((len(rated), 0)), np.empty((len(rated), 0), dtype=np.int64)
            found = Contributions((), "log_odds", alike, nothing, alike, alike, no_bins)
        else:
            found = contributions_of(thin.card, rows)
        _put(columns, rated, found, rows)
        _put_pd(columns, rated, found.log_odds, thin.pd_of(rows), self.model)

    def _empty(self, rows: int) -> dict[str, Any]:
        """All columns that are reckoned here, null for everyone."""
        columns: dict[str, Any] = {}
        for field in explained_schema(self.model):
            kind = object if pa.types.is_string(field.type) else np.float64
            columns[field.name] = np.full(rows, None if kind is object else np.nan, dtype=kind)
        return columns

    def _table(self, book: pd.DataFrame, columns: Mapping[str, Any]) -> pa.Table:
        alike = {"run_id": self.run_id, "model_version": self.model.version}
        told = {name: text(book[name]) for name in (KEY, "rating_status", "model")}
        # What was published stands for those whom nothing here explains, and is what the others come out with.
        told |= {name: book[name].to_numpy(dtype=np.float64) for name in ("pd", "score")}
        schema = explained_schema(self.model)
        arrays = []
        for field in schema:
            if field.name == "as_of":
                arrays.append(pa.array(np.full(len(book), np.datetime64(self.as_of, "D")), field.type))
            elif field.name in alike:
                arrays.append(pa.repeat(pa.scalar(alike[field.name], field.type), len(book)))
            else:
                arrays.append(_array(told.get(field.name, columns[field.name]), field.type))
        return pa.Table.from_arrays(arrays, schema=schema)


def _put(columns: dict[str, Any], rated: Places, found: Contributions, rows: pd.DataFrame) -> None:
    columns["unit"][rated] = found.unit
    for name, values in (("base", found.base), ("raw_score", found.raw), ("raw_log_odds", found.log_odds)):
        columns[name][rated] = values
    for position, name in enumerate(found.names):
        columns[CONTRIBUTION + name][rated] = found.added[:, position]
        is_text = columns[VALUE + name].dtype == object
        columns[VALUE + name][rated] = text(rows[name]) if is_text else number_column(rows, name)
        if found.labels:
            labels = np.array(found.labels[position], dtype=object)
            columns[BIN + name][rated] = labels[found.bins[:, position]]


def _put_pd(columns: dict[str, Any], rated: Places, calibrated: Floats, pd_: Floats, model: Model) -> None:
    columns["calibrated_log_odds"][rated] = calibrated
    columns["pd"][rated], columns["score"][rated] = pd_, model.scaling.score(pd_)


def _as_published(
    book: pd.DataFrame, columns: Mapping[str, Any], is_asked: npt.NDArray[np.bool_], is_lacking: npt.NDArray[np.bool_]
) -> AsPublished:
    pd_, score = (book[name].to_numpy(dtype=np.float64) for name in ("pd", "score"))
    is_same = (np.abs(columns["pd"] - pd_) <= _SAME_PD) & (columns["score"] == score)
    is_moved = is_asked & ~is_lacking & ~is_same
    wrong, example = np.flatnonzero(is_lacking | is_moved), ""
    if len(wrong):
        at = wrong[0]
        what = "no features" if is_lacking[at] else f"PD {float(columns['pd'][at])!r} for {float(pd_[at])!r}"
        example = f"{book[KEY].iloc[at]!r}: {what}"
    return AsPublished(int(is_asked.sum()), int(is_lacking.sum()), int(is_moved.sum()), example)


def _cards(model: Model) -> list[Scorecard]:
    own = [model.predictor] if isinstance(model.predictor, Scorecard) else []
    return [*own, *([model.thin_file.card] if model.thin_file.card else [])]


def _binned(model: Model) -> set[str]:
    """The features that a card reads."""
    return {name for card in _cards(model) for name in card.features}


def _categories(model: Model) -> set[str]:
    """The features that are texts, by the entry of the catalogue."""
    return {str(entry["name"]) for entry in model.catalogue if entry.get("holds") == "category"}


def _array(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Arrow column; NaN and None are null."""
    if pa.types.is_integer(kind):
        is_null = np.isnan(values)
        return pa.array(np.where(is_null, 0, values).astype(np.int64), type=kind, mask=is_null)
    return pa.array(values, type=kind, from_pandas=True)
