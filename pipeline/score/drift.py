"""How far the scored book has moved from the book the model was developed on."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pipeline.score.applied import PD
from pipeline.score.calibration import log_odds_of_pd
from pipeline.score.feature_columns import category_column, number_column, without_codes
from pipeline.statistics.stability import clustered_spread, counted_spread, psi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from pipeline.score.model import Model
    from pipeline.statistics.stability import Spread

Light = Literal["green", "amber", "red", "grey"]
SCORE = "score"
# Of customer groups: as many witnesses tell a variance to some 4 %.
_LOTS = 1024


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


@dataclass(frozen=True)
class Binned:
    """Rows with the model's answers in the bins of development, nulls last, by quantity: of the score, then of every
    feature. `tied` has those rows whose customer has a group, by lot (down) and bin (across): a lot is a few groups
    thrown together by a hash of their names, so that a large book takes no more memory than a small one. Those of parts
    of a book add up to that of the book."""

    counts: Mapping[str, npt.NDArray[np.int64]]
    tied: Mapping[str, npt.NDArray[np.int32]]

    def __add__(self, other: Binned) -> Binned:
        counts = {name: own + other.counts[name] for name, own in self.counts.items()}
        return Binned(counts, {name: own + other.tied[name] for name, own in self.tied.items()})


def binned(model: Model, rows: pd.DataFrame, groups: npt.ArrayLike) -> Binned:
    """The rows, which hold the model's answers (score/applied.py), with the customer group of each, null for one whose
    customer has none."""
    numbers, names = pd.factorize(np.asarray(groups, dtype=object))
    is_tied, told_of = numbers >= 0, _told_of(model)
    lots = np.array([zlib.crc32(str(name).encode()) % _LOTS for name in names], dtype=np.int64)[numbers[is_tied]]
    counts, tied = {}, {}
    for quantity, codes in bin_codes(model, rows):
        bins = bins_of(told_of[quantity])
        counts[quantity] = np.bincount(codes, minlength=bins)
        cells = np.bincount(lots * bins + codes[is_tied], minlength=_LOTS * bins)
        tied[quantity] = cells.reshape(_LOTS, bins).astype(np.int32)
    return Binned(counts, tied)


def drift_of(model: Model, now: Binned, cuts: Cuts) -> list[Drift]:
    """The score and every feature of the model, of the rated rows of a day; worst first after the score."""
    score, *found = (drift_in(model, now, quantity, cuts) for quantity in _told_of(model))
    return [score, *sorted(found, key=lambda drift: (-(drift.psi or 0.0), drift.quantity))]


def drift_in(model: Model, now: Binned, quantity: str, cuts: Cuts) -> Drift:
    """One quantity against development."""
    before, counts = _developed(model, quantity), now.counts[quantity]
    spread = spread_in(model, now, quantity)
    if spread is None:
        return Drift(quantity, None, None, int(sum(counts)), "grey")
    return _lit(quantity, psi(before, counts), spread, int(sum(counts)), cuts)


def spread_in(model: Model, now: Binned, quantity: str) -> Spread | None:
    """What the PSI of a quantity against development is like by chance, by customer group; null without rows.

    Development's witnesses are the groups that its rows come from, months of a customer being one; a model that does
    not tell how many these were has its rows counted.
    """
    before, counts = _developed(model, quantity), now.counts[quantity]
    if not sum(counts) or not sum(before):
        return None
    witnesses = min(model.development.get("customers") or sum(before), sum(before))
    return counted_spread(before, witnesses, counts, now.tied[quantity])


def moved_most(model: Model, now: Binned, features: Sequence[str]) -> str | None:
    """The feature of those named whose PSI against development is largest; null without one."""

    def moved(name: str) -> tuple[float, str]:
        before, counts = _developed(model, name), now.counts[name]
        return -psi(before, counts) if sum(before) and sum(counts) else 0.0, name

    return min(features, key=moved, default=None)


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


def drift_between(
    model: Model,
    before: pd.DataFrame,
    now: pd.DataFrame,
    clusters: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    cuts: Cuts,
) -> list[Drift]:
    """The score and every feature of the model on one day against another, in the bins of development and its order.

    Both frames hold the rated rows of a day with the model's answers; `clusters` number the customer group of each of
    their rows, the same on both days. Whoever stays in its bin is no noise.
    """
    pairs = zip(bin_codes(model, before), bin_codes(model, now), strict=True)
    return [_compared(quantity, then, here, clusters, cuts) for (quantity, then), (_, here) in pairs]


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


def _told_of(model: Model) -> dict[str, Mapping[str, Any]]:
    return {SCORE: model.development[SCORE], **model.development["features"]}


def _developed(model: Model, quantity: str) -> list[int]:
    told = _told_of(model)[quantity]
    return [*told["counts"], told["missing"]]


def _compared(
    quantity: str,
    then: npt.NDArray[np.int64],
    here: npt.NDArray[np.int64],
    clusters: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    cuts: Cuts,
) -> Drift:
    if not (len(then) and len(here)):
        return Drift(quantity, None, None, len(here), "grey")
    bins = int(max(then.max(), here.max())) + 1
    value = psi(np.bincount(then, minlength=bins), np.bincount(here, minlength=bins))
    return _lit(quantity, value, clustered_spread(then, here, clusters, bins), len(here), cuts)


def _lit(quantity: str, value: float, spread: Spread, rows: int, cuts: Cuts) -> Drift:
    noise = spread.noise(cuts.significance)
    return Drift(quantity, value, noise, rows, drift_light(value, noise, cuts))


def drift_light(value: float, noise: float, cuts: Cuts) -> Light:
    """Green up to custom or to what chance shows, whichever is more; then amber, and red beyond the second custom."""
    if value <= max(noise, cuts.watch):
        return "green"
    return "amber" if value <= cuts.act else "red"
