"""Distress: its monthly onset, the day on which unpaid items would make it a default, rescue, failure and cure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import Bools, Floats, Ints, sigmoid
from pipeline.tables.demo.timeline import NEVER

if TYPE_CHECKING:
    from pipeline.tables.demo.conduct import Conduct
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.trade import Orders
    from pipeline.tables.demo.world import World

_FIRM_BITS = 22  # days fit into 22 bits


@dataclass(frozen=True)
class Episodes:
    """One entry per distress, by month of onset. `ends_on` is the day of rescue or cure (NEVER if neither comes);
    `trigger_on` the day on which its unpaid items would make it a default; `default_on` NEVER when rescued."""

    firm: Ints
    month: Ints
    onset_on: Ints
    trigger_on: Ints
    default_on: Ints
    ends_on: Ints
    insolvent_on: Ints
    written_off_on: Ints

    def take(self, chosen: Ints | Bools) -> Episodes:
        """Those episodes only."""
        return Episodes(**{f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self)})

    def renumbered(self, number: Ints) -> Episodes:
        """The same episodes with firms numbered anew."""
        return dataclasses.replace(self, firm=number[self.firm])


def onset_hazard(quality: Floats, economy: Economy) -> Floats:
    """Monthly probability that a firm of that quality falls into distress."""
    return sigmoid(economy.hazard_level - economy.hazard_slope * quality)


def onset_days(world: World) -> Ints:
    """Firms × months: the day of the month on which distress would begin, should it begin in that month."""
    within = world.draw("onset").integers(0, world.economy.onset_days, (world.count, world.line.count))
    found: Ints = world.line.starts + within
    return found


def trigger_days(orders: Orders, conduct: Conduct, onset: Ints, world: World) -> Ints:
    """Firms × months: the first day on which items left unpaid by a distress of that month, each 90 days past due,
    sum above the threshold; NEVER when they do not."""
    line, economy = world.line, world.economy
    owed = np.flatnonzero(orders.is_invoiced & conduct.stops)
    first = line.month_of(orders.ordered_on[owed] - economy.delivery_days_after_onset)
    last = line.month_of(conduct.pays_on[owed])
    spans = last - first + 1
    item = np.repeat(owed, spans)
    month = np.repeat(first, spans) + np.arange(len(item)) - np.repeat(np.cumsum(spans) - spans, spans)
    began_on = onset[orders.firm[item], month]
    hit = (orders.ordered_on[item] <= began_on + economy.delivery_days_after_onset) & (conduct.pays_on[item] > began_on)
    item, cell = item[hit], (orders.firm[item] * line.count + month)[hit]
    order = np.argsort((cell << _FIRM_BITS) + conduct.trigger_on[item], kind="stable")
    item, cell = item[order], cell[order]
    left = np.rint(orders.cents[item] * (1.0 - conduct.instalment[item])).astype(np.int64)
    return _first_above(cell, left, conduct.trigger_on[item], thresholds(world.firms, economy), onset.shape)


def thresholds(firms: Firms, economy: Economy) -> Ints:
    """Cents above which overdue debt is material, per firm."""
    person = economy.threshold_natural_person_cents
    return np.where(firms.is_natural_person, person, economy.threshold_cents)


def _first_above(cell: Ints, cents: Ints, day: Ints, thresholds: Ints, shape: tuple[int, ...]) -> Ints:
    """Per cell, the day on which the running sum of cents passes the firm's threshold."""
    found = np.full(shape[0] * shape[1], NEVER, dtype=np.int64)
    running = np.cumsum(cents)
    starts = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
    lengths = np.diff(np.r_[starts, len(cell)])
    before = np.repeat(running[starts] - cents[starts], lengths)
    is_above = running - before > thresholds[cell // shape[1]]
    if len(starts):
        found[cell[starts]] = np.minimum.reduceat(np.where(is_above, day, NEVER), starts)
    return found.reshape(shape)


def episodes(onset: Ints, trigger: Ints, world: World) -> Episodes:
    """Walks through the months: who falls into distress, who is rescued, who defaults, who is cured."""
    draw, line, economy = world.draw("distress"), world.line, world.economy
    hazard = onset_hazard(world.quality.total, economy) * world.is_trading()
    free_from = np.zeros(world.count, dtype=np.int64)
    found = []
    for month in range(line.count):
        falls = np.flatnonzero((draw.random(len(free_from)) < hazard[:, month]) & (free_from <= month))
        month_of_onset = np.full(len(falls), month, dtype=np.int64)
        began = _course(draw, (falls, month_of_onset), onset[falls, month], trigger[falls, month], economy)
        back = line.month_of(began.ends_on) + 1 + economy.breathing_space_months
        free_from[falls] = np.where(began.ends_on < line.last_day, back, line.count)
        found.append(began)
    names = [f.name for f in dataclasses.fields(Episodes)]
    return Episodes(**{name: np.concatenate([getattr(e, name) for e in found]) for name in names})


def _course(draw: np.random.Generator, at: tuple[Ints, Ints], onset: Ints, trigger: Ints, economy: Economy) -> Episodes:
    """The course of distresses of firms and months `at`: rescue, insolvency and the trigger compete."""
    firm, month = at
    count = len(firm)
    rescued_on = onset + 1 + draw.exponential(1.0 / economy.rescue_rate_per_day, count).astype(np.int64)
    insolvent_on = onset + 1 + draw.exponential(1.0 / economy.insolvency_rate_per_day, count).astype(np.int64)
    default_on = np.minimum(trigger, insolvent_on)
    is_rescued = rescued_on < default_on
    is_insolvent = ~is_rescued & (insolvent_on <= trigger)
    is_cured = ~is_rescued & ~is_insolvent & (draw.random(count) < economy.cure_share)
    cured_on = default_on + draw.integers(*economy.cure_days, count)
    fails_later = ~is_rescued & ~is_insolvent & ~is_cured
    later = fails_later & (draw.random(count) < economy.insolvency_after_default_share)
    later_on = default_on + draw.integers(*economy.insolvency_after_default_days, count)
    written_off_on = default_on + draw.integers(*economy.write_off_days, count)
    fails = fails_later | is_insolvent
    return Episodes(
        firm=firm,
        month=month,
        onset_on=onset,
        trigger_on=trigger,
        default_on=np.where(is_rescued, NEVER, default_on),
        ends_on=np.where(is_rescued, rescued_on, np.where(is_cured, cured_on, NEVER)),
        insolvent_on=np.where(is_insolvent, insolvent_on, np.where(later, later_on, NEVER)),
        written_off_on=np.where(fails, written_off_on, NEVER),
    )


def days_in_distress(found: Episodes, firm: Ints, day: Ints) -> Bools:
    """Whether each firm is in distress (from its onset to its rescue or cure) on each day."""
    hit = np.zeros(len(firm), dtype=bool)
    order = np.lexsort((found.onset_on, found.firm))
    if len(order) == 0:
        return hit
    began = found.firm[order] * (4 * NEVER) + found.onset_on[order]
    at = np.searchsorted(began, firm * (4 * NEVER) + day, side="right") - 1
    last = order[np.maximum(at, 0)]
    is_same = (at >= 0) & (found.firm[last] == firm)
    # Episodes of one firm never overlap, so the one that began last decides.
    return np.where(is_same, day < found.ends_on[last], hit)


def gone_days(found: Episodes, world: World) -> Ints:
    """Per firm the day on which business with it ended, by leaving or by a default without cure; NEVER otherwise."""
    line, leaves = world.line, world.firms.leaves
    left = np.where(leaves < line.count, line.starts[np.minimum(leaves, line.count - 1)], NEVER)
    is_final = (found.default_on < NEVER) & (found.ends_on >= NEVER)
    np.minimum.at(left, found.firm[is_final], found.default_on[is_final])
    return left
