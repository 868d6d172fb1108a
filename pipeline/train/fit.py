"""Fits a whole model: predictor, calibration, thin-file pool and what it was developed on, ready to be written."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import UnfitForTrainingError
from pipeline.score.model import Model
from pipeline.train.booster import BoosterFit, fit_booster
from pipeline.train.calibration import Observed, fit_calibration
from pipeline.train.development import development, golden_rows
from pipeline.train.label import label_values
from pipeline.train.sample import Sample, require_trainable, samples
from pipeline.train.scorecard import ScorecardFit, fit_scorecard
from pipeline.train.thin_file import fit_thin_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.params import BoosterParams, CalibrationParams, LabelParams, ScorecardParams
    from pipeline.score.model import Predictor
    from pipeline.score.points import Scaling
    from pipeline.score.thin_file import ThinFileRule
    from pipeline.train.label import Label
    from pipeline.train.splits import Timetable


@dataclass(frozen=True)
class Setting:
    """What both kinds of model are fitted with besides their own parameters.

    `thin_rule` is null for a table of one's own, where nobody is thin; `thin_confidence` is the one-sided level of the
    thin pool's upper bound.
    """

    label: LabelParams | Label
    scaling: Scaling
    calibration: CalibrationParams
    thin_rule: ThinFileRule | None
    thin_confidence: float


@dataclass(frozen=True)
class FittedModel:
    """`model` and `golden_rows` for `write_model`; `details` tells how it was fitted, in plain values."""

    model: Model
    golden_rows: pd.DataFrame
    details: dict[str, Any]


@dataclass(frozen=True)
class _Ground:
    catalogue: Sequence[Mapping[str, Any]]
    table: Timetable
    setting: Setting


def train_scorecard(
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    params: ScorecardParams,
    setting: Setting,
) -> FittedModel:
    """The champion's kind: a calibrated scorecard.

    `book` has one row per (customer_id, as_of): group_key, is_bad (null: not trained on), invoices_due_12m_count,
    history_months and every feature of the catalogue. Raises UnfitForTrainingError when it cannot carry a model.
    """
    with one_thread():
        parts = _trainable(book, table)
        fit = fit_scorecard(parts["train"], catalogue, params, table.seed)
        return _finished(fit, fit.scorecard, parts, _Ground(catalogue, table, setting))


def train_booster(
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    params: BoosterParams,
    setting: Setting,
) -> FittedModel:
    """The challenger's kind: a calibrated gradient booster. Book and errors as in `train_scorecard`."""
    with one_thread():
        parts = _trainable(book, table)
        fit = fit_booster(parts["train"], catalogue, params)
        return _finished(fit, fit.booster, parts, _Ground(catalogue, table, setting))


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: with more of them sums, and so the last digits, depend on their number."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def _trainable(book: pd.DataFrame, table: Timetable) -> dict[str, Sample]:
    parts = samples(book, table)
    require_trainable(parts["train"], table.train)
    for role in ("calibration", "test"):
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
    line = fit_calibration(_observed(predictor, parts["calibration"]), setting.calibration, _observed(predictor, train))
    model = Model(
        kind="scorecard" if isinstance(fit, ScorecardFit) else "booster",
        label=label_values(setting.label),
        features=predictor.features,
        catalogue=[dict(f) for f in ground.catalogue if f["name"] in predictor.features],
        predictor=predictor,
        calibration=line.calibration,
        scaling=setting.scaling,
        thin_file=fit_thin_file(_seen(parts["all"], table), setting.thin_rule, setting.thin_confidence),
        development=development(train, predictor, line.calibration.pd(predictor.log_odds(train.rows))),
    )
    details = {
        "kind": model.kind,
        **fit.as_json(),
        "calibration": line.as_json(),
        "timetable": table.as_json(),
        "samples": {role: sample.counts() for role, sample in parts.items()},
    }
    return FittedModel(model, golden_rows(parts["all"]), details)


def _observed(predictor: Predictor, sample: Sample) -> Observed:
    return Observed(predictor.log_odds(sample.rows), sample.is_bad, sample.clusters)


def _seen(sample: Sample, table: Timetable) -> Sample:
    """Everything before the test: customers of the test and dates of the test are left out."""
    is_test = table.group_role(pd.Series(sample.clusters)) == "test"
    return sample.part(~(is_test | table.is_out_of_time(sample.rows)).to_numpy(dtype=bool))
