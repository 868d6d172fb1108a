"""What the main job costs: `creditbook run` from nothing on the demo book, and again with nothing to do.

    python -m benchmarks.main_job

Runs in a copy of the project in a temporary folder, prints wall time, the largest memory of a single process and
the time of each stage, and rewrites the table of benchmarks/README.md.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.readme_tables import Figure, publish, told

ROOT = Path(__file__).resolve().parent.parent


def fresh_copy(target: Path) -> None:
    """The files git would clone, in a repository of their own."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)


def timed_run(project: Path) -> tuple[float, str]:
    """Seconds of one `creditbook run`, and what it printed with the second of each line."""
    started = time.monotonic()
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "run"],
        cwd=project,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines.extend(f"{time.monotonic() - started:7.1f} {line.rstrip()}" for line in process.stdout or ())
    if process.returncode:
        raise SystemExit("\n".join(lines))
    return time.monotonic() - started, "\n".join(lines)


def stage_times(printed: str, total: float) -> list[tuple[str, float]]:
    """Seconds between the line that announces a stage and the next."""
    starts = [(m[2], float(m[1])) for m in re.finditer(r"^ *([\d.]+) \[\d/\d\] (\w+)$", printed, flags=re.MULTILINE)]
    ends = [start for _, start in starts[1:]] + [total]
    return [(name, end - start) for (name, start), end in zip(starts, ends, strict=True)]


def figures(first: float, second: float, memory: float, stages: list[tuple[str, float]]) -> list[Figure]:
    """The result, line by line."""
    return [
        Figure("`creditbook run` from nothing", f"{first:.0f} s", "under 240 s"),
        Figure("largest memory of a process", f"{memory:.2f} GiB", "under 3 GiB"),
        Figure("`creditbook run` again, nothing changed", f"{second:.0f} s ({second / first:.2f} of the first)"),
        *(Figure(f"stage `{name}`", f"{spent:.0f} s") for name, spent in stages),
    ]


def main() -> None:
    """Measures and rewrites the table."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        fresh_copy(project)
        first, printed = timed_run(project)
        second, _ = timed_run(project)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{printed}\n")
    publish("main_job", told(figures(first, second, memory, stage_times(printed, first)), "Times are of one run."))


if __name__ == "__main__":
    main()
