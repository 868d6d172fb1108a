"""The chance that a distress becomes a default in time, by what the firm owes: orders, delay and lateness.

Whether and when unpaid items are 90 days past due and material depends on how many stand open when payment stops. The
table is filled from the days of trigger that the firms' invoices really give for every firm and month, so it holds the
seasons, the sizes of invoices and the disputes of the economy without a formula for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from pipeline.tables.demo.conduct import stretch
from pipeline.tables.demo.distress import onset_hazard, thresholds
from pipeline.tables.demo.trade import by_quality

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Floats, Ints
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.world import World

MONTH_DAYS = 365.25 / 12.0
_BINS = (14, 3, 10)  # of the rate, the delay and the lateness
_LEAD_DAYS = 9.0  # from order to invoice
# Before the first month and after the last there are no orders, so what stands open is not whole there.
_WARM_UP_MONTHS, _CUT_OFF_MONTHS = 6, 2


@dataclass(frozen=True)
class Onsets:
    """Firms × months: the day distress would begin in that month, and the day on which it would be a default."""

    day: Ints
    trigger: Ints


@dataclass(frozen=True)
class Chances:
    """`values`: cells × months ahead; a cell is a bin of each trait, whose inner edges are `edges`."""

    edges: tuple[Floats, Floats, Floats]
    values: Floats

    def at(self, world: World, firm: Ints, quality: Floats, ahead: int) -> Floats:
        """The chance of firms of that quality when distress begins in the month `ahead` (from 1)."""
        found: Floats = self.values[_cell(_traits(world, firm, quality), self.edges), ahead - 1]
        return found


def reach(days_left: Floats, days_to_trigger: Floats, economy: Economy) -> Floats:
    """Probability that a distress is a default within `days_left`, when its items need `days_to_trigger`.

    Insolvency (rate i) and rescue (rate r) compete until the trigger: i/(i+r)·(1 − e^{−(i+r)·min(left, trigger)}), plus
    e^{−(i+r)·trigger} when the trigger lies within the days left.
    """
    both = economy.rescue_rate_per_day + economy.insolvency_rate_per_day
    left = np.maximum(days_left, 0.0)
    insolvent = economy.insolvency_rate_per_day / both * (1.0 - np.exp(-both * np.minimum(left, days_to_trigger)))
    triggered = np.where(days_to_trigger <= left, np.exp(-both * days_to_trigger), 0.0)
    return insolvent + triggered


def chances(world: World, onsets: Onsets) -> Chances:
    """Fills the table from every firm and month of trade, each weighted by its hazard."""
    economy = world.economy
    is_whole = np.zeros(world.line.count, dtype=bool)
    is_whole[_WARM_UP_MONTHS:-_CUT_OFF_MONTHS] = True
    firm, month = np.nonzero(world.is_trading() & is_whole)
    quality = world.quality.at(firm, month)
    weight = onset_hazard(quality, economy)
    traits = _traits(world, firm, quality)
    edges = tuple(_edges(trait, weight, bins) for trait, bins in zip(traits, _BINS, strict=True))
    cell = _cell(traits, edges)
    cells = int(np.prod(_BINS))
    in_cell = np.bincount(cell, weights=weight, minlength=cells)
    day = onsets.day[firm, month]
    to_trigger = (onsets.trigger[firm, month] - day).astype(np.float64)
    from_onset = economy.truth_months * MONTH_DAYS - (day - world.line.starts[month]).astype(np.float64)
    values = np.empty((cells, economy.truth_months))
    for h in range(economy.truth_months):
        left: Floats = np.asarray(from_onset - h * MONTH_DAYS, dtype=np.float64)
        hit = reach(left, to_trigger, economy) * weight
        # An empty cell takes the mean of all; a thin one is drawn to it a little.
        prior = 20.0 * weight.mean()
        values[:, h] = np.bincount(cell, weights=hit, minlength=cells) + prior * hit.sum() / weight.sum()
        values[:, h] /= in_cell + prior
    return Chances((edges[0], edges[1], edges[2]), values)


def _traits(world: World, firm: Ints, quality: Floats) -> tuple[Floats, Floats, Floats]:
    """Material items a month on which payment would stop, days an item stands open, and usual lateness in days."""
    economy, firms = world.economy, world.firms
    above_level = quality - world.quality.level[firm]
    amount = firms.order_amount[firm] * by_quality(above_level, economy.amount_by_quality, economy)
    material = norm.cdf(np.log(100.0 * amount / thresholds(firms, economy)[firm]) / economy.invoice_noise)
    rate = firms.orders_a_month[firm] * by_quality(above_level, economy.demand_by_quality, economy)
    late = firms.habit[firm] + stretch(quality, above_level, economy)
    delay = _LEAD_DAYS + firms.terms[firm] + late + economy.delivery_days_after_onset
    return rate * material * economy.stopped_share, delay, late


def _edges(trait: Floats, weight: Floats, bins: int) -> Floats:
    """Inner edges that give the bins equal weight."""
    order = np.argsort(trait, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    at = np.searchsorted(share, np.arange(1, bins) / bins).clip(0, len(trait) - 1)
    edges: Floats = trait[order[at]]
    return edges


def _cell(traits: tuple[Floats, ...], edges: tuple[Floats, ...]) -> Ints:
    cell = np.zeros(len(traits[0]), dtype=np.int64)
    for trait, edge in zip(traits, edges, strict=True):
        cell = cell * (len(edge) + 1) + np.searchsorted(edge, trait, side="right")
    return cell
