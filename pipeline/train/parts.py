"""How well models order and expect in each part of the book: by depth of data, industry and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.clustered import clustered_auc
from pipeline.statistics.proportions import jeffreys_of_groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]
    Texts = NDArray[np.object_]


def part_measures(
    pds: Mapping[str, Floats], sample: Sample, groups: Mapping[str, Texts], confidence: float
) -> dict[str, dict[str, Any]]:
    """By division and part, in the order of their names: counts, and of each model `gini` and observed over expected.

    `pds` and `groups` hold one value per row of the sample; rows whose part is null are left out. Gini has the interval
    of the clustered DeLong error (Obuchowski 1997), null where a part lacks a bad or a good row; a part of few bad
    customers has a wide one, which is what is known of it. Observed over expected has that of `level_estimate`.
    """
    return {
        division: {
            str(part): _part(pds, sample, values == part, confidence)
            for part in sorted({value for value in values if value is not None})
        }
        for division, values in groups.items()
    }


def _part(pds: Mapping[str, Floats], sample: Sample, is_in: NDArray[np.bool_], confidence: float) -> dict[str, Any]:
    part = sample.part(is_in)
    models = {}
    for name, pd in pds.items():
        models[name] = {
            "gini": gini_estimate(pd[is_in], part, confidence),
            "observed_over_expected": level_estimate(pd[is_in], part, confidence),
        }
    return {**part.counts(), "models": models}


def gini_estimate(pd: Floats, sample: Sample, confidence: float) -> dict[str, Any] | None:
    """Gini with the interval of its clustered DeLong error; null without a bad or without a good row."""
    levels = np.unique(pd, return_inverse=True)[1].astype(np.int64)
    found = clustered_auc(levels, sample.is_bad, sample.codes, confidence)
    if found is None:
        return None
    return {name: 2.0 * value - 1.0 for name, value in found.as_json().items() if name in {"value", "low", "high"}}


def level_estimate(pd: Floats, sample: Sample, confidence: float) -> dict[str, Any] | None:
    """Observed over expected: the default rate of the rows over their mean PD; null where every PD is nothing.

    The interval is the Jeffreys interval of the rate over that mean, each customer group counted as one witness (as
    `grade_measures` counts them): it stands, and is wide, where there is no bad group or a single one.
    """
    mean = float(np.mean(pd)) if len(pd) else 0.0
    if not mean > 0:
        return None
    rate = float(np.mean(sample.is_bad))
    low, high = jeffreys_of_groups(rate, sample.customers, confidence)
    return {"value": rate / mean, "low": low / mean, "high": high / mean}
