"""How often each validation test rejects what is true, and what it finds of what is not.

Command: `python -m benchmarks.test_sizes`.
Every test runs as the validation runs it, on books of known truth (sizes_book.py, sizes_stability.py). The sizes go to
the report, which prints them beside the p-values where they differ from the nominal level; the power to README.md.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.readme_tables import machine, publish
from benchmarks.sizes_book import Design, simulated, young_customers
from benchmarks.sizes_stability import equal_rivals, shuffled, unmoved_grades, unmoved_score
from pipeline.params import ValidateParams
from pipeline.train.committee_calibration import calibration_results
from pipeline.train.committee_discrimination import discrimination_results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.train.committee_result import Result

SIZES = Path(__file__).parents[1] / "pipeline" / "report" / "templates" / "test_sizes.yaml"
DESIGNS = (Design("small", 400, 0.035), Design("middling", 1500, 0.035))
NOMINAL, NOMINAL_PSI = 0.05, 0.01
NEAR = 0.02
FACTORS, BLURS = (1.25, 1.5, 2.0, 3.0), (0.5, 1.0, 2.0)
# A test of order whose null is that there is none.
ORDER = "auc"
# Far enough from the other seeds that no book is used twice.
FAR = 1_000_000
# A power from fewer books says nothing: in the small book few samples hold enough bads on both sides.
FEWEST = 30
_LEVEL_TESTS = ("jeffreys_total", "jeffreys_grades", "binomial_grades", "hosmer_lemeshow", "spiegelhalter", "level")


class Rejections:
    """Counts how often each test was made, and how often its p-value lay below the nominal level."""

    def __init__(self) -> None:
        self.made: dict[str, int] = defaultdict(int)
        self.rejected: dict[str, int] = defaultdict(int)

    def add(self, name: str, is_rejected: bool | None) -> None:  # noqa: FBT001 - one outcome
        """A null outcome is a test that was not made."""
        if is_rejected is not None:
            self.made[name] += 1
            self.rejected[name] += bool(is_rejected)

    def add_all(self, results: Iterable[Result]) -> None:
        """Every result with a p-value."""
        for one in results:
            if one.p_value is not None and np.isfinite(one.p_value):
                self.add(f"{one.id}.{one.basis}", one.p_value < NOMINAL)

    def share(self, name: str) -> float | None:
        """Rejected of made; null with none made."""
        return self.rejected[name] / self.made[name] if self.made.get(name) else None


def main() -> None:
    """Simulates, writes the sizes where the report reads them, and publishes both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000, help="of each book; 0 leaves the sizes as they are")
    parser.add_argument("--powers", type=int, default=300, help="simulations of each deviation")
    given = parser.parse_args()
    if given.simulations:
        found = {design.name: sizes(design, given.simulations) for design in DESIGNS}
        SIZES.write_text(as_yaml(found, given.simulations), encoding="utf-8")
        publish("test_sizes", sizes_table(found, given.simulations))
    publish("test_power", power_table(given.powers))


def sizes(design: Design, simulations: int) -> Rejections:
    """All tests on `simulations` books in which every null hypothesis holds."""
    counted = Rejections()
    for seed in range(simulations):
        ground = simulated(design, seed)
        counted.add_all(one for one in discrimination_results(ground) if one.id != ORDER)
        counted.add_all(calibration_results(ground))
        no_order = simulated(design, seed + FAR, is_shuffled=True)
        counted.add_all(one for one in discrimination_results(no_order) if one.id == ORDER)
        counted.add_all(unmoved_grades(ground, design, seed))
        beyond_noise, _ = unmoved_score(design, seed, NOMINAL_PSI)
        counted.add("psi.snapshot", beyond_noise)
        if design is DESIGNS[0]:
            counted.add_all([shuffled(ground, no_order, seed)])
            counted.add("rival.panel", equal_rivals(ground, seed, 500))
    return counted


def power_table(simulations: int) -> str:
    """Share of simulated books in which each test sees a given deviation at the nominal level."""
    lines = [
        f"Machine: {machine()}. {simulations} books each; p below {NOMINAL:g}, whatever the light; "
        f"a dash: made on fewer than {FEWEST} ({_why_not_made()}).",
        "",
        f"| defaults over forecast | book | {' | '.join(_LEVEL_TESTS)} |",
        f"|---|---|{'---|' * len(_LEVEL_TESTS)}",
    ]
    for design in DESIGNS:
        for factor in FACTORS:
            counted = Rejections()
            for seed in range(simulations):
                counted.add_all(calibration_results(simulated(design, seed, factor=factor)))
            shares = [counted.share(f"{test}.{_basis(test)}") for test in _LEVEL_TESTS]
            lines.append(f"| {factor:g} × | {design.name} | {' | '.join(_percent(share) for share in shares)} |")
    lines += ["", "| noise on the log odds | book | mean AUC | auc_fall_ecb | auc_fall | auc_fall, panel |"]
    lines.append("|---|---|---|---|---|---|")
    for design in DESIGNS:
        lines += [_order_line(design, blur, simulations) for blur in BLURS]
    return "\n".join(lines)


def _order_line(design: Design, blur: float, simulations: int) -> str:
    counted, aucs = Rejections(), []
    for seed in range(simulations):
        results = list(discrimination_results(simulated(design, seed, blur=blur)))
        counted.add_all(results)
        aucs += [one.value for one in results if one.id == ORDER and one.basis == "cohort" and one.value is not None]
    names = ("auc_fall_ecb.cohort", "auc_fall.cohort", "auc_fall.panel")
    shares = [counted.share(name) if counted.made[name] >= FEWEST else None for name in names]
    told = " | ".join(_percent(share) for share in shares)
    return f"| {blur:g} | {design.name} | {np.mean(aucs):.3f} | {told} |"


def _why_not_made() -> str:
    """A fall needs bads at development too, and there the small book holds too few."""
    small = DESIGNS[0]
    young, fewest = young_customers(small), ValidateParams().min_bad_customers
    return (
        f"a fall is tested with {fewest} bad customers or more on either side, and of the {young} customers of the "
        f"{small.name} book at development some {young * small.rate:.0f} turn bad"
    )


def _basis(test: str) -> str:
    return "panel" if test in {"level"} else "cohort"


def sizes_table(found: dict[str, Rejections], simulations: int) -> str:
    """One line a test: its size in both books, and whether it is near the nominal level."""
    names = sorted({name for one in found.values() for name in one.made})
    lines = [
        f"Machine: {machine()}. {simulations:,} books each of {_told_designs()}; in brackets how often the test "
        "was made (too few bads: not made).",
        "",
        "| test | nominal | small | middling | within 2 points |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        nominal = NOMINAL_PSI if name.startswith("psi") else NOMINAL
        cells = [f"{_percent(one.share(name))} ({one.made.get(name, 0):,})" for one in found.values()]
        shares = [share for one in found.values() if (share := one.share(name)) is not None]
        is_near = all(abs(share - nominal) <= NEAR for share in shares)
        lines.append(f"| {name} | {_percent(nominal)} | {' | '.join(cells)} | {'yes' if is_near else 'no'} |")
    return "\n".join(lines)


def _told_designs() -> str:
    return " and ".join(f"{d.customers:,} customers at {d.rate:.1%}" for d in DESIGNS)


def as_yaml(found: dict[str, Rejections], simulations: int) -> str:
    """What the report reads: by test and basis the nominal level and the size in each book."""
    lines = [
        "# Written by python -m benchmarks.test_sizes: how often each test rejects what is true, at its nominal level.",
        f"simulations: {simulations}",
        "books:",
        *(f"  {d.name}: {{customers: {d.customers}, rate: {d.rate:g}}}" for d in DESIGNS),
        "sizes:",
    ]
    for name in sorted({name for one in found.values() for name in one.made}):
        nominal = NOMINAL_PSI if name.startswith("psi") else NOMINAL
        told: dict[str, Any] = {book: one.share(name) for book, one in found.items()}
        shares = ", ".join(
            f"{book}: {share:.4f}, {book}_made: {found[book].made[name]}"
            for book, share in told.items()
            if share is not None
        )
        lines.append(f"  {name}: {{nominal: {nominal:g}, {shares}}}")
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
