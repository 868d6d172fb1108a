"""How fast models are fitted and applied, in ratios to the library that does the same, measured in turn in one run.

    python -m benchmarks.models_speed

Binning against optbinning's BinningProcess, a scorecard against its Scorecard.score, a booster against LightGBM's
predict, its reasons against shap.TreeExplainer. Both sides of a ratio run one after the other, several times over, and
equality of what they give is checked beside it. Seconds are wall time; the median of the rounds is told.
"""

from __future__ import annotations

import datetime as dt
import os
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

import pipeline.environment  # noqa: F401  (sets OMP_WAIT_POLICY before lightgbm starts its threads)
from benchmarks.readme_tables import Figure, publish, ratio_of, seconds, told
from pipeline.params import ScorecardParams
from pipeline.score.applied import application
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.model import Model
from pipeline.score.points import Scaling
from pipeline.score.reasons import model_reasons
from pipeline.score.scorecard import Scorecard
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.train.adverse import adverse_values
from pipeline.train.bin_counts import Outcomes
from pipeline.train.binning import fit_bins
from pipeline.train.optimal_bins import optimal_splits, reference_constraints
from pipeline.train.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BINNED_FEATURES, BINNED_ROWS = 100, 200_000
SCORED_ROWS, CARD_FEATURES, BOOSTER_FEATURES = 1_000_000, 12, 30
ROUNDS, LEAVES, DEPTH = 300, 31, 6
SHAP_ROWS, REASONED_ROWS = 3_000, 200_000
TURNS = 3
BATCH = 16_384
"""Rows that DuckDB and Spark hand to a model at a time."""
CORES = 2
_DIRECTIONS = ("rises", "falls", "either")
_TREND = {"rises": "ascending", "falls": "descending", "either": "auto_asc_desc"}


def book(rows: int, features: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers of several kinds (smooth, counts, skewed, mostly nought; every fifth with nulls) and 5 % bads."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=rows)
    is_bad = (rng.random(rows) < 1 / (1 + np.exp(3.3 - risk))).astype(float)
    columns = {}
    for i in range(features):
        sign = -1.0 if _direction(i) == "falls" else 1.0
        value = sign * risk * (0.2 + 0.8 * ((i * 7) % 10) / 10) + 1.5 * rng.normal(size=rows)
        if i % 4 == 1:
            value = np.floor(np.exp(value * 0.6))
        elif i % 4 == 2:
            value = np.exp(value)
        elif i % 4 == 3:
            value = np.where(value < 0.5, 0.0, value)
        columns[f"f{i:03d}"] = np.where(rng.random(rows) < 0.15, np.nan, value) if i % 5 == 4 else value
    return pd.DataFrame(columns), is_bad


def _direction(i: int) -> str:
    return _DIRECTIONS[i % 3]


def catalogue(features: int) -> list[dict[str, Any]]:
    """Entries for the columns of `book`; every idea but the last has three of them as its windows."""
    return [
        {
            "name": f"f{i:03d}",
            "idea": f"idea_{i // 3}",
            "subject": "payment behaviour",
            "risk": _direction(i),
            "holds": "number",
            "months": (3, 6, 12)[i % 3],
            "null_means": "nothing was paid",
            "null_means_zh": "无付款",
            "title_en": f"Days late, {i}",
            "title_zh": f"逾期天数{i}",
            "en": "Paid {value:.1f} days late on average over {months} months",
            "zh": "近{months}个月平均逾期{value:.1f}天付款",
        }
        for i in range(features)
    ]


def in_turn(*tasks: Callable[[], Any], turns: int = TURNS) -> list[list[float]]:
    """Seconds of each task in each turn; the tasks take turns, so that what else the machine does falls on all."""
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(turns):
        for task, spent in zip(tasks, times, strict=True):
            start = time.perf_counter()
            task()
            spent.append(time.perf_counter() - start)
    return times


def sample_of(rows: pd.DataFrame, is_bad: np.ndarray) -> Sample:
    """Every row a customer of its own on one day."""
    names = np.array([f"c{i:07d}" for i in range(len(rows))], dtype=object)
    return Sample(rows, is_bad, names, np.array([dt.date(2025, 1, 31)] * len(rows), dtype=object))


def binning_figures() -> list[Figure]:
    """Fitting bins against BinningProcess on both cores, under the same limits and directions."""
    from optbinning import BinningProcess

    rows, is_bad = book(BINNED_ROWS, BINNED_FEATURES, 1)
    sample, settings, entries = sample_of(rows, is_bad), ScorecardParams(), catalogue(BINNED_FEATURES)
    outcomes = Outcomes.of(sample)
    limits = {entry["name"]: reference_constraints(outcomes, settings, _TREND[entry["risk"]]) for entry in entries}
    peer = BinningProcess(list(rows), binning_fit_params=limits, n_jobs=CORES)
    fit_bins(sample, entries[:3], settings)
    theirs, ours = in_turn(
        lambda: peer.fit(rows, is_bad.astype(int)),
        lambda: fit_bins(sample_of(rows, is_bad), entries, settings),
        turns=2,
    )
    equal = 0
    for entry in entries:
        values = rows[entry["name"]].to_numpy()
        known = ~np.isnan(values)
        wanted = peer.get_binned_variable(entry["name"]).splits
        if known.all():
            found = optimal_splits(values, outcomes, entry["name"], entry["risk"], settings)
            equal += not isinstance(found, str) and found.tolist() == wanted.tolist()
    without_null = sum(not rows[name].isna().any() for name in rows)
    name = f"**Binning**, {BINNED_FEATURES} features × {BINNED_ROWS:,} rows: BinningProcess over ours"
    return [
        Figure(name, f"{ratio_of(theirs, ours):.1f} ×", "at least 2 ×"),
        Figure(f"BinningProcess, n_jobs={CORES}", seconds(theirs)),
        Figure("ours, one core", seconds(ours)),
        Figure("features without a null whose cuts are equal in every digit", f"{equal} of {without_null}", "all"),
    ]


def card_figures() -> list[Figure]:
    """Scoring a million rows by twelve characteristics, and telling their contributions."""
    from optbinning import BinningProcess
    from optbinning.scorecard import Scorecard as PeerCard
    from sklearn.linear_model import LogisticRegression

    train, is_bad = book(100_000, CARD_FEATURES, 2)
    settings, entries = ScorecardParams(), catalogue(CARD_FEATURES)
    sample = sample_of(train, is_bad)
    limits = {e["name"]: reference_constraints(Outcomes.of(sample), settings, _TREND[e["risk"]]) for e in entries}
    peer = PeerCard(BinningProcess(list(train), binning_fit_params=limits), LogisticRegression())
    peer.fit(train, is_bad.astype(int), metric_missing="empirical")
    found = fit_bins(sample, entries, settings).characteristics
    card = Scorecard(tuple(found[e["name"]] for e in entries), 600.0, 20.0, 600.0, 30.0)
    rows, _ = book(SCORED_ROWS, CARD_FEATURES, 3)
    batches = [rows.iloc[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    theirs, ours = in_turn(lambda: peer.score(rows), lambda: card.log_odds(rows))

    def held_against(batch: pd.DataFrame) -> np.ndarray:
        against = card.contributions(batch).to_numpy()[:, :-1]
        return card.is_adverse(against)

    scoring, reasons = in_turn(
        lambda: [card.log_odds(batch) for batch in batches],
        lambda: [held_against(batch) for batch in batches],
        turns=3 * TURNS,
    )
    return [
        Figure(
            f"**Scorecard**, {SCORED_ROWS:,} rows × {CARD_FEATURES}: optbinning's `Scorecard.score` over ours",
            f"{ratio_of(theirs, ours):.1f} ×",
            "at least 2 ×",
        ),
        Figure("`Scorecard.score`", seconds(theirs)),
        Figure("ours", seconds(ours)),
        Figure(
            f"**Reasons of a card**: over scoring, in a night's batches of {BATCH:,} rows",
            f"{ratio_of(reasons, scoring):.2f} ×",
            "at most 1 ×",
        ),
        Figure("contributions of every row and feature, and which are adverse", seconds(reasons)),
        Figure("scoring in batches", seconds(scoring)),
    ]


def fitted_booster(depth: int) -> Booster:
    """Trees on 50,000 rows in the catalogue's directions."""
    import lightgbm

    rows, is_bad = book(50_000, BOOSTER_FEATURES, 4)
    names = tuple(rows)
    sign = {"rises": 1, "falls": -1, "either": 0}
    settings = {
        "objective": "binary", "num_leaves": LEAVES, "max_depth": depth, "min_data_in_leaf": 50, "verbose": -1,
        "learning_rate": 0.05, "num_threads": CORES, "feature_fraction": 0.7, "deterministic": True,
        "force_row_wise": True, "monotone_constraints": [sign[e["risk"]] for e in catalogue(BOOSTER_FEATURES)],
    }  # fmt: skip
    data = lightgbm.Dataset(rows.to_numpy(), is_bad, feature_name=list(names))
    return Booster.from_text(lightgbm.train(settings, data, ROUNDS).model_to_string(), names, {})


def booster_figures(booster: Booster) -> list[Figure]:
    """Scoring a million rows against LightGBM on a matrix made ready before."""
    import lightgbm

    rows, _ = book(SCORED_ROWS, BOOSTER_FEATURES, 5)
    matrix = np.ascontiguousarray(rows.to_numpy())
    trees = lightgbm.Booster(model_str=booster.text)
    booster.log_odds(rows.head(10))
    alone, ours = in_turn(
        lambda: trees.predict(matrix, raw_score=True, num_threads=CORES), lambda: booster.log_odds(rows)
    )
    name = f"**Booster**, {SCORED_ROWS:,} rows, {ROUNDS} trees × {LEAVES} leaves: ours over LightGBM's `predict`"
    return [
        Figure(name, f"{ratio_of(ours, alone):.2f} ×", "at most 1.2 ×"),
        Figure(f"`predict` alone, {CORES} threads", seconds(alone)),
        Figure("ours, from a frame of features", seconds(ours)),
    ]


def shap_figures(booster: Booster) -> list[Figure]:
    """Contributions of a book against shap.TreeExplainer, which is given fewer rows; rates are compared."""
    import shap

    rows, _ = book(REASONED_ROWS, BOOSTER_FEATURES, 6)
    few = rows.head(SHAP_ROWS)
    explainer = shap.TreeExplainer(booster._trees)
    start = time.perf_counter()
    fresh = Booster.from_text(booster.text, booster.features, {})
    fresh.contributions(few.head(1))
    tabulating = time.perf_counter() - start
    theirs, ours = in_turn(lambda: explainer.shap_values(few), lambda: fresh.contributions(rows))
    values = explainer.shap_values(few)
    off = np.abs(fresh.contributions(few)[list(booster.features)].to_numpy() - values).max()
    whole = [spent + tabulating for spent in ours]
    ratio = ratio_of(theirs, whole) * REASONED_ROWS / SHAP_ROWS
    return [
        Figure(f"**Reasons of a booster of depth {DEPTH}**: `shap.TreeExplainer` over ours, by row", f"{ratio:.0f} ×",
               "at least 10 ×"),
        Figure(f"`shap.TreeExplainer`, {SHAP_ROWS:,} rows", seconds(theirs)),
        Figure(f"ours, {REASONED_ROWS:,} rows", seconds(ours)),
        Figure("of which once for a model: tables of its trees, beside that", f"{tabulating:.1f} s"),
        Figure("largest difference of a value", f"{off:.0e}", "1e-5"),
    ]  # fmt: skip


def night_figures(booster: Booster) -> list[Figure]:
    """PD, points and four reasons in two languages of rows with features at hand, and where the time goes."""
    rows, is_bad = book(REASONED_ROWS, BOOSTER_FEATURES, 7)
    entries = catalogue(BOOSTER_FEATURES)
    model = Model(
        kind="booster",
        label={"kind": "default", "window_months": 12},
        features=booster.features,
        catalogue=entries,
        predictor=booster,
        adverse=adverse_values(sample_of(rows, is_bad), entries, booster.features),
        calibration=Calibration.line("platt", 0.1, 0.9),
        scaling=Scaling(),
        thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3)),
        development={"default_rate": 0.05},
    )
    batch = pa.RecordBatch.from_pandas(rows, preserve_index=False)
    applied = application(model, None, batch.schema)
    applied(batch.slice(0, 10))
    answered = applied(batch).to_pandas()
    matrix = np.ascontiguousarray(rows.to_numpy())
    spent, predicted, explained, told_in_words = in_turn(
        lambda: applied(batch),
        lambda: booster._trees.predict(matrix, raw_score=True, num_threads=CORES),
        lambda: booster.contributions(rows),
        lambda: model_reasons(model, answered),
    )
    whole = [a + b for a, b in zip(spent, told_in_words, strict=True)]
    return [
        Figure(f"A night's answers for {REASONED_ROWS:,} rows over LightGBM's `predict` of them",
               f"{ratio_of(whole, predicted):.1f} ×"),
        Figure("PD, raw score and points of every feature", seconds(spent)),
        Figure("of which SHAP values", seconds(explained)),
        Figure("four reasons in two languages", seconds(told_in_words)),
        Figure("LightGBM's `predict`", seconds(predicted)),
    ]  # fmt: skip


def figures(python_of_peers: Path | None = None) -> list[Figure]:
    """All figures. The peers here are libraries of the project itself: the other environment is not needed."""
    del python_of_peers
    os.environ["OMP_NUM_THREADS"] = str(CORES)
    with warnings.catch_warnings():
        # Libraries of the peers warn about each other's spelling.
        warnings.simplefilter("ignore")
        booster = fitted_booster(DEPTH)
        return [
            *binning_figures(),
            *card_figures(),
            *booster_figures(booster),
            *shap_figures(booster),
            *night_figures(booster),
        ]


def main() -> None:
    """Measures and rewrites the table."""
    note = f"Median and range; both sides of a ratio in turn, {CORES} threads where a library has them."
    publish("models_speed", told(figures(), note))


if __name__ == "__main__":
    main()
