"""Whole points: a card that adds up in the head, and what that costs against the points as they came out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.calibration import log_losses
from pipeline.statistics.clustered import auc_influence, paired_estimate

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


def rounding_loss(exact_pd: Floats, whole_pd: Floats, sample: Sample, confidence: float) -> dict[str, Any]:
    """What whole points cost on the rows of a sample: Gini, log loss a row, largest change of a PD.

    Both PDs are calibrated, each on its own points. `difference` is whole less exact, paired, with its interval by
    customer (null with fewer than two bad or two good customers). Gini is null where the sample has no bad or no good
    row; all is null where it has no row.
    """
    if not len(sample.is_bad):
        return {"rows": 0, "exact": None, "whole": None, "difference": None, "largest_pd_change": None}
    exact, whole = _moves(exact_pd, sample), _moves(whole_pd, sample)
    return {
        "rows": len(sample.is_bad),
        "exact": {name: found and found[0] for name, found in exact.items()},
        "whole": {name: found and found[0] for name, found in whole.items()},
        "difference": {name: _difference(exact[name], whole[name], sample, confidence) for name in exact},
        "confidence": confidence,
        "largest_pd_change": float(np.abs(whole_pd - exact_pd).max()),
    }


def _moves(pd: Floats, sample: Sample) -> dict[str, tuple[float, Floats] | None]:
    """Gini and log loss of PDs, each with what every row moves it by."""
    is_bad = sample.is_bad
    losses = log_losses(pd, is_bad)
    mean = math.fsum(losses.tolist()) / len(pd)
    found: dict[str, tuple[float, Floats] | None] = {"gini": None, "log_loss": (mean, (losses - mean) / len(pd))}
    if is_bad.any() and not is_bad.all():
        auc, influence = auc_influence(np.unique(pd, return_inverse=True)[1], is_bad)
        found["gini"] = (2.0 * auc - 1.0, 2.0 * influence)
    return found


def _difference(
    exact: tuple[float, Floats] | None, whole: tuple[float, Floats] | None, sample: Sample, confidence: float
) -> dict[str, float | None] | None:
    if exact is None or whole is None:
        return None
    found = paired_estimate(whole[0] - exact[0], whole[1] - exact[1], sample.is_bad, sample.codes, confidence)
    ends = {"low": found.low, "high": found.high}
    return {"value": found.value, **{name: end if math.isfinite(end) else None for name, end in ends.items()}}
