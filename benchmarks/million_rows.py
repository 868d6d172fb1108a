"""The night of a million customers with features at hand, against LightGBM's `predict` alone on the same rows.

    python -m benchmarks.million_rows [CUSTOMERS] [FOLDER]

Needs a project that has been run (`creditbook run`): its book is repeated with customers of their own and jittered
values (`million_book.py`), its models and policy score it. FOLDER (default: below the temporary folder) keeps the book
and its previous run for the next time. With more than two million customers only the memory is told, of one run.

A night here: the models applied to feature rows on disk, both passes of the scored book with a run of a month before to
compare with, reasons, limits, alerts and changes, every file written and flushed, published, then verified by its
manifest. `predict` has its matrix in memory. Both run in processes of their own, in turn. Processor time and memory are
those of the night with its worker processes; its memory is told as if all had been at their largest at once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.million_book import MillionBook, Rows, million_book, trees
from benchmarks.readme_tables import Figure, publish, ratio_of, seconds, told
from pipeline.engine.parquet_files import write_batches
from pipeline.features.catalog import KINDS
from pipeline.flows.setting import open_setting
from pipeline.history.snapshots import months_before
from pipeline.score.applied import application
from pipeline.score.feature_columns import encode
from pipeline.score.night_parts import NightRows
from pipeline.score.policy import read_policy
from pipeline.score.publish import drafting, previous_folder, publish_draft, run_looked_back_to
from pipeline.score.ranges import ParquetRows
from pipeline.score.run_check import verify
from pipeline.score.stream import score_rows

if TYPE_CHECKING:
    from pipeline.score.model import Model

CUSTOMERS, DEMO_CUSTOMERS, TURNS, CORES = 1_000_000, 2000, 3, 2
TOLD = {"data_version": "0" * 64, "code_version": "0" * 64, "base_currency": "EUR"}
_MOST_TIMED = 2_000_000
_GIB = 2**20  # of KiB


def main() -> None:
    """Measures in processes of their own and rewrites the table."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.gettempdir()) / "creditbook-million"
    place = [str(customers), str(folder)]
    kinds = ["card", "booster"] if customers <= _MOST_TIMED else ["card"]
    for kind in kinds:
        _process("before", kind, *place)
    if customers > _MOST_TIMED:
        publish("ten_million_rows", told(_memory(_process("night", "card", *place)), "One run."))
        return
    runs: dict[str, list[dict[str, Any]]] = {"predict": [], "card": [], "booster": []}
    for _ in range(TURNS):
        runs["predict"].append(_process("predict", "booster", *place))
        for kind in kinds:
            runs[kind].append(_process("night", kind, *place))
    note = f"Median and range of {TURNS} runs each, in turn; {CORES} threads."
    publish("million_rows", told(_figures(runs), note))


def _figures(runs: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    alone, alone_cpu = ([run[key] for run in runs["predict"]] for key in ("seconds", "cpu"))
    rows = runs["predict"][0]["rows"]
    found = []
    for kind, name, goal in (("card", "scorecard", 6), ("booster", "booster of depth 5, 300 trees", 12)):
        if not runs[kind]:
            continue
        spent, cpu = ([run[key] for run in runs[kind]] for key in ("seconds", "cpu"))
        peak = max(run["peak_gib"] for run in runs[kind])
        steps = runs[kind][0]["steps"]
        found += [
            Figure(f"**A night of {rows:,} customers**, {name}, over `predict`", f"{ratio_of(spent, alone):.1f} ×",
                   f"at most {goal} ×"),
            Figure(f"the night, {name}: features at hand to published and verified", seconds(spent)),
            Figure("of which " + ", ".join(f"{step} {took:.1f} s" for step, took in steps.items()), ""),
            Figure("processor time over that of `predict`", f"{ratio_of(cpu, alone_cpu):.1f} ×: {seconds(cpu)}"),
            Figure("largest memory of its processes together", f"{peak:.2f} GiB", "under 3 GiB"),
        ]  # fmt: skip
    return [*found, Figure("LightGBM's `predict`, 300 trees × 31 leaves, same rows, 30 features", seconds(alone))]


def _memory(run: dict[str, Any]) -> list[Figure]:
    return [
        Figure(f"largest memory of a night of {run['rows']:,} customers, scorecard", f"{run['peak_gib']:.2f} GiB",
               "under 3 GiB"),
        Figure("the night", seconds([run["seconds"]])),
    ]  # fmt: skip


def _process(*task: str) -> dict[str, Any]:
    """A task in a process of its own."""
    code = "import sys; from benchmarks.million_rows import work; work(*sys.argv[1:])"
    environment = {**os.environ, "OMP_NUM_THREADS": str(CORES)}
    done = subprocess.run([sys.executable, "-c", code, *task], env=environment, check=True, stdout=subprocess.PIPE)
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def work(task: str, kind: str, customers: str, folder: str) -> None:
    """One measurement, printed as JSON: seconds, processor time, peak of memory, and the steps."""
    largest = Largest()
    setting = open_setting()
    book = million_book(setting, -(-int(customers) // DEMO_CUSTOMERS), Path(folder) / customers)
    model = book.card if kind == "card" else book.booster
    out = Path(folder) / customers / f"out_{kind}"
    if task == "predict":
        measured: dict[str, Any] = _predict(book)
    elif task == "before":
        shutil.rmtree(out, ignore_errors=True)
        measured = _night(book.before, None, model, out)
    else:
        again = out.with_name(f"{out.name}_again")
        shutil.rmtree(again, ignore_errors=True)
        shutil.copytree(out, again, symlinks=True, copy_function=os.link)
        measured = _night(book.today, book.before, model, again)
        shutil.rmtree(again)
    print(json.dumps({**measured, "rows": book.customers, "peak_gib": largest.gib()}))


class Largest:
    """The largest memory of this process and of those it starts, asked for five times a second: of each the most that
    the kernel ever saw (VmHWM), added up as if all had been at their largest at once. What the system tells of ended
    children (RUSAGE_CHILDREN) will not do: it counts what this process had when it started them."""

    def __init__(self) -> None:
        self._kib: dict[int, int] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def gib(self) -> float:
        """So far."""
        self._ask(os.getpid())
        return sum(self._kib.values()) / _GIB

    def _watch(self) -> None:
        while True:
            for listed in Path("/proc/self/task").glob("*/children"):
                with suppress(OSError):
                    for child in listed.read_text().split():
                        self._ask(int(child))
            time.sleep(0.2)

    def _ask(self, process: int) -> None:
        # Gone between two looks.
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            self._kib[process] = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def _predict(book: MillionBook) -> dict[str, Any]:
    import lightgbm

    names, held = list(book.booster.features), book.booster.predictor
    rows = ParquetRows(book.today.features)
    parts = [encode(batch.to_pandas(), names, held.categories, held.special) for batch in rows.batches(names)]
    matrix = np.concatenate(parts)
    is_bad = np.random.default_rng(1).random(50_000) < 0.05
    grown = lightgbm.Booster(model_str=trees(matrix[:50_000], is_bad, names, -1))
    started, cpu = time.perf_counter(), _processor()
    grown.predict(matrix, raw_score=True, num_threads=CORES)
    return {"seconds": time.perf_counter() - started, "cpu": _processor() - cpu}


def _processor() -> float:
    """Seconds of processor time of this process and of those it started that have ended."""
    return sum(os.times()[:4])


def _night(rows: Rows, before: Rows | None, model: Model, out: Path) -> dict[str, Any]:
    started, cpu = time.perf_counter(), _processor()
    steps: dict[str, float] = {}
    laps = [started]

    def lap(name: str) -> None:
        laps.append(time.perf_counter())
        steps[name] = laps[-1] - laps[-2]

    features = ParquetRows(rows.features)
    answer = application(model, None, features.schema)
    answered = _answered(rows, model)
    write_batches((answer(batch) for batch in features.batches(features.schema.names)), answer.schema, answered.path)
    lap("models applied")
    policy = read_policy(Path("policy"), KINDS)
    inputs = NightRows(
        ParquetRows(rows.positions),
        answered,
        ParquetRows(rows.positions_before),
        None if before is None else _answered(before, model),
        previous_folder(out, rows.as_of),
        months_before(rows.as_of, 1),
        ParquetRows(rows.features_before),
        run_looked_back_to(out, rows.as_of, policy.alerts),
    )
    with drafting(out) as draft:
        night, _ = score_rows(inputs, model, policy, rows.as_of, draft.add, workers=CORES)
        lap("scored and written")
        folder = publish_draft(draft, night, out, TOLD)
    lap("published")
    breaches = verify(folder)
    lap("verified")
    if breaches:
        raise SystemExit(f"{folder}: {breaches[0]}")
    return {"seconds": time.perf_counter() - started, "cpu": _processor() - cpu, "steps": steps}


def _answered(rows: Rows, model: Model) -> ParquetRows:
    return ParquetRows(rows.features.with_name(f"answered_{model.kind}_{rows.as_of}.parquet"))


if __name__ == "__main__":
    main()
