"""How far the scored book has moved from the book the model was developed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.score.applied import PD
from pipeline.score.calibration import log_odds_of_pd
from pipeline.score.feature_columns import category_column, number_column, without_codes
from pipeline.statistics.stability import psi, psi_noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.model import Model

Light = Literal["green", "amber", "red", "grey"]
SCORE = "score"


@dataclass(frozen=True)
class Cuts:
    """PSI cut-offs by custom, and the level of the test against noise."""

    watch: float
    act: float
    significance: float


@dataclass(frozen=True)
class Drift:
    """One distribution against development. `noise` is the PSI that sampling alone would exceed with the test's level;
    a PSI below it is green whatever the custom says. Grey: too few rows to say anything."""

    quantity: str
    psi: float | None
    noise: float | None
    rows: int
    light: Light


def drift_of(model: Model, rows: pd.DataFrame, cuts: Cuts) -> list[Drift]:
    """The score and every feature of the model, for the rated rows of a day with the model's answers
    (score/applied.py); worst first after the score."""
    return drift_of_counts(model, bin_counts(model, rows), cuts)


def drift_of_counts(model: Model, counts: Mapping[str, list[int]], cuts: Cuts) -> list[Drift]:
    """As `drift_of`, of rows that were counted before."""
    development = model.development
    found = [_drift(SCORE, development[SCORE], counts[SCORE], cuts)]
    features = [_drift(name, told, counts[name], cuts) for name, told in development["features"].items()]
    return found + sorted(features, key=lambda drift: (-(drift.psi or 0.0), drift.quantity))


def bin_counts(model: Model, rows: pd.DataFrame) -> dict[str, list[int]]:
    """Rows with the model's answers in each bin of development, nulls last: of the score, then of every feature. Counts
    of parts of a book add up to those of the book."""
    development = model.development
    told_of = {SCORE: development[SCORE], **development["features"]}
    return {
        quantity: np.bincount(codes, minlength=bins_of(told_of[quantity])).tolist()
        for quantity, codes in bin_codes(model, rows)
    }


def bin_codes(model: Model, rows: pd.DataFrame) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The bin of development that each row stands in, as a number from 0, nulls in the last: of the score, then of
    every feature. The rows hold the model's answers."""
    development = model.development
    yield SCORE, _of_numbers(score_levels(rows[PD]), development[SCORE])
    for name, told in development["features"].items():
        yield name, _of_feature(rows, name, told)


def bins_of(told: Mapping[str, Any]) -> int:
    """How many bins a distribution of development has, with the one of nulls."""
    return len(told["counts"]) + 1


def drift_between(model: Model, before: pd.DataFrame, now: pd.DataFrame, cuts: Cuts) -> list[Drift]:
    """The score and every feature of the model on one day against another, in the bins of development and its order.

    Both frames hold the rated rows of a day with the model's answers.
    """
    then, here = bin_counts(model, before), bin_counts(model, now)
    return [_compared(quantity, then[quantity], here[quantity], cuts) for quantity in then]


def score_levels(pd: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Ln odds of good of a calibrated PD to six decimals: the scale on which the score's distribution is kept.

    Calibrated, so that it does not matter whether the calibration stands beside the card or was folded into its
    points; rounded, so that the last digit does not decide on which side of a bound a score falls.
    """
    levels: npt.NDArray[np.float64] = np.round(log_odds_of_pd(pd), 6)
    return levels


def _of_feature(rows: pd.DataFrame, name: str, told: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    if "categories" not in told:
        return _of_numbers(number_column(rows, name), told)
    texts, is_null = category_column(rows, name)
    known = texts[~is_null].astype(str)
    # A category that development has not seen stands in the bin before that of nulls.
    found = np.full(len(known), len(told["categories"]), dtype=np.int64)
    for position, category in enumerate(told["categories"]):
        found[known == category] = position
    codes = np.full(len(texts), len(told["categories"]) + 1, dtype=np.int64)
    codes[~is_null] = found
    return codes


def _of_numbers(values: np.ndarray, told: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    values = without_codes(values, told.get("special", ()))
    codes = np.searchsorted(np.asarray(told["splits"], dtype=float), values, side="right")
    return np.where(np.isnan(values), len(told["splits"]) + 1, codes).astype(np.int64)


def _drift(quantity: str, told: Mapping[str, Any], now: list[int], cuts: Cuts) -> Drift:
    return _compared(quantity, [*told["counts"], told["missing"]], now, cuts)


def _compared(quantity: str, before: list[int], now: list[int], cuts: Cuts) -> Drift:
    if not sum(now) or not sum(before):
        return Drift(quantity, None, None, sum(now), "grey")
    value, noise = psi(before, now), psi_noise(before, now, cuts.significance)
    return Drift(quantity, value, noise, sum(now), drift_light(value, noise, cuts))


def drift_light(value: float, noise: float, cuts: Cuts) -> Light:
    """Green up to custom or to what chance shows, whichever is more; then amber, and red beyond the second custom."""
    if value <= max(noise, cuts.watch):
        return "green"
    return "amber" if value <= cuts.act else "red"
