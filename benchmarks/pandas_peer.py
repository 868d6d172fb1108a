"""Ten features for 36 month ends: the catalogue's engine against pandas written by hand, on the same files.

    python -m benchmarks.pandas_peer

Each side reads the ledger's Parquet files and writes its rows, in processes of their own, in turn; at the end the rows
are compared value by value. pandas runs on one core, the engine on the threads of params.yaml.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.big_book import demo_ledger, rows_of, tiled
from benchmarks.one_build import ROOT, Asked, Built, in_own_process
from benchmarks.pandas_features import NAMES, ten_features
from benchmarks.readme_tables import Figure, publish, ratio_of, seconds, told
from pipeline.history.snapshots import month_ends
from pipeline.tables.canonical import read_manifest

COPIES, DATES, ROUNDS = 5, 36, 3
TOLERANCE = 1e-9


def by_hand(asked: Asked) -> Built:
    """The same rows by pandas, in this process."""
    started, cpu = time.monotonic(), time.process_time()
    extracted = dt.date.fromisoformat(read_manifest(Path(asked.ledger))["extract_date"])
    days = month_ends(dt.date(1990, 1, 1), extracted)[-asked.dates :]
    rows = ten_features(Path(asked.ledger), days)
    rows.to_parquet(asked.out, compression="zstd")
    spent, cpu = time.monotonic() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Built(spent, cpu, peak, len(rows), len(NAMES))


def by_hand_in_own_process(asked: Asked) -> Built:
    """`by_hand` in a process of its own. Raises SystemExit with what it printed when it fails."""
    arguments = [sys.executable, "-m", "benchmarks.pandas_peer", json.dumps(dataclasses.asdict(asked))]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pandas ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return Built(**json.loads(done.stdout.splitlines()[-1]))


def largest_difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """The largest difference of any value, relative where the value is above 1; the rows of both in the same order.

    Raises SystemExit when rows or nulls differ.
    """
    keys = ["customer_id", "as_of"]
    pairs = [(ours[key].astype(str).to_numpy(), theirs[key].astype(str).to_numpy()) for key in keys]
    if len(ours) != len(theirs) or not all(np.array_equal(mine, other) for mine, other in pairs):
        raise SystemExit(f"{len(ours)} rows of ours and {len(theirs)} by hand are not of the same customers and days")
    largest = 0.0
    for name in NAMES:
        mine, other = ours[name].to_numpy(float), theirs[name].to_numpy(float)
        astray = np.isnan(mine) != np.isnan(other)
        if astray.any():
            where = ours.loc[astray, keys].iloc[0].tolist()
            raise SystemExit(f"{name}: {astray.sum()} of {len(ours)} rows are null on one side only, e.g. {where}")
        apart = np.abs(mine - other) / np.maximum(np.abs(mine), 1.0)
        largest = max(largest, float(np.nanmax(apart, initial=0.0)))
    return largest


def figures(rows: dict[str, int], ours: list[Built], theirs: list[Built], apart: float) -> list[Figure]:
    """The result, line by line."""
    mine, other = [b.seconds for b in ours], [b.seconds for b in theirs]
    return [
        Figure("pandas by hand over ours", f"{ratio_of(other, mine):.1f} ×", "at least 5 ×"),
        Figure("ours, ten columns", f"{seconds(mine)}, {max(b.peak_gib for b in ours):.1f} GiB"),
        Figure("pandas by hand", f"{seconds(other)}, {max(b.peak_gib for b in theirs):.1f} GiB"),
        Figure("largest difference of a value", f"{apart:.0e} of {ours[0].rows:,} rows × {len(NAMES)}", "1e-9"),
        Figure("ledger", f"{rows['payments']:,} payments, {rows['invoices']:,} invoices, {DATES} month ends"),
    ]


def main() -> None:
    """Measures in turn, compares, and rewrites the table; with an argument, one measurement of pandas."""
    if len(sys.argv) > 1:
        print(json.dumps(dataclasses.asdict(by_hand(Asked(**json.loads(sys.argv[1]))))))
        return
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = tiled(demo_ledger(folder), COPIES, folder / "tiled")
        asked = Asked(str(ledger), dates=DATES, names=list(NAMES))
        for _ in range(ROUNDS):
            ours.append(in_own_process(dataclasses.replace(asked, out=str(folder / "ours.parquet"))))
            theirs.append(by_hand_in_own_process(dataclasses.replace(asked, out=str(folder / "theirs.parquet"))))
        apart = largest_difference(*(pd.read_parquet(folder / f"{side}.parquet") for side in ("ours", "theirs")))
        rows = rows_of(ledger)
    if apart > TOLERANCE:
        raise SystemExit(f"ours and pandas by hand differ by {apart:.1e}; one of them is wrong")
    publish("pandas_peer", told(figures(rows, ours, theirs, apart), f"Median and range of {ROUNDS} runs each."))


if __name__ == "__main__":
    main()
