"""One building of the feature table in a process of its own: how long it took, where, and how much memory.

    python -m benchmarks.one_build '{"ledger": "FOLDER", "dates": 1, "out": "rows.parquet"}'

A process of its own, so that neither caches nor memory of one measurement help or burden the next.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.flows.setting import ledger_in, open_setting
from pipeline.history.snapshots import month_ends, snapshots_on, spine

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.engine import Engine
    from pipeline.params import EngineParams
    from pipeline.tables.canonical import Ledger

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Asked:
    """What to build from the ledger in a folder: the last `dates` month ends of every customer, or the `snapshots` in a
    Parquet file (customer_id, as_of). `names` null: all columns. `out` null: the rows go to a temporary file."""

    ledger: str
    dates: int = 1
    snapshots: str | None = None
    names: list[str] | None = None
    out: str | None = None


@dataclass(frozen=True)
class Built:
    """What it took. `seconds`: from the opened ledger to the written file; `process_seconds`: the whole process.

    `cpu_seconds` belong to `seconds`, and so do `passes` (the tables computed on the way, in order, with seconds and
    rows) and `last_seconds` (the join of all passes, sorted and written); the rest is planning that nothing ran beside.
    """

    seconds: float
    cpu_seconds: float
    peak_gib: float
    rows: int
    columns: int
    passes: list[tuple[str, float, int]] = field(default_factory=list)
    last_seconds: float = 0.0
    process_seconds: float = 0.0


def engine_settings() -> EngineParams:
    """The threads and the memory limit of params.yaml."""
    return open_setting(ROOT).params.engine


def in_own_process(asked: Asked) -> Built:
    """Builds in a process of its own. Raises SystemExit with what it printed when it fails."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one_build", json.dumps(dataclasses.asdict(asked))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{asked}: ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return Built(**json.loads(done.stdout.splitlines()[-1]) | {"process_seconds": time.monotonic() - started})


def last_month_ends(ledger: Ledger, dates: int) -> list[dt.date]:
    """The last month ends up to the extract date."""
    return month_ends(dt.date(1990, 1, 1), ledger.extract_date)[-dates:]


def everyone_on(engine: Engine, ledger: Ledger, days: list[dt.date]) -> ir.Table:
    """Every customer of the ledger on every day, as a spine in the engine."""
    customers = ledger.tables["customers"].select("customer_id").distinct()
    chosen = snapshots_on(customers, days).select("customer_id", "as_of")
    return engine.register("asked", spine(engine.collect(chosen, ["as_of", "customer_id"])))


def build(asked: Asked) -> Built:
    """Builds in this process."""
    settings = engine_settings()
    with tempfile.TemporaryDirectory() as folder:
        engine = connect_duckdb(settings.threads, settings.memory_limit, Path(folder))
        ledger = ledger_in(engine, Path(asked.ledger))
        if asked.snapshots is None:
            snapshots = everyone_on(engine, ledger, last_month_ends(ledger, asked.dates))
        else:
            snapshots = engine.register("asked", spine(pq.read_table(asked.snapshots)))
        kept: list[tuple[str, float, ir.Table]] = []
        all_kept = 0.0

        def timed_keep(expression: ir.Table, name: str) -> ir.Table:
            def tell(took: float) -> None:
                nonlocal all_kept
                all_kept = time.monotonic()
                kept.append((_without_own_number(name), took, rows))

            rows = engine.keep(expression, name, tell)
            return rows

        path = Path(asked.out or f"{folder}/rows.parquet")
        started, cpu = time.monotonic(), time.process_time()
        table = features(ledger, snapshots, timed_keep, asked.names)
        columns = len(table.columns) - 2
        count = engine.write(table, path, ("as_of", "customer_id"))
        ended, cpu = time.monotonic(), time.process_time() - cpu
        passes = [(name, took, rows_of_pass.count().to_pyarrow().as_py()) for name, took, rows_of_pass in kept]
        engine.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Built(ended - started, cpu, peak, count, columns, passes, ended - all_kept)


def _without_own_number(name: str) -> str:
    """The name that the code gave, without what Ibis added to keep it apart."""
    return re.sub(r"_?ibis_.*$", "", name)


def main() -> None:
    """Builds what the argument asks for and prints the measurement as JSON."""
    pa.set_cpu_count(engine_settings().threads)
    print(json.dumps(dataclasses.asdict(build(Asked(**json.loads(sys.argv[1]))))))


if __name__ == "__main__":
    main()
