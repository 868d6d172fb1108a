"""Rates and conversion for whole columns: each rate is looked up once per currency and day, cents in one sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.tables.money import fitting, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.tables.currency import Rate, Rates

    Whole = NDArray[np.int64]

NO_RATE = -1
# Products and their doubled remainders below this fit into 63 bits.
_ROOM = 2**61
_LARGEST_CENTS = 10**18


@dataclass(frozen=True)
class RateColumn:
    """The rate of every row as a position in `rates`; NO_RATE where there is none."""

    codes: Whole
    rates: tuple[Rate, ...]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Rows that have a rate."""
        known: NDArray[np.bool_] = self.codes != NO_RATE
        return known

    def take(self, positions: Whole) -> RateColumn:
        """The rates of those rows."""
        return RateColumn(self.codes[positions], self.rates)

    def convert(self, cents: Whole) -> Whole:
        """Cents in the base currency, rounded half to even; a row without a rate keeps its own.

        Raises ContractError for an amount that DECIMAL(18,2) cannot hold.
        """
        found = cents.copy()
        at = np.flatnonzero(self.is_known)
        if not len(at):
            return found
        parts = np.array([_parts(rate) for rate in self.rates], dtype=np.int64)[self.codes[at]]
        numerators, denominators, asked = parts[:, 0], parts[:, 1], cents[at]
        is_small = (numerators > 0) & (np.abs(asked) <= _ROOM // np.maximum(numerators, 1))
        found[at[is_small]] = _rounded(asked[is_small], numerators[is_small], denominators[is_small])
        for place in at[~is_small].tolist():
            rate = self.rates[self.codes[place]]
            found[place] = times(int(cents[place]), rate.numerator, rate.denominator)
        return found


def _parts(rate: Rate) -> tuple[int, int]:
    """Numerator and denominator; zeros where they need more than machine words."""
    is_small = 0 < rate.numerator < _ROOM and rate.denominator < _ROOM
    return (rate.numerator, rate.denominator) if is_small else (0, 0)


def _rounded(cents: Whole, numerators: Whole, denominators: Whole) -> Whole:
    whole, rest = np.divmod(cents * numerators, denominators)
    twice = 2 * rest
    whole += (twice > denominators) | ((twice == denominators) & (whole % 2 == 1))
    too_large = np.flatnonzero(np.abs(whole) >= _LARGEST_CENTS)
    if len(too_large):
        fitting(int(whole[too_large[0]]))
    return whole


def rate_column(rates: Rates, currencies: Sequence[str | None], named: Whole, days: Whole, known: Whole) -> RateColumn:
    """The rate of each row: of `currencies[named]` (a negative number, or null, has none), as of its day and as known.

    Each distinct triple is looked up once; ledgers repeat theirs.
    """
    rows = np.stack([named, days, known]).astype(np.int64)
    low = rows.min(axis=1, initial=0)
    widths = rows.max(axis=1, initial=0) - low + 1
    shifted = rows - low[:, None]
    packed = (shifted[0] * widths[1] + shifted[1]) * widths[2] + shifted[2]
    encoded = pa.array(packed).dictionary_encode()
    triples = encoded.dictionary.to_numpy()
    parts = (triples // widths[2] // widths[1], triples // widths[2] % widths[1], triples % widths[2])
    listed = zip(*((part + start).tolist() for part, start in zip(parts, low, strict=True)), strict=True)
    numbers: dict[Rate, int] = {}
    codes = []
    for name, day, known_on in listed:
        currency = currencies[name] if name >= 0 else None
        rate = None if currency is None else rates.rate(currency, day, known_on)
        codes.append(NO_RATE if rate is None else numbers.setdefault(rate, len(numbers)))
    of_rows = np.array(codes, dtype=np.int64)[encoded.indices.to_numpy()] if len(packed) else packed
    return RateColumn(of_rows, tuple(numbers))
