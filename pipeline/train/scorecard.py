"""Fits a scorecard: bins, selection, logistic regression on weights of evidence, points."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UnfitForTrainingError
from pipeline.score.scorecard import Characteristic, Scorecard
from pipeline.statistics.logistic import fit_logistic
from pipeline.train.bin_figures import bin_rates
from pipeline.train.binning import fit_bins
from pipeline.train.bins_over_time import bin_stability
from pipeline.train.customer_folds import folds_of
from pipeline.train.joint_points import with_own_points
from pipeline.train.selection import Fate, closed_to_selection, open_to_selection, select
from pipeline.train.whole_points import in_whole_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.binning import Binning
    from pipeline.train.bins_file import Cuts
    from pipeline.train.joint_points import JointPoints
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

# scikit-learn's C on sums over rows: from almost no slope to almost none of the penalty.
_PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
_FOLDS = 5
# Score points; a characteristic without a bin that earns so much says nothing.
_NO_POINTS = 0.01


@dataclass(frozen=True)
class ScorecardFit:
    """The card before calibration, the fate of every feature, and how the coefficients were found.

    `exact` is the card before its points were rounded, null where they were not; `stability` tells of each bin of the
    card whether it held over time, `rates` how sure its bad rate is, both at `confidence`; `psi_significance` is that
    of the noise beside each PSI; `joint` how strictly points of the bins' own were held to their line, null where
    points are coefficient times WoE.
    """

    scorecard: Scorecard
    selection: tuple[Fate, ...]
    coefficients: tuple[dict[str, Any], ...]
    penalty: float
    penalty_losses: dict[str, float]
    exact: Scorecard | None = None
    binning: Binning | None = None
    stability: tuple[dict[str, Any], ...] = ()
    rates: tuple[dict[str, Any], ...] = ()
    confidence: float | None = None
    psi_significance: float | None = None
    joint: JointPoints | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            "penalty": self.penalty,
            "penalty_losses": self.penalty_losses,
            "coefficients": list(self.coefficients),
            "selection": [fate.as_json() for fate in self.selection],
            "by_hand": [told.as_json() for told in self.binning.by_hand] if self.binning else [],
            "bin_stability": list(self.stability),
            "bin_rates": list(self.rates),
            "bin_confidence": self.confidence,
            "psi_significance": self.psi_significance,
            "joint_points": {"step_spread": self.joint.step_spread, "losses": self.joint.losses}
            if self.joint
            else None,
        }


def fit_scorecard(
    sample: Sample,
    catalogue: Sequence[Mapping[str, Any]],
    settings: ScorecardParams,
    seed: int,
    cuts: Mapping[str, Cuts] | None = None,
) -> ScorecardFit:
    """A scorecard on the training sample; the penalty is the one with the least log loss over folds of customers.

    Raises UnfitForTrainingError when no feature survives the selection, ParameterError when bins set by hand (`cuts`)
    cannot be taken as they are written.
    """
    closed = closed_to_selection(catalogue, settings)
    binning = fit_bins(sample, open_to_selection(catalogue, settings), settings, cuts, closed)
    chosen, fates = select(sample, binning, catalogue, settings)
    while chosen:
        woe = binning.woe(sample.rows, chosen)
        penalty, losses = tuned_penalty(sample, woe, seed)
        intercept, beta = penalised(woe, 1.0 - sample.is_bad, penalty)
        worst = int(np.argmin(beta))
        if settings.points_from == "woe" and beta[worst] <= 0:
            fates = _put_out(fates, chosen.pop(worst), "its penalised coefficient turned against its WoE")
            continue
        card = _card(binning, dict(zip(chosen, beta, strict=True)), intercept, settings)
        joint = with_own_points(card, sample, seed) if settings.points_from == "bins" else None
        if joint:
            card, idle = _without_idle(joint.card)
            for name in idle:
                fates = _put_out(fates, name, "beside the chosen ones it would count against its WoE")
            if not card.characteristics:
                break
        names = [c.feature for c in card.characteristics]
        told = _coefficients(sample, binning.woe(sample.rows, names), card)
        held = tuple(bin_stability(sample, card.characteristics, settings.bin_confidence))
        fit = ScorecardFit(
            card,
            tuple(fates),
            told,
            penalty,
            losses,
            binning=binning,
            stability=held,
            rates=tuple(bin_rates(sample, card.characteristics, settings.bin_confidence)),
            confidence=settings.bin_confidence,
            psi_significance=settings.psi_significance,
            joint=joint,
        )
        return fit if settings.points == "exact" else replace(fit, scorecard=in_whole_points(card), exact=card)
    raise UnfitForTrainingError(_nothing_left(fates))


def _without_idle(card: Scorecard) -> tuple[Scorecard, list[str]]:
    """The card without characteristics all of whose points are next to nothing, and the names of these."""
    idle = [c.feature for c in card.characteristics if max(abs(b.points) for b in c.bins) < _NO_POINTS]
    kept = tuple(c for c in card.characteristics if c.feature not in idle)
    return replace(card, characteristics=kept), idle


def tuned_penalty(sample: Sample, woe: Floats, seed: int) -> tuple[float, dict[str, float]]:
    """Penalty C with the least out-of-fold log loss a row; folds are whole customer groups, drawn by hash."""
    fold = folds_of(sample.clusters, _FOLDS, seed)
    good = 1.0 - sample.is_bad
    losses: dict[str, float] = {}
    for penalty in _PENALTIES:
        total = 0.0
        for held_out in range(_FOLDS):
            is_out = fold == held_out
            if not is_out.any() or good[~is_out].all():
                continue
            intercept, beta = penalised(woe[~is_out], good[~is_out], penalty)
            logit = intercept + np.einsum("ij,j->i", woe[is_out], beta)
            total += math.fsum((np.logaddexp(0.0, logit) - good[is_out] * logit).tolist())
        losses[f"{penalty:g}"] = total / len(good)
    return min(_PENALTIES, key=lambda c: (round(losses[f"{c:g}"], 9), c)), losses


def penalised(woe: Floats, good: Floats, penalty: float) -> tuple[float, Floats]:
    """Intercept and coefficients of an L2-penalised logistic regression; the intercept bears no penalty."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-10, max_iter=200)
    model.fit(woe, good.astype(int))
    return float(model.intercept_[0]), np.asarray(model.coef_[0], dtype=float)


def _card(binning: Binning, beta: Mapping[str, float], intercept: float, settings: ScorecardParams) -> Scorecard:
    factor = settings.pdo / math.log(2.0)
    characteristics = []
    for name, coefficient in beta.items():
        plain = binning.characteristics[name]
        bins = tuple(replace(b, points=factor * float(coefficient) * b.woe) for b in plain.bins)
        rows = sum(b.count for b in bins)
        mean = math.fsum(b.points * b.count for b in bins) / rows
        characteristics.append(Characteristic(name, float(coefficient), bins, plain.risk, plain.iv, mean))
    base = settings.base_score + factor * (intercept - math.log(settings.base_odds))
    return Scorecard(tuple(characteristics), base, settings.pdo, settings.base_score, settings.base_odds)


def _coefficients(sample: Sample, woe: Floats, card: Scorecard) -> tuple[dict[str, Any], ...]:
    """The coefficients in the card beside the unpenalised ones with clustered errors."""
    columns = np.column_stack([np.ones(len(woe)), woe])
    plain = fit_logistic(columns, 1.0 - sample.is_bad, sample.codes)
    return tuple(
        {
            "feature": c.feature,
            "coefficient": c.coefficient,
            "unpenalised": float(plain.coefficients[i + 1]),
            "standard_error": float(plain.standard_errors[i + 1]),
            "p_value": float(plain.p_values[i + 1]),
        }
        for i, c in enumerate(card.characteristics)
    )


def _put_out(fates: Sequence[Fate], name: str, told: str) -> list[Fate]:
    return [
        replace(f, fate="wrong_sign", reason=f"must-have left out: {told}" if f.is_must_have else told, step=None)
        if f.feature == name
        else f
        for f in fates
    ]


def _nothing_left(fates: Sequence[Fate]) -> str:
    counted = {fate: sum(1 for f in fates if f.fate == fate) for fate in sorted({f.fate for f in fates})}
    told = ", ".join(f"{count} {fate}" for fate, count in counted.items())
    example = f"e.g. {fates[0].feature}: {fates[0].reason}" if fates else "the catalogue is empty"
    return (
        f"fit_scorecard: none of {len(fates)} features can carry a scorecard ({told}), {example}; hand in more "
        "tables or a longer history, or lower fit_scorecard.min_iv and min_bads_per_bin"
    )
