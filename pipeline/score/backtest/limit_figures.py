"""What a policy did with the limits: changes, holds, referrals, approvals, and how the limits compare with the need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.limits import ACTIONS
from pipeline.score.portfolio.amounts import share, told
from pipeline.statistics.bootstrap import ratio_interval, resamples
from pipeline.statistics.paired import paired_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.night_params import BacktestParams
    from pipeline.score.backtest.limit_path import Standing
    from pipeline.statistics.bootstrap import Resamples

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_MOVES = ("raise", "cut")


@dataclass(frozen=True)
class MonthOfLimits:
    """One month end under one policy: the standing, the need of each customer under the policy in force today (NaN:
    none or no grade) and the customer's group as a number, row by row."""

    standing: Standing
    need: Floats
    cluster: Ints

    @property
    def is_compared(self) -> Flags:
        """A limit and a need above 0."""
        compared: Flags = ~np.isnan(self.standing.limit) & (np.nan_to_num(self.need) > 0)
        return compared


def limit_figures(months: Sequence[MonthOfLimits], tiers: Sequence[str], settings: BacktestParams) -> dict[str, Any]:
    """Sums over all month ends, with intervals by group of customers, and the counts of each month in their order.

    `limit_of_need`: all limits over all needs of customers with both; `mean_limit` and `mean_need`: of those, per
    customer and month end. `changes`: raises and cuts; `approvals`: decisions above the first of the tiers; null
    without tiers, for the ledger does not tell who would have approved.
    """
    cluster = np.concatenate([month.cluster for month in months])
    names, codes = np.unique(cluster, return_inverse=True)
    draws = resamples(names, settings.rounds, settings.confidence, settings.seed)
    action = np.concatenate([month.standing.action for month in months])
    tier = np.concatenate([month.standing.tier for month in months])
    by_person = np.isin(tier, list(tiers)[1:])
    return {
        "changes": _count(np.isin(action, _MOVES), codes, draws),
        "approvals": _count(by_person, codes, draws) if tiers else None,
        "actions": {name: int((action == name).sum()) for name in ACTIONS},
        "tiers": {name: int((tier == name).sum()) for name in tiers},
        "tier_order": list(tiers),
        **_need(months, codes, draws),
        "by_month": [_of_month(month) for month in months],
    }


def _count(is_counted: Flags, codes: Ints, draws: Resamples) -> dict[str, Any]:
    sums = np.bincount(codes, weights=is_counted, minlength=draws.clusters)
    found = paired_sum(sums, draws)
    ends = (found.low, found.high) if found.is_measured else (None, None)
    return {"value": int(found.value), "low": ends[0], "high": ends[1]}


def _need(months: Sequence[MonthOfLimits], codes: Ints, draws: Resamples) -> dict[str, Any]:
    is_compared = np.concatenate([month.is_compared for month in months])
    limit = np.concatenate([month.standing.limit for month in months])[is_compared]
    need = np.concatenate([month.need for month in months])[is_compared]
    n = int(is_compared.sum())
    if not n:
        return {"compared": 0, "mean_limit": None, "mean_need": None, "limit_of_need": None, "short_share": None}
    at = codes[is_compared]
    held, wanted = (np.bincount(at, weights=np.rint(one * 100.0), minlength=draws.clusters) for one in (limit, need))
    return {
        "compared": n,
        "mean_limit": told(held.sum() / n),
        "mean_need": told(wanted.sum() / n),
        "limit_of_need": ratio_interval(held, wanted, draws).as_json(),
        "short_share": float((limit < need).sum() / n),
    }


def _of_month(month: MonthOfLimits) -> dict[str, Any]:
    standing, is_compared = month.standing, month.is_compared
    known = ~np.isnan(standing.limit)
    limit, need = standing.limit[is_compared], month.need[is_compared]
    return {
        "customers": len(standing.limit),
        "with_limit": int(known.sum()),
        "limits": told(np.rint(standing.limit[known] * 100.0).sum()),
        "limit_of_need": share(float(limit.sum()), float(need.sum())),
        "held": int(standing.is_held.sum()),
        "changes": int(np.isin(standing.action, _MOVES).sum()),
        "referred": int((standing.action == "refer").sum()),
    }
