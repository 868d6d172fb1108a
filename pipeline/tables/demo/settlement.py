"""What became of each invoice: conduct as drawn, cut by the distress of its firm."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.timeline import NEVER

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Bools, Floats, Ints
    from pipeline.tables.demo.conduct import Conduct
    from pipeline.tables.demo.distress import Episodes
    from pipeline.tables.demo.trade import Orders
    from pipeline.tables.demo.world import World

FAILS_AFTER_DAYS = 3


@dataclass(frozen=True)
class Settlement:
    """One entry per order; days that never come are NEVER. `is_dropped`: never placed, for the supplier had stopped
    delivery. `stopped_on`: payment stopped with the distress that began that day. `settled_on`: paid in full.
    `account_on`: an instalment paid in distress. `failed_on`: a payment in distress that comes back three days later.
    `recovered_on`: a late recovery of `recovered_share`."""

    is_dropped: Bools
    stopped_on: Ints
    settled_on: Ints
    account_on: Ints
    failed_on: Ints
    written_off_on: Ints
    recovered_on: Ints
    recovered_share: Floats

    def take(self, chosen: Ints | Bools) -> Settlement:
        """Those items only."""
        return Settlement(**{f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self)})


def settlement(orders: Orders, conduct: Conduct, episodes: Episodes, world: World) -> Settlement:
    """Applies every firm's distresses, one after the other, to its items."""
    draw, economy = world.draw("settlement"), world.economy
    rows = len(orders.firm)
    dropped, stopped_on = np.zeros(rows, dtype=bool), np.full(rows, NEVER)
    settled = conduct.pays_on.copy()
    account_on, failed_on = np.full(rows, NEVER), np.full(rows, NEVER)
    written_off, insolvent = np.full(rows, NEVER), np.full(rows, NEVER)
    delay = draw.integers(3, 50, rows)
    fails = draw.random(rows) < economy.failed_share
    for turn in _turns(episodes):
        of_firm = np.full(int(orders.firm.max(initial=0)) + 1, -1, dtype=np.int64)
        of_firm[turn.firm] = np.arange(len(turn.firm))
        item = np.flatnonzero(of_firm[orders.firm] >= 0)
        at = of_firm[orders.firm[item]]
        onset, end = turn.onset_on[at], turn.ends_on[at]
        blocked = onset + economy.delivery_days_after_onset
        is_blocked = (orders.ordered_on[item] > blocked) & (orders.ordered_on[item] < end)
        dropped[item[is_blocked]] = True
        hit = conduct.stops[item] & (conduct.pays_on[item] > onset) & (orders.ordered_on[item] <= blocked) & ~is_blocked
        item, at, onset, end = item[hit], at[hit], onset[hit], end[hit]
        stopped_on[item] = onset
        settled[item] = np.where(end < NEVER, np.maximum(end, conduct.pays_on[item]), NEVER)
        on_account = np.maximum(onset, orders.due_on[item]) + delay[item]
        has_account = (conduct.instalment[item] > 0.0) & (on_account < settled[item] - 1)
        account_on[item] = np.where(has_account, on_account, NEVER)
        tried_on = np.maximum(onset + 1, orders.due_on[item]) + delay[item] // 8
        is_tried = fails[item] & ~has_account & (tried_on + FAILS_AFTER_DAYS < settled[item])
        failed_on[item] = np.where(is_tried, tried_on, NEVER)
        written_off[item], insolvent[item] = turn.written_off_on[at], turn.insolvent_on[at]
    # Only an insolvent estate pays a dividend, and long after.
    pays_dividend = (insolvent < NEVER) & (written_off < NEVER) & (conduct.credited_share < 0.3)
    return Settlement(
        is_dropped=dropped,
        stopped_on=stopped_on,
        settled_on=settled,
        account_on=account_on,
        failed_on=failed_on,
        written_off_on=written_off,
        recovered_on=np.where(pays_dividend, written_off + draw.integers(60, 420, rows), NEVER),
        recovered_share=draw.uniform(*economy.recovery_share, rows),
    )


def _turns(episodes: Episodes) -> list[Episodes]:
    """The episodes as lists in which a firm occurs once: all first ones, all second ones, …"""
    order = np.lexsort((episodes.onset_on, episodes.firm))
    firm = episodes.firm[order]
    starts = np.flatnonzero(np.r_[True, firm[1:] != firm[:-1]]) if len(firm) else np.zeros(0, dtype=np.int64)
    ordinal = np.arange(len(firm)) - np.repeat(starts, np.diff(np.r_[starts, len(firm)]))
    return [episodes.take(order[ordinal == turn]) for turn in range(int(ordinal.max(initial=-1)) + 1)]
