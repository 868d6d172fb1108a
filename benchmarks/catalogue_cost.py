"""What the whole catalogue costs: 36 month ends against one, ten times the customers, and the night of a large book.

    python -m benchmarks.catalogue_cost

Every measurement is a process of its own, with the threads and the memory limit of params.yaml; what is compared is
measured in turn. Seconds run from the opened ledger to the written file of rows.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import plain_duckdb
from benchmarks.big_book import demo_ledger, rows_of, tiled
from benchmarks.one_build import Asked, Built, engine_settings, in_own_process
from benchmarks.readme_tables import Figure, publish, ratio_of, seconds, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SMALL, LARGE = 5, 50
"""Copies of the demo's 2,000 customers."""
DATES, ROUNDS, LARGE_ROUNDS = 36, 3, 2
_PASSES_TOLD = 8


def panel_figures(rows: Mapping[str, int], one: Sequence[Built], many: Sequence[Built]) -> list[Figure]:
    """36 month ends against one."""
    first, last = [b.seconds for b in one], [b.seconds for b in many]
    whole = ratio_of([b.process_seconds for b in many], [b.process_seconds for b in one])
    return [
        Figure(f"**{DATES} month ends over one**", f"{ratio_of(last, first):.1f} ×", "at most 10 ×"),
        Figure(f"one month end, {one[0].columns} columns", f"{seconds(first)}, {_peak(one)}"),
        Figure(f"{DATES} month ends, {many[0].rows:,} rows", f"{seconds(last)}, {_peak(many)}"),
        Figure("the same ratio of whole processes, start included", f"{whole:.1f} ×"),
        Figure("ledger", f"{rows['payments']:,} payments, {rows['invoices']:,} invoices"),
    ]


def growth_figures(rows: Mapping[str, int], small: Sequence[Built], large: Sequence[Built]) -> list[Figure]:
    """Ten times the customers on one day."""
    few, many = [b.seconds for b in small], [b.seconds for b in large]
    times = large[0].rows / small[0].rows
    return [
        Figure(
            f"**{times:.0f} × the customers**, one month end", f"{ratio_of(many, few):.1f} × the time", "at most 11 ×"
        ),
        Figure(f"{small[0].rows:,} customers", f"{seconds(few)}, {_peak(small)}"),
        Figure(f"{large[0].rows:,} customers", f"{seconds(many)}, {_peak(large)}"),
        Figure(
            "peak memory of a process",
            _peak(large),
            f"engine.memory_limit {engine_settings().memory_limit}, beside the process itself",
        ),
        Figure("ledger", f"{rows['invoices']:,} invoices, {rows['payments']:,} payments", "10 M invoices"),
    ]


def night_figures(large: Sequence[Built], plain: Sequence[Mapping[str, float]]) -> list[Figure]:
    """The night of the large book against plain DuckDB, and where the time goes."""
    ours, base = [b.seconds for b in large], [sum(times.values()) for times in plain]
    busiest = sorted(plain[-1].items(), key=lambda entry: -entry[1])[:3]
    middle = sorted(large, key=lambda built: built.seconds)[len(large) // 2]
    return [
        Figure("**the night over plain DuckDB**", f"{ratio_of(ours, base):.0f} ×", "at most 40 ×"),
        Figure("the night: one day, whole catalogue", seconds(ours)),
        Figure(
            "plain DuckDB: the same columns read, one sum per customer",
            f"{seconds(base)}; " + ", ".join(f"{name} {spent:.1f} s" for name, spent in busiest),
        ),
        *(
            Figure(f"of the night: {name}", f"{spent:.1f} s, {spent / middle.seconds:.0%}")
            for name, spent in where(middle)
        ),
    ]


def where(built: Built) -> list[tuple[str, float]]:
    """Seconds per relation, largest first (its windows together), the small ones in one sum, then the rest.

    >>> passes = [("features_paid_3", 2.0, 5), ("features_paid_12", 3.0, 6)]
    >>> where(Built(10.0, 10.0, 1.0, 1, 1, passes, last_seconds=4.0))
    [('paid', 5.0), ('last join, sorted and written', 4.0), ('planning in Python', 1.0)]
    """
    sums: dict[str, float] = defaultdict(float)
    for name, spent, _ in built.passes:
        sums[re.sub(r"^features_|_(\d+|all)$", "", name)] += spent
    ordered = sorted(sums.items(), key=lambda entry: -entry[1])
    told_apart, small = ordered[:_PASSES_TOLD], ordered[_PASSES_TOLD:]
    if small:
        told_apart.append((f"{len(small)} smaller relations", sum(spent for _, spent in small)))
    planning = built.seconds - built.last_seconds - sum(sums.values())
    return [*told_apart, ("last join, sorted and written", built.last_seconds), ("planning in Python", planning)]


def columns_told(columns: Mapping[str, list[str]]) -> str:
    """Which columns both sides of the night read."""
    listed = "; ".join(f"{name}: {', '.join(chosen)}" for name, chosen in columns.items())
    return f"Read by both sides of the night ({sum(map(len, columns.values()))} columns): {listed}."


def _peak(built: Sequence[Built]) -> str:
    return f"{max(b.peak_gib for b in built):.1f} GiB"


def main() -> None:
    """Measures and rewrites the three tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = demo_ledger(folder)
        small, large = (tiled(demo, copies, folder / f"tiled{copies}") for copies in (SMALL, LARGE))
        columns = plain_duckdb.columns_read(demo)
        one, many = [], []
        for _ in range(ROUNDS):
            one.append(in_own_process(Asked(str(small))))
            many.append(in_own_process(Asked(str(small), dates=DATES)))
        few, night, plain = [], [], []
        for _ in range(LARGE_ROUNDS):
            few.append(in_own_process(Asked(str(small))))
            night.append(in_own_process(Asked(str(large))))
            plain.append(plain_duckdb.in_own_process(large, columns))
        small_rows, large_rows = rows_of(small), rows_of(large)
    note = "Median and range of {} runs each."
    publish("month_ends", told(panel_figures(small_rows, one, many), note.format(ROUNDS)))
    publish("customers", told(growth_figures(large_rows, few, night), note.format(LARGE_ROUNDS)))
    night_told = told(night_figures(night, plain), note.format(LARGE_ROUNDS))
    publish("night", f"{night_told}\n\n{columns_told(columns)}")


if __name__ == "__main__":
    main()
