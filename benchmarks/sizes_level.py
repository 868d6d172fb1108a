"""Sizes of the tests of level on books whose PDs are right; their power where defaults are a multiple of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.sizes_book import simulated
from benchmarks.sizes_counts import Counts
from pipeline.train.committee_calibration import calibration_results

if TYPE_CHECKING:
    from benchmarks.sizes_tenures import Design

GRADES = ("jeffreys_grades.cohort", "binomial_grades.cohort")
LEVEL = (
    "jeffreys_total.cohort",
    *GRADES,
    "hosmer_lemeshow.cohort",
    *(f"{test}.{basis}" for test in ("spiegelhalter", "level") for basis in ("cohort", "panel")),
    "years.years",
    "long_run.years",
)
_BOOKS = 20


def levels(design: Design, factor: float, batch: int) -> Counts:
    """Every test of level; at a factor of 1 the PDs are right."""
    counts = Counts(_BOOKS)
    for number in range(batch * _BOOKS, (batch + 1) * _BOOKS):
        counts.add_all(calibration_results(simulated(design, number, factor=factor)), LEVEL)
    return counts
