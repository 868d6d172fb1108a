"""Limits as a state carried from month to month: what a policy would have set, and what the ledger says stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.score.backtest.replay import NO_LIMIT
from pipeline.score.book_facts import book_facts
from pipeline.score.exposure import Exposure, expose
from pipeline.score.limit_caps import Judged, own_caps
from pipeline.score.limits import Limits, suggest_limits
from pipeline.score.position_columns import cents, days, money, text
from pipeline.score.rating import Answers, Rating, rate

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Day = np.datetime64

Referred = Literal["kept", "approved"]


@dataclass(frozen=True)
class Seen:
    """A month end as it was seen: positions ordered by customer, and what the model known then says of each."""

    as_of: dt.date
    positions: pd.DataFrame
    answers: Answers
    model: Model


@dataclass(frozen=True)
class Decided:
    """What a policy makes of a month end."""

    rating: Rating
    exposure: Exposure
    limits: Limits


@dataclass(frozen=True)
class Standing:
    """The limits in force after a month end, one per position row: NaN for none; `is_held`: nothing is delivered.

    `action` of score/limits.py and `tier` of who approves it (None: nobody need).
    """

    customers: NDArray[np.object_]
    limit: Floats
    is_held: Flags
    action: NDArray[np.object_]
    tier: NDArray[np.object_]

    @property
    def room(self) -> Ints:
        """The limit a delivery meets, in whole cents."""
        known = np.where(np.isnan(self.limit), 0.0, self.limit)
        limit = np.where(np.isnan(self.limit), NO_LIMIT, cents(known))
        return np.where(self.is_held, 0, limit).astype(np.int64)


def decide(seen: Seen, policy: Policy) -> Decided:
    """Rating, exposure and limits of a month end under a policy."""
    rating = rate(seen.positions, seen.answers, seen.model, policy, seen.as_of)
    exposure = expose(seen.positions, rating, policy.loss)
    own = own_caps(Judged(seen.positions, rating, exposure, policy, seen.as_of))
    return Decided(rating, exposure, suggest_limits(own, book_facts(own)))


@dataclass
class PolicyPath:
    """A policy walked through the months: each month begins with the limits the month before ended with.

    The first month begins with the limits that stood, and so does a customer seen for the first time. A raise or cut
    counts at once; a hold stops deliveries until the next month end and leaves the limit as it is; what goes to a
    person is kept or approved as suggested, as `referred` says.
    """

    policy: Policy
    referred: Referred
    _limits: dict[str, tuple[float, Day]] = field(default_factory=dict)

    def step(self, seen: Seen) -> Standing:
        """Decides the month and carries its limits on."""
        customers = text(seen.positions["customer_id"])
        before, since = self._begun(seen, customers)
        placed = seen.positions.assign(limit_current=before, limit_valid_from=since)
        met = Seen(seen.as_of, placed, seen.answers, seen.model)
        limits = decide(met, self.policy).limits
        takes = ["raise", "cut", *(["refer"] if self.referred == "approved" else [])]
        after = np.where(np.isin(limits.action, takes), limits.suggested, before)
        # Where nothing was agreed and the policy gives nothing, there is nothing to change: the limit is 0.
        after = np.where(np.isnan(before) & (limits.action == "keep") & (limits.suggested == 0), 0.0, after)
        self._carry_on(seen, customers, (before, since), after)
        return Standing(customers, after, limits.action == "hold", limits.action, limits.approval_tier)

    def _begun(self, seen: Seen, customers: NDArray[np.object_]) -> tuple[Floats, NDArray[np.datetime64]]:
        """The limit each customer comes with, and since when it has been in force."""
        stood, valid_from = money(seen.positions["limit_current"]), days(seen.positions["limit_valid_from"])
        rows = zip(customers, stood.tolist(), valid_from, strict=True)
        held = [self._limits.get(customer, (amount, day)) for customer, amount, day in rows]
        return np.array([one[0] for one in held]), np.array([one[1] for one in held], dtype="datetime64[D]")

    def _carry_on(
        self,
        seen: Seen,
        customers: NDArray[np.object_],
        begun: tuple[Floats, NDArray[np.datetime64]],
        after: Floats,
    ) -> None:
        before, since = begun
        is_same = (after == before) | (np.isnan(after) & np.isnan(before))
        held_since = np.where(is_same, since, np.datetime64(seen.as_of, "D"))
        self._limits.update(zip(customers, zip(after.tolist(), held_since, strict=True), strict=True))


@dataclass
class LedgerPath:
    """The limits that stood, as known at each month end; raises and cuts are counted from one month to the next."""

    _limits: dict[str, float] = field(default_factory=dict)

    def step(self, seen: Seen) -> Standing:
        """Takes the month's limits from the ledger."""
        customers, now = text(seen.positions["customer_id"]), money(seen.positions["limit_current"])
        before = np.array([self._limits.get(c, a) for c, a in zip(customers, now, strict=True)])
        self._limits.update(zip(customers, now.tolist(), strict=True))
        was, is_now = np.nan_to_num(before), np.nan_to_num(now)
        action = np.select([is_now > was, is_now < was], ["raise", "cut"], default="keep").astype(object)
        nobody = np.full(len(now), None, dtype=object)
        return Standing(customers, now, np.zeros(len(now), dtype=bool), action, nobody)
