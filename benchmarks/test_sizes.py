"""How often each validation test rejects what is true, and what it finds of what is not.

Command: `python -m benchmarks.test_sizes`.
Every test runs as the validation runs it, on books of known truth (sizes_book.py, sizes_stability.py), until it
was made often enough: a test that few books are large enough for is made in few of them. The sizes go to the report,
which prints them beside the p-values where they differ from the nominal level; the power to README.md.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.readme_tables import machine, publish
from benchmarks.sizes_cells import Cell, counted
from benchmarks.sizes_counts import NOMINAL, NOMINAL_PSI, Counts
from benchmarks.sizes_level import LEVEL
from benchmarks.sizes_order import FALLS, NO_ORDER, PART
from benchmarks.sizes_stability import GRADES, LABELS, LIT, RIVAL, SCORE
from benchmarks.sizes_tenures import Design

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Count = Callable[[Cell, int], Counts]

SIZES = Path(__file__).parents[1] / "pipeline" / "report" / "templates" / "test_sizes.yaml"
DESIGNS = (Design("small", 400, 0.035), Design("middling", 1500, 0.035))
SMALL = DESIGNS[:1]
FACTORS, BLURS = (1.25, 1.5, 2.0, 3.0), (0.5, 1.0, 2.0)
NEAR = 0.02
# Where a test was made in fewer books than one of two thousand, what is missing is told instead.
CAP = 4_000_000
# As the report: a size that rests on fewer is not told.
FEWEST = 500
_LEVEL_TESTS = (
    *("jeffreys_total.cohort", "jeffreys_grades.cohort", "binomial_grades.cohort"),
    *("hosmer_lemeshow.cohort", "spiegelhalter.cohort", "level.panel"),
)
_FALL_TESTS = ("auc_fall_ecb.cohort", "auc_fall.cohort", "auc_fall.panel")


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


FALL, LEVELS = Family("sizes_order", "falls", FALLS), Family("sizes_level", "levels", LEVEL, right=1.0)
FAMILIES = (
    FALL,
    Family("sizes_order", "parts", PART),
    LEVELS,
    Family("sizes_order", "no_order", NO_ORDER),
    Family("sizes_stability", "grades", GRADES),
    Family("sizes_stability", "score", SCORE),
    # Two fits and two bootstraps a book: on one kind of book only.
    Family("sizes_stability", "labels", LABELS, designs=SMALL),
    Family("sizes_stability", "rivals", RIVAL, designs=SMALL),
)


def main() -> None:
    """Simulates what was not simulated yet, writes the sizes where the report reads them, publishes both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--made", type=int, default=2000, help="how often each test is made of right books")
    parser.add_argument("--powers", type=int, default=500, help="the same of each deviation")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    # Set before the processes start: many small products are no work for two threads.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:

        def count(cell: Cell, made: int) -> Counts:
            begun = time.monotonic()
            found = counted(cell, pool, given.processes, made=made, cap=CAP)
            print(f"{cell.name}: {found.draws:,} books, {time.monotonic() - begun:.0f} s", flush=True)
            return found

        found = [
            (one, design.name, count(one.cell(design, one.right), given.made))
            for one in FAMILIES
            for design in one.designs
        ]
        sizes = {name: {book: counts for one, book, counts in found if name in one.tests} for name in _names()}
        SIZES.write_text(as_yaml(sizes, given.made), encoding="utf-8")
        publish("test_sizes", sizes_table(sizes, given.made))
        publish("test_power", power_table(count, given.powers))


def _names() -> list[str]:
    return sorted({name for one in FAMILIES for name in one.tests})


def sizes_table(sizes: dict[str, dict[str, Counts]], made: int) -> str:
    """One line a test: its size in both books, how many of them are large enough for it, and whether it is near."""
    heads = " | ".join(f"{design.name} | made in" for design in DESIGNS)
    lines = [
        f"Machine: {machine()}. Books of {_told_designs()}, drawn until each test was made {made:,} times or more (in "
        f"brackets: how often), at most {CAP:,}. `made in`: share of the books that had bads enough for it.",
        "",
        f"| test | nominal | {heads} | within 2 points |",
        f"|---|---|{'---|---|' * len(DESIGNS)}---|",
    ]
    for name, by_book in sizes.items():
        told = " | ".join(_size_cells(name, by_book.get(design.name), made) for design in DESIGNS)
        shares = _shares(name, by_book.values())
        is_near = all(abs(share - nominal_of(name)) <= NEAR for share in shares)
        near = "not told" if not shares else "yes" if is_near else "no"
        lines.append(f"| {name} | {_percent(nominal_of(name))} | {told} | {near} |")
    return "\n".join([*lines, *_with_custom(sizes.get(*SCORE, {}))])


def _with_custom(by_book: dict[str, Counts]) -> list[str]:
    """What the size of the score's stability index comes to where a light is asked for; nothing without it."""
    told = ", ".join(f"{_percent(counts.share(LIT))} ({book})" for book, counts in by_book.items())
    return ["", f"`psi` beyond chance and beyond custom (0.10), as its light asks: {told}."] if told else []


def _size_cells(name: str, counts: Counts | None, made: int) -> str:
    if counts is None:
        return "– | –"
    often = counts.made[name]
    short = f"; made {often:,} of {counts.draws:,} draws" if often < made else ""
    share = 100 * often / counts.draws
    return f"{_percent(counts.share(name))} ({often:,}) | {share:.{0 if share >= 10 else 2}f}%{short}"


def _shares(name: str, found: Iterable[Counts]) -> list[float]:
    shares = [one.share(name) for one in found if one.made[name] >= FEWEST]
    return [share for share in shares if share is not None]


def nominal_of(name: str) -> float:
    """The level at which a test is held."""
    return NOMINAL_PSI if name.startswith("psi") else NOMINAL


def power_table(count: Callable[[Cell, int], Counts], made: int) -> str:
    """Share of the books that a test is made on in which it sees a given deviation at the nominal level."""
    lines = [
        f"Machine: {machine()}. Each test made {made:,} times or more; p below {NOMINAL:g}, whatever the light; the "
        "mean AUC is of the books that `auc_fall` was made on.",
        "",
        f"| defaults over forecast | book | {' | '.join(name.split('.')[0] for name in _LEVEL_TESTS)} |",
        f"|---|---|{'---|' * len(_LEVEL_TESTS)}",
    ]
    for design in DESIGNS:
        for factor in FACTORS:
            told = _told_powers(count(LEVELS.cell(design, factor), made), _LEVEL_TESTS)
            lines.append(f"| {factor:g} × | {design.name} | {told} |")
    lines += ["", "| noise on the log odds | book | mean AUC | auc_fall_ecb | auc_fall | auc_fall, panel |"]
    lines.append("|---|---|---|---|---|---|")
    for design in DESIGNS:
        for blur in BLURS:
            counts = count(FALL.cell(design, blur), made)
            told = f"{counts.mean('auc_fall.cohort') or 0:.3f} | {_told_powers(counts, _FALL_TESTS)}"
            lines.append(f"| {blur:g} | {design.name} | {told} |")
    return "\n".join(lines)


def _told_powers(counts: Counts, tests: Sequence[str]) -> str:
    return " | ".join(_percent(counts.share(name)) for name in tests)


def _told_designs() -> str:
    return " and ".join(f"{d.customers:,} customers at {d.rate:.1%}" for d in DESIGNS)


def as_yaml(sizes: dict[str, dict[str, Counts]], made: int) -> str:
    """What the report reads: by test and basis the nominal level, and of each kind of book the size, how often the test
    was made and of how many books."""
    lines = [
        "# Written by python -m benchmarks.test_sizes: how often each test rejects what is true, at its nominal level.",
        f"simulations: {made}",
        "books:",
        *(f"  {d.name}: {{customers: {d.customers}, rate: {d.rate:g}}}" for d in DESIGNS),
        "sizes:",
    ]
    for name, by_book in sizes.items():
        told = ", ".join(
            f"{book}: {share:.4f}, {book}_made: {counts.made[name]}, {book}_draws: {counts.draws}"
            for book, counts in by_book.items()
            if (share := counts.share(name)) is not None
        )
        lines.append(f"  {name}: {{nominal: {nominal_of(name):g}, {told}}}")
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
