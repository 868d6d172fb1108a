"""Whole points: a card that adds up in the head, and what that costs against the points as they came out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.calibration import log_losses
from pipeline.statistics.discrimination import gini

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.score.scorecard import Scorecard
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]


def in_whole_points(card: Scorecard) -> Scorecard:
    """Every bin's points and the start value to the nearest whole number, halves upwards; the mean goes by them."""
    characteristics = []
    for characteristic in card.characteristics:
        bins = tuple(replace(b, points=math.floor(b.points + 0.5) + 0.0) for b in characteristic.bins)
        rows = sum(b.count for b in bins)
        mean = math.fsum(b.points * b.count for b in bins) / rows
        characteristics.append(replace(characteristic, bins=bins, mean_points=mean))
    start = math.floor(card.intercept_points + 0.5) + 0.0
    return replace(card, characteristics=tuple(characteristics), intercept_points=start, rounding="whole")


def rounding_loss(exact_pd: Floats, whole_pd: Floats, sample: Sample) -> dict[str, Any]:
    """What whole points cost on the rows of a sample: Gini, log loss a row, largest change of a PD.

    Both PDs are calibrated, each on its own points. Gini is null where the sample has no bad or no good row; all is
    null where it has no row.
    """
    if not len(sample.is_bad):
        return {"rows": 0, "exact": None, "whole": None, "largest_pd_change": None}
    return {
        "rows": len(sample.is_bad),
        "exact": _measured(exact_pd, sample),
        "whole": _measured(whole_pd, sample),
        "largest_pd_change": float(np.abs(whole_pd - exact_pd).max()),
    }


def _measured(pd: Floats, sample: Sample) -> dict[str, float | None]:
    is_bad = sample.is_bad
    log_loss = math.fsum(log_losses(pd, is_bad).tolist()) / len(pd)
    has_both = bool(is_bad.any() and not is_bad.all())
    return {"gini": float(gini(pd, is_bad)) if has_both else None, "log_loss": log_loss}
