"""A whole model from an expert card: with too few defaults to fit points, people set them and data set the level."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import UnfitForTrainingError
from pipeline.score.calibration import Calibration
from pipeline.score.model import Model
from pipeline.statistics.proportions import jeffreys_upper
from pipeline.train.calibration import Observed
from pipeline.train.calibration_level import level_at
from pipeline.train.development import development, golden_rows
from pipeline.train.expert_card import expert_scorecard
from pipeline.train.fit import FittedModel, one_thread
from pipeline.train.label import label_values
from pipeline.train.sample import require_customers, samples
from pipeline.train.thin_file import fit_thin_file, without_card

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.params import ScorecardParams
    from pipeline.score.scorecard import Scorecard
    from pipeline.train.expert_card import CentralTendency, ExpertCardSection
    from pipeline.train.fit import Setting
    from pipeline.train.sample import Sample
    from pipeline.train.splits import Timetable


def too_few_defaults(book: pd.DataFrame, table: Timetable, params: ScorecardParams) -> bool:
    """Training holds fewer bad customers than `fit_scorecard.expert.below_bad_customers`: points cannot be fitted."""
    return samples(book, table)["train"].bad_customers < params.expert.below_bad_customers


def train_expert_card(
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    params: ScorecardParams,
    *,
    setting: Setting,
    section: ExpertCardSection,
) -> FittedModel:
    """The card of the section, its level set by its central tendency; the section must be sound (`require_sound`).

    Rows, catalogue and table as `train_scorecard` takes them. All rows before the test set the level. Raises
    UnfitForTrainingError when there is no good row, or too few customers, to set it by.
    """
    with one_thread():
        parts = samples(book, table)
        require_customers(parts["train"], table.train)
        seen = _before_test(parts["all"], table)
        if not len(seen.is_bad) or not (seen.is_bad == 0).any():
            raise UnfitForTrainingError(
                f"expert card: {len(seen.is_bad):,} rows before the test and no good one among them to set the level "
                "by; hand in a longer history"
            )
        card = expert_scorecard(section, seen.rows, catalogue, params)
        rate, told = _rate(section.central_tendency, seen)
        card, line = _levelled(card, seen, rate)
        pool = fit_thin_file(seen, setting.thin_rule, setting.thin_confidence)
        thin = without_card(pool, seen, "too few defaults to fit one")
        developed = development(seen, card, line.pd(card.log_odds(seen.rows)))
        model = Model(
            kind="scorecard",
            basis="expert",
            label=label_values(setting.label),
            features=card.features,
            catalogue=[dict(f) for f in catalogue if f["name"] in card.features],
            predictor=card,
            calibration=line,
            scaling=setting.scaling,
            thin_file=thin.thin_file,
            # Reasons measure from the rate of the book; that of a book without defaults would be a score out of sight.
            development={**developed, "default_rate": rate},
        )
    details = {
        **_details(section, {"rate": rate, "source": told}),
        "thin_file": thin.details,
        "timetable": table.as_json(),
        "samples": {role: sample.counts() for role, sample in parts.items()},
    }
    return FittedModel(model, golden_rows(parts["all"]), details)


def _before_test(sample: Sample, table: Timetable) -> Sample:
    is_test = table.group_role(pd.Series(sample.clusters)) == "test"
    return sample.part(~(is_test | table.is_out_of_time(sample.rows)).to_numpy(dtype=bool))


def _rate(tendency: CentralTendency, seen: Sample) -> tuple[float, str]:
    """The rate the mean PD is set to, and where it comes from, in words.

    The bound counts customers: months of one customer are one witness.
    """
    if tendency.kind == "given" and tendency.rate is not None:
        return tendency.rate, str(tendency.source)
    confidence = float(tendency.confidence or 0.5)
    own = float(seen.is_bad.sum()) / len(seen.is_bad)
    bound = jeffreys_upper(own * seen.customers, seen.customers, confidence)
    told = (
        f"upper bound (Jeffreys, one-sided {confidence:.0%}) of the book's own rate: {seen.bad_customers} bad of "
        f"{seen.customers:,} customer groups before the test"
    )
    return max(float(bound), own), told


def _levelled(card: Scorecard, seen: Sample, rate: float) -> tuple[Scorecard, Calibration]:
    """Moves the start value by whole points to the level, and leaves the rest of a point to the calibration."""
    shift = _shift(card, seen, rate)
    moved = replace(card, intercept_points=card.intercept_points + math.floor(shift * card.factor + 0.5))
    return moved, Calibration.line("level", _shift(moved, seen, rate), 1.0)


def _shift(card: Scorecard, seen: Sample, rate: float) -> float:
    """What is added to the ln odds of good so that the mean PD is the rate."""
    observed = Observed(card.log_odds(seen.rows), seen.is_bad, seen.clusters)
    return level_at(observed, ((0.0, 0.0), (1.0, 1.0)), rate * len(seen.is_bad))


def _details(section: ExpertCardSection, level: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "scorecard",
        "basis": "expert",
        "expert": {
            "valid_from": section.valid_from.isoformat(),
            "owner": section.owner,
            "sources": [{"title": s.title, "says": s.says} for s in section.sources],
            "level": level,
        },
        "selection": [
            {"feature": c.feature, "fate": "expert", "reason": c.reason, "step": step}
            for step, c in enumerate(section.characteristics, 1)
        ],
        "coefficients": [],
    }
