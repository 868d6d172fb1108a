"""Chooses the shape of a calibration by its log loss on customers it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.calibration import Calibration
from pipeline.train.calibration_shapes import SHAPES
from pipeline.train.customer_folds import folds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.params import CalibrationParams
    from pipeline.train.calibration_shapes import Observed

    Floats = NDArray[np.float64]

SIMPLEST = "platt"


@dataclass(frozen=True)
class Choice:
    """The method taken and why. `losses` holds, of each method that was tried, the mean log loss a row on held-out
    customers (nats) with its standard error by cluster, the gain over Platt's line and how far it stays behind the
    method taken, both with the standard error of that difference; `barred` the methods that had too few bad customers,
    with the reason."""

    method: str
    reason: str
    losses: dict[str, dict[str, float]]
    barred: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {"method": self.method, "reason": self.reason, "losses": self.losses, "barred": self.barred}


def choose(observed: Observed, settings: CalibrationParams) -> Choice:
    """The named method, or with `auto` the one with the least cross-validated log loss.

    Folds are whole customer groups. A method other than Platt's line must gain more than one standard error of the
    paired difference by cluster (Breiman et al. 1984, the one-standard-error rule): what the data cannot tell apart
    stays simple. `isotonic` needs `isotonic_from_bads` bad customers.
    """
    barred = {}
    if observed.bad_customers < settings.isotonic_from_bads:
        barred["isotonic"] = f"{observed.bad_customers} bad customers, {settings.isotonic_from_bads} are needed"
    if settings.method != "auto":
        method = SIMPLEST if settings.method in barred else settings.method
        told = f"{settings.method} is set" + (f", but: {barred[settings.method]}" if settings.method in barred else "")
        return Choice(method, told, {}, barred)
    rows = {name: _held_out(observed, name, settings) for name in SHAPES if name not in barred}
    losses = {name: measured(row, rows[SIMPLEST], observed) for name, row in rows.items()}
    best = min(losses, key=lambda name: (round(losses[name]["loss"], 12), list(SHAPES).index(name)))
    taken, told = _ruled(best, losses[best])
    behind = {name: measured(row, rows[taken], observed) for name, row in rows.items()}
    for name, one in behind.items():
        losses[name] |= {"behind": -one["gain"], "behind_error": one["gain_error"]}
    return Choice(taken, told, losses, barred)


def _ruled(best: str, lost: Mapping[str, float]) -> tuple[str, str]:
    """The method that the rule takes where `best` lost least, and why."""
    gain, error = lost["gain"], lost["gain_error"]
    if best == SIMPLEST:
        return SIMPLEST, "least log loss on held-out customers"
    if gain <= error:
        return SIMPLEST, f"{best} gains {gain:.2g} a row, no more than its standard error {error:.2g}"
    return best, f"gains {gain:.2g} a row over Platt's line, standard error {error:.2g}"


def _held_out(observed: Observed, method: str, settings: CalibrationParams) -> Floats:
    """The log loss of each row by a shape fitted on the other folds."""
    fold = folds_of(observed.clusters, settings.folds, settings.seed)
    loss = np.full(len(fold), np.nan)
    for held_out in np.unique(fold):
        is_out = fold == held_out
        rest = observed.part(~is_out)
        if not 0 < rest.is_bad.sum() < len(rest.is_bad):
            continue
        logit = Calibration(method, SHAPES[method](rest)).log_odds(observed.raw_log_odds[is_out])
        loss[is_out] = log_loss(logit, observed.is_bad[is_out])
    return loss


def log_loss(log_odds: Floats, is_bad: Floats) -> Floats:
    """The log loss of each row (nats) by its ln odds of good."""
    loss: Floats = np.logaddexp(0.0, log_odds) - (1.0 - is_bad) * log_odds
    return loss


def measured(loss: Floats, simplest: Floats, observed: Observed) -> dict[str, float]:
    """Mean loss a row and the gain over the simplest way, each with its standard error by cluster; NaN is left out."""
    is_told = np.isfinite(loss)
    gain = (simplest - loss)[is_told]
    _, codes = np.unique(observed.clusters[is_told].astype(str), return_inverse=True)
    return {
        "loss": float(loss[is_told].mean()),
        "loss_error": _error(loss[is_told], codes),
        "gain": float(gain.mean()),
        "gain_error": _error(gain, codes),
    }


def _error(values: Floats, codes: NDArray[np.intp]) -> float:
    """The standard error of a mean over rows by cluster."""
    sums = np.bincount(codes, weights=values - values.mean())
    return float(np.sqrt(np.sum(sums**2) * len(sums) / max(len(sums) - 1, 1)) / len(values))
