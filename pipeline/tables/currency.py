"""Rates as they were known, and amounts in the base currency at the rate of the document's day."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.contract import Kind
from pipeline.tables.formats import one_chunk
from pipeline.tables.money import cents_of, money_of, times
from pipeline.tables.rate_columns import RateColumn, rate_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.tables.contract import Table

# The day whose rate converts a row, by table; payments and disputes follow their invoice.
RATE_DAY: Mapping[str, str] = {"invoices": "issued_on", "financials": "period_end", "limits": "valid_from"}


@dataclass(frozen=True)
class Rate:
    """Base currency for one unit, as an exact fraction."""

    numerator: int
    denominator: int

    def convert(self, cents: int) -> int:
        """Cents in the base currency, rounded half to even."""
        return times(cents, self.numerator, self.denominator)

    def convert_to(self, other: Rate, cents: int) -> int:
        """Cents in the currency of the other rate, rounded half to even once."""
        return times(cents, self.numerator * other.denominator, self.denominator * other.numerator)


ONE = Rate(1, 1)


class Rates:
    """The rates handed in. The base currency is 1; any other without a rate has none, never an assumed 1."""

    def __init__(self, fx_rates: pa.Table | None, base_currency: str) -> None:
        self.base_currency = base_currency
        self._series: dict[str, list[tuple[int, int, Rate]]] = {}
        self._found: dict[tuple[str, int, int], Rate | None] = {}
        if fx_rates is None:
            return
        ordered = fx_rates.sort_by([(name, "ascending") for name in ("currency", "rate_on", "known_on")])
        days, known = days_of(ordered["rate_on"]).tolist(), days_of(ordered["known_on"]).tolist()
        for i, currency in enumerate(ordered["currency"].to_pylist()):
            rate = _exact(ordered["rate"][i].as_py())
            self._series.setdefault(currency, []).append((days[i], known[i], rate))

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies with a rate, and the base currency."""
        return tuple(sorted({self.base_currency, *self._series}))

    def rate(self, currency: str, day: int, known_on: int) -> Rate | None:
        """The latest rate on or before `day`, in its latest revision known by `known_on`; null without one.

        Days count from 1970-01-01. A row keeps the rate that was known when the row was, so that a rate handed in
        later changes no earlier day.
        """
        if currency == self.base_currency:
            return ONE
        asked = (currency, day, known_on)
        if asked not in self._found:
            self._found[asked] = self._search(*asked)
        return self._found[asked]

    def _search(self, currency: str, day: int, known_on: int) -> Rate | None:
        series = self._series.get(currency, [])
        at = bisect_right(series, day, key=lambda entry: entry[0])
        for _, known, rate in reversed(series[:at]):
            if known <= known_on:
                return rate
        return None


def _exact(rate: float) -> Rate:
    numerator, denominator = Decimal(repr(rate)).as_integer_ratio()
    return Rate(numerator, denominator)


def days_of(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """Days from 1970-01-01; null reads as the day 0."""
    days: NDArray[np.int64] = pc.fill_null(one_chunk(column).cast(pa.int32()), 0).to_numpy().astype(np.int64)
    return days


def is_foreign(column: pa.ChunkedArray | pa.Array, base_currency: str) -> NDArray[np.bool_]:
    """Rows in another currency than the base; null is not foreign."""
    foreign = pc.fill_null(pc.not_equal(one_chunk(column), base_currency), False)  # noqa: FBT003
    mask: NDArray[np.bool_] = foreign.to_numpy(zero_copy_only=False)
    return mask


@dataclass(frozen=True)
class ForeignRows:
    """The rows in a foreign currency, by position, and what each is converted at."""

    positions: NDArray[np.int64]
    rates: RateColumn


def rates_of_rows(table: Table, rows: pa.Table, rates: Rates) -> ForeignRows:
    """The rate of every row in a foreign currency."""
    positions = np.flatnonzero(is_foreign(rows["currency"], rates.base_currency))
    foreign = rows.select(["currency", RATE_DAY[table.name], "known_on"]).take(pa.array(positions))
    named = one_chunk(foreign["currency"]).dictionary_encode()
    days, known = (days_of(foreign[name]) for name in (RATE_DAY[table.name], "known_on"))
    numbers = named.indices.to_numpy().astype(np.int64)
    return ForeignRows(positions, rate_column(rates, named.dictionary.to_pylist(), numbers, days, known))


def without_rate(table: Table, rows: pa.Table, rates: Rates) -> NDArray[np.bool_]:
    """Rows in a currency that had no rate on their day."""
    mask = np.zeros(rows.num_rows, bool)
    foreign = rates_of_rows(table, rows, rates)
    mask[foreign.positions[~foreign.rates.is_known]] = True
    dated: NDArray[np.bool_] = pc.and_(rows[RATE_DAY[table.name]].is_valid(), rows["known_on"].is_valid()).to_numpy()
    return mask & dated


def in_base_currency(table: Table, rows: pa.Table, rates: Rates) -> pa.Table:
    """The rows with every amount in the base currency, and the canonical columns that intake adds.

    `amount_document` keeps the amount as handed in. Every currency must have a rate.
    """
    if table.name == "invoices":
        rows = rows.append_column("amount_document", rows["amount"])
    if table.name not in RATE_DAY:
        return rows
    found = rates_of_rows(table, rows, rates)
    if not len(found.positions):
        return rows
    money = [c.name for c in table.columns if c.kind is Kind.MONEY]
    for name in money:
        rows = rows.set_column(rows.column_names.index(name), name, _converted(rows[name], found))
    return rows


def _converted(column: pa.ChunkedArray, found: ForeignRows) -> pa.Array:
    cents = cents_of(column)
    cents[found.positions] = found.rates.convert(cents[found.positions])
    return money_of(cents, column)
