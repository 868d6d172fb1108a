"""The bins of greatest information value within the constraints: solved exactly, as optbinning's solver would."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import xlogy

from pipeline.train.prebins import prebins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.bin_counts import Outcomes
    from pipeline.train.prebins import Prebins

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_TREND = {"rises": "ascending", "falls": "descending", "either": "auto_asc_desc"}
_MOST_PREBINS = 20
_MILLIONTHS = 1_000_000
"""optbinning's solver counts rates and information values in these, cut to whole numbers."""
_NEVER = np.iinfo(np.int64).min // 4
_STATUSES = {
    "INFEASIBLE": "no way to join the solver's fine bins keeps every limit (status INFEASIBLE)",
    "FEASIBLE": "the solver found bins within its hour, but not that none are better (status FEASIBLE)",
    "UNKNOWN": "the solver found no bins within its hour, nor that there are none (status UNKNOWN)",
    "MODEL_INVALID": "the solver could not take the task as it was put (status MODEL_INVALID)",
}


@dataclass(frozen=True)
class Constraints:
    """What every bin must hold: rows, bads and goods at least; and how many bins there may be."""

    fewest_rows: int
    fewest_bads: int
    fewest_goods: int
    most_bins: int

    @classmethod
    def of(cls, outcomes: Outcomes, settings: ScorecardParams) -> Constraints:
        """Of rows; `min_bads_per_bin` counts customers, so it is taken times the rows of a bad customer."""
        bads = int(outcomes.is_bad.sum())
        wanted = math.ceil(settings.min_bads_per_bin * bads / max(outcomes.bad_customers, 1))
        return cls(
            fewest_rows=math.ceil(settings.min_bin_share * len(outcomes.is_bad)),
            fewest_bads=max(1, min(wanted, bads // 2)),
            fewest_goods=settings.min_goods_per_bin,
            most_bins=settings.max_bins,
        )


def optimal_splits(values: Floats, outcomes: Outcomes, name: str, risk: str, settings: ScorecardParams) -> Floats | str:
    """The cuts of a number in its direction of risk, rising; or why there are none. `values` hold no null.

    Solved by dynamic programming over the same fine bins, whole numbers and constraints that optbinning's constraint
    solver is given. Where more than one set of cuts is optimal, optbinning is asked which it takes
    (docs/decisions/0009-bins-by-dynamic-programming.md).
    """
    if np.ptp(values) == 0:
        return np.empty(0)
    limits = Constraints.of(outcomes, settings)
    fine = prebins(values, outcomes.is_bad, _MOST_PREBINS, limits.fewest_rows)
    found = best_cuts(fine, _TREND[risk], limits) if fine.is_certain else None
    if found is not None:
        return found
    solver = reference_solver(name, "numerical", outcomes, settings, _TREND[risk])
    return _solved(solver, values, outcomes.is_bad) or np.asarray(solver.splits, dtype=float)


def optimal_groups(
    values: NDArray[Any], outcomes: Outcomes, name: str, settings: ScorecardParams
) -> list[tuple[str, ...]] | str:
    """Groups of categories by optbinning, in order of their default rate; or why there are none."""
    names = sorted(set(values.tolist()))
    if len(names) < 2:
        return [tuple(names)] if names else []
    solver = reference_solver(name, "categorical", outcomes, settings, None)
    fault = _solved(solver, values.astype(object), outcomes.is_bad)
    return fault or [tuple(sorted(str(value) for value in group)) for group in solver.splits]


def reference_solver(
    name: str, dtype: str, outcomes: Outcomes, settings: ScorecardParams, monotonic_trend: str | None
) -> Any:
    """optbinning's solver under the constraints that ours keeps."""
    from optbinning import OptimalBinning

    return OptimalBinning(name=name, dtype=dtype, **reference_constraints(outcomes, settings, monotonic_trend))


def reference_constraints(outcomes: Outcomes, settings: ScorecardParams, monotonic_trend: str | None) -> dict[str, Any]:
    """The constraints in optbinning's words."""
    limits = Constraints.of(outcomes, settings)
    return {
        "prebinning_method": "cart",
        "solver": "cp",
        "max_n_prebins": _MOST_PREBINS,
        "min_prebin_size": settings.min_bin_share,
        "min_bin_size": settings.min_bin_share,
        "max_n_bins": limits.most_bins,
        "min_bin_n_event": limits.fewest_bads,
        "min_bin_n_nonevent": limits.fewest_goods,
        "monotonic_trend": monotonic_trend,
        "cat_cutoff": None,
        # Far above what a variable needs (0.1 s): the answer must not depend on the clock.
        "time_limit": 3600,
    }


def best_cuts(fine: Prebins, trend: str, limits: Constraints) -> Floats | str | None:
    """The one optimal choice among the fine bins' cuts, why there is none, or null where several are as good.

    `trend` is ascending, descending or auto_asc_desc: the last lets optbinning's own rule choose the direction.
    """
    if len(fine.bads) < 2:
        return fine.cuts
    chosen = _Candidates.of(fine, _direction(fine, trend), limits).best_chain(limits.most_bins)
    if chosen is None:
        return None
    if not len(chosen):
        return why_unsolved("INFEASIBLE")
    return fine.cuts[chosen[:-1]]


def _direction(fine: Prebins, trend: str) -> str:
    if trend != "auto_asc_desc":
        return trend
    from optbinning.binning.auto_monotonic import auto_monotonic

    return str(auto_monotonic(fine.goods, fine.bads, trend))


@dataclass(frozen=True)
class _Candidates:
    """Every stretch of fine bins that may become a bin: its first and last fine bin, its worth in millionths of
    information value, whether it is the last bin, and whether it may follow another (rows: the bin before)."""

    start: Ints
    end: Ints
    worth: Ints
    is_last: Bools
    follows: Bools

    @classmethod
    def of(cls, fine: Prebins, direction: str, limits: Constraints) -> _Candidates:
        n = len(fine.bads)
        end, start = np.tril_indices(n)
        bads, goods = (np.concatenate([[0], np.cumsum(counts)]) for counts in (fine.bads, fine.goods))
        bad, good = bads[end + 1] - bads[start], goods[end + 1] - goods[start]
        # As optbinning's model_data: rates and worths are cut to whole millionths before they are compared.
        rate = (bad / (bad + good) * _MILLIONTHS).astype(np.int64) * (1 if direction == "ascending" else -1)
        share_bad, share_good = bad / bads[-1], good / goods[-1]
        worth = (xlogy(share_bad - share_good, share_bad / share_good) * _MILLIONTHS).astype(np.int64)
        is_allowed = (bad + good >= limits.fewest_rows) & (bad >= limits.fewest_bads) & (good >= limits.fewest_goods)
        rates = np.zeros((n, n), dtype=np.int64)
        rates[end, start] = rate
        is_allowed &= _may_end(rates)[end]
        start, end, worth, rate = (part[is_allowed] for part in (start, end, worth, rate))
        follows = (end[:, None] + 1 == start[None, :]) & (rate[:, None] <= rate[None, :])
        return cls(start, end, worth, end == n - 1, follows)

    def best_chain(self, most_bins: int) -> Ints | None:
        """The last fine bin of each bin of the chain of greatest total worth from the first fine bin to the last;
        empty where there is no chain, null where more than one is best."""
        if not len(self.start):
            return np.empty(0, dtype=np.int64)
        worth, before, ways = self._chains(most_bins)
        ended = np.where(self.is_last, worth, _NEVER)
        best = ended.max()
        if best <= _NEVER:
            return np.empty(0, dtype=np.int64)
        if ways[ended == best].sum() > 1:
            return None
        bins, at = (int(found[0]) for found in np.nonzero(ended == best))
        ends = [self.end[at]]
        while bins:
            at = before[bins, at]
            ends.append(self.end[at])
            bins -= 1
        return np.array(ends[::-1])

    def _chains(self, most_bins: int) -> tuple[Ints, Ints, Ints]:
        """Of the best chain that ends with each candidate as its 1st, 2nd, ... bin (rows): total worth, the candidate
        before, and how many chains are as good."""
        worth = np.full((most_bins, len(self.start)), _NEVER)
        before = np.full(worth.shape, -1)
        ways = np.zeros(worth.shape, dtype=np.int64)
        worth[0] = np.where(self.start == 0, self.worth, _NEVER)
        ways[0] = self.start == 0
        for bins in range(1, most_bins):
            chains = np.where(self.follows, worth[bins - 1][:, None], _NEVER)
            top = chains.max(axis=0)
            is_reached = top > _NEVER
            worth[bins] = np.where(is_reached, top + self.worth, _NEVER)
            before[bins] = chains.argmax(axis=0)
            ways[bins] = np.where(is_reached, ways[bins - 1] @ (chains == top), 0)
        return worth, before, ways


def _may_end(rates: Ints) -> Bools:
    """Whether a bin may end with each fine bin, by the rule optbinning adds before it solves: not where the next
    stretches of one fine bin lie lower than together with what comes before. `rates` are [end, start], rising."""
    n = len(rates)
    may_end = np.ones(n, dtype=bool)
    for i in range(n - 1):
        if rates[i + 1, i] > rates[i + 1, i + 1]:
            may_end[i] = False
            for j in range(n - i - 1):
                if rates[i + 1 + j, i] > rates[i + 1 + j, i + 1 + j]:
                    may_end[i + j] = False
    return may_end


def _solved(solver: Any, values: NDArray[Any], is_bad: Floats) -> str:
    """Fits; gives the reason when the optimum was not proven. Without a solution the library keeps one bin silently."""
    with warnings.catch_warnings():
        # Libraries of the solver warn about each other's spelling; nothing a reader could act on.
        warnings.simplefilter("ignore")
        solver.fit(values, is_bad.astype(int))
    return "" if solver.status == "OPTIMAL" else why_unsolved(solver.status)


def why_unsolved(status: str) -> str:
    """What a status of the solver means that is not OPTIMAL, in words; those of OR-Tools' CP-SAT, which optbinning
    passes on. The hour is the `time_limit` of `reference_constraints`."""
    return _STATUSES.get(status, f"the solver found no optimal binning (status {status})")
