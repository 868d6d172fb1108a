"""What a comparison of two models reads beside their PDs: by what the rows are divided, and what each could lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.calibration import log_odds_of_pd, pd_of_log_odds
from pipeline.score.exposure import expose
from pipeline.score.rating import Rating, data_depth

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.master_scale import MasterScale
    from pipeline.score.policy import Policy
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]
    Texts = NDArray[np.object_]

_TOLD = ("industry", "size_class")
MOST_GROUPS = 12
OTHERS = "all others"


def risk_segments(first: Floats, second: Floats, scale: MasterScale) -> Texts:
    """The master scale's segment of the mean log odds of both models: by the segment of one of them, its own order
    within the segment would be cut short and it would look worse than it is."""
    mean = (log_odds_of_pd(first) + log_odds_of_pd(second)) / 2.0
    return scale.segment(scale.grade(pd_of_log_odds(mean)))


def book_groups(positions: pd.DataFrame, sample: Sample, policy: Policy) -> dict[str, Texts]:
    """Industry, size class and data depth of each row, from positions in the order of the sample.

    An industry or a size that nobody told is null. Beyond the twelve with the most rows the rest stands as one.
    """
    groups = {name: _largest(positions[name].to_numpy(dtype=object)) for name in _TOLD if name in positions.columns}
    depth = np.full(len(positions), None, dtype=object)
    for day in sorted(set(sample.days)):
        is_on = sample.days == day
        depth[is_on] = data_depth(positions[is_on], policy, day)
    return {**groups, "data_depth": depth}


def losses(positions: pd.DataFrame, policy: Policy) -> Floats:
    """What each row would lose if it defaulted: exposure at default × LGD of the segment `default`, base currency.

    That segment, whatever a model thought of the customer: the loss is of those who did default, and must not depend on
    the model that is judged by it. 0 where no exposure is known.
    """
    n = len(positions)
    blank, ones = np.full(n, None, dtype=object), np.ones(n)
    segment = np.full(n, "default", dtype=object)
    rating = Rating(blank, ones, ones, blank, segment, blank, blank, ())
    return np.nan_to_num(expose(positions, rating, policy.loss).expected_loss)


def _largest(values: Texts) -> Texts:
    told = np.array([value if isinstance(value, str) and value else None for value in values], dtype=object)
    names, counts = np.unique(told[[value is not None for value in told]].astype(str), return_counts=True)
    if len(names) <= MOST_GROUPS:
        return told
    kept = set(names[np.argsort(-counts, kind="stable")[: MOST_GROUPS - 1]])
    return np.array([v if v is None or v in kept else OTHERS for v in told], dtype=object)
