"""Our side of the model benchmark: the fit code of `creditbook run` on the same folds, one setting for all tables."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import pipeline.environment  # noqa: F401  (before lightgbm starts its threads)
from benchmarks.models_data import without_directions
from pipeline.params import BoosterParams, ScorecardParams
from pipeline.score.calibration import pd_of_log_odds
from pipeline.train.booster import fit_booster
from pipeline.train.fit import one_thread
from pipeline.train.sample import Sample
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import as_days, customer_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipeline.score.model import Predictor

    Catalogue = Sequence[Mapping[str, Any]]

SCORECARD = ScorecardParams(selection="all", points_from="bins", min_iv=0.0, max_correlation=0.95, max_variables=99)
BOOSTER = BoosterParams()
_SEED = 1


def card(train: Sample, catalogue: Catalogue) -> Predictor:
    """The scorecard."""
    return fit_scorecard(train, catalogue, SCORECARD, _SEED).scorecard


def booster(train: Sample, catalogue: Catalogue) -> Predictor:
    """The booster with its search."""
    return fit_booster(train, catalogue, BOOSTER).booster


UNDIRECTED: dict[str, Callable[[Sample, Catalogue], Predictor]] = {
    "our_scorecard_undirected": lambda train, catalogue: card(train, without_directions(catalogue)),
    "our_booster_undirected": lambda train, catalogue: booster(train, without_directions(catalogue)),
}
OURS: dict[str, Callable[[Sample, Catalogue], Predictor]] = {
    "our_scorecard": card,
    "our_booster": booster,
    **UNDIRECTED,
}


def fold_rows(folder: Path) -> Sample:
    """Every row of a table laid out, in its order, with the groups of its customers."""
    rows = pq.read_table(folder / "rows.parquet").to_pandas()
    return Sample(
        rows=rows,
        is_bad=rows["is_bad"].to_numpy(dtype=float),
        clusters=customer_groups(rows).to_numpy(dtype=object),
        days=np.array(as_days(rows["as_of"]), dtype=object),
    )


def run(folder: Path, undirected: int, names: Sequence[str] = tuple(OURS)) -> None:
    """Our models on every fold of one table, but for what is there already; files as those of models_peers.py.

    Those without directions are fitted on the first `undirected` folds.
    """
    whole = fold_rows(folder)
    catalogue = json.loads((folder / "features.json").read_text(encoding="utf-8"))
    for k in range(sum(column.startswith("role_") for column in whole.rows.columns)):
        role = whole.rows[f"role_{k}"].to_numpy(dtype=object)
        train, scored = whole.part(role == "train"), whole.rows[role != "train"]
        for name in names:
            stem = folder / f"{name}.{k}"
            if stem.with_name(stem.name + ".json").exists() or (name in UNDIRECTED and k >= undirected):
                continue
            started = time.perf_counter()
            with one_thread():
                pd_of_rows = pd_of_log_odds(OURS[name](train, catalogue).log_odds(scored))
            seconds = round(time.perf_counter() - started, 2)
            pd.DataFrame({"pd": pd_of_rows}).to_parquet(stem.with_name(stem.name + ".parquet"))
            stem.with_name(stem.name + ".json").write_text(json.dumps({"error": None, "seconds": seconds}))
            print(f"{folder.name} {stem.name}: {seconds} s", flush=True)
