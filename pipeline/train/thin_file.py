"""Fits the thin-file model: a small card of what a customer without history has, and the level of its own pool."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import MissingInputError, UnfitForTrainingError
from pipeline.score.calibration import Calibration, log_odds_of_pd, pd_of_log_odds
from pipeline.score.scorecard import fold
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.statistics.clustered import clustered_auc
from pipeline.statistics.proportions import jeffreys_upper
from pipeline.train.calibration import Observed, fit_calibration
from pipeline.train.calibration_level import level_at
from pipeline.train.scorecard import fit_scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.params import CalibrationParams, ScorecardParams
    from pipeline.score.scorecard import Scorecard
    from pipeline.train.bins_file import Cuts
    from pipeline.train.sample import Sample
    from pipeline.train.scorecard import ScorecardFit

DUE_COLUMN = "invoices_due_12m_count"
HISTORY_COLUMN = "history_months"
NOBODY = ThinFileRule(min_invoices_due_12m=0, min_history_months=0)
_NOBODY_IS_THIN = "nobody is thin here"


@dataclass(frozen=True)
class CardGround:
    """How the pool's card is fitted: of features told from `tables` alone, with at most `max_variables`, otherwise as
    the scorecard is. `cuts` are bins set by hand, by feature; those of features told from other tables are not its own.
    """

    tables: frozenset[str]
    max_variables: int
    params: ScorecardParams
    calibration: CalibrationParams
    seed: int = 1
    cuts: Mapping[str, Cuts] = field(default_factory=dict)


@dataclass(frozen=True)
class ThinFit:
    """The thin-file model, and how it came about in plain values."""

    thin_file: ThinFile
    details: dict[str, Any]


def thin_rows(rows: pd.DataFrame, rule: ThinFileRule) -> NDArray[np.bool_]:
    """True where the rule bites, from `invoices_due_12m_count` and `history_months`.

    Raises MissingInputError when the book lacks one of them.
    """
    missing = [name for name in (DUE_COLUMN, HISTORY_COLUMN) if name not in rows.columns]
    if missing:
        raise MissingInputError(
            f"thin file: the book lacks {', '.join(missing)}, which the rule of the thin pool reads; join them to the "
            "features of each snapshot"
        )
    return rule.is_thin(rows[DUE_COLUMN].to_numpy(dtype=float), rows[HISTORY_COLUMN].to_numpy(dtype=float))


def thin_or_nobody(rows: pd.DataFrame, rule: ThinFileRule | None) -> NDArray[np.bool_]:
    """As `thin_rows`; without a rule nobody is thin, and the rows need tell neither invoices nor history."""
    return thin_rows(rows, rule) if rule else np.zeros(len(rows), dtype=bool)


def fit_thin_file(sample: Sample, rule: ThinFileRule | None, confidence: float, shift: float = 0.0) -> ThinFile:
    """Upper bound of the pool's default rate at `confidence` (one-sided Jeffreys), with customers as the evidence.

    The rate is that of the pool's rows; months of one customer are one witness, so the bound counts customers. An empty
    pool takes the bound of the whole sample. Without a rule (a table of one's own tells no invoices and no history) the
    pool is empty and its rule one that nobody meets: every row is rated by the model. `shift` is what a long-run rate
    adds to the ln odds of good of the whole (`CalibrationFit.tendency`), and is added to the bound too: a bound of the
    rate stays one, for the log odds move all rates in their order.
    """
    pool = _pool(sample, rule)
    source = pool if len(pool.is_bad) else sample
    rate = float(source.is_bad.sum()) / len(source.is_bad)
    bound = jeffreys_upper(rate * source.customers, source.customers, confidence)
    level = pd_moved(min(max(bound, rate), 0.999), shift)
    return ThinFile(level, pool.bad_customers, pool.customers, confidence, rule or NOBODY)


def pd_moved(pd: float, shift: float) -> float:
    """A PD with `shift` added to its ln odds of good; at a shift of 0 the PD itself, to the last digit.

    >>> round(pd_moved(0.02, -0.5), 4)
    0.0326
    """
    return pd if shift == 0.0 else float(pd_of_log_odds(log_odds_of_pd(pd) + shift))


def with_card(
    thin: ThinFile, seen: Sample, training: Sample, catalogue: Sequence[Mapping[str, Any]], ground: CardGround | None
) -> ThinFit:
    """Spreads the pool's customers around its PD by a card of what they have.

    The card is fitted on `training`, thin or not, for the pool is small, and calibrated to the pool in `seen`: its
    slope on the pool's rows, drawn to 1 when they hold few defaults, and the level at which the pool's mean PD is the
    pool's bound. Without one everybody keeps the pool's PD, and the details say why. Of one they hold what its fit on
    `training` told (`ScorecardFit.as_json`): the fate of every feature, coefficients before the calibration to the
    pool, and of each bin its bad rate and whether it held over time.
    """
    pool = seen.part(thin_rows(seen.rows, thin.rule)) if thin.rule != NOBODY else _pool(seen, None)
    fit, told = (None, _NOBODY_IS_THIN) if thin.rule == NOBODY else _card(training, catalogue, ground)
    card = fit.scorecard if fit else None
    remarks: tuple[str, ...] = ()
    if card is not None and ground is not None:
        card, remarks = _calibrated(card, pool if len(pool.is_bad) else seen, thin.pd, ground)
    spread = replace(thin, card=card)
    details = {
        "pool": pool.counts(),
        "pd": thin.pd,
        "confidence": thin.confidence,
        "features": list(spread.features),
        "why_no_card": told,
        "remarks": list(remarks),
        "gini_in_pool": _gini_in_pool(card, pool, ground),
        **(fit.as_json() if fit else {"bin_rates": [], "bin_confidence": None}),
    }
    return ThinFit(spread, details)


def without_card(thin: ThinFile, seen: Sample, why: str) -> ThinFit:
    """Everybody of the pool keeps its PD, and the details say why: nobody is thin, or what `why` tells."""
    fit = with_card(thin, seen, seen, (), None)
    return fit if thin.rule == NOBODY else replace(fit, details={**fit.details, "why_no_card": why})


def _pool(sample: Sample, rule: ThinFileRule | None) -> Sample:
    return sample.part(thin_or_nobody(sample.rows, rule))


def available(catalogue: Sequence[Mapping[str, Any]], tables: frozenset[str]) -> list[Mapping[str, Any]]:
    """The features told from these tables alone: what is known of a customer that has hardly traded."""
    return [f for f in catalogue if f.get("columns") and {c.split(".")[0] for c in f["columns"]} <= tables]


def _card(
    training: Sample, catalogue: Sequence[Mapping[str, Any]], ground: CardGround | None
) -> tuple[ScorecardFit | None, str | None]:
    """The fit of the card before it is calibrated to the pool, or why there is none.

    Raises ParameterError when bins set by hand cannot be taken as they are written: those that this card never sees are
    the scorecard's to refuse.
    """
    if ground is None or not ground.max_variables:
        return None, "no card is asked for"
    features = available(catalogue, ground.tables)
    if not features:
        return None, f"no feature is told from {', '.join(sorted(ground.tables))} alone"
    params = replace(ground.params, max_variables=ground.max_variables)
    cuts = {str(f["name"]): ground.cuts[f["name"]] for f in features if f["name"] in ground.cuts}
    try:
        return fit_scorecard(training, features, params, ground.seed, cuts), None
    except UnfitForTrainingError as error:
        return None, str(error)


def _calibrated(card: Scorecard, pool: Sample, level: float, ground: CardGround) -> tuple[Scorecard, tuple[str, ...]]:
    observed = Observed(card.log_odds(pool.rows), pool.is_bad, pool.clusters)
    slope = 1.0
    remarks: tuple[str, ...] = ("all outcomes of the pool are bad: the slope is 1",)
    if (pool.is_bad == 0).any():
        fit = fit_calibration(observed, replace(ground.calibration, method="platt", tendency="observed"))
        slope, remarks = fit.slope, fit.remarks
    shift = level_at(observed, ((0.0, 0.0), (1.0, slope)), level * len(pool.is_bad))
    return fold(card, Calibration.line("platt", shift, slope))[0], remarks


def _gini_in_pool(card: Scorecard | None, pool: Sample, ground: CardGround | None) -> dict[str, float] | None:
    """Gini of the card among the thin rows it was calibrated on, with its interval by customer; null without a card, a
    bad or a good row."""
    if card is None or ground is None or not 0 < pool.is_bad.sum() < len(pool.is_bad):
        return None
    levels = np.unique(-card.log_odds(pool.rows), return_inverse=True)[1].astype(np.int64)
    found = clustered_auc(levels, pool.is_bad, pool.codes, ground.params.bin_confidence)
    return {name: 2.0 * value - 1.0 for name, value in found.as_json().items() if name in _ENDS} if found else None


_ENDS = ("value", "low", "high")
