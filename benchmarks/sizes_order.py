"""Sizes and power of the tests of order. Which books are large enough is asked before anything is measured on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmarks.sizes_book import PARTS, SETTINGS, ground_of, part_of, rows_of
from benchmarks.sizes_counts import NOMINAL, Counts
from benchmarks.sizes_rows import arrays_of
from benchmarks.sizes_tenures import LAST, drawn
from pipeline.statistics.delong import auc_against_known, auc_fall, delong
from pipeline.train.committee_discrimination import auc_by_customer, discrimination_results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.sizes_tenures import Design, Tenures
    from pipeline.statistics.delong import Auc, AucChange

NO_ORDER = ("auc.cohort", "auc.panel")
FALLS = ("auc_fall.cohort", "auc_fall.panel", "auc_fall_ecb.cohort")
PART = ("auc_by_part.cohort",)
_BOOKS, _SLOTS = 20, 800_000


def no_order(design: Design, _: float, batch: int) -> Counts:
    """Is there any order, asked of books without one."""
    counts = Counts(_BOOKS)
    rng = np.random.default_rng([12, design.customers, batch])
    now = drawn(design, rng, _BOOKS)
    for book in range(_BOOKS):
        panel = arrays_of(now.of(book))
        panel = replace(panel, pd=rng.permutation(panel.pd))
        newest = panel.newest()
        if newest.is_enough:
            _add(counts, NO_ORDER[0], delong(newest.pd, newest.is_bad))
        if panel.is_enough:
            _add(counts, NO_ORDER[1], auc_by_customer(panel.pd, panel.is_bad, panel.codes))
    return counts


def falls(design: Design, blur: float, batch: int) -> Counts:
    """Has the AUC fallen since development: at a blur of 0 it has not.

    The book now is drawn only where that of development has bads enough, without which no fall is ever told.
    """
    counts = Counts(_many(design))
    rng = np.random.default_rng([1, design.customers, batch])
    young = drawn(design.young(), rng, counts.draws).at(LAST)
    large = np.flatnonzero(np.bincount(young.book, young.is_bad_from(LAST), counts.draws) >= _fewest())
    now = drawn(design, rng, len(large))
    for place, book in enumerate(large):
        early, panel = arrays_of(young.of(book), (LAST,)), arrays_of(now.of(place))
        panel = replace(panel, pd=special.expit(special.logit(panel.pd) + blur * rng.normal(size=len(panel.pd))))
        newest = panel.newest()
        if early.is_enough and newest.is_enough:
            before, after = delong(early.pd, early.is_bad), delong(newest.pd, newest.is_bad)
            _add(counts, "auc_fall.cohort", auc_fall(before, after), after.value)
            _add(counts, "auc_fall_ecb.cohort", auc_against_known(before.value, after), after.value)
        if early.is_enough and panel.is_enough:
            late = [auc_by_customer(one.pd, one.is_bad, one.codes) for one in (early, panel)]
            _add(counts, "auc_fall.panel", auc_fall(*(one for one in late if one is not None)))
    return counts


def _add(counts: Counts, name: str, found: Auc | AucChange | None, value: float = 0.0) -> None:
    if found is not None and np.isfinite(found.p_value):
        counts.add(name, found.p_value < NOMINAL, value)


def parts(design: Design, _: float, batch: int) -> Counts:
    """Is a part ordered worse than the rest: none is. Only books of which some part could be told go on to the test."""
    counts = Counts(_many(design))
    rng = np.random.default_rng([2, design.customers, batch])
    now = drawn(design, rng, counts.draws)
    for book in np.flatnonzero(_has_a_part(now)):
        ground = ground_of(rows_of(now.of(book)), rows_of(drawn(design.young(), rng, 1), (LAST,)))
        counts.add_all(discrimination_results(ground), PART)
    return counts


def _has_a_part(now: Tenures) -> NDArray[np.bool_]:
    """By book: a part of the newest cohort and all others have bad rows enough; groups of customers are no more."""
    newest = now.at(LAST)
    cells = newest.book * len(PARTS) + part_of(newest.slot)
    bads = np.bincount(cells, newest.is_bad_from(LAST), now.books * len(PARTS)).reshape(now.books, len(PARTS))
    others = bads.sum(axis=1, keepdims=True) - bads
    return np.asarray((np.minimum(bads, others) >= _fewest()).any(axis=1))


def _fewest() -> int:
    return SETTINGS.min_bad_customers


def _many(design: Design) -> int:
    """Books drawn at once, as many as fit in 50 MB."""
    return max(_SLOTS // design.customers, 1)
