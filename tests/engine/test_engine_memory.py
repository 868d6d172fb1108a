"""A ledger larger than the memory limit finishes by spilling, within the limit, with the same rows."""

import json
import subprocess
import sys

import pytest

from benchmarks.big_book import demo_ledger, tiled

# A process of its own: memory once taken is not given back, and the peak of a process is all that can be read of it.
BUILD = """
import datetime as dt, json, re, sys, threading, time
from pathlib import Path
from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.flows.setting import ledger_in
from pipeline.history.snapshots import month_ends, snapshots_on, spine

ledger, limit, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
engine = connect_duckdb(1, limit, out / "scratch")
tables = ledger_in(engine, ledger)
dates = month_ends(dt.date(2020, 1, 1), tables.extract_date)[-12:]
asked = snapshots_on(tables.tables["customers"], dates).select("customer_id", "as_of")
days = engine.register("days", spine(engine.collect(asked, ["as_of", "customer_id"])))

def peak():
    # KiB this program has held at most; getrusage begins with what the process that started it had held.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

idle = peak()
spilled, ended = [0], threading.Event()

def watch():
    while not ended.wait(0.05):
        found = 0
        for path in (out / "scratch").rglob("*"):
            try:
                found += path.stat().st_size
            except FileNotFoundError:
                continue
        spilled[0] = max(spilled[0], found)

watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
rows = engine.write(features(tables, days, engine.keep), out / "rows.parquet", ["as_of", "customer_id"])
ended.set()
watcher.join()
taken = peak() - idle
print(json.dumps({"rows": rows, "mib": taken / 1024, "spilled_mib": spilled[0] / 2**20}))
engine.close()
"""


def built(ledger, limit, out):
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(ledger), limit, str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_ledger_larger_than_the_limit_finishes_by_spilling(tmp_path):
    ledger = tiled(demo_ledger(tmp_path / "demo", customers=200, months=36), 24, tmp_path / "ledger")
    roomy = built(ledger, "8GB", tmp_path / "roomy")
    tight = built(ledger, "256MiB", tmp_path / "tight")
    assert roomy["rows"] == tight["rows"] == 12 * 24 * 200
    assert roomy["spilled_mib"] < 1
    # Without a limit it takes several times as much; with it the rest goes to disk.
    assert roomy["mib"] > 3 * 256
    assert tight["spilled_mib"] > 100
    # The limit binds the engine's buffers; rows on their way out, the interpreter and the plans of the whole catalogue
    # (made while the first of them run) come on top of it.
    assert tight["mib"] < 256 + 192
    assert (tmp_path / "roomy" / "rows.parquet").read_bytes() == (tmp_path / "tight" / "rows.parquet").read_bytes()
