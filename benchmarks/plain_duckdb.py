"""The yardstick of the night: plain DuckDB reading the columns the catalogue reads, and one sum per customer.

    python -m benchmarks.plain_duckdb '{"ledger": "FOLDER", "columns": {"invoices": ["customer_id", "amount"]}}'

Which columns the catalogue reads is asked of DuckDB's own plans of all its passes, so that nothing is counted that
the engine would not fetch. Every one of them is decoded: a checksum of values is taken of those that are not summed,
because DuckDB answers a count from a file's footer without reading it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq

from benchmarks.one_build import ROOT, engine_settings, everyone_on, last_month_ends
from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.tables.canonical import open_ledger
from pipeline.tables.contract import Kind
from pipeline.tables.ledger import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import ibis.expr.types as ir


def columns_read(ledger: Path) -> dict[str, list[str]]:
    """The columns of each ledger table that the plans of the whole catalogue scan, by a small ledger in `ledger`."""
    engine = connect_duckdb(1, "2GB")
    opened_as: dict[str, Path] = {}

    def read_into_engine(path: Path, _: str) -> ir.Table:
        # As a table of the engine, because a plan names the tables it scans and not the files.
        table = engine.register(path.stem, pq.read_table(path))
        opened_as[table.get_name().rsplit(".", 1)[-1]] = path
        return table

    opened = open_ledger(read_into_engine, engine.register, ledger)
    found: dict[str, set[str]] = defaultdict(set)

    def explained(expression: ir.Table, name: str) -> ir.Table:
        sql = engine.backend.compile(expression)
        (_, plan), *_ = engine.backend.raw_sql(f"EXPLAIN (FORMAT json) {sql}").fetchall()
        for scanned, columns in scans(json.loads(plan)):
            if scanned in opened_as:
                found[scanned] |= columns
        return engine.keep(expression, name)

    days = last_month_ends(opened, 1)
    explained(features(opened, everyone_on(engine, opened, days), explained), "whole")
    engine.close()
    return {
        path.stem: [column for column in pq.read_schema(path).names if column in found[scanned]]
        for scanned, path in opened_as.items()
        if found[scanned]
    }


def scans(plan: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, set[str]]]:
    """Each table that a plan (DuckDB's, as JSON) scans, with the names in its projection and its filters.

    A scan whose projection is not told (a count, or all columns of a small table) counts for none: the yardstick then
    reads less, never more.
    """
    for node in plan:
        told = node.get("extra_info", {})
        if "Table" in told:
            texts = [*_listed(told.get("Projections", "")), *_listed(told.get("Filters", ""))]
            yield told["Table"].rsplit(".", 1)[-1], set(re.findall(r"\w+", " ".join(texts)))
        yield from scans(node.get("children", []))


def _listed(told: str | list[str]) -> list[str]:
    return [told] if isinstance(told, str) else told


def statement(name: str, columns: list[str], path: Path) -> str:
    """Reads the columns of one table and sums its first amount per customer (counts rows without an amount)."""
    money = [c.name for c in (*BY_NAME[name].columns, *BY_NAME[name].derived) if c.kind is Kind.MONEY]
    summed = [column for column in money if column in columns][:1]
    rest = [column for column in columns if column not in ("customer_id", *summed)]
    checks = f"bit_xor(hash({', '.join(rest)}))" if rest else "0"
    if "customer_id" not in columns:
        return f"SELECT {checks} FROM '{path}'"
    one = f"sum({summed[0]})" if summed else "count(*)"
    return f"SELECT customer_id, {one}, {checks} FROM '{path}' GROUP BY customer_id"


def read_and_sum(ledger: Path, columns: Mapping[str, list[str]]) -> dict[str, float]:
    """Seconds per table, one statement after the other, with the threads and the memory limit of params.yaml."""
    settings = engine_settings()
    connection = duckdb.connect(config={"threads": settings.threads, "memory_limit": settings.memory_limit})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = false")
    times = {}
    for name, chosen in columns.items():
        began = time.monotonic()
        connection.execute(f"CREATE TEMP TABLE {name} AS {statement(name, chosen, ledger / f'{name}.parquet')}")
        times[name] = time.monotonic() - began
    return times


def in_own_process(ledger: Path, columns: Mapping[str, list[str]]) -> dict[str, float]:
    """`read_and_sum` in a process of its own. Raises SystemExit with what it printed when it fails."""
    asked = json.dumps({"ledger": str(ledger), "columns": columns})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain_duckdb", asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"plain DuckDB ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return times


def main() -> None:
    """Prints the seconds per table as JSON."""
    asked = json.loads(sys.argv[1])
    print(json.dumps(read_and_sum(Path(asked["ledger"]), asked["columns"])))


if __name__ == "__main__":
    main()
