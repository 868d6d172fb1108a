"""Grows trees with LightGBM: one matrix, its directions, its folds of later months, and how well each fold went."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from pipeline.statistics.calibration import log_loss, log_losses
from pipeline.train.customer_folds import folds_of
from pipeline.train.symmetric_text import text_of
from pipeline.train.symmetric_trees import Ground, Watched, grow, grow_watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import BoosterParams
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_T = TypeVar("_T")
# What LightGBM calls after every round.
Watch: TypeAlias = "Callable[[Any], None]"


@dataclass(frozen=True)
class FoldResult:
    """One fold: the rounds it wanted, its mean log loss (nats), the log loss and the PD of each checked row."""

    rounds: int
    loss: float
    losses: Floats
    pd: Floats


@dataclass(frozen=True)
class Grower:
    """What every fit of one booster shares: rows, outcomes, and the customer of each row as a number from 0 (`codes`).

    `directions` are +1, −1 or 0 per feature, `subjects` what it tells of.
    """

    matrix: Floats
    is_bad: Floats
    codes: NDArray[np.int64]
    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    directions: tuple[int, ...]
    subjects: tuple[str, ...]
    folds: Sequence[tuple[Mask, Mask]]
    _datasets: dict[int, tuple[Any, Any]] = field(default_factory=dict, repr=False)
    _results: dict[tuple[int, BoosterParams], FoldResult] = field(default_factory=dict, repr=False)

    def grow(self, settings: Sequence[BoosterParams], rounds: Sequence[int]) -> list[Any]:
        """A booster of all rows for each of the settings, of its number of rounds; side by side."""
        import lightgbm

        everything = self._dataset(np.ones(len(self.is_bad), dtype=bool)).construct()
        threads = settings[0].threads
        share = thread_share(threads, len(settings), self.matrix.size)

        def grown(each: BoosterParams, n: int, watch: Watch) -> Any:
            if each.trees == "symmetric":
                return self._symmetric(each, n, everything, watch)
            return lightgbm.train(self.parameters(each, share), everything, n, callbacks=[watch])

        return side_by_side([partial(grown, *told) for told in zip(settings, rounds, strict=True)], threads)

    def fold(self, k: int, settings: BoosterParams) -> FoldResult:
        """Fold k, stopped `early_stopping_rounds` after its log loss was least; grown once for the same settings."""
        self.prepare([(k, settings)])
        return self._results[k, settings]

    def prepare(self, wanted: Sequence[tuple[int, BoosterParams]]) -> None:
        """Grows several folds side by side, so that `fold` only has to look them up.

        Of few rows a tree is grown quicker by one thread than by two, and two trees at once twice as fast.
        """
        missing = [each for each in wanted if each not in self._results]
        if not missing:
            return
        for k in {k for k, _ in missing}:
            for dataset in self._fold_datasets(k):
                dataset.construct()
        # The largest first, so that none is left to run alone at the end.
        missing.sort(key=lambda each: -self._cells(each[0]))
        threads = missing[0][1].threads
        tasks = [
            partial(self._fold, k, each, thread_share(threads, len(missing), self._cells(k))) for k, each in missing
        ]
        self._results.update(zip(missing, side_by_side(tasks, threads), strict=True))

    def _cells(self, k: int) -> int:
        return int(self.folds[k][0].sum()) * len(self.features)

    def _fold(self, k: int, settings: BoosterParams, threads: int, watch: Watch) -> FoldResult:
        import lightgbm

        if settings.trees == "symmetric":
            return self._symmetric_fold(k, settings, watch)
        base, check = self._fold_datasets(k)
        trees = lightgbm.train(
            self.parameters(settings, threads),
            base,
            settings.max_rounds,
            valid_sets=[check],
            feval=_log_loss,
            callbacks=[watch, lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)],
        )
        rounds = int(trees.best_iteration or settings.max_rounds)
        pd = np.asarray(trees.predict(self.matrix[self.folds[k][1]], num_iteration=rounds), dtype=float)
        losses = log_losses(pd, self.is_bad[self.folds[k][1]])
        return FoldResult(rounds, float(trees.best_score["valid_0"]["log_loss"]), losses, pd)

    def _symmetric(self, settings: BoosterParams, rounds: int, everything: Any, watch: Watch) -> Any:
        """A booster of symmetric trees, in the text of one that LightGBM grows of the same features."""
        import lightgbm

        ground = self._ground(np.ones(len(self.is_bad), dtype=bool), settings)
        trees = grow(ground, settings, rounds, watch)
        host = lightgbm.train(self.parameters(settings, 1), everything, 1).model_to_string()
        return lightgbm.Booster(model_str=text_of(host, trees, ground.cells, ground.start, settings.l2))

    def _symmetric_fold(self, k: int, settings: BoosterParams, watch: Watch) -> FoldResult:
        base, check = self.folds[k]
        watched = Watched(self.matrix[check], self.is_bad[check])
        rounds, pd = grow_watched(self._ground(base, settings), settings, watch, watched)
        losses = log_losses(pd, watched.is_bad)
        return FoldResult(rounds, float(losses.mean()), losses, pd)

    def _ground(self, is_in: Mask, settings: BoosterParams) -> Ground:
        categories = frozenset(self.features.index(name) for name in self.categories)
        groups = {"free": None, "none": self.features, "within_subject": self.subjects}[settings.interactions]
        numbers = None if groups is None else np.unique(groups, return_inverse=True)[1]
        return Ground(self.matrix[is_in], self.is_bad[is_in], categories, self.directions, numbers)

    def parameters(self, settings: BoosterParams, threads: int) -> dict[str, Any]:
        """LightGBM's parameters for one booster grown by so many threads."""
        return {
            "objective": "binary",
            "metric": "None",
            "learning_rate": settings.learning_rate,
            "num_leaves": settings.max_leaves,
            "max_depth": settings.max_depth,
            "feature_fraction": settings.feature_share,
            "lambda_l2": settings.l2,
            "extra_trees": settings.cuts == "random",
            **_draws(settings),
            **self._categories(settings),
            "monotone_constraints": list(self.directions),
            "monotone_constraints_method": "basic",
            **self._interactions(settings),
            **_FIXED,
            "num_threads": threads,
            "seed": settings.seed,
        }

    def _categories(self, settings: BoosterParams) -> dict[str, Any]:
        """How a split parts categories. One that parts a single one of them needs no more rows than it may have."""
        one_by_one = self.categories and settings.categories == "one_by_one"
        fewest = settings.min_rows_per_leaf
        return {
            "max_cat_to_onehot": _ANY_NUMBER if one_by_one else 4,
            "min_data_in_leaf": min(fewest, settings.min_rows_per_category) if one_by_one else fewest,
            "min_data_per_group": settings.min_rows_per_category,
            "cat_smooth": settings.category_smoothing,
            "cat_l2": settings.category_l2,
        }

    def _interactions(self, settings: BoosterParams) -> dict[str, Any]:
        """Which features may stand in one tree; nothing where all may."""
        if settings.interactions == "free":
            return {}
        if settings.interactions == "none":
            return {"interaction_constraints": [[i] for i in range(len(self.features))]}
        groups = sorted(set(self.subjects))
        return {"interaction_constraints": [[i for i, s in enumerate(self.subjects) if s == g] for g in groups]}

    def _fold_datasets(self, k: int) -> tuple[Any, Any]:
        """Binned once; every trial of a search grows on the same bins."""
        if k not in self._datasets:
            grow, check = self.folds[k]
            base = self._dataset(grow)
            self._datasets[k] = (base, self._dataset(check, reference=base))
        return self._datasets[k]

    def _dataset(self, is_in: Mask, reference: Any = None) -> Any:
        import lightgbm

        return lightgbm.Dataset(
            self.matrix[is_in],
            label=self.is_bad[is_in],
            feature_name=list(self.features),
            categorical_feature=[self.features.index(name) for name in self.categories],
            reference=reference,
            free_raw_data=False,
            params=dict(_FIXED),
        )


def thread_share(threads: int, tasks: int, cells: int) -> int:
    """Threads for each of several boosters grown at once from matrices of so many cells; of few cells one is enough."""
    return max(1, min(threads // min(threads, tasks), cells // _CELLS_A_THREAD))


class _BrokenOffError(Exception):
    """Ends a booster that nobody waits for any more."""


def side_by_side(tasks: Sequence[Callable[[Watch], _T]], threads: int) -> list[_T]:
    """What the tasks give, in their order, as many at once as there are threads: LightGBM lets go of Python's lock.

    Each calls its watch in every round. Where one fails, or the user breaks off, the others end at their next call
    instead of holding up the end.
    """
    is_over = threading.Event()

    def watch(_: Any) -> None:
        if is_over.is_set():
            raise _BrokenOffError

    with ThreadPoolExecutor(max_workers=min(threads, len(tasks))) as pool:
        at_work = [pool.submit(task, watch) for task in tasks]
        try:
            return [each.result() for each in at_work]
        except BaseException:
            is_over.set()
            for each in at_work:
                each.cancel()
            raise


def members_of(settings: BoosterParams) -> list[BoosterParams]:
    """The settings of each booster of a mean: what it does otherwise, and a seed of its own."""
    own = [{name: value for name, value in vars(member).items() if value is not None} for member in settings.members]
    return [dataclasses.replace(settings, seed=settings.seed + i, **told) for i, told in enumerate(own)]


def _draws(settings: BoosterParams) -> dict[str, Any]:
    """Every tree sees all bad rows and draws its share of the good ones.

    So bad rows would weigh more than they are worth; they are weighted by the same share, and trees stay true to the
    rate of the sample (LightGBM begins from that rate whatever `scale_pos_weight` is).
    """
    if settings.row_share == 1.0:
        return {}
    return {
        "pos_bagging_fraction": 1.0,
        "neg_bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "scale_pos_weight": settings.row_share,
    }


def _log_loss(pd: Floats, dataset: Any) -> tuple[str, float, bool]:
    """Mean log loss a row (nats) to stop by. LightGBM's own is summed by threads, and its last digits hang on them."""
    return "log_loss", log_loss(pd, dataset.get_label()), False


# Two threads lost against one at 1.4 million cells (11,577 rows, 121 features) and won by a fifth at 5.6 million.
_CELLS_A_THREAD = 2_500_000
# More categories than there can be.
_ANY_NUMBER = 1_000_000
_FIXED: Mapping[str, Any] = {
    "feature_pre_filter": False,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    # The bins are the same for every seed, so that all grow on one matrix.
    "data_random_seed": 1,
}


def time_folds(sample: Sample, settings: BoosterParams) -> list[tuple[Mask, Mask]]:
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
