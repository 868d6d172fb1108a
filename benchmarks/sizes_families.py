"""Which tests are made of which made-up books: right ones for their sizes, wrong ones for their power."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.powers_grades import MOVES, NEAR
from benchmarks.powers_level import ALL_YEARS, ONE_YEAR, THIN
from benchmarks.powers_line import SLOPES
from benchmarks.sizes_cells import Cell
from benchmarks.sizes_level import LEVEL
from benchmarks.sizes_order import FALLS, NO_ORDER, PART
from benchmarks.sizes_rivals import RIVAL
from benchmarks.sizes_stability import GRADES, LABELS, SCORE
from benchmarks.sizes_tenures import Design

DESIGNS = (Design("small", 400, 0.035), Design("middling", 1500, 0.035))
SMALL, MIDDLING = DESIGNS[:1], DESIGNS[1:]


@dataclass(frozen=True)
class Family:
    """Tests that are made on one book together; `right` is the deviation at which nothing is wrong with it."""

    module: str
    function: str
    tests: tuple[str, ...]
    right: float = 0.0
    designs: tuple[Design, ...] = DESIGNS

    def cell(self, design: Design, deviation: float) -> Cell:
        """The cell of one kind of book."""
        return Cell(f"benchmarks.{self.module}", self.function, self.tests, design, deviation)


@dataclass(frozen=True)
class Power:
    """One table of power: `what` is wrong, by how much (`unit` writes it), and which tests are told of.

    `mean` names the test whose mean figure is told beside; empty for none.
    """

    name: str
    family: Family
    what: str
    deviations: tuple[float, ...]
    tests: tuple[str, ...]
    unit: str = "{:g}"
    mean: str = ""


FALL, LEVELS = Family("sizes_order", "falls", FALLS), Family("sizes_level", "levels", LEVEL, right=1.0)
THINS = Family("powers_level", "thin", THIN, right=1.0)
SCORES, RIVALS = Family("sizes_stability", "score", SCORE), Family("sizes_rivals", "rivals", RIVAL)
_SLOPES = Family("powers_line", "slopes", SLOPES, right=1.0)
FAMILIES = (
    FALL,
    Family("sizes_order", "parts", PART),
    LEVELS,
    Family("sizes_order", "no_order", NO_ORDER),
    Family("sizes_stability", "grades", GRADES),
    # Without `psi_lit`, which is no test of the report.
    Family("sizes_stability", "score", SCORE[:1]),
    # A hundred fits a book: on one kind of book only.
    Family("sizes_stability", "labels", LABELS, designs=SMALL),
    RIVALS,
    THINS,
    _SLOPES,
)
_LEVEL_TESTS = (
    *("jeffreys_total.cohort", "jeffreys_grades.cohort", "binomial_grades.cohort"),
    *("hosmer_lemeshow.cohort", "spiegelhalter.cohort", "level.panel"),
)
_FALL_TESTS = ("auc_fall_ecb.cohort", "auc_fall.cohort", "auc_fall.panel")
_FACTORS = (1.25, 1.5, 2.0, 3.0)
# Few small books are large enough for a part to be told.
_PARTS = Family("powers_order", "weak_part", PART, designs=MIDDLING)
_YEARS, _YEAR = Family("powers_level", "all_years", ALL_YEARS), Family("powers_level", "one_year", ONE_YEAR)
_MOVES = Family("powers_grades", "moves", MOVES)
_MERGED, _SWAPPED = Family("powers_grades", "merged", NEAR), Family("powers_grades", "swapped", NEAR)
POWERS = (
    Power("levels", LEVELS, "defaults over forecast", _FACTORS, _LEVEL_TESTS, "{:g} ×"),
    Power("thin", THINS, "defaults of thin files over forecast", _FACTORS, THIN, "{:g} ×"),
    Power("all_years", _YEARS, "defaults over forecast, every year", _FACTORS, ALL_YEARS, "{:g} ×"),
    Power("score", SCORES, "score moved by", (0.1, 0.25, 0.5, 1.0), SCORE, "{:g} standard deviations"),
    Power("one_year", _YEAR, "defaults over forecast, one year of four", (1.5, 2.0, 3.0), ONE_YEAR, "{:g} ×"),
    Power("moves", _MOVES, "moves of the year as of", (1.5, 2.0, 3.0), MOVES, "{:g} years"),
    Power("merged", _MERGED, "of a grade stand in the next", (0.25, 0.5, 1.0), NEAR, "{:.0%}"),
    Power("swapped", _SWAPPED, "of two neighbours stand in the other", (0.5, 0.75, 1.0), NEAR, "{:.0%}"),
    Power("parts", _PARTS, "AUC of one part of four lower by", (0.05, 0.1, 0.2), PART, "{:.2f}"),
    Power("falls", FALL, "noise on the log odds", (0.5, 1.0, 2.0), _FALL_TESTS, mean="auc_fall.cohort"),
    Power("slopes", _SLOPES, "true slope", (0.8, 0.6, 0.4), SLOPES),
    Power("rivals", RIVALS, "Gini of the other score higher by", (0.02, 0.05, 0.1), RIVAL, "{:.2f}"),
)
