"""Fits the challenger: LightGBM in the catalogue's directions, searched and stopped early on later months of others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UnfitForTrainingError
from pipeline.score.booster import Booster
from pipeline.score.feature_columns import category_column, codes_of, encode, number_column, without_codes
from pipeline.train.booster_grower import Grower, members_of, time_folds
from pipeline.train.booster_mean import mean_of
from pipeline.train.booster_search import InMemory, search
from pipeline.train.interactions import interaction_price
from pipeline.train.selection import serves_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import BoosterParams
    from pipeline.train.booster_search import Diary, Search
    from pipeline.train.interactions import InteractionPrice
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

_DIRECTION = {"rises": 1, "falls": -1, "either": 0}
_FEWEST_ROUNDS = 10


@dataclass(frozen=True)
class BoosterFit:
    """The booster before calibration, the rounds of each member and those each fold wanted with the first, features
    left out because they never vary, the gain of each feature's splits (mean over the members), how its parameters were
    searched and what its interactions are worth (null where there is nothing to compare)."""

    booster: Booster
    rounds: tuple[int, ...]
    fold_rounds: tuple[int, ...]
    unused: tuple[str, ...]
    gains: dict[str, float]
    search: Search
    interactions: InteractionPrice | None

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            "rounds": sum(self.rounds),
            "member_rounds": list(self.rounds),
            "fold_rounds": list(self.fold_rounds),
            "unused": list(self.unused),
            "gains": self.gains,
            "search": self.search.as_json(),
            "interactions": self.interactions.as_json() if self.interactions else None,
        }


def fit_booster(
    sample: Sample, catalogue: Sequence[Mapping[str, Any]], settings: BoosterParams, diary: Diary | None = None
) -> BoosterFit:
    """Searches the parameters, then grows trees on the training sample for the median number of rounds the folds want.

    With fewer bad customers than `settings.members_below_bads` the latter is done for each of `settings.members`, for
    the rounds that its own folds want, and the booster is their mean.
    The text is the same for any number of threads, and whether or not the search was taken up from a diary. Raises
    UnfitForTrainingError when no feature varies.
    """
    catalogue = [feature for feature in catalogue if serves_models(feature)]
    features, unused = _varying(sample, catalogue)
    if not features:
        raise UnfitForTrainingError(f"fit_booster: none of {len(catalogue)} features varies; hand in more tables")
    grower = _grower(sample, catalogue, features, settings)
    found = search(grower, settings, diary or InMemory())
    chosen = found.settings
    members = members_of(chosen) if sample.bad_customers < chosen.members_below_bads else [chosen]
    grower.prepare([(k, each) for each in members for k in range(len(grower.folds))])
    wanted = [_wanted(grower, each) for each in members]
    rounds = tuple(max(_FEWEST_ROUNDS, int(np.median(w))) if w else min(100, chosen.max_rounds) for w in wanted)
    grown = grower.grow(members, rounds)
    gains = np.mean([each.feature_importance("gain") for each in grown], axis=0)
    text = normalised(mean_of([each.model_to_string() for each in grown]))
    booster = Booster.from_text(text, features, grower.categories, _special(catalogue, features))
    price = interaction_price(grower, sample, chosen)
    by_name = {name: float(gain) for name, gain in zip(features, gains, strict=True)}
    return BoosterFit(booster, rounds, wanted[0], unused, by_name, found, price)


def _wanted(grower: Grower, settings: BoosterParams) -> tuple[int, ...]:
    return tuple(grower.fold(k, settings).rounds for k in range(len(grower.folds)))


def normalised(text: str) -> str:
    """The model text without what the machine wrote into it: the number of threads."""
    return re.sub(r"\[num_threads: \d+\]", "[num_threads: 1]", text)


def _grower(
    sample: Sample, catalogue: Sequence[Mapping[str, Any]], features: tuple[str, ...], settings: BoosterParams
) -> Grower:
    by_name = {str(f["name"]): f for f in catalogue}
    categories = _categories(sample, catalogue, features)
    return Grower(
        matrix=encode(sample.rows, features, categories, _special(catalogue, features)),
        is_bad=sample.is_bad,
        codes=sample.codes,
        features=features,
        categories=categories,
        directions=tuple(0 if name in categories else _DIRECTION[by_name[name]["risk"]] for name in features),
        subjects=tuple(str(by_name[name].get("subject") or name) for name in features),
        folds=time_folds(sample, settings),
    )


def _special(catalogue: Sequence[Mapping[str, Any]], features: Sequence[str]) -> dict[str, Any]:
    return {str(f["name"]): codes_of(f) for f in catalogue if f["name"] in features and codes_of(f)}


def _varying(sample: Sample, catalogue: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    used: list[str] = []
    unused: list[str] = []
    for feature in catalogue:
        name = str(feature["name"])
        if feature["holds"] == "category":
            values, is_null = category_column(sample.rows, name)
            kinds = len(set(values[~is_null].tolist())) + int(is_null.any())
        else:
            numbers = without_codes(number_column(sample.rows, name), codes_of(feature))
            kinds = len(np.unique(numbers[~np.isnan(numbers)])) + int(np.isnan(numbers).any())
        (used if kinds > 1 else unused).append(name)
    return tuple(used), tuple(unused)


def _categories(
    sample: Sample, catalogue: Sequence[Mapping[str, Any]], features: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    found = {}
    for feature in catalogue:
        if feature["holds"] == "category" and feature["name"] in features:
            values, is_null = category_column(sample.rows, str(feature["name"]))
            found[str(feature["name"])] = tuple(sorted(set(values[~is_null].tolist())))
    return found
