"""How sure the figures of bins are: the information value of a feature and the bad rate of each bin, by customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.clustered import distinct
from pipeline.statistics.information import information_interval
from pipeline.statistics.proportions import jeffreys_of_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.score.scorecard import Characteristic
    from pipeline.statistics.clustered import Codes, Estimate, Floats
    from pipeline.train.sample import Sample


def information_of(characteristic: Characteristic, sample: Sample, confidence: float) -> Estimate | None:
    """Information value of the bins on the rows of a sample, with its interval; null without both outcomes."""
    woe = np.array([b.woe for b in characteristic.bins])
    return information_interval(characteristic.bin_index(sample.rows), woe, sample.is_bad, sample.codes, confidence)


def bin_rates(sample: Sample, characteristics: Sequence[Characteristic], confidence: float) -> list[dict[str, Any]]:
    """Customer groups of each bin with rows, and the Jeffreys interval of its bad rate by rows with these groups as the
    evidence."""
    told = []
    for c in characteristics:
        index = c.bin_index(sample.rows)
        for position, b in enumerate(c.bins):
            is_in = index == position
            if not is_in.any():
                continue
            customers, low, high = rate_of_groups(sample.is_bad[is_in], sample.codes[is_in], confidence)
            told.append({"feature": c.feature, "bin": b.label, "customers": customers, "low": low, "high": high})
    return told


def rate_of_groups(is_bad: Floats, codes: Codes, confidence: float) -> tuple[int, float, float]:
    """Customer groups of some rows, and the Jeffreys interval of their bad rate with each group one witness.

    There must be rows.

    >>> groups, low, high = rate_of_groups(np.array([1.0, 1, 0, 0]), np.array([0, 0, 1, 2]), 0.95)
    >>> groups, round(low, 2), round(high, 2)
    (3, 0.09, 0.91)
    """
    groups = distinct(codes)
    low, high = jeffreys_of_groups(float(is_bad.mean()), groups, confidence)
    return groups, low, high
