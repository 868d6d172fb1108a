"""Contracts and the obligations under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import Bools, Floats, Ints, as_table, dates, ids, money, softplus
from pipeline.tables.demo.distress import days_in_distress
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.timeline import NEVER
from pipeline.tables.ledger import CONTRACTS, OBLIGATIONS

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.distress import Episodes
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.world import World

_OBLIGATIONS_A_YEAR = 4


@dataclass(frozen=True)
class Contracts:
    """Yearly contracts, one after the other, sorted by firm and start; `number` is the contract's."""

    firm: Ints
    starts_on: Ints
    signed_on: Ints
    cents: Ints
    deposit_cents: Ints
    has_deposit: Bools
    has_penalty: Bools

    def in_force(self, firm: Ints, day: Ints) -> tuple[Ints, Bools]:
        """Number of the contract each firm has on each day, and whether it has one."""
        key = self.firm * 100_000 + self.starts_on
        at = np.searchsorted(key, firm * 100_000 + day, side="right") - 1
        safe = np.maximum(at, 0)
        if len(key) == 0:
            return np.zeros(len(firm), dtype=np.int64), np.zeros(len(firm), dtype=bool)
        has = (at >= 0) & (self.firm[safe] == firm) & (day < self.starts_on[safe] + 365)
        return safe + 1, has


def contracts(world: World, gone_on: Ints) -> Contracts:
    """Draws yearly contracts for some firms; the weaker the firm, the likelier a deposit."""
    draw, firms, line = world.draw("contracts"), world.firms, world.line
    has = np.flatnonzero(draw.random(world.count) < world.economy.contract_share)
    first_on = np.maximum(world.arrived_on(), line.first_day - 365)
    first_on = first_on[has] + draw.integers(0, 300, len(has))
    until = np.minimum(gone_on[has], line.last_day)
    years = np.maximum((until - first_on) // 365 + 1, 0)
    firm = np.repeat(has, years)
    turn = np.arange(len(firm)) - np.repeat(np.cumsum(years) - years, years)
    starts_on = np.repeat(first_on, years) + 365 * turn
    signed_on = starts_on - draw.integers(5, 40, len(firm))
    is_signed = signed_on <= line.last_day
    firm, starts_on, signed_on = firm[is_signed], starts_on[is_signed], signed_on[is_signed]
    state = world.state(firm, signed_on)
    yearly = 12.0 * firms.orders_a_month[firm] * firms.order_amount[firm] * draw.uniform(0.7, 1.2, len(firm))
    cents = np.rint(yearly / 1000.0).astype(np.int64) * 1000_00 + 500_00
    has_deposit = draw.random(len(firm)) < 0.10 + 0.25 * softplus(-state)
    deposit = np.rint(cents * draw.uniform(0.02, 0.12, len(firm)) / 100_00).astype(np.int64) * 100_00
    return Contracts(firm, starts_on, signed_on, cents, deposit, has_deposit, draw.random(len(firm)) < 0.4)


def contract_table(found: Contracts, firms: Firms) -> pa.Table:
    """The contracts, known when signed."""
    columns = {
        "contract_id": ids("K", np.arange(1, len(found.firm) + 1), 5),
        "customer_id": customer_ids(found.firm),
        "signed_on": dates(found.signed_on),
        "starts_on": dates(found.starts_on),
        "ends_on": dates(found.starts_on + 364),
        "amount": money(found.cents),
        "deposit_amount": money(found.deposit_cents, ~found.has_deposit),
        "terms_days": firms.terms[found.firm],
        "has_penalty_clause": found.has_penalty,
        "known_on": dates(found.signed_on),
    }
    return as_table(CONTRACTS, columns, ("contract_id", "known_on"))


def obligation_table(found: Contracts, episodes: Episodes, world: World) -> pa.Table:
    """Quarterly obligations under each contract: fulfilled late as quality falls, not at all in distress."""
    draw = world.draw("obligations")
    contract = np.repeat(np.arange(len(found.firm)), _OBLIGATIONS_A_YEAR)
    turn = np.tile(np.arange(_OBLIGATIONS_A_YEAR), len(found.firm))
    due_on = found.starts_on[contract] + 80 + 91 * turn
    firm = found.firm[contract]
    state = world.state(firm, due_on)
    late = np.rint(_days_late(state) + 4.0 * draw.standard_normal(len(firm))).astype(np.int64)
    is_missed = days_in_distress(episodes, firm, due_on) | (draw.random(len(firm)) < 0.02 * softplus(-state))
    fulfilled_on = np.where(is_missed, NEVER, np.maximum(due_on + late, found.signed_on[contract] + 1))
    columns = {
        "obligation_id": ids("V", np.arange(1, len(firm) + 1), 6),
        "contract_id": ids("K", contract + 1, 5),
        "customer_id": customer_ids(firm),
        "due_on": dates(due_on),
        "amount": money(found.cents[contract] // _OBLIGATIONS_A_YEAR),
        "fulfilled_on": dates(fulfilled_on, fulfilled_on > world.line.last_day),
        "known_on": dates(found.signed_on[contract]),
    }
    return as_table(OBLIGATIONS, columns, ("obligation_id", "known_on"))


def _days_late(state: Floats) -> Floats:
    return -3.0 + 8.0 * softplus(-state)
