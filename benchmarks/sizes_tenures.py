"""Made-up books drawn a thousand at a time: who stands in which place from which month to which, with what PD.

Customers have a constant monthly hazard, so that the PD of the next twelve months is known exactly; one who defaults is
replaced by another; one place in ten is tied to a second one of its group, which begins with the same PD and, three
times in ten, draws the same lot in a month. A constant hazard makes the time to the next default geometric, so that a
default costs a draw and a month costs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WINDOW, YEARS, TEST_DATES = 12, 4, 5
LAST = WINDOW * (YEARS - 1) + TEST_DATES - 1
HORIZON = LAST + WINDOW
TIED_SHARE, TIED_DEFAULTS = 0.1, 0.3
# Of so many places the first two are one group.
CYCLE = int(2 / TIED_SHARE)


@dataclass(frozen=True)
class Design:
    """How many customers at a time, their default rate, and the spread of their log odds."""

    name: str
    customers: int
    rate: float
    spread: float = 1.1

    def young(self) -> Design:
        """The book at development: two customers for five of now."""
        return replace(self, customers=max(int(0.4 * self.customers), 20))


@dataclass(frozen=True)
class Tenures:
    """One row per customer who ever stood in a place (`slot`) of a book; `number` counts those before it there.

    It stands from month `start` to month `end`, in which it defaults; an end at HORIZON or later is no default.
    """

    books: int
    book: Ints
    slot: Ints
    number: Ints
    pd: Floats
    start: Ints
    end: Ints

    def where(self, is_in: NDArray[np.bool_]) -> Tenures:
        """The rows where the mask is true."""
        return Tenures(self.books, *(getattr(self, name)[is_in] for name in _COLUMNS))

    def of(self, book: int) -> Tenures:
        """The rows of one book."""
        return self.where(self.book == book)

    def at(self, month: int) -> Tenures:
        """The customers of a month: one row per book and place."""
        return self.where((self.start <= month) & (month <= self.end))

    def is_bad_from(self, month: int) -> NDArray[np.bool_]:
        """Whether each defaults in the window that begins with that month."""
        return np.asarray(self.end < month + WINDOW)


_COLUMNS = ("book", "slot", "number", "pd", "start", "end")


def drawn(design: Design, rng: np.random.Generator, books: int, factor: float = 1.0) -> Tenures:
    """So many books; `factor` is how many times the forecast PD comes true."""
    places = np.arange(design.customers)
    is_leader = (places % CYCLE == 0) & (places + 1 < design.customers)
    is_single = ~is_leader & ~np.roll(is_leader, 1)
    columns = [
        *_singles(design, rng, places[is_single], books, factor),
        *_pairs(design, rng, places[is_leader], books, factor),
    ]
    book, slot, number, pd, start, end = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Tenures(books, book, slot, number, pd, start, end)


def rate_per_month(pd: Floats, factor: float) -> Floats:
    """−ln(1 − monthly hazard): a PD that comes true `factor` times as often, spread evenly over the window."""
    return np.asarray(-np.log1p(-np.clip(pd * factor, 0.0, 0.999)) / WINDOW)


def _singles(
    design: Design, rng: np.random.Generator, slots: Ints, books: int, factor: float
) -> list[tuple[np.ndarray, ...]]:
    """Places by themselves: each round ends the customers that stand and opens the places of those who defaulted."""
    book, slot = np.repeat(np.arange(books), len(slots)), np.tile(slots, books)
    start, number = np.zeros(len(book), dtype=np.int64), np.zeros(len(book), dtype=np.int64)
    found = []
    while len(book):
        pd = _pds(design, rng, len(book))
        end = start + _months(rng, rate_per_month(pd, factor))
        found.append((book, slot, number, pd, start, end))
        is_open = end + 1 < HORIZON
        book, slot, number, start = book[is_open], slot[is_open], number[is_open] + 1, end[is_open] + 1
    return found


def _pairs(
    design: Design, rng: np.random.Generator, leaders: Ints, books: int, factor: float
) -> list[tuple[np.ndarray, ...]]:
    """Groups of two: each round goes on to the next month in which one or both default; the other one just stays."""
    book, leader = np.repeat(np.arange(books), len(leaders)), np.tile(leaders, books)
    pd = np.tile(_pds(design, rng, len(book)), (2, 1))
    start, number = np.zeros((2, len(book)), dtype=np.int64), np.zeros((2, len(book)), dtype=np.int64)
    now = np.zeros(len(book), dtype=np.int64)
    found = []
    while len(book):
        first, second = hazards = -np.expm1(-rate_per_month(pd, factor))
        both = TIED_DEFAULTS * np.minimum(first, second) + (1 - TIED_DEFAULTS) * first * second
        either = first + second - both
        end = now + _months(rng, -np.log1p(-either))
        lot = rng.random(len(book)) * either
        # Lots from 0: the first alone, both, the second alone.
        has_ended = np.stack([lot < first, lot >= first - both]) | (end >= HORIZON)
        for side, is_out in enumerate(has_ended):
            ended = (book, leader + side, number[side], pd[side], start[side], end)
            found.append(tuple(column[is_out] for column in ended))
        fresh = _pds(design, rng, hazards.size).reshape(hazards.shape)
        pd, number = np.where(has_ended, fresh, pd), number + has_ended
        start = np.where(has_ended, end + 1, start)
        goes_on = end < HORIZON
        book, leader, now = book[goes_on], leader[goes_on], end[goes_on] + 1
        pd, start, number = pd[:, goes_on], start[:, goes_on], number[:, goes_on]
    return found


def _months(rng: np.random.Generator, rate: Floats) -> Ints:
    """Whole months survived at a rate a month: geometric."""
    waited = np.minimum(rng.standard_exponential(len(rate)) / rate, float(HORIZON))
    return np.floor(waited).astype(np.int64)


def _pds(design: Design, rng: np.random.Generator, n: int) -> Floats:
    """PDs whose mean is the rate."""
    return np.asarray(1 / (1 + np.exp(-(middle(design) + design.spread * rng.normal(size=n)))))


@cache
def middle(design: Design) -> float:
    """The mean of the log odds at which the mean PD is the rate."""
    grid = np.linspace(-4, 4, 400)
    weight = np.exp(-(grid**2) / 2)
    low, high = -12.0, 4.0
    for _ in range(60):
        at = (low + high) / 2
        mean = float((weight / (1 + np.exp(-(at + design.spread * grid)))).sum() / weight.sum())
        low, high = (at, high) if mean < design.rate else (low, at)
    return low
