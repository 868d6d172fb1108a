"""A predictor with its calibration, and with the levels of its segments worked into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pipeline.score.feature_columns import category_column
from pipeline.score.scorecard import Scorecard
from pipeline.score.segment_shifts import SegmentShifts, ShiftedBooster, shifts_of
from pipeline.train.calibration import Observed, fit_calibration
from pipeline.train.calibration_segments import SegmentFit, segment_feature
from pipeline.train.segment_points import with_segment_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import CalibrationParams
    from pipeline.score.booster import Booster
    from pipeline.score.model import Predictor
    from pipeline.train.calibration import CalibrationFit
    from pipeline.train.sample import Sample


@dataclass(frozen=True)
class Levelled:
    """The predictor, its segments' shifts worked in where there are any, and the calibration beside it."""

    predictor: Predictor
    line: CalibrationFit


def fit_levels(
    predictor: Predictor,
    parts: Mapping[str, Sample],
    catalogue: Sequence[Mapping[str, Any]],
    settings: CalibrationParams,
    never_use: Sequence[str] = (),
) -> Levelled:
    """Calibrates on the rows of `calibration`, the level weighed with that of `train`.

    The shifts of segments become points of a scorecard, whole where its points are whole, and stand beside the trees of
    a booster. Raises ParameterError when `settings` divide the customers by a column that may not do so.
    """
    feature, why = segment_feature(catalogue, settings, never_use)
    held_out, train = (_observed(predictor, parts[role], feature) for role in ("calibration", "train"))
    is_whole = isinstance(predictor, Scorecard) and predictor.rounding == "whole"
    step = 1.0 / predictor.factor if isinstance(predictor, Scorecard) and is_whole else None
    line = fit_calibration(held_out, settings, train, segment_by=feature, step=step)
    if line.segments is None:
        return Levelled(predictor, replace(line, segments=SegmentFit(None, why)))
    return Levelled(_shifted(predictor, line.segments, parts["train"]), line)


def _shifted(predictor: Predictor, segments: SegmentFit, train: Sample) -> Predictor:
    shifts, feature = segments.shifts, segments.feature
    if not shifts or feature is None:
        return predictor
    if isinstance(predictor, Scorecard):
        return with_segment_points(predictor, feature, shifts, train)
    mean = float(shifts_of(_categories(train, feature), shifts).mean())
    return ShiftedBooster(cast("Booster", predictor), SegmentShifts(feature, shifts, mean))


def _observed(predictor: Predictor, sample: Sample, feature: str | None) -> Observed:
    segments = None if feature is None else _categories(sample, feature)
    return Observed(predictor.log_odds(sample.rows), sample.is_bad, sample.clusters, segments)


def _categories(sample: Sample, feature: str) -> NDArray[np.object_]:
    values, is_null = category_column(sample.rows, feature)
    told = [None if null else str(value) for value, null in zip(values, is_null, strict=True)]
    return np.array(told, dtype=object)
