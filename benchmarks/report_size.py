"""What the committee's reports cost: two languages each, for 5,000 customers and 48 snapshots.

    python -m benchmarks.report_size                 the size of the table in benchmarks/README.md, which it rewrites
    python -m benchmarks.report_size 300 48          another size: customers and snapshots; prints and rewrites nothing

Runs the main job once on such a demo book in a temporary folder and counts what came of it. Then the stage `report` and
the command `portfolio`, each three times in processes of their own: seconds, the largest memory and the size of files.
Ends with an error when the book is not of the size asked for, or a goal is missed (after the table is written).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import yaml

from benchmarks.main_job import fresh_copy, timed_run
from benchmarks.readme_tables import Figure, publish, seconds, told

if TYPE_CHECKING:
    from collections.abc import Sequence

CUSTOMERS, SNAPSHOTS, RUNS = 5000, 48, 3
# The first twelve months only show what came before: 60 months have 48 snapshots.
SHOWN_BEFORE = 12
MAX_SECONDS, MAX_GIB, MAX_MB = 60.0, 2.0, 5.0


@dataclass(frozen=True)
class Size:
    """Of a book: customers in the ledger, month ends with snapshots, and snapshots in all."""

    customers: int
    dates: int
    rows: int


@dataclass(frozen=True)
class Measured:
    """Seconds of each run, the largest memory of any (GiB), and MB of each file."""

    seconds: tuple[float, ...]
    memory: float
    sizes: dict[str, float]


def grown(project: Path, customers: int, snapshots: int) -> None:
    """The parameters of a demo book of that size."""
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["ingest"]["demo"] |= {"customers": customers, "months": snapshots + SHOWN_BEFORE}
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def counted(project: Path) -> Size:
    """What stands in the project's ledger and among its snapshots."""
    ledger, labels = project / "data/ledger/customers.parquet", project / "data/labels/snapshots.parquet"
    with duckdb.connect() as engine:
        customers = engine.execute("SELECT count(DISTINCT customer_id) FROM read_parquet(?)", [str(ledger)]).fetchall()
        dates = engine.execute("SELECT count(DISTINCT as_of), count(*) FROM read_parquet(?)", [str(labels)]).fetchall()
    return Size(int(customers[0][0]), *(int(n) for n in dates[0]))


def refuse_other_size(found: Size, customers: int, snapshots: int) -> None:
    """Raises SystemExit where the book is not of the size that the table names."""
    if (found.customers, found.dates) != (customers, snapshots):
        raise SystemExit(
            f"the book has {found.customers:,} customers and {found.dates} snapshots where {customers:,} and "
            f"{snapshots} were asked for; nothing was timed"
        )


def timed(project: Path, *command: str) -> tuple[float, float]:
    """Seconds of a module with its arguments, and the largest memory of its process in GiB."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=project, env={**os.environ, "PYTHONPATH": str(project)}
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return time.monotonic() - started, usage.ru_maxrss / 2**20


def measured(project: Path, folder: Path, pattern: str, *command: str) -> Measured:
    """A command run several times, and the files that it left below `folder`."""
    runs = [timed(project, *command) for _ in range(RUNS)]
    sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(folder.rglob(pattern))}
    return Measured(tuple(run[0] for run in runs), max(run[1] for run in runs), sizes)


def figures(size: Size, report: Measured, portfolio: Measured) -> list[Figure]:
    """The result, line by line; goals are of the model report and of every file."""
    book = f"{size.customers:,} customers × {size.dates} snapshots ({size.rows:,} rows)"
    return [
        Figure(f"stage `report`, {book}", seconds(report.seconds), f"under {MAX_SECONDS:.0f} s"),
        Figure("largest memory of the process", f"{report.memory:.2f} GiB", f"under {MAX_GIB:.0f} GiB"),
        *_files(report),
        Figure("`creditbook portfolio`, the newest day of that book", seconds(portfolio.seconds)),
        Figure("largest memory of the process", f"{portfolio.memory:.2f} GiB"),
        *_files(portfolio),
    ]


def _files(found: Measured) -> list[Figure]:
    return [Figure(f"`{name}`", f"{size:.1f} MB", f"under {MAX_MB:.0f} MB") for name, size in found.sizes.items()]


def missed(report: Measured, portfolio: Measured) -> list[str]:
    """The goals that were not reached: the median of the seconds, the largest memory, every file; a file that is not
    there at all is missed too."""
    found = []
    if statistics.median(report.seconds) >= MAX_SECONDS:
        found.append(f"stage report: {seconds(report.seconds)}, goal under {MAX_SECONDS:.0f} s")
    if report.memory >= MAX_GIB:
        found.append(f"stage report: {report.memory:.2f} GiB, goal under {MAX_GIB:.0f} GiB")
    for name, told_of, files in (("report", report, 4), ("portfolio", portfolio, 2)):
        if len(told_of.sizes) != files:
            found.append(f"{name}: {len(told_of.sizes)} files where {files} are expected")
        found += [
            f"{file}: {size:.1f} MB, goal under {MAX_MB:.0f} MB"
            for file, size in told_of.sizes.items()
            if size >= MAX_MB
        ]
    return found


def main(asked: Sequence[str]) -> None:
    """Measures, and rewrites the table where it is of the table's size. Raises SystemExit when a goal is missed."""
    if len(asked) not in (0, 2) or not all(text.isdecimal() for text in asked):
        raise SystemExit("python -m benchmarks.report_size [CUSTOMERS SNAPSHOTS]: two whole numbers, or none")
    customers, snapshots = (int(text) for text in asked) if asked else (CUSTOMERS, SNAPSHOTS)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        fresh_copy(project)
        grown(project, customers, snapshots)
        timed_run(project)
        size = counted(project)
        refuse_other_size(size, customers, snapshots)
        report = measured(project, project / "models" / "report", "model_report*", "pipeline.stages.report")
        portfolio = measured(project, project / "data" / "portfolio", "portfolio.*.html", "pipeline.cli", "portfolio")
    text = told(figures(size, report, portfolio), f"Times are the median of {RUNS} runs, with their spread.")
    if (customers, snapshots) == (CUSTOMERS, SNAPSHOTS):
        publish("report_size", text)
    else:
        print(text)
    failed = missed(report, portfolio)
    if failed:
        raise SystemExit("missed: " + "; ".join(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
