"""The whole night of a large book: the supplier's files taken in anew, all customers scored, the run verified.

    python -m benchmarks.whole_night

Makes a source of 100,000 customers and more than 10 M invoices, runs `creditbook stage ingest`, `creditbook stage
score` and `creditbook verify` one after the other as the night would, and rewrites the table of benchmarks/README.md.
The steps within a command are those of its own log (`--log-format json`). The model in force is that of the project
(`make run` first); the book is another one, so that its PDs say nothing and its cost all. Nothing else should run
beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.big_book import tiled_source
from benchmarks.main_job import ROOT, fresh_copy
from benchmarks.readme_tables import Figure, publish, told

COPIES, CUSTOMERS, MONTHS = 50, 2000, 72
COMMANDS = (("stage", "ingest"), ("stage", "score"), ("verify", "data/scored/latest"))


@dataclass(frozen=True)
class Command:
    """One command of the night: seconds, CPU seconds, peak of memory in GiB, and the events of its log."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_gib: float
    events: list[dict[str, Any]]

    def steps(self, event: str) -> dict[str, float]:
        """Seconds by step as the log tells them; empty where it does not."""
        found = next((one for one in self.events if one.get("event") == event), {})
        return dict(found.get("seconds") or {})


def ready(project: Path, copies: int) -> None:
    """A project with the models in force of this one, whose source is the large book."""
    from pipeline.tables.demo.book import demo_book, write_demo

    if not (ROOT / "models" / "champion.json").is_file():
        raise SystemExit(f"{ROOT}/models: no model in force; run make run first")
    fresh_copy(project)
    for path in (ROOT / "models").iterdir():
        if path.is_dir() and (path / "manifest.json").is_file():
            shutil.copytree(path, project / "models" / path.name)
        elif path.suffix == ".json":
            shutil.copy2(path, project / "models" / path.name)
    write_demo(demo_book(CUSTOMERS, MONTHS, 1), project / "demo")
    tiled_source(project / "demo", copies, project / "handed_in")
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["ingest"]["source"] = "handed_in"
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def timed(project: Path, *arguments: str) -> Command:
    """One command in a process of its own."""
    command = [sys.executable, "-m", "pipeline.cli", "--log-format", "json", *arguments]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        environment = {**os.environ, "PYTHONPATH": str(project)}
        process = subprocess.Popen(command, cwd=project, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        output.seek(0)
        lines = output.read().splitlines()
    if status:
        raise SystemExit("\n".join(lines[-20:]))
    events = [json.loads(line) for line in lines if line.startswith("{")]
    cpu = usage.ru_utime + usage.ru_stime
    return Command(" ".join(arguments), seconds, cpu, usage.ru_maxrss / 2**20, events)


def figures(commands: list[Command], rows: dict[str, int]) -> list[Figure]:
    """The night as a whole, each command, and the steps within."""
    whole = sum(one.seconds for one in commands)
    cpu = sum(one.cpu_seconds for one in commands)
    found = [
        Figure("**the whole night**, files to verified run", f"{whole:.0f} s", "under 180 s"),
        Figure("CPU seconds of it", f"{cpu:.0f} s"),
    ]
    for one in commands:
        found.append(Figure(f"`creditbook {one.name}`", f"{one.seconds:.1f} s, {one.peak_gib:.1f} GiB"))
        steps = one.steps("ledger_taken_in") | one.steps("night_metrics")
        found += [Figure(f"of which {name.replace('_', ' ')}", f"{spent:.1f} s") for name, spent in steps.items()]
    told_rows = ", ".join(f"{rows[name]:,} {name}" for name in ("customers", "invoices", "payments", "orders"))
    return [*found, Figure("taken in", told_rows, "10 M invoices")]


def main() -> None:
    """Measures and rewrites the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=COPIES, help="of the demo's 2,000 customers")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        ready(project, given.copies)
        commands = [timed(project, *arguments) for arguments in COMMANDS]
        manifest = json.loads((project / "data" / "ledger" / "manifest.json").read_text(encoding="utf-8"))
    found = figures(commands, {name: entry["rows"] for name, entry in manifest["files"].items()})
    text = told(found, "One run; the whole ledger is handed in and taken in anew, as every night.")
    if given.copies == COPIES:
        publish("whole_night", text)
    else:
        print(text)


if __name__ == "__main__":
    main()
