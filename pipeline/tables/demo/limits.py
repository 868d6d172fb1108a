"""Credit limits, reviewed every year and cut in between when things go wrong; and overrides by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.tables.demo.arrays import Bools, Floats, Ints, as_table, choice_of, dates, ids, money
from pipeline.tables.demo.economy import BASE_CURRENCY
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.reviews import yearly_reviews
from pipeline.tables.ledger import LIMITS, OVERRIDES

if TYPE_CHECKING:
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.world import World

_YEAR_DAYS = 365
_CUT_SHARE = 0.06
_JUDGEMENT_NOISE = 0.45
_ANALYSTS = ("A. Meier", "B. Laurent", "C. Wang")
# Grades of policy/master_scale.yaml, from good to poor.
_GRADES = ("G03", "G04", "G05", "G06", "G07", "G08")


def limit_table(world: World, gone_on: Ints) -> pa.Table:
    """Limits for a year each; a cut in between ends the old limit by a revision and begins a lower one."""
    draw = world.draw("limits")
    review = yearly_reviews(draw, world, gone_on, world.economy.limited_share)
    state = world.state(review.firm, review.day)
    cents = _limit_cents(draw, world.firms, review.firm, state)
    valid_to = review.day + _YEAR_DAYS - 1
    cut_on = review.day + draw.integers(40, 330, len(cents))
    is_cut = (draw.random(len(cents)) < _CUT_SHARE * np.exp(-0.6 * state)) & (cut_on <= world.line.last_day)
    approver = draw.integers(0, len(_ANALYSTS), len(cents))
    kept = np.arange(len(cents))
    cut = np.flatnonzero(is_cut)
    new_cents = np.rint(cents[cut] * draw.choice([0.0, 0.25, 0.5, 0.6], len(cut)) / 500_00).astype(np.int64) * 500_00
    parts = [
        (kept, review.day, cents, valid_to, review.day),
        (cut, review.day[cut], cents[cut], cut_on[cut] - 1, cut_on[cut]),
        (cut, cut_on[cut], new_cents, valid_to[cut], cut_on[cut]),
    ]
    at, valid_from, limit, until, known_on = (np.concatenate(p) for p in zip(*parts, strict=True))
    columns = {
        "customer_id": customer_ids(review.firm[at]),
        "valid_from": dates(valid_from),
        "limit_amount": money(limit),
        "currency": choice_of((BASE_CURRENCY,), np.zeros(len(at), dtype=np.int64)),
        "valid_to": dates(until),
        "approved_by": choice_of(_ANALYSTS, approver[at]),
        "known_on": dates(known_on),
    }
    return as_table(LIMITS, columns, ("customer_id", "valid_from", "known_on"))


def _limit_cents(draw: np.random.Generator, firms: Firms, firm: Ints, state: Floats) -> Ints:
    """Some months of billing, more for firms judged good; the judgement sees quality through noise."""
    monthly = firms.orders_a_month[firm] * firms.order_amount[firm] * 1.16
    judged = np.clip(state + _JUDGEMENT_NOISE * draw.standard_normal(len(firm)), -2.5, 2.5)
    months = (firms.terms[firm] / 30.0 + 1.6) * np.exp(0.3 * judged)
    return np.maximum(np.rint(monthly * months / 500.0), 1).astype(np.int64) * 500_00


def override_table(world: World, gone_on: Ints) -> pa.Table:
    """Decisions by hand: a few grades and limits, each for a year, on a loose judgement of quality."""
    draw = world.draw("overrides")
    count = max(3, world.count // 12)
    firm = draw.integers(0, world.count, count)
    day = draw.integers(world.line.first_day, world.line.last_day + 1, count)
    is_live = (day < gone_on[firm]) & (day >= world.arrived_on()[firm])
    is_live[0] |= not is_live.any()
    order = np.lexsort((firm[is_live], day[is_live]))
    firm, day = firm[is_live][order], day[is_live][order]
    judged = world.state(firm, day) + draw.standard_normal(len(firm))
    grade = np.clip(np.rint(2.5 - 1.2 * judged), 1, 4).astype(np.int64)
    is_grade = draw.random(len(firm)) < 0.6
    from_limit = draw.integers(2, 60, len(firm)) * 1000
    from_text, to_text = _values(is_grade, grade, grade + np.where(judged > 0, -1, 1), from_limit)
    columns = {
        "override_id": ids("X", np.arange(1, len(firm) + 1), 4),
        "customer_id": customer_ids(firm),
        "kind": choice_of(("limit", "grade"), is_grade.astype(np.int64)),
        "from_value": from_text,
        "to_value": to_text,
        "reason": choice_of(("visit on site", "management account seen", "parent company's comfort"), grade % 3),
        "made_by": choice_of(_ANALYSTS, draw.integers(0, len(_ANALYSTS), len(firm))),
        "valid_from": dates(day),
        "valid_to": dates(day + _YEAR_DAYS - 1),
        "known_on": dates(day),
    }
    return as_table(OVERRIDES, columns, ("override_id", "known_on"))


def _values(is_grade: Bools, grade: Ints, to_grade: Ints, limit: Ints) -> tuple[pa.Array, pa.Array]:
    to_limit = (limit * np.where(to_grade < grade, 3, 1)) // 2
    pairs = zip(is_grade.tolist(), grade.tolist(), to_grade.tolist(), limit.tolist(), to_limit.tolist(), strict=True)
    texts = [(_GRADES[a], _GRADES[b]) if g else (f"{x}.00", f"{y}.00") for g, a, b, x, y in pairs]
    return pa.array([t[0] for t in texts], pa.string()), pa.array([t[1] for t in texts], pa.string())
