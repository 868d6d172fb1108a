"""Yearly accounts, published months later and now and then restated; their ratios reflect quality through noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import as_table, dates, money
from pipeline.tables.demo.economy import SIZES
from pipeline.tables.demo.invoices import currencies, customer_ids
from pipeline.tables.ledger import FINANCIALS

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.arrays import Floats, Ints
    from pipeline.tables.demo.timeline import Timeline
    from pipeline.tables.demo.world import World

_RESTATED_SHARE = 0.05
_RESTATED_BY = -0.3  # a restatement is seldom for the better
_SHARE_BY_SIZE = (0.55, 1.0, 1.35, 1.5)
_STYLE_SD = 0.6


@dataclass(frozen=True)
class _Years:
    """One entry per firm and year: `state` is the quality that the balance sheet sees."""

    firm: Ints
    end: Ints
    state: Floats


def account_table(world: World, gone_on: Ints) -> pa.Table:
    """Accounts of about half of the firms, larger ones more often; natural persons and public bodies publish none."""
    draw, firms, line = world.draw("accounts"), world.firms, world.line
    share = world.economy.accounts_share * np.array(_SHARE_BY_SIZE)[firms.size]
    is_private = firms.is_natural_person | firms.is_public_body
    has = np.flatnonzero((draw.random(len(share)) < share) & ~is_private)
    ends = _year_ends(line)
    firm, end = np.repeat(has, len(ends)), np.tile(ends, len(has))
    published_on = end + draw.integers(85, 245, len(firm))
    was_there = end >= world.arrived_on()[firm] - 700
    is_in = (published_on <= line.last_day) & (published_on < gone_on[firm]) & was_there
    firm, end, published_on = firm[is_in], end[is_in], published_on[is_in]
    years = _Years(firm, end, _state_of_year(world, firm, end))
    restated_on = published_on + draw.integers(40, 300, len(firm))
    again = np.flatnonzero((draw.random(len(firm)) < _RESTATED_SHARE) & (restated_on <= line.last_day))
    # A firm's style of balance sheet stays with it over the years, so that ratios are not fresh noise every year.
    style = _STYLE_SD * world.draw("style of accounts").standard_normal((5, world.count))
    lines = _lines(draw, world, style, years)
    weaker = _lines(draw, world, style, _Years(firm[again], end[again], years.state[again] + _RESTATED_BY))
    at = np.concatenate([np.arange(len(firm)), again])
    columns = {
        "customer_id": customer_ids(firm[at]),
        "period_end": dates(end[at]),
        "period_months": np.full(len(at), 12, dtype=np.int64),
        "audited": firms.size[firm[at]] >= 2,
        "currency": currencies(firms, firm[at]),
        **{name: money(np.concatenate([lines[name], weaker[name]])) for name in lines},
        "known_on": dates(np.concatenate([published_on, restated_on[again]])),
    }
    return as_table(FINANCIALS, columns, ("customer_id", "period_end", "known_on"))


def _year_ends(line: Timeline) -> Ints:
    """The last days of the calendar years from two years before the ledger to its end."""
    first, last = (int(str(np.datetime64(day, "D"))[:4]) for day in (line.first_day, line.last_day))
    return np.array([np.datetime64(f"{year}-12-31", "D").astype(np.int64) for year in range(first - 2, last + 1)])


def _state_of_year(world: World, firm: Ints, end: Ints) -> Floats:
    """Mean quality over the half year that ends the period: a balance sheet tells of its day."""
    last = world.line.month_of(end)
    months = np.clip(last[:, None] - np.arange(6)[None, :], 0, world.line.count - 1)
    mean: Floats = world.quality.total[firm[:, None], months].mean(axis=1)
    return mean


def _lines(draw: np.random.Generator, world: World, style: Floats, years: _Years) -> dict[str, Ints]:
    """The lines of the accounts in whole hundreds: totals from size, structure from quality, all parts adding up."""
    own = style[:, years.firm]
    noise = world.economy.accounts_noise * draw.standard_normal((7, len(years.firm)))
    seen = np.clip(years.state[None, :] + 0.35 * own[[0, 1, 2, 3, 4, 0, 1]] + noise, -3.5, 3.5)
    growth = (years.end - world.line.first_day) / 365.0 * 0.02
    size = world.firms.size[years.firm]
    assets = np.array([s.total_assets for s in SIZES])[size] * np.exp(0.5 * own[0] + growth)
    equity = assets * np.clip(0.32 + 0.13 * seen[0], -0.25, 0.85)
    current = assets * np.clip(0.55 + 0.06 * own[1], 0.25, 0.85)
    owed = assets - equity
    current_owed = np.minimum(current / np.exp(0.35 + 0.28 * seen[1]), 0.95 * owed)
    cash = current * np.clip(0.14 + 0.06 * seen[2], 0.01, 0.5)
    inventory = (current - cash) * np.clip(0.45 + 0.08 * own[3], 0.1, 0.8)
    revenue = assets * np.exp(0.35 + 0.25 * own[4] + 0.05 * years.state)
    ebit = revenue * (0.045 + 0.030 * seen[3])
    short_debt = current_owed * np.clip(0.38 - 0.07 * seen[4], 0.03, 0.8)
    long_debt = (owed - current_owed) * 0.75
    interest = (short_debt + long_debt) * np.clip(0.045 - 0.008 * years.state, 0.02, 0.09)
    before_tax = ebit - interest
    net = before_tax - 0.25 * np.maximum(before_tax, 0.0)
    values = {
        "total_assets": assets,
        "current_assets": current,
        "cash": cash,
        "inventory": inventory,
        "receivables": 0.9 * (current - cash - inventory),
        "total_liabilities": owed,
        "current_liabilities": current_owed,
        "short_term_debt": short_debt,
        "long_term_debt": long_debt,
        "equity": equity,
        "retained_earnings": equity - assets * 0.08,
        "revenue": revenue,
        "cost_of_sales": revenue * np.clip(0.68 - 0.02 * seen[5], 0.3, 0.95),
        "ebit": ebit,
        "interest_expense": interest,
        "net_income": net,
        "operating_cash_flow": net + assets * (0.035 + 0.015 * seen[6]),
    }
    return {name: np.rint(value / 100.0).astype(np.int64) * 100_00 for name, value in values.items()}
