"""Grows the challenger: LightGBM with the catalogue's directions, stopped early on later months of other customers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UnfitForTrainingError
from pipeline.score.booster import Booster
from pipeline.score.feature_columns import category_column, codes_of, encode, number_column, without_codes
from pipeline.train.scorecard import folds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import BoosterParams
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

_DIRECTION = {"rises": 1, "falls": -1, "either": 0}
_FEWEST_ROUNDS = 10


@dataclass(frozen=True)
class BoosterFit:
    """The booster before calibration, the rounds each fold wanted, and features left out because they never vary."""

    booster: Booster
    rounds: int
    fold_rounds: tuple[int, ...]
    unused: tuple[str, ...]
    gains: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            "rounds": self.rounds,
            "fold_rounds": list(self.fold_rounds),
            "unused": list(self.unused),
            "gains": self.gains,
        }


@dataclass(frozen=True)
class _Grower:
    """What every fit of one booster shares; `parameters` are LightGBM's."""

    matrix: Floats
    is_bad: Floats
    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, Any]

    def dataset(self, is_in: NDArray[np.bool_], reference: Any = None) -> Any:
        import lightgbm

        return lightgbm.Dataset(
            self.matrix[is_in],
            label=self.is_bad[is_in],
            feature_name=list(self.features),
            categorical_feature=[self.features.index(name) for name in self.categories],
            reference=reference,
            free_raw_data=False,
            params=dict(self.parameters),
        )


def fit_booster(sample: Sample, catalogue: Sequence[Mapping[str, Any]], settings: BoosterParams) -> BoosterFit:
    """Grows trees on the training sample for the median number of rounds that folds of later months wanted.

    The text is the same for any number of threads. Raises UnfitForTrainingError when no feature varies.
    """
    import lightgbm

    features, unused = _varying(sample, catalogue)
    if not features:
        raise UnfitForTrainingError(f"fit_booster: none of {len(catalogue)} features varies; hand in more tables")
    directions = {str(f["name"]): _DIRECTION[f["risk"]] for f in catalogue}
    categories = _categories(sample, catalogue, features)
    special = {str(f["name"]): codes_of(f) for f in catalogue if f["name"] in features and codes_of(f)}
    grower = _Grower(
        encode(sample.rows, features, categories, special),
        sample.is_bad,
        features,
        categories,
        _parameters(settings, [directions[name] if name not in categories else 0 for name in features]),
    )
    wanted = tuple(_best_rounds(grower, train, check, settings) for train, check in time_folds(sample, settings))
    rounds = max(_FEWEST_ROUNDS, int(np.median(wanted))) if wanted else min(100, settings.max_rounds)
    trees = lightgbm.train(dict(grower.parameters), grower.dataset(np.ones(len(sample.is_bad), bool)), rounds)
    gains = dict(zip(features, (float(g) for g in trees.feature_importance("gain")), strict=True))
    booster = Booster.from_text(normalised(trees.model_to_string()), features, categories, special)
    return BoosterFit(booster, rounds, wanted, unused, gains)


def time_folds(sample: Sample, settings: BoosterParams) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Pairs of row masks (grow, check): an expanding stretch of months, then the next stretch of other customers.

    With fewer months than stretches, or without dates, months are shared and only the customers are apart. Folds
    without bads and goods on both sides are left out.
    """
    days, position = np.unique(sample.days.astype("datetime64[D]"), return_inverse=True)
    fold = folds_of(sample.clusters, settings.folds, settings.seed)
    stretches = np.array_split(np.arange(len(days)), settings.folds + 1)
    pairs = []
    for k in range(settings.folds):
        if len(days) > settings.folds:
            grow, check = position < stretches[k + 1][0], np.isin(position, stretches[k + 1])
        else:
            grow = check = np.ones(len(position), dtype=bool)
        pair = (grow & (fold != k), check & (fold == k))
        if all(0 < sample.is_bad[mask].sum() < mask.sum() for mask in pair):
            pairs.append(pair)
    return pairs


def normalised(text: str) -> str:
    """The model text without what the machine wrote into it: the number of threads."""
    return re.sub(r"\[num_threads: \d+\]", "[num_threads: 1]", text)


def _best_rounds(grower: _Grower, grow: NDArray[np.bool_], check: NDArray[np.bool_], settings: BoosterParams) -> int:
    import lightgbm

    base = grower.dataset(grow)
    stopping = lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)
    trees = lightgbm.train(
        dict(grower.parameters),
        base,
        settings.max_rounds,
        valid_sets=[grower.dataset(check, reference=base)],
        callbacks=[stopping],
    )
    return int(trees.best_iteration or settings.max_rounds)


def _parameters(settings: BoosterParams, directions: list[int]) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.max_leaves,
        "max_depth": settings.max_depth,
        "min_data_in_leaf": settings.min_rows_per_leaf,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "monotone_constraints": directions,
        "monotone_constraints_method": "basic",
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "seed": settings.seed,
        "verbosity": -1,
    }


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
