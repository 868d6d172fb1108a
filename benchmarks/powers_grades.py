"""Power of the tests of migration, on grades that wander as those of sizes_stability.py."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmarks.sizes_book import SCALE, simulated
from benchmarks.sizes_counts import Counts
from benchmarks.sizes_stability import MONTHLY
from benchmarks.sizes_tenures import Design, middle
from pipeline.statistics.migration import migration_matrix
from pipeline.train.committee_stability import mobility_result, neighbours_result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.train.committee_ground import Ground

    Codes = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOVES, NEAR, HEAPED = (
    ("mobility_upper.snapshot", "mobility_lower.snapshot"),
    ("neighbours.snapshot",),
    ("concentration.snapshot",),
)
# A grade in the middle of the books and the next worse one.
GRADE = 4
_BOOKS = 20


def moves(design: Design, years: float, batch: int) -> Counts:
    """The log odds wander in one year as they did in so many before."""
    counts = Counts(_BOOKS)
    for rng in _generators(design, 8, batch):
        early = rng.normal(size=design.customers)
        middle_ = _later(early, 1.0, rng)
        before = _grades(design, early), _grades(design, middle_)
        after = before[1], _grades(design, _later(middle_, years, rng))
        matrix = migration_matrix(*after, len(SCALE.names))
        sides = ("upper", "lower")
        counts.add_all((mobility_result(side, after, before, matrix, _ground(design)) for side in sides), MOVES)
    return counts


def merged(design: Design, share: float, batch: int) -> Counts:
    """That share of the customers of a grade is graded as the next worse one, which takes it over at 1."""
    return _neighbours(design, (share, 0.0), batch)


def swapped(design: Design, share: float, batch: int) -> Counts:
    """That share of the customers of two neighbouring grades is graded as the other one, which swaps them at 1."""
    return _neighbours(design, (share, share), batch)


def _neighbours(design: Design, shares: tuple[float, float], batch: int) -> Counts:
    counts = Counts(_BOOKS)
    for rng in _generators(design, 9, batch):
        level = rng.normal(size=design.customers)
        before, now = _grades(design, level), _grades(design, _later(level, 1.0, rng))
        lot = rng.random(design.customers)
        found = np.where((now == GRADE) & (lot < shares[0]), GRADE + 1, now)
        found = np.where((now == GRADE + 1) & (lot < shares[1]), GRADE, found)
        matrix = migration_matrix(before, found, len(SCALE.names))
        counts.add_all([neighbours_result(matrix, _ground(design))], NEAR)
    return counts


def _generators(design: Design, test: int, batch: int) -> list[np.random.Generator]:
    numbers = range(batch * _BOOKS, (batch + 1) * _BOOKS)
    return [np.random.default_rng([test, design.customers, number]) for number in numbers]


def _later(level: Floats, years: float, rng: np.random.Generator) -> Floats:
    kept = MONTHLY ** (12.0 * years)
    return np.asarray(kept * level + np.sqrt(1 - kept**2) * rng.normal(size=len(level)))


def _grades(design: Design, level: Floats) -> Codes:
    """Numbers of the grades, from 0."""
    pds = special.expit(middle(design) + design.spread * level)
    return SCALE.position(SCALE.grade(pds)).astype(np.int64)


@cache
def _ground(design: Design) -> Ground:
    """Scale and settings; its book is not read."""
    return simulated(Design("smallest", 20, design.rate), 0)
