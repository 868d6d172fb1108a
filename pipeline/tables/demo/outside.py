"""Events: ratings by an agency, courts and liens, insolvency, promises kept and broken, calls, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.tables.demo.arrays import Bools, Floats, Ints, as_table, choice_of, dates, ids, softplus
from pipeline.tables.demo.distress import days_in_distress
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.timeline import NEVER
from pipeline.tables.ledger import EVENTS

if TYPE_CHECKING:
    from pipeline.tables.demo.distress import Episodes
    from pipeline.tables.demo.invoices import Trade, Written
    from pipeline.tables.demo.world import World

_SOURCES = ("agency", "court register", "collector", "customer")
_RATED_EVERY_MONTHS = 4
_PROMISE_AFTER_DAYS = 21


@dataclass(frozen=True)
class _Events:
    """Events of one kind; `value` NaN where there is none, `text` null where there is none."""

    kind: str
    source: int
    firm: Ints
    day: Ints
    value: Floats
    text: pa.Array
    lag: int


def event_table(trade: Trade, documents: Written, gone_on: Ints, episodes: Episodes, world: World) -> pa.Table:
    """All events known by the last day of the ledger, numbered by day."""
    draw, line = world.draw("events"), world.line
    found = [
        _ratings(draw, gone_on, world),
        *_court(draw, gone_on, episodes, world),
        *_promises(draw, trade, documents),
        *_quiet(draw, gone_on, world),
        _plans(draw, episodes),
    ]
    kind = np.repeat(np.arange(len(found)), [len(e.firm) for e in found])
    firm = np.concatenate([e.firm for e in found])
    day = np.concatenate([e.day for e in found])
    known_on = day + np.array([e.lag for e in found])[kind]
    value = np.concatenate([e.value for e in found])
    text = pa.concat_arrays([e.text for e in found])
    is_in = (known_on <= line.last_day) & (day >= line.first_day - 365)
    order = np.flatnonzero(is_in)
    order = order[np.lexsort((kind[order], firm[order], day[order]))]
    columns = {
        "event_id": ids("E", np.arange(1, len(order) + 1), 6),
        "customer_id": customer_ids(firm[order]),
        "kind": choice_of([e.kind for e in found], kind[order]),
        "occurred_on": dates(day[order]),
        "value": pa.array(value[order], mask=np.isnan(value[order])),
        "text": text.take(pa.array(order)),
        "source": choice_of([_SOURCES[e.source] for e in found], kind[order]),
        "known_on": dates(known_on[order]),
    }
    return as_table(EVENTS, columns, ("event_id", "known_on"))


def _bare(kind: str, source: int, firm: Ints, day: Ints, lag: int = 0) -> _Events:
    return _Events(kind, source, firm, day, np.full(len(firm), np.nan), pa.nulls(len(firm), pa.string()), lag)


def _ratings(draw: np.random.Generator, gone_on: Ints, world: World) -> _Events:
    """Ratings from 1 (best) to 10, three times a year, of the quality some months ago as the agency sees it."""
    line, economy = world.line, world.economy
    rated = np.flatnonzero(draw.random(world.count) < economy.rated_share)
    bias = economy.rating_noise * draw.standard_normal(world.count)
    phase = draw.integers(0, _RATED_EVERY_MONTHS, world.count)
    month = np.arange(line.burn_in - 12, line.count)
    firm, month = np.repeat(rated, len(month)), np.tile(month, len(rated))
    is_due = (month % _RATED_EVERY_MONTHS == phase[firm]) & (month >= world.firms.arrives[firm])
    firm, month = firm[is_due], month[is_due]
    day = line.starts[month] + draw.integers(0, 28, len(firm))
    firm, month, day = (a[day < gone_on[firm]] for a in (firm, month, day))
    state = world.quality.at(firm, np.maximum(month - economy.rating_lag_months, 0)) + bias[firm]
    seen = state + economy.rating_noise * draw.standard_normal(len(firm))
    rating = np.clip(np.rint(5.2 - 1.8 * seen), 1, 10)
    return _Events("external_rating", 0, firm, day, rating, pa.nulls(len(firm), pa.string()), 1)


def _court(draw: np.random.Generator, gone_on: Ints, episodes: Episodes, world: World) -> list[_Events]:
    """Lawsuits and liens come oftener as quality falls and in distress; insolvency is told a few days later."""
    found = []
    firm, month = np.nonzero(world.is_trading())
    day = world.line.starts[month] + draw.integers(0, 28, len(firm))
    state = world.quality.at(firm, month)
    in_distress = days_in_distress(episodes, firm, day)
    for kind, level in (("litigation", 0.006), ("lien", 0.004)):
        chance = np.minimum(level * softplus(-1.2 * state) + np.where(in_distress, 0.10, 0.0), 0.5)
        at = np.flatnonzero((draw.random(len(firm)) < chance) & (day < gone_on[firm]))
        amount = np.rint(world.firms.order_amount[firm[at]] * draw.uniform(0.5, 6.0, len(at)))
        found.append(_Events(kind, 1, firm[at], day[at], amount, pa.nulls(len(at), pa.string()), 6))
    is_insolvent = episodes.insolvent_on < NEVER
    return [*found, _bare("insolvency", 1, episodes.firm[is_insolvent], episodes.insolvent_on[is_insolvent], 3)]


def _promises(draw: np.random.Generator, trade: Trade, documents: Written) -> list[_Events]:
    """Promises to pay, some weeks past due, with the promised day as text; and the promises that were broken."""
    due_on, settled_on = trade.orders.due_on, trade.settlement.settled_on
    day = due_on + _PROMISE_AFTER_DAYS + draw.integers(0, 10, len(due_on))
    is_asked = (documents.invoice >= 0) & (settled_on > day) & (draw.random(len(due_on)) < 0.45)
    at = np.flatnonzero(is_asked)
    firm, day = trade.orders.firm[at], day[at]
    promised_on = day + draw.integers(5, 15, len(at))
    amount = trade.orders.cents[at] / 100.0
    text = pa.array(np.datetime_as_string(promised_on.astype("datetime64[D]")), pa.string())
    is_broken: Bools = settled_on[at] > promised_on + 3
    promise = _Events("promise_to_pay", 2, firm, day, amount, text, 0)
    broken = _Events(
        "promise_broken", 2, firm[is_broken], promised_on[is_broken] + 4, amount[is_broken],
        text.filter(pa.array(is_broken)), 0,
    )  # fmt: skip
    return [promise, broken]


def _quiet(draw: np.random.Generator, gone_on: Ints, world: World) -> list[_Events]:
    """Events that say little: calls, moves, new owners."""
    firm, month = np.nonzero(world.is_trading())
    found = []
    for kind, source, chance in (("contact", 2, 0.05), ("address_change", 3, 0.0012), ("ownership_change", 1, 0.001)):
        day = world.line.starts[month] + draw.integers(0, 28, len(firm))
        at = np.flatnonzero((draw.random(len(firm)) < chance) & (day < gone_on[firm]))
        found.append(_bare(kind, source, firm[at], day[at]))
    return found


def _plans(draw: np.random.Generator, episodes: Episodes) -> _Events:
    """Some cures follow a payment plan, agreed after the default."""
    is_cured = (episodes.default_on < NEVER) & (episodes.ends_on < NEVER) & (draw.random(len(episodes.firm)) < 0.6)
    return _bare("payment_plan", 2, episodes.firm[is_cured], episodes.default_on[is_cured] + 5)
