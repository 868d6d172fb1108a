"""What the model benchmark makes of scores: AUC and log loss over folds, paired gaps with intervals, mean ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pipeline.statistics.calibration import log_losses
from pipeline.statistics.clustered import auc_influence, clustered_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Held:
    """A figure of one model on the held-out rows of one fold, and what each row moves it by (its influence)."""

    value: float
    influence: Floats


@dataclass(frozen=True)
class Gap:
    """A difference of two models with its interval at 95 %."""

    value: float
    low: float
    high: float

    @property
    def turned(self) -> Gap:
        """The second less the first."""
        return Gap(-self.value, -self.high, -self.low)

    def told(self, digits: int = 3) -> str:
        """The gap and its interval.

        >>> Gap(0.0123, -0.001, 0.026).told()
        '+0.012 (-0.001 to +0.026)'
        """
        return f"{self.value:+.{digits}f} ({self.low:+.{digits}f} to {self.high:+.{digits}f})"


def held_auc(risk: Floats, is_bad: Floats) -> Held:
    """AUC with DeLong's placements as influence; ties count one half.

    >>> round(held_auc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([1.0, 1, 0, 0])).value, 3)
    0.875
    """
    return Held(*auc_influence(np.unique(risk, return_inverse=True)[1], is_bad))


def held_loss(pd: Floats, is_bad: Floats) -> Held:
    """Mean log loss a row in nats."""
    losses = log_losses(pd, is_bad)
    return Held(float(losses.mean()), (losses - losses.mean()) / len(losses))


def mean_of(folds: Sequence[Held]) -> float:
    """The mean of a figure over the folds."""
    return float(np.mean([fold.value for fold in folds]))


def gap(first: Sequence[Held], second: Sequence[Held], codes: Sequence[Codes]) -> Gap:
    """First less second, the mean over the folds, paired row by row; errors by cluster (Obuchowski 1997 for the AUC).

    `codes` name the same cluster by the same number in every fold: what a customer moves is summed over all folds that
    test it, so dividing the rows again makes no new customers. That models of two folds share training rows is not in
    the interval.
    """
    moves = np.concatenate([a.influence - b.influence for a, b in zip(first, second, strict=True)]) / len(codes)
    error = clustered_error(moves, np.concatenate(codes))
    value = mean_of(first) - mean_of(second)
    z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))
    return Gap(value, value - z * error, value + z * error)


def ranks(values: Mapping[str, float], *, is_loss: bool = False) -> dict[str, float]:
    """1 for the best; equal values share the mean of their ranks. NaN (no result) is last.

    >>> ranks({"a": 0.8, "b": 0.9, "c": 0.8})
    {'a': 2.5, 'b': 1.0, 'c': 2.5}
    """
    signed = [np.inf if np.isnan(v) else (v if is_loss else -v) for v in values.values()]
    return dict(zip(values, stats.rankdata(signed).tolist(), strict=True))


def mean_ranks(tables: Sequence[Mapping[str, float]], *, is_loss: bool = False) -> dict[str, float]:
    """The mean of the ranks over tables of the same models."""
    found = [ranks(table, is_loss=is_loss) for table in tables]
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def best_of(values: Mapping[str, float], *, is_loss: bool = False) -> str:
    """The name with the best value; NaN never is."""
    told = {name: value for name, value in values.items() if not np.isnan(value)}
    return min(told, key=lambda name: (told[name] if is_loss else -told[name], name))


@dataclass
class Measured:
    """All models of one table: per model its folds' AUC, calibrated log loss and log loss as it came out; `codes` are
    the clusters of the held-out rows by fold, numbered alike in all; `errors` tells of models without a result on some
    fold."""

    title: str
    division: str
    rows: int
    bads: int
    directed: int
    codes: list[Codes] = field(default_factory=list)
    aucs: dict[str, dict[int, Held]] = field(default_factory=dict)
    calibrated: dict[str, dict[int, Held]] = field(default_factory=dict)
    raw: dict[str, dict[int, Held]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, fold: int, auc: Held, calibrated: Held, raw: Held) -> None:
        """One model on one fold."""
        for kept, held in ((self.aucs, auc), (self.calibrated, calibrated), (self.raw, raw)):
            kept.setdefault(name, {})[fold] = held

    def is_whole(self, name: str) -> bool:
        """The model has a result on every fold."""
        return len(self.aucs.get(name, {})) == len(self.codes)

    def auc(self, name: str) -> float:
        """Mean AUC over the folds; NaN for a model that failed on one."""
        return mean_of(list(self.aucs[name].values())) if self.is_whole(name) else float("nan")

    def losses(self, name: str, *, is_peer: bool) -> list[Held]:
        """Log loss by fold: ours calibrated; a peer's calibrated or as it came out, whichever is better for it."""
        calibrated, raw = list(self.calibrated[name].values()), list(self.raw[name].values())
        return raw if is_peer and mean_of(raw) < mean_of(calibrated) else calibrated

    def auc_gap(self, name: str, other: str) -> Gap:
        """AUC of the first less that of the other."""
        return gap(list(self.aucs[name].values()), list(self.aucs[other].values()), self.codes)

    def beside(self, name: str, other: str) -> tuple[float, float, Gap] | None:
        """AUC of both and the gap on the folds that the other was fitted on; null where there are none."""
        folds = sorted(self.aucs.get(other, {}))
        if not folds or not self.is_whole(name):
            return None
        first, second = ([self.aucs[each][k] for k in folds] for each in (name, other))
        return mean_of(first), mean_of(second), gap(first, second, [self.codes[k] for k in folds])
