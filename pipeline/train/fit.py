"""Fits a whole model: predictor, calibration, thin-file pool and what it was developed on, ready to be written."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import UnfitForTrainingError
from pipeline.score.model import Model
from pipeline.train.adverse import adverse_values
from pipeline.train.bins_file import bins_text
from pipeline.train.booster import BoosterFit, fit_booster
from pipeline.train.development import development, golden_rows
from pipeline.train.label import label_values
from pipeline.train.levelled import fit_levels
from pipeline.train.sample import Sample, require_trainable, samples
from pipeline.train.scorecard import ScorecardFit, fit_scorecard
from pipeline.train.selection_lists import check_lists, usable
from pipeline.train.thin_file import fit_thin_file, with_card
from pipeline.train.whole_points import rounding_loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.params import BoosterParams, CalibrationParams, LabelParams, ScorecardParams
    from pipeline.score.model import Predictor
    from pipeline.score.points import Scaling
    from pipeline.score.scorecard import Scorecard
    from pipeline.score.thin_file import ThinFileRule
    from pipeline.train.bins_file import Cuts
    from pipeline.train.booster_search import Diary
    from pipeline.train.calibration_segments import SegmentFit
    from pipeline.train.label import Label
    from pipeline.train.splits import Timetable
    from pipeline.train.thin_file import CardGround


@dataclass(frozen=True)
class Setting:
    """What both kinds of model are fitted with besides their own parameters.

    `thin_rule` is null for a table of one's own, where nobody is thin; `thin_confidence` is the one-sided level of the
    thin pool's upper bound, `thin_card` how its card is fitted; null for none: the whole pool has one PD. `never_use`
    names features that no model may read.
    """

    label: LabelParams | Label
    scaling: Scaling
    calibration: CalibrationParams
    thin_rule: ThinFileRule | None
    thin_confidence: float
    thin_card: CardGround | None = None
    never_use: tuple[str, ...] = ()


@dataclass(frozen=True)
class FittedModel:
    """`model` and `golden_rows` for `write_model`; `details` tells how it was fitted, in plain values; `texts` are
    files for people that stand beside it, by name."""

    model: Model
    golden_rows: pd.DataFrame
    details: dict[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ground:
    catalogue: Sequence[Mapping[str, Any]]
    table: Timetable
    setting: Setting
    cuts: Mapping[str, Cuts] | None

    @property
    def thin_card(self) -> CardGround | None:
        """How the pool's card is fitted, with the bins set by hand."""
        card = self.setting.thin_card
        return replace(card, cuts=self.cuts or {}) if card else None


def train_scorecard(
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    params: ScorecardParams,
    setting: Setting,
    *,
    cuts: Mapping[str, Cuts] | None = None,
) -> FittedModel:
    """The champion's kind: a calibrated scorecard. `cuts` are bins set by hand, by feature, for it and the thin card.

    `book` has one row per (customer_id, as_of): group_key, is_bad (null: not trained on), invoices_due_12m_count,
    history_months and every feature of the catalogue. Raises UnfitForTrainingError when it cannot carry a model,
    ParameterError when the lists of `params` name what is not there or bins set by hand cannot be used.
    """
    check_lists(params, [str(f["name"]) for f in catalogue])
    with one_thread():
        parts = _trainable(book, table)
        fit = fit_scorecard(parts["train"], catalogue, params, table.seed, cuts)
        ground = _Ground(catalogue, table, setting, cuts)
        fitted = _finished(fit, fit.scorecard, parts, ground)
        if fit.binning:
            fitted = replace(fitted, texts={"bins.yaml": bins_text(fit.binning)})
        if not table.has_test or fit.exact is None:
            return fitted
        return _with_rounding_loss(fitted, fit.exact, parts, ground, params.bin_confidence)


def train_booster(
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    params: BoosterParams,
    setting: Setting,
    *,
    diary: Diary | None = None,
    cuts: Mapping[str, Cuts] | None = None,
) -> FittedModel:
    """The challenger's kind: a calibrated gradient booster. Book and errors as in `train_scorecard`.

    `diary` keeps the trials of the search, so that one that was broken off goes on where it stood. `cuts` are bins set
    by hand, by feature; of this kind only the card of the thin pool has bins.
    """
    with one_thread():
        parts = _trainable(book, table)
        fit = fit_booster(parts["train"], usable(catalogue, setting.never_use), params, diary)
        return _finished(fit, fit.booster, parts, _Ground(catalogue, table, setting, cuts))


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: with more of them sums, and so the last digits, depend on their number."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def _trainable(book: pd.DataFrame, table: Timetable) -> dict[str, Sample]:
    parts = samples(book, table)
    require_trainable(parts["train"], table.train)
    for role in ("calibration", "test") if table.has_test else ("calibration",):
        if not len(parts[role].is_bad):
            raise UnfitForTrainingError(
                f"split: no row of {len(parts['all'].is_bad):,} falls to {role}, whose customers are "
                f"{dict(zip(('train', 'calibration', 'test'), table.shares, strict=True))[role]:.0%} of the groups; "
                "hand in more customers, or change the shares or the seed of the split"
            )
    return parts


def _finished(
    fit: ScorecardFit | BoosterFit, predictor: Predictor, parts: Mapping[str, Sample], ground: _Ground
) -> FittedModel:
    train, setting, table = parts["train"], ground.setting, ground.table
    levelled = fit_levels(predictor, parts, ground.catalogue, setting.calibration, setting.never_use)
    predictor, line = levelled.predictor, levelled.line
    seen = _seen(parts["all"], table)
    shift = float(line.tendency["shift"])
    pool = fit_thin_file(seen, setting.thin_rule, setting.thin_confidence, shift)
    thin = with_card(pool, seen, train, ground.catalogue, ground.thin_card)
    model = Model(
        kind="scorecard" if isinstance(fit, ScorecardFit) else "booster",
        label=label_values(setting.label),
        features=predictor.features,
        catalogue=[dict(f) for f in ground.catalogue if f["name"] in {*predictor.features, *thin.thin_file.features}],
        predictor=predictor,
        calibration=line.calibration,
        scaling=setting.scaling,
        thin_file=thin.thin_file,
        adverse=adverse_values(train, ground.catalogue, predictor.features) if isinstance(fit, BoosterFit) else None,
        development=development(train, predictor, line.calibration.pd(predictor.log_odds(train.rows))),
    )
    details = {
        "kind": model.kind,
        **_with_level(fit.as_json(), line.segments),
        "calibration": line.as_json(),
        "never_use": list(setting.never_use),
        "thin_file": {**thin.details, "tendency_shift": shift},
        "timetable": table.as_json(),
        "samples": {role: sample.counts() for role, sample in parts.items()},
    }
    return FittedModel(model, golden_rows(parts["all"]), details)


def _with_rounding_loss(
    fitted: FittedModel, exact: Scorecard, parts: Mapping[str, Sample], ground: _Ground, confidence: float
) -> FittedModel:
    """Tells what whole points cost on the customers of the test, each card with a calibration of its own."""
    levelled = fit_levels(exact, parts, ground.catalogue, ground.setting.calibration, ground.setting.never_use)
    test = parts["test"]
    exact_pd = levelled.line.calibration.pd(levelled.predictor.log_odds(test.rows))
    loss = rounding_loss(exact_pd, fitted.model.pd(test.rows), test, confidence)
    return replace(fitted, details={**fitted.details, "whole_points": loss})


def _with_level(told: dict[str, Any], segments: SegmentFit | None) -> dict[str, Any]:
    """What selection told, with a word on a column that stands in the card for the levels of its segments."""
    if segments is None or not segments.shifts:
        return told
    note = "; it stands in the card for the levels of its categories"
    fates = [
        {**fate, "reason": f"{fate['reason']}{note}"} if fate["feature"] == segments.feature else fate
        for fate in told.get("selection", ())
    ]
    return {**told, "selection": fates} if fates else told


def _seen(sample: Sample, table: Timetable) -> Sample:
    """Everything before the test: customers of the test and dates of the test are left out."""
    is_test = table.group_role(pd.Series(sample.clusters)) == "test"
    return sample.part(~(is_test | table.is_out_of_time(sample.rows)).to_numpy(dtype=bool))
