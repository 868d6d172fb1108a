"""Covers: credit insurance by the year, and a few guarantees, collaterals and factoring agreements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.tables.demo.arrays import as_table, choice_of, dates, ids, money
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.reviews import Reviews, yearly_reviews
from pipeline.tables.ledger import COVERS

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Ints
    from pipeline.tables.demo.world import World

_KINDS = ("insurance", "guarantee", "collateral", "factoring")
_PROVIDERS = ("Allsecur", "Parent company", "Notary's register", "Factor AG")
_OTHER_SHARE = 0.07


def cover_table(world: World, gone_on: Ints) -> pa.Table:
    """Insurers cover less of a weak firm, or nothing; the other kinds do not ask."""
    draw = world.draw("covers")
    insured = yearly_reviews(draw, world, gone_on, world.economy.insured_share)
    state = world.state(insured.firm, insured.day) + 0.6 * draw.standard_normal(len(insured.firm))
    accepted = state > -1.4
    insured = Reviews(insured.firm[accepted], insured.day[accepted], insured.turn[accepted])
    other = yearly_reviews(draw, world, gone_on, _OTHER_SHARE)
    kind_of_firm = draw.integers(1, len(_KINDS), world.count)
    kind = np.concatenate([np.zeros(len(insured.firm), dtype=np.int64), kind_of_firm[other.firm]])
    firm = np.concatenate([insured.firm, other.firm])
    day = np.concatenate([insured.day, other.day])
    judged = np.concatenate([state[accepted], np.zeros(len(other.firm))])
    order = np.lexsort((kind, firm, day))
    firm, day, kind, judged = firm[order], day[order], kind[order], judged[order]
    rows = len(firm)
    monthly = world.firms.orders_a_month[firm] * world.firms.order_amount[firm]
    months = draw.uniform(1.5, 3.5, rows) * np.exp(0.2 * np.clip(judged, -2.0, 2.0))
    premium = np.round(0.002 * np.exp(-0.4 * np.clip(judged, -2.0, 2.0)), 5)
    is_insurance = kind == 0
    columns = {
        "cover_id": ids("S", np.arange(1, rows + 1), 5),
        "customer_id": customer_ids(firm),
        "kind": choice_of(_KINDS, kind),
        "provider": choice_of(_PROVIDERS, kind),
        "amount": money(np.maximum(np.rint(monthly * months / 500.0), 1).astype(np.int64) * 500_00),
        "covered_share": np.where(is_insurance, 0.9, np.where(kind == 3, 0.95, 1.0)),
        "premium_rate": pa.array(premium, mask=~is_insurance),
        "valid_from": dates(day),
        "valid_to": dates(day + 364),
        "known_on": dates(day),
    }
    return as_table(COVERS, columns, ("cover_id", "known_on"))
