"""Power of the tests of the years and of thin files, of which the last has its size here, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.sizes_book import COHORTS, Known, ground_of, rows_of
from benchmarks.sizes_counts import NOMINAL, Counts
from benchmarks.sizes_tenures import CYCLE, LAST, drawn
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.train.committee_thin_file import thin_file_results
from pipeline.train.committee_years import years_results
from pipeline.train.thin_file import DUE_COLUMN, HISTORY_COLUMN

if TYPE_CHECKING:
    from benchmarks.sizes_tenures import Design, Tenures
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Result

ONE_YEAR, ALL_YEARS = ("years.years",), ("years.years", "long_run.years")
THIN = ("thin_file.cohort",)
# As the pool of the demo book: one customer in twenty, at a PD near its upper bound.
THIN_SHARE, THIN_PD = 0.05, 0.20
POOL = ThinFile(THIN_PD, 0, 0, 0.5, ThinFileRule(1, 1))
_BOOKS, _POOLS = 20, 500


@dataclass(frozen=True)
class Thin(Known):
    """A model to which all customers are thin, who share one PD."""

    thin_file: ThinFile = POOL


def one_year(design: Design, factor: float, batch: int) -> Counts:
    """Forecasts of the last year but one that many times too low, all others right."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        rows = rows_of(drawn(design, np.random.default_rng([4, design.customers, number]), 1), tuple(sorted(COHORTS)))
        pd = np.where(rows["month"] == COHORTS[1], rows["pd"] / factor, rows["pd"])
        counts.add_all(_years(ground_of(rows.assign(pd=pd), rows[:0])), ONE_YEAR)
    return counts


def all_years(design: Design, factor: float, batch: int) -> Counts:
    """Defaults in every year that multiple of the forecast ones."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        rng = np.random.default_rng([5, design.customers, number])
        rows = rows_of(drawn(design, rng, 1, factor), tuple(sorted(COHORTS)))
        counts.add_all(_years(ground_of(rows, rows[:0])), ALL_YEARS)
    return counts


def thin(design: Design, factor: float, batch: int) -> Counts:
    """The thin customers of a book default as the PD that they are served says, times the factor.

    All books count, those without a light as not rejecting: the light is there where ten bads were forecast, or came,
    so that a size of those with a light would be one of books with many bads.
    """
    pool = replace(design, customers=round(THIN_SHARE * design.customers), rate=THIN_PD)
    counts = Counts(_POOLS)
    # Their first month: they are new, and the risky ones have not left yet.
    now = drawn(pool, np.random.default_rng([6, design.customers, batch]), _POOLS, factor).at(0)
    for book, often in _alike(now):
        is_rejected = _is_rejected(now.of(book))
        for _ in range(often):
            counts.add(*THIN, is_rejected)
    return counts


def _alike(now: Tenures) -> list[tuple[int, int]]:
    """One of all pools with as many bads, and groups with a bad and with a good one, and how many such pools there are:
    the test reads no more of a pool."""
    is_bad = now.is_bad_from(0)
    group = now.book * (now.slot.max() + 1) + np.where(now.slot % CYCLE == 1, now.slot - 1, now.slot)
    told = [np.bincount(now.book[is_bad], minlength=now.books)]
    for is_in in (is_bad, ~is_bad):
        first = np.unique(group[is_in], return_index=True)[1]
        told.append(np.bincount(now.book[is_in][first], minlength=now.books))
    _, books, often = np.unique(np.column_stack(told), axis=0, return_index=True, return_counts=True)
    return list(zip(books.tolist(), often.tolist(), strict=True))


def _is_rejected(pool: Tenures) -> bool:
    rows = rows_of(pool, (0,)).assign(**{DUE_COLUMN: 0, HISTORY_COLUMN: 0}, month=LAST)
    ground = replace(ground_of(rows, rows[:0]), models={"champion": Thin()})  # type: ignore[dict-item]
    (found,) = thin_file_results(ground)
    return found.p_value is not None and found.p_value < NOMINAL


def _years(ground: Ground) -> list[Result]:
    return list(years_results("champion", ground))


def _numbers(batch: int) -> range:
    return range(batch * _BOOKS, (batch + 1) * _BOOKS)
