"""Searches the booster's parameters over folds of later months and other customers, with a budget in trials.

A trial is drawn by Optuna's TPE from the trials before it, with a seed of its own number: a search that was broken off
and taken up again draws the very trials it would have drawn. Sources: Bergstra et al. 2011 (TPE); Akiba et al. 2019.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.statistics.clustered import clustered_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.params import BoosterParams
    from pipeline.train.booster_grower import FoldResult, Grower

# Trials drawn at random, and so not pruned either, before those found tell where to look.
_RANDOM_TRIALS = 5
# (lowest, highest, by logarithm) of each parameter that is searched; whole numbers have whole bounds.
_SPACE: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (0.02, 0.15, True),
    "max_leaves": (4, 31, True),
    "max_depth": (2, 6, False),
    "min_rows_per_leaf": (5, 600, True),
    "feature_share": (0.2, 1.0, False),
    "row_share": (0.5, 1.0, False),
    "l2": (0.1, 200.0, True),
}


@dataclass(frozen=True)
class Trial:
    """Parameters tried, the log loss a row of each fold that ran, and whether it was broken off (pruned).

    `error` is the standard error, by customer, of its mean loss less that of trial 0; null where it was broken off and
    for trial 0 itself.
    """

    parameters: dict[str, float]
    losses: tuple[float, ...]
    is_pruned: bool
    error: float | None = None

    @property
    def loss(self) -> float:
        """Mean over the folds that ran."""
        return math.fsum(self.losses) / len(self.losses)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "parameters": self.parameters,
            "losses": list(self.losses),
            "is_pruned": self.is_pruned,
            "error": self.error,
        }


class Diary(Protocol):
    """Where finished trials are kept, so that a search that was broken off goes on where it stood."""

    def trials(self) -> Sequence[Trial]:
        """The trials kept so far, in order."""

    def keep(self, trial: Trial) -> None:
        """Adds one."""


@dataclass
class InMemory:
    """A diary that is forgotten with the process."""

    kept: list[Trial] = dataclasses.field(default_factory=list)

    def trials(self) -> Sequence[Trial]:
        """The trials kept so far."""
        return tuple(self.kept)

    def keep(self, trial: Trial) -> None:
        """Adds one."""
        self.kept.append(trial)


@dataclass(frozen=True)
class Search:
    """All trials, and the settings with the best one's parameters; the first trial is the settings as they were."""

    trials: tuple[Trial, ...]
    best: int
    settings: BoosterParams

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            "trials": [trial.as_json() for trial in self.trials],
            "best": self.best,
            "standard_errors": self.settings.standard_errors,
            "parameters": {name: getattr(self.settings, name) for name in _SPACE},
        }


def search(grower: Grower, settings: BoosterParams, diary: Diary) -> Search:
    """`settings.trials` trials beside the settings themselves; the least mean log loss over all folds wins.

    The settings give way only to a trial that betters them by more than `settings.standard_errors` standard errors of
    the difference, paired by row and clustered by customer, for the least of many noisy losses is low by luck. A trial
    is broken off after a fold when its mean loss so far is above the median of the others at that fold.
    Without folds nothing can be compared, and with 0 trials nothing is searched: the settings stay as they are.
    """
    if not settings.trials or not grower.folds:
        return Search((), 0, settings)
    done = list(diary.trials())[: settings.trials + 1]
    while len(done) <= settings.trials:
        trial = _run(grower, settings, done)
        diary.keep(trial)
        done.append(trial)
    whole = [i for i, trial in enumerate(done) if not trial.is_pruned]
    sure = [0, *(i for i in whole if _betters(done[i], done[0], settings.standard_errors))]
    best = min(sure, key=lambda i: (round(done[i].loss, 12), i))
    return Search(tuple(done), best, _with(settings, done[best].parameters))


def _run(grower: Grower, settings: BoosterParams, done: Sequence[Trial]) -> Trial:
    parameters = {name: getattr(settings, name) for name in _SPACE} if not done else _drawn(settings, done)
    tried = _with(settings, parameters)
    folds, may_be_pruned = range(len(grower.folds)), len(done) > _RANDOM_TRIALS
    if not may_be_pruned:
        grower.prepare([(k, tried) for k in folds])
    found: list[FoldResult] = []
    for k in folds:
        found.append(grower.fold(k, tried))
        losses = tuple(each.loss for each in found)
        if k + 1 < len(folds) and may_be_pruned and _is_hopeless(losses, done):
            return Trial(parameters, losses, is_pruned=True)
        # A trial that outlived the first fold mostly outlives them all.
        grower.prepare([(later, tried) for later in folds[k + 1 :]])
    return Trial(parameters, losses, is_pruned=False, error=_error(grower, settings, found) if done else None)


def _error(grower: Grower, settings: BoosterParams, found: Sequence[FoldResult]) -> float:
    """Standard error of the mean over the folds of a trial's loss less the settings' own: customers are drawn whole.

    A row moves the mean by its own difference less that of its fold, over the fold's rows and the number of folds.
    """
    moves = []
    for k, each in enumerate(found):
        apart = each.losses - grower.fold(k, settings).losses
        moves.append((apart - apart.mean()) / (len(apart) * len(found)))
    return clustered_error(np.concatenate(moves), np.concatenate([grower.codes[check] for _, check in grower.folds]))


def _betters(trial: Trial, settings: Trial, standard_errors: float) -> bool:
    """Its loss is less by more than so many standard errors of the difference."""
    return trial.error is not None and settings.loss - trial.loss > standard_errors * trial.error


def _is_hopeless(losses: Sequence[float], done: Sequence[Trial]) -> bool:
    """The mean so far lies above the median of the means of the others after as many folds."""
    n = len(losses)
    others = sorted(math.fsum(t.losses[:n]) / n for t in done if len(t.losses) >= n)
    return math.fsum(losses) / n > others[len(others) // 2]


def _drawn(settings: BoosterParams, done: Sequence[Trial]) -> dict[str, float]:
    """The next parameters, from the trials so far and the seed of this number."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = _space(settings)
    sampler = optuna.samplers.TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=settings.seed * 10_007 + len(done))
    study = optuna.create_study(direction="minimize", sampler=sampler)
    for trial in done:
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.parameters,
                distributions=space,
                value=None if trial.is_pruned else trial.loss,
                intermediate_values=_so_far(trial),
                state=optuna.trial.TrialState.PRUNED if trial.is_pruned else optuna.trial.TrialState.COMPLETE,
            )
        )
    asked = study.ask(space).params
    return {name: asked[name] if isinstance(asked[name], int) else float(f"{asked[name]:.4g}") for name in _SPACE}


def _so_far(trial: Trial) -> dict[int, float]:
    return {n: math.fsum(trial.losses[:n]) / n for n in range(1, len(trial.losses) + 1)}


def _space(settings: BoosterParams) -> dict[str, Any]:
    """Optuna's distributions; they reach as far as the settings do, whose parameters are the first trial."""
    from optuna.distributions import FloatDistribution, IntDistribution

    space: dict[str, Any] = {}
    for name, (lowest, highest, by_logarithm) in _SPACE.items():
        own = getattr(settings, name)
        low, high = min(lowest, own), max(highest, own)
        if isinstance(own, int):
            space[name] = IntDistribution(int(low), int(high), log=by_logarithm)
        else:
            space[name] = FloatDistribution(low, high, log=by_logarithm)
    return space


def _with(settings: BoosterParams, parameters: dict[str, float]) -> BoosterParams:
    return dataclasses.replace(settings, **parameters)  # type: ignore[arg-type]
