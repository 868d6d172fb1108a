"""A replay from month ends as they were seen to figures: every policy meets the same deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.backtest.limit_figures import LimitSums, MonthOfLimits, limit_difference, limit_figures
from pipeline.score.backtest.limit_path import LedgerPath, PolicyPath, Seen, decide
from pipeline.score.backtest.outcomes import outcomes_of
from pipeline.score.backtest.replay import NO_LIMIT, movements_of, refused
from pipeline.score.backtest.result import Deliveries, figures_of
from pipeline.score.position_columns import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.night_params import BacktestParams
    from pipeline.score.backtest.items import Items
    from pipeline.score.policy import Policy

    Ints = NDArray[np.int64]

STOOD, CURRENT = "stood", "current"
NO_GRADE = "none"


@dataclass(frozen=True)
class Windows:
    """By month: the last day on which a default counts (days since 1970), whether all of it is known by today, and
    whether the model had seen the month."""

    ends: Ints
    is_mature: NDArray[np.bool_]
    is_hypothetical: NDArray[np.bool_]

    @property
    def is_judged(self) -> NDArray[np.bool_]:
        """Months that count in sums and verdicts: mature, and not hypothetical unless all mature ones are."""
        honest: NDArray[np.bool_] = self.is_mature & ~self.is_hypothetical
        return honest if honest.any() else self.is_mature


@dataclass
class Replay:
    """Walks the policies through the months, one `step` each, and judges them in the end.

    `policies` by name: the policy in force today first, then the candidates. `groups` names the group of a customer.
    `limits`: what each policy, and the ledger, had in force after each month walked through.
    """

    items: Items
    groups: Mapping[str, str]
    policies: Mapping[str, Policy]
    settings: BacktestParams
    months: int
    _paths: dict[str, LedgerPath | PolicyPath] = field(init=False)
    _room: dict[str, Ints] = field(init=False)
    limits: dict[str, list[MonthOfLimits]] = field(init=False)
    _done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        shape = (self.months, len(self.items.customers))
        referred = self.settings.referred
        self._paths = {STOOD: LedgerPath(), **{n: PolicyPath(p, referred) for n, p in self.policies.items()}}
        self._room = {name: np.full(shape, NO_LIMIT, dtype=np.int64) for name in self._paths}
        self.limits = {name: [] for name in self._paths}
        self._lgd = np.full(shape, self.policies[CURRENT].loss.unsecured_lgd["default"])
        self._grade = np.full(shape, NO_GRADE, dtype=object)
        self._segment = np.full(shape, NO_GRADE, dtype=object)
        names = np.unique(np.array(list(self.groups.values()), dtype=str))
        places = np.searchsorted(names, np.array(list(self.groups.values()), dtype=str))
        self._cluster = dict(zip(self.groups, places.tolist(), strict=True))

    def step(self, seen: Seen) -> None:
        """The next month, oldest first."""
        customers = text(seen.positions["customer_id"])
        at = np.searchsorted(self.items.customers.astype(str), customers.astype(str))
        at = np.minimum(at, len(self.items.customers) - 1)
        is_here = self.items.customers[at] == customers if len(self.items.customers) else np.zeros(len(at), dtype=bool)
        at = at[is_here]
        yardstick = decide(seen, self.policies[CURRENT])
        self._put(self._lgd, at, yardstick.exposure.lgd[is_here])
        self._put(self._grade, at, yardstick.rating.grade[is_here])
        self._put(self._segment, at, yardstick.rating.segment[is_here])
        cluster = np.array([self._cluster[customer] for customer in customers], dtype=np.int64)
        for name, path in self._paths.items():
            standing = path.step(seen)
            self._room[name][self._done, at] = standing.room[is_here]
            self.limits[name].append(MonthOfLimits(standing, yardstick.limits.traced["need"], cluster))
        self._done += 1

    def _put(self, table: NDArray[Any], at: Ints, values: NDArray[Any]) -> None:
        """Fills the month's row where a value is known; elsewhere what stands for none stays."""
        is_known = values == values  # noqa: PLR0124 - NaN is not itself
        is_known &= np.array([value is not None for value in values], dtype=bool)
        table[self._done, at[is_known]] = values[is_known]

    def figures(self, defaults: pa.Table, windows: Windows, cost_share: float) -> dict[str, Any]:
        """Everything the report tells of policies and deliveries; see `figures_of` and `limit_figures`."""
        movements = movements_of(self.items)
        deliveries = self.items.is_delivery
        flags = {name: refused(self.items, movements, room)[deliveries] for name, room in self._room.items()}
        told = figures_of(self._deliveries(defaults, windows), flags, cost_share, self.settings)
        tiers = {name: [tier.tier for tier in policy.limits.approval] for name, policy in self.policies.items()}
        sums = {name: LimitSums.of(months, tiers.get(name, []), self.settings) for name, months in self.limits.items()}
        told["limits"] = {name: limit_figures(one) for name, one in sums.items()}
        for pair in told["differences"]:
            pair["limits"] = limit_difference(sums[pair["first"]], sums[pair["second"]])
        return told

    def _deliveries(self, defaults: pa.Table, windows: Windows) -> Deliveries:
        items = self.items
        outcomes = outcomes_of(items, defaults, windows.ends, windows.is_judged)
        is_in = items.is_delivery
        month, customer = items.month[is_in], items.customer[is_in]
        cluster = np.array([self._cluster[name] for name in items.customers], dtype=np.int64)
        return Deliveries(
            month,
            cluster[customer],
            items.amount[is_in],
            outcomes.is_of_defaulter[is_in],
            self._lgd[month, customer] * outcomes.open_at_default[is_in],
            outcomes.is_judged[is_in],
            self._grade[month, customer],
            self._segment[month, customer],
        )
