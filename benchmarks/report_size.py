"""What the committee's report costs: two languages, page and PDF, for 5,000 customers and 48 snapshots.

    python -m benchmarks.report_size

Runs the main job once on such a demo book in a temporary folder, then the stage `report` alone in a process of its own;
prints seconds, the largest memory and the size of each file, and rewrites the table of benchmarks/README.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.main_job import fresh_copy, timed_run
from benchmarks.readme_tables import Figure, publish, told

# The first twelve months only show what came before: 60 months have 48 snapshots.
CUSTOMERS, SNAPSHOTS, MONTHS = 5000, 48, 60


def grown(project: Path) -> None:
    """The parameters of the larger book."""
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["ingest"]["demo"] |= {"customers": CUSTOMERS, "months": MONTHS}
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def timed_report(project: Path) -> tuple[float, float]:
    """Seconds of the stage and the largest memory of its process in GiB."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pipeline.stages.report"]
    process = subprocess.Popen(command, cwd=project, env={**os.environ, "PYTHONPATH": str(project)})
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the stage report ended with status {status}")
    return time.monotonic() - started, usage.ru_maxrss / 2**20


def figures(seconds: float, memory: float, folder: Path) -> list[Figure]:
    """The result, line by line."""
    sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(folder.glob("model_report*"))}
    return [
        Figure(f"stage `report`, {CUSTOMERS:,} customers × {SNAPSHOTS} snapshots", f"{seconds:.0f} s", "under 60 s"),
        Figure("largest memory of the process", f"{memory:.2f} GiB", "under 2 GiB"),
        *(Figure(f"`{name}`", f"{size:.1f} MB", "under 5 MB") for name, size in sizes.items()),
    ]


def main() -> None:
    """Measures and rewrites the table."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        fresh_copy(project)
        grown(project)
        timed_run(project)
        seconds, memory = timed_report(project)
        found = figures(seconds, memory, project / "models" / "report")
    for figure in found:
        print(f"{figure.name}: {figure.measured} ({figure.held_against})")
    publish("report_size", told(found, "The time is of one run."))


if __name__ == "__main__":
    main()
