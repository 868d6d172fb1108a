"""How often each validation test rejects what is true, and what it finds of what is not.

Command: `python -m benchmarks.test_sizes`; some tests alone: `--sizes thin rivals --powers one_year`, by the names in
sizes_families.py.
Every test runs as the validation runs it, on books of known truth (sizes_book.py, sizes_stability.py), until it
was made often enough: a test that few books are large enough for is made in few of them. The sizes go to the report,
which prints them beside the p-values where they differ from the nominal level; the power to README.md.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.readme_tables import publish
from benchmarks.sizes_cells import counted
from benchmarks.sizes_families import FAMILIES, POWERS
from benchmarks.sizes_tables import CAP, as_yaml, of_yaml, power_table, sizes_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.sizes_cells import Cell
    from benchmarks.sizes_counts import Counts
    from benchmarks.sizes_families import Power

    Count = Callable[[Cell, int], Counts]

SIZES = Path(__file__).parents[1] / "pipeline" / "report" / "templates" / "test_sizes.yaml"


def main() -> None:
    """Simulates what was not simulated yet, writes the sizes where the report reads them, publishes the tables."""
    given = _arguments()
    # Set before the processes start: many small products are no work for two threads.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:

        def count(cell: Cell, made: int) -> Counts:
            begun = time.monotonic()
            found = counted(cell, pool, given.processes, made=made, cap=CAP)
            print(f"{cell.name}: {found.draws:,} books, {time.monotonic() - begun:.0f} s", flush=True)
            return found

        for power in POWERS:
            if power.name in given.powers:
                publish(f"power_{power.name}", _power(power, count, given.power_made))
        if given.sizes:
            _write_sizes(count, given.sizes, given.made)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    functions, names = [one.function for one in FAMILIES], [one.name for one in POWERS]
    parser.add_argument(
        "--sizes", nargs="*", choices=functions, default=functions, help="of which tests; of all others as told"
    )
    parser.add_argument("--powers", nargs="*", choices=names, default=names, help="which tables; the others stay")
    parser.add_argument("--made", type=int, default=2000, help="how often each test is made of right books")
    parser.add_argument("--power-made", type=int, default=500, help="the same of each deviation")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _power(power: Power, count: Count, made: int) -> str:
    return power_table(power, lambda design, deviation: count(power.family.cell(design, deviation), made), made)


def _write_sizes(count: Count, functions: Sequence[str], made: int) -> None:
    """Of the families named; all other tests keep the sizes that were told before."""
    sizes = of_yaml(SIZES.read_text(encoding="utf-8"))
    for one in FAMILIES:
        if one.function not in functions:
            continue
        found = {design.name: count(one.cell(design, one.right), made) for design in one.designs}
        sizes |= dict.fromkeys(one.tests, found)
    SIZES.write_text(as_yaml(sizes, made), encoding="utf-8")
    publish("test_sizes", sizes_table(sizes, made))


if __name__ == "__main__":
    main()
