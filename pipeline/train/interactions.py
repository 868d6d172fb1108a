"""The price of interactions: the booster beside one whose trees look at one feature each, as a GAM would."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.bootstrap import discrimination_intervals, gini_difference, ratio_interval, resamples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.params import BoosterParams
    from pipeline.statistics.bootstrap import Interval
    from pipeline.train.booster_grower import Grower
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class InteractionPrice:
    """Booster and GAM-like booster on the checked rows of the same folds.

    `gini_gain` is the booster's Gini less the GAM's, `loss_gain` the GAM's log loss a row less the booster's (nats):
    above 0 interactions pay. Both are paired, with percentile intervals by customer cluster.
    """

    rows: int
    gini: Interval
    gini_without: Interval
    gini_gain: Interval
    loss_gain: Interval

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        named = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value if isinstance(value, int) else value.as_json() for name, value in named.items()}


def interaction_price(grower: Grower, sample: Sample, settings: BoosterParams) -> InteractionPrice | None:
    """Null without folds, or where the settings allow no interactions anyway."""
    if not grower.folds or settings.interactions == "none":
        return None
    without = dataclasses.replace(settings, interactions="none")
    grower.prepare([(k, each) for each in (settings, without) for k in range(len(grower.folds))])
    told = np.concatenate([np.flatnonzero(check) for _, check in grower.folds])
    own, gam = ([grower.fold(k, each) for k in range(len(grower.folds))] for each in (settings, without))
    own_pd, gam_pd = (np.concatenate([each.pd for each in results]) for results in (own, gam))
    own_loss, gam_loss = (np.concatenate([each.losses for each in results]) for results in (own, gam))
    is_bad = sample.is_bad[told]
    draws = resamples(sample.codes[told], settings.price_rounds, settings.price_confidence, settings.seed)
    return InteractionPrice(
        rows=len(told),
        gini=discrimination_intervals(own_pd, is_bad, draws)["gini"],
        gini_without=discrimination_intervals(gam_pd, is_bad, draws)["gini"],
        gini_gain=gini_difference(own_pd, gam_pd, is_bad, draws),
        loss_gain=ratio_interval(gam_loss - own_loss, np.ones(len(told)), draws),
    )
