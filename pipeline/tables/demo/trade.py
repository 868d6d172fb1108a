"""Orders and the invoices they become: what would be traded if no firm ever fell into distress."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.economy import INDUSTRIES, PLACES
from pipeline.tables.demo.timeline import NEVER, next_working_day

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Bools, Floats, Ints
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.rates import Rates
    from pipeline.tables.demo.world import World


@dataclass(frozen=True)
class Orders:
    """One entry per order, by firm and day. `cents` is in the base currency, `document_cents` in the invoice's.
    A cancelled order has no invoice; `issued_on` and `due_on` are the invoice's."""

    firm: Ints
    ordered_on: Ints
    cents: Ints
    document_cents: Ints
    cancelled_on: Ints
    issued_on: Ints
    due_on: Ints
    is_debit_note: Bools

    def take(self, chosen: Ints | Bools) -> Orders:
        """Those orders only."""
        return Orders(**{f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self)})

    @property
    def is_invoiced(self) -> Bools:
        """The order becomes an invoice."""
        return self.cancelled_on >= NEVER


def expected_orders(world: World) -> Floats:
    """Firms × months: mean count of orders; it moves with the season and falls as quality falls below its level."""
    firms, line = world.firms, world.line
    calendar_month = line.starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    swing = np.array([i.season for i in INDUSTRIES])[:, None]
    peak = np.array([i.peak for i in INDUSTRIES])[:, None]
    season = 1.0 + swing * np.cos(2.0 * np.pi * (calendar_month[None, :] - peak) / 12.0)
    demand = by_quality(world.quality.above_level, world.economy.demand_by_quality, world.economy)
    mean: Floats = firms.orders_a_month[:, None] * season[firms.industry] * demand * world.is_trading()
    return mean


def by_quality(above_level: Floats, slope: float, economy: Economy) -> Floats:
    """A factor of mean about 1 that falls as a firm's quality falls below its level."""
    # Less half the variance of the exponent: the mean of a lognormal.
    exponent = slope * np.clip(above_level, -2.5, 1.5) - 0.5 * (slope * economy.swing_sd) ** 2
    factor: Floats = np.exp(exponent)
    return factor


def orders(world: World, rates: Rates) -> Orders:
    """Draws all orders of the timeline and their invoices."""
    draw, firms, line, economy = world.draw("trade"), world.firms, world.line, world.economy
    counts = draw.poisson(expected_orders(world)).ravel()
    cell = np.repeat(np.arange(len(counts)), counts)
    firm, month = np.divmod(cell, line.count)
    rows = len(cell)
    length = line.ends[month] - line.starts[month] + 1
    ordered_on = line.starts[month] + (draw.random(rows) * length).astype(np.int64)
    above_level = world.quality.above_level[firm, month]
    mean_amount = firms.order_amount[firm] * by_quality(above_level, economy.amount_by_quality, economy)
    amount = mean_amount * np.exp(economy.invoice_noise * draw.standard_normal(rows))
    cents = np.maximum(np.rint(amount * 100.0), 20_00).astype(np.int64)
    issued_on = next_working_day(ordered_on + draw.integers(2, 16, rows))
    is_cancelled = draw.random(rows) < economy.cancelled_share
    currency = np.array([rates.codes.index(p.currency) for p in PLACES])[firms.place[firm]]
    foreign = rates.of(currency, issued_on)
    found = Orders(
        firm=firm,
        ordered_on=ordered_on,
        cents=cents,
        document_cents=np.maximum(np.rint(cents / foreign), 1).astype(np.int64),
        cancelled_on=np.where(is_cancelled, ordered_on + draw.integers(1, 25, rows), NEVER),
        issued_on=issued_on,
        due_on=issued_on + firms.terms[firm],
        is_debit_note=draw.random(rows) < economy.debit_note_share,
    )
    return found.take(np.lexsort((found.ordered_on, found.firm)))
