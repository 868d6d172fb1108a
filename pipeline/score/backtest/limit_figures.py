"""What a policy did with the limits: changes, holds, referrals, approvals, and how the limits compare with the need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.limits import ACTIONS
from pipeline.score.portfolio.amounts import share, told
from pipeline.statistics.bootstrap import ratio_interval, resamples, statistic_interval
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


@dataclass(frozen=True)
class LimitSums:
    """All month ends of one policy, summed by group of customers so that a round of the bootstrap draws groups.

    `limit` and `need` in cents, of customers with both; `approvals` null where nobody tells who approves.
    """

    months: Sequence[MonthOfLimits]
    tiers: Sequence[str]
    draws: Resamples
    changes: Floats
    approvals: Floats | None
    limit: Floats
    need: Floats

    @classmethod
    def of(cls, months: Sequence[MonthOfLimits], tiers: Sequence[str], settings: BacktestParams) -> LimitSums:
        """`tiers` in their order, the one that needs nobody first; none for the limits that stood."""
        names, codes = np.unique(np.concatenate([month.cluster for month in months]), return_inverse=True)
        is_compared = np.concatenate([month.is_compared for month in months])
        by_person = np.isin(np.concatenate([month.standing.tier for month in months]), list(tiers)[1:])
        is_moved = np.isin(np.concatenate([month.standing.action for month in months]), _MOVES)

        def summed(values: NDArray[Any], is_in: Flags | slice = slice(None)) -> Floats:
            sums: Floats = np.bincount(codes[is_in], weights=values[is_in], minlength=len(names)).astype(np.float64)
            return sums

        return cls(
            months,
            tiers,
            resamples(names, settings.rounds, settings.confidence, settings.seed),
            summed(is_moved),
            summed(by_person) if tiers else None,
            summed(np.rint(np.concatenate([month.standing.limit for month in months]) * 100.0), is_compared),
            summed(np.rint(np.concatenate([month.need for month in months]) * 100.0), is_compared),
        )


def limit_figures(sums: LimitSums) -> dict[str, Any]:
    """Sums over all month ends, with intervals by group of customers, and the counts of each month in their order.

    `limit_of_need`: all limits over all needs of customers with both; `mean_limit` and `mean_need`: of those, per
    customer and month end; `short_share`: of those, how many have less than they need. `changes`: raises and cuts;
    `approvals`: decisions above the first of the tiers; null without tiers.
    """
    months = sums.months
    action = np.concatenate([month.standing.action for month in months])
    tier = np.concatenate([month.standing.tier for month in months])
    compared = sum(int(month.is_compared.sum()) for month in months)
    short = sum(int((month.standing.limit < month.need)[month.is_compared].sum()) for month in months)
    return {
        "changes": _count(sums.changes, sums.draws),
        "approvals": None if sums.approvals is None else _count(sums.approvals, sums.draws),
        "actions": {name: int((action == name).sum()) for name in ACTIONS},
        "tiers": {name: int((tier == name).sum()) for name in sums.tiers},
        "tier_order": list(sums.tiers),
        "compared": compared,
        "mean_limit": told(sums.limit.sum() / compared) if compared else None,
        "mean_need": told(sums.need.sum() / compared) if compared else None,
        "limit_of_need": ratio_interval(sums.limit, sums.need, sums.draws).as_json() if compared else None,
        "short_share": share(short, compared),
        "by_month": [_of_month(month) for month in months],
    }


def limit_difference(first: LimitSums, second: LimitSums) -> dict[str, Any]:
    """The second policy less the first, on the same customers, month ends and draws; null where one tells nothing."""
    has_both = bool(first.need.sum() and second.need.sum())
    before, after = first.approvals, second.approvals
    return {
        "changes": _count(second.changes - first.changes, first.draws),
        "approvals": None if before is None or after is None else _count(after - before, first.draws),
        "limit_of_need": _ratio_difference(first, second) if has_both else None,
    }


def _ratio_difference(first: LimitSums, second: LimitSums) -> dict[str, Any]:
    def difference(weights: Floats) -> Floats:
        return _ratio(weights, second) - _ratio(weights, first)

    return statistic_interval(difference, first.draws).as_json()


def _ratio(weights: Floats, sums: LimitSums) -> Floats:
    # Products summed along rows, not a matrix product: BLAS may sum in another order with other threads.
    below = np.sum(weights * sums.need, axis=-1)
    out = np.full(len(weights), np.nan)
    found: Floats = np.divide(np.sum(weights * sums.limit, axis=-1), below, out=out, where=below > 0)
    return found


def _count(by_cluster: Floats, draws: Resamples) -> dict[str, Any]:
    found = paired_sum(by_cluster, draws)
    low, high = (found.low, found.high) if found.is_measured else (None, None)
    return {"value": int(found.value), "low": low, "high": high}


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
