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
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.night_params import BacktestParams
    from pipeline.score.backtest.limit_path import Standing
    from pipeline.statistics.bootstrap import Resamples

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_MOVES = ("raise", "cut")
# What lasts from month to month: it is decided once, when it begins.
_LASTING = ("refer", "hold")
_DECIDED = (*_MOVES, *_LASTING)


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
class Compared:
    """Limits and needs of customers with both, by group of customers: sums in cents, how many customers and month ends,
    and how many of these have less than they need."""

    limit: Floats
    need: Floats
    count: Floats
    short: Floats

    @property
    def n(self) -> int:
        """Customers and month ends."""
        return int(self.count.sum())


@dataclass(frozen=True)
class LimitSums:
    """All month ends of one policy, summed by group of customers so that a round of the bootstrap draws groups.

    `approvals`: decisions of people by kind (raise, cut, refer, hold), null where nobody tells who approves; `tiers`:
    decisions by tier. In both a referral or a hold counts in the month it begins.
    """

    months: Sequence[MonthOfLimits]
    tiers: Mapping[str, int]
    draws: Resamples
    changes: Floats
    approvals: Mapping[str, Floats] | None
    compared: Compared

    @classmethod
    def of(cls, months: Sequence[MonthOfLimits], tiers: Sequence[str], settings: BacktestParams) -> LimitSums:
        """`tiers` in their order, the one that needs nobody first; none for the limits that stood."""
        names = np.unique(np.concatenate([month.cluster for month in months]))
        action = np.concatenate([month.standing.action for month in months])
        tier = np.concatenate([month.standing.tier for month in months])
        is_begun = _begun(months)
        by_person = np.isin(tier, list(tiers)[1:]) & is_begun
        return cls(
            months,
            {name: int(((tier == name) & is_begun).sum()) for name in tiers},
            resamples(names, settings.rounds, settings.confidence, settings.seed),
            _summed(months, np.isin(action, _MOVES)),
            {name: _summed(months, by_person & (action == name)) for name in _DECIDED} if tiers else None,
            _compared(months, np.concatenate([month.is_compared for month in months])),
        )


def _begun(months: Sequence[MonthOfLimits]) -> Flags:
    """By month and customer: a decision is made. What lasts is decided where the customer had something else when last
    seen; what a policy holds or refers on the first month end begins there."""
    last: dict[str, str] = {}
    parts = []
    for month in months:
        customers, action = month.standing.customers, month.standing.action
        before = np.array([last.get(customer) for customer in customers], dtype=object)
        parts.append(~np.isin(action, _LASTING) | (action != before))
        last.update(zip(customers, action, strict=True))
    return np.concatenate(parts).astype(bool)


def _summed(months: Sequence[MonthOfLimits], values: NDArray[Any]) -> Floats:
    """By group of customers, in their order."""
    names, codes = np.unique(np.concatenate([month.cluster for month in months]), return_inverse=True)
    sums: Floats = np.bincount(codes, weights=values, minlength=len(names)).astype(np.float64)
    return sums


def _compared(months: Sequence[MonthOfLimits], is_in: Flags) -> Compared:
    """`is_in`: rows with a limit and a need, of all months one after the other."""
    limit = np.where(is_in, np.concatenate([month.standing.limit for month in months]), 0.0)
    need = np.where(is_in, np.concatenate([month.need for month in months]), 0.0)
    cents = (np.rint(amounts * 100.0) for amounts in (limit, need))
    return Compared(*(_summed(months, rows) for rows in (*cents, is_in, is_in & (limit < need))))


def limit_figures(sums: LimitSums) -> dict[str, Any]:
    """Sums over all month ends, with intervals by group of customers, and the counts of each month in their order.

    `limit_of_need`: all limits over all needs of customers with both; `mean_limit` and `mean_need`: of those, per
    customer and month end; `short_share`: of those, how many have less than they need; `compared`: how many these are.
    `changes`: raises and cuts; `actions`: customers and month ends by action; `approvals`: decisions above the first of
    the tiers, `approvals_by` their kind, `tiers` decisions by tier, a referral or hold counted when it begins; null or
    empty without tiers.
    """
    months, compared = sums.months, sums.compared
    action = np.concatenate([month.standing.action for month in months])
    approvals = sums.approvals
    return {
        "changes": _count(sums.changes, sums.draws),
        "approvals": None if approvals is None else _count(_whole(approvals), sums.draws),
        "approvals_by": None if approvals is None else {name: int(one.sum()) for name, one in approvals.items()},
        "actions": {name: int((action == name).sum()) for name in ACTIONS},
        "tiers": dict(sums.tiers),
        "tier_order": list(sums.tiers),
        "compared": compared.n,
        "mean_limit": _mean(compared.limit, compared, sums.draws),
        "mean_need": _mean(compared.need, compared, sums.draws),
        "limit_of_need": ratio_interval(compared.limit, compared.need, sums.draws).as_json() if compared.n else None,
        "short_share": ratio_interval(compared.short, compared.count, sums.draws).as_json() if compared.n else None,
        "by_month": [_of_month(month) for month in months],
    }


def limit_difference(first: LimitSums, second: LimitSums) -> dict[str, Any]:
    """The second policy less the first, on the same month ends and draws; null where one tells nothing.

    `limit_of_need` is of the customers who have a limit under both and a need, `compared` customers and month ends.
    """
    pairs = zip(first.months, second.months, strict=True)
    is_both = np.concatenate([one.is_compared & other.is_compared for one, other in pairs])
    both = _compared(first.months, is_both), _compared(second.months, is_both)
    before, after = first.approvals, second.approvals
    return {
        "changes": _count(second.changes - first.changes, first.draws),
        "approvals": None if before is None or after is None else _count(_whole(after) - _whole(before), first.draws),
        "limit_of_need": _ratio_difference(*both, first.draws) if both[0].n else None,
        "compared": both[0].n,
    }


def _whole(approvals: Mapping[str, Floats]) -> Floats:
    found: Floats = np.sum(list(approvals.values()), axis=0)
    return found


def _mean(cents: Floats, compared: Compared, draws: Resamples) -> dict[str, Any] | None:
    """Per customer and month end."""
    if not compared.n:
        return None
    found = ratio_interval(cents, compared.count, draws).as_json()
    return {name: told(found[name]) for name in ("value", "low", "high")}


def _ratio_difference(first: Compared, second: Compared, draws: Resamples) -> dict[str, Any]:
    def difference(weights: Floats) -> Floats:
        return _ratio(weights, second) - _ratio(weights, first)

    return statistic_interval(difference, draws).as_json()


def _ratio(weights: Floats, sums: Compared) -> Floats:
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
