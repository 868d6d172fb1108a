"""Yearly accounts, published months later and now and then restated; their ratios reflect quality through noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.tables.demo.arrays import Floats, Ints, as_table, dates, money, stream
from pipeline.tables.demo.economy import SIZES
from pipeline.tables.demo.invoices import currencies, customer_ids
from pipeline.tables.ledger import FINANCIALS

if TYPE_CHECKING:
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.quality import Quality
    from pipeline.tables.demo.timeline import Timeline

_RESTATED_SHARE = 0.05
_SHARE_BY_SIZE = (0.55, 1.0, 1.35, 1.5)


def account_table(
    firms: Firms, gone_on: Ints, quality: Quality, line: Timeline, economy: Economy, seed: int
) -> pa.Table:
    """Accounts of about half of the firms, larger ones more often; natural persons and public bodies publish none."""
    draw = stream(seed, "accounts")
    share = economy.accounts_share * np.array(_SHARE_BY_SIZE)[firms.size]
    is_private = firms.is_natural_person | firms.is_public_body
    has = np.flatnonzero((draw.random(len(share)) < share) & ~is_private)
    ends = _year_ends(line)
    firm, end = np.repeat(has, len(ends)), np.tile(ends, len(has))
    published_on = end + draw.integers(85, 245, len(firm))
    arrived = line.starts[np.minimum(firms.arrives[firm], line.count - 1)]
    is_in = (published_on <= line.last_day) & (published_on < gone_on[firm]) & (end >= arrived - 700)
    firm, end, published_on = firm[is_in], end[is_in], published_on[is_in]
    state = _state_of_year(quality, firm, end, line)
    lines = _lines(draw, firms, firm, end, state, economy)
    restated = np.flatnonzero(draw.random(len(firm)) < _RESTATED_SHARE)
    restated_on = published_on[restated] + draw.integers(40, 300, len(restated))
    restated, restated_on = restated[restated_on <= line.last_day], restated_on[restated_on <= line.last_day]
    weaker = _lines(draw, firms, firm[restated], end[restated], state[restated] - 0.3, economy)
    at = np.concatenate([np.arange(len(firm)), restated])
    is_audited = firms.size[firm] >= 2
    columns = {
        "customer_id": customer_ids(firm[at]),
        "period_end": dates(end[at]),
        "period_months": np.full(len(at), 12, dtype=np.int64),
        "audited": is_audited[at],
        "currency": currencies(firms, firm[at]),
        **{name: money(np.concatenate([lines[name], weaker[name]])) for name in lines},
        "known_on": dates(np.concatenate([published_on, restated_on])),
    }
    return as_table(FINANCIALS, columns, ("customer_id", "period_end", "known_on"))


def _year_ends(line: Timeline) -> Ints:
    """The last days of the calendar years from two years before the ledger to its end."""
    first = int(str(np.datetime64(line.first_day, "D"))[:4]) - 2
    last = int(str(np.datetime64(line.last_day, "D"))[:4])
    return np.array([np.datetime64(f"{year}-12-31", "D").astype(np.int64) for year in range(first, last + 1)])


def _state_of_year(quality: Quality, firm: Ints, end: Ints, line: Timeline) -> Floats:
    """Mean quality over the half year that ends the period: a balance sheet tells of its day."""
    last = line.month_of(end)
    months = np.clip(last[:, None] - np.arange(6)[None, :], 0, line.count - 1)
    mean: Floats = quality.total[firm[:, None], months].mean(axis=1)
    return mean


def _lines(
    draw: np.random.Generator, firms: Firms, firm: Ints, end: Ints, state: Floats, economy: Economy
) -> dict[str, Ints]:
    """The lines of the accounts in whole thousands: totals from size, structure from quality, all parts adding up.

    A firm's own style (`own`, drawn from its number) stays with it over the years, so that ratios are not fresh noise.
    """
    rows = len(firm)
    style = stream(int(firm.max(initial=0)) + 7, "style of accounts").standard_normal((5, int(firm.max(initial=0)) + 1))
    own = style[:, firm] * 0.6
    noise = economy.accounts_noise * draw.standard_normal((8, rows))
    seen = np.clip(state[None, :] + 0.35 * own[[0, 1, 2, 3, 4, 0, 1, 2]] + noise, -3.5, 3.5)
    growth = (end - end.min(initial=20_000)) / 365.0 * 0.02
    assets = np.array([s.total_assets for s in SIZES])[firms.size[firm]] * np.exp(0.5 * own[0] + growth)
    equity = assets * np.clip(0.32 + 0.13 * seen[0], -0.25, 0.85)
    current = assets * np.clip(0.55 + 0.06 * own[1], 0.25, 0.85)
    owed = assets - equity
    current_owed = np.minimum(current / np.exp(0.35 + 0.28 * seen[1]), 0.95 * owed)
    cash = current * np.clip(0.14 + 0.06 * seen[2], 0.01, 0.5)
    inventory = (current - cash) * np.clip(0.45 + 0.08 * own[3], 0.1, 0.8)
    revenue = assets * np.exp(0.35 + 0.25 * own[4] + 0.05 * state)
    ebit = revenue * (0.045 + 0.030 * seen[3])
    short_debt = current_owed * np.clip(0.38 - 0.07 * seen[4], 0.03, 0.8)
    long_debt = (owed - current_owed) * 0.75
    interest = (short_debt + long_debt) * np.clip(0.045 - 0.008 * state, 0.02, 0.09)
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
