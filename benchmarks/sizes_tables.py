"""The tables of sizes and power, and the sizes as the report reads them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.readme_tables import machine
from benchmarks.sizes_counts import NOMINAL, NOMINAL_PSI, Counts
from benchmarks.sizes_families import DESIGNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.sizes_families import Power
    from benchmarks.sizes_tenures import Design

    Sizes = dict[str, dict[str, Counts]]

# Where a test was made in fewer books than one of two thousand, what is missing is told instead.
CAP = 4_000_000
NEAR = 0.02
# As the report: a size that rests on fewer is not told.
FEWEST = 500


def sizes_table(sizes: Sizes, made: int) -> str:
    """One line a test: its size in both books, how many of them are large enough for it, and whether it is near."""
    heads = " | ".join(f"{design.name} | made in" for design in DESIGNS)
    lines = [
        f"Machine: {machine()}. Books of {_told_designs()}, drawn until each test was made {made:,} times or more (in "
        f"brackets: how often), at most {CAP:,}. `made in`: share of the books that had bads enough for it.",
        "",
        f"| test | nominal | {heads} | within 2 points |",
        f"|---|---|{'---|---|' * len(DESIGNS)}---|",
    ]
    for name, by_book in sorted(sizes.items()):
        told = " | ".join(_size_cells(name, by_book.get(design.name), made) for design in DESIGNS)
        shares = _shares(name, by_book.values())
        is_near = all(abs(share - nominal_of(name)) <= NEAR for share in shares)
        near = "not told" if not shares else "yes" if is_near else "no"
        lines.append(f"| {name} | {_percent(nominal_of(name))} | {told} | {near} |")
    return "\n".join(lines)


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


def power_table(power: Power, found: Callable[[Design, float], Counts], made: int) -> str:
    """Share of the books that a test is made on in which it sees a given deviation at its level."""
    levels = sorted({f"{nominal_of(name):g}" for name in power.tests})
    mean = ["mean AUC"] if power.mean else []
    heads = [power.what, "book", *mean, *(_head(name, power.tests) for name in power.tests)]
    lines = [
        f"Machine: {machine()}. Each test made {made:,} times or more; p below {' or '.join(levels)}.",
        "",
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
    ]
    for design in power.family.designs:
        for deviation in power.deviations:
            counts = found(design, deviation)
            of_tests = [_percent(counts.share(name)) for name in power.tests]
            means = [f"{counts.mean(power.mean) or 0:.3f}"] if power.mean else []
            lines.append(f"| {' | '.join([power.unit.format(deviation), design.name, *means, *of_tests])} |")
    return "\n".join(lines)


def _head(name: str, tests: tuple[str, ...]) -> str:
    """The test, with its rows where another of the same name stands beside it on other ones."""
    test, basis = name.split(".")
    is_one = sum(one.split(".")[0] == test for one in tests) == 1
    return test if is_one else f"{test}, {basis}"


def _told_designs() -> str:
    return " and ".join(f"{d.customers:,} customers at {d.rate:.1%}" for d in DESIGNS)


def as_yaml(sizes: Sizes, made: int) -> str:
    """What the report reads: by test and basis the nominal level, and of each kind of book the size, how often the test
    was made and of how many books."""
    lines = [
        "# Written by python -m benchmarks.test_sizes: how often each test rejects what is true, at its nominal level.",
        f"simulations: {made}",
        "books:",
        *(f"  {d.name}: {{customers: {d.customers}, rate: {d.rate:g}}}" for d in DESIGNS),
        "sizes:",
    ]
    for name, by_book in sorted(sizes.items()):
        told = ", ".join(
            f"{book}: {share:.4f}, {book}_made: {counts.made[name]}, {book}_draws: {counts.draws}"
            for book, counts in by_book.items()
            if (share := counts.share(name)) is not None
        )
        lines.append(f"  {name}: {{nominal: {nominal_of(name):g}, {told}}}")
    return "\n".join(lines) + "\n"


def of_yaml(text: str) -> Sizes:
    """What `as_yaml` told, so that sizes can be counted anew of some tests alone."""
    told: dict[str, Any] = yaml.safe_load(text)
    return {
        name: {design.name: _kept(name, one, design.name) for design in DESIGNS if design.name in one}
        for name, one in told["sizes"].items()
    }


def _kept(name: str, one: dict[str, Any], book: str) -> Counts:
    made = one[f"{book}_made"]
    return Counts(one[f"{book}_draws"], Counter({name: made}), Counter({name: round(one[book] * made)}))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
