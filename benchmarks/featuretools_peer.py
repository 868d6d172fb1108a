"""Ten features by the catalogue's engine against featuretools with cutoff times, at a size that featuretools finishes.

    make .venv-featuretools/installed && python -m benchmarks.featuretools_peer

featuretools runs in an environment of its own, on one process (more need Dask). Both sides read the same plain ledger
(plain_ledger.py) and must give the same values. Reading and preparing the entities is not counted on its side;
reading the files is counted on ours.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.big_book import demo_ledger, rows_of
from benchmarks.one_build import ROOT, Asked, Built, in_own_process
from benchmarks.pandas_features import NAMES
from benchmarks.pandas_peer import TOLERANCE, largest_difference
from benchmarks.plain_ledger import plain_ledger
from benchmarks.readme_tables import Figure, publish, ratio_of, seconds, told
from pipeline.history.snapshots import month_ends

CUSTOMERS, OWN_DAYS, MONTH_ENDS, ROUNDS = 500, 6, 36, 3
_PYTHON = ROOT / ".venv-featuretools" / "bin" / "python"
_FIRST, _LAST = dt.date(2023, 1, 1), dt.date(2025, 12, 31)


@dataclass(frozen=True)
class Compared:
    """The same snapshots by both sides: ours in several runs, featuretools in one."""

    snapshots: pa.Table
    ours: list[Built]
    theirs: dict[str, Any]
    apart: float


def days_of_their_own(customers: list[str], seed: int = 1) -> pa.Table:
    """OWN_DAYS days of three years for each customer, drawn at random: as when every decision has its own day."""
    draw = random.Random(seed)
    days = [_FIRST + dt.timedelta(days=number) for number in range((_LAST - _FIRST).days + 1)]
    rows = [(customer, day) for customer in customers for day in draw.sample(days, OWN_DAYS)]
    return _snapshots(rows)


def on_month_ends(customers: list[str]) -> pa.Table:
    """Every customer on the last MONTH_ENDS month ends."""
    days = month_ends(_FIRST, _LAST)[-MONTH_ENDS:]
    return _snapshots([(customer, day) for customer in customers for day in days])


def _snapshots(rows: list[tuple[str, dt.date]]) -> pa.Table:
    ordered = sorted(rows, key=lambda row: (row[1], row[0]))
    return pa.table(
        {"customer_id": [customer for customer, _ in ordered], "as_of": pa.array([day for _, day in ordered])}
    )


def compared(ledger: Path, snapshots: pa.Table, folder: Path) -> Compared:
    """Both sides in processes of their own, then value by value. Raises SystemExit when they disagree."""
    asked, cutoffs = folder / "snapshots.parquet", folder / "cutoffs.parquet"
    pq.write_table(snapshots, asked)
    pq.write_table(snapshots.rename_columns(["customer_id", "time"]), cutoffs)
    ours = [
        in_own_process(Asked(str(ledger), snapshots=str(asked), names=list(NAMES), out=str(folder / "ours.parquet")))
        for _ in range(ROUNDS)
    ]
    theirs = _featuretools(ledger, cutoffs, folder / "theirs.parquet")
    found = pd.read_parquet(folder / "theirs.parquet").rename(columns={"time": "as_of"})
    found = found.assign(as_of=pd.to_datetime(found["as_of"]).dt.date).sort_values(["as_of", "customer_id"])
    apart = largest_difference(pd.read_parquet(folder / "ours.parquet"), found.reset_index(drop=True))
    if apart > TOLERANCE:
        raise SystemExit(f"ours and featuretools differ by {apart:.1e}; one of them is wrong")
    return Compared(snapshots, ours, theirs, apart)


def _featuretools(ledger: Path, cutoffs: Path, out: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("featuretools_features.py")
    arguments = [str(part) for part in (_PYTHON, script, ledger, cutoffs, out)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"featuretools ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def figures(kind: str, result: Compared, goal: str) -> list[Figure]:
    """The result for one kind of cutoff times, line by line."""
    mine, other = [built.seconds for built in result.ours], [result.theirs["seconds"]]
    days = pc.count_distinct(result.snapshots["as_of"]).as_py()
    return [
        Figure(f"**{kind}**: featuretools over ours", f"{ratio_of(other, mine):.0f} ×", goal),
        Figure("ours, ten columns", f"{seconds(mine)}, {max(built.peak_gib for built in result.ours):.1f} GiB"),
        Figure("featuretools, the same ten", f"{seconds(other)}, {result.theirs['peak_gib']:.1f} GiB"),
        Figure("snapshots", f"{result.snapshots.num_rows:,} on {days:,} days"),
        Figure("largest difference of a value", f"{result.apart:.0e}", "1e-9"),
    ]


def main() -> None:
    """Measures both kinds of cutoff times and rewrites the table."""
    if not _PYTHON.exists():
        raise SystemExit(f"{_PYTHON} is not there; make .venv-featuretools/installed makes it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = plain_ledger(demo_ledger(folder, customers=CUSTOMERS), folder / "plain")
        customers = sorted(set(pq.read_table(ledger / "customers.parquet")["customer_id"].to_pylist()))
        own = compared(ledger, days_of_their_own(customers), folder)
        panel = compared(ledger, on_month_ends(customers), folder)
        rows = rows_of(ledger)
    versions = ", ".join(f"{package} {version}" for package, version in own.theirs["versions"].items())
    lines = [
        *figures("Days of their own", own, "at least 50 ×"),
        *figures("Month ends", panel, ""),
        Figure("ledger", f"{rows['customers']:,} customers, {rows['invoices']:,} invoices; {versions}"),
    ]
    publish("featuretools_peer", told(lines, f"Ours: median and range of {ROUNDS} runs; featuretools: one run."))


if __name__ == "__main__":
    main()
