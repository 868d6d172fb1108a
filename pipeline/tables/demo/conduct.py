"""How each invoice would be settled if the firm never fell into distress: lateness, instalments, bounces, disputes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import Bools, Floats, Ints, sigmoid, softplus
from pipeline.tables.demo.timeline import NEVER, next_working_day

if TYPE_CHECKING:
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.trade import Orders
    from pipeline.tables.demo.world import World

UPHELD, PARTIAL, REJECTED = 0, 1, 2
OUTCOMES = ("upheld", "partial", "rejected")
_SOFT_CAP_DAYS = 58.0
_CAP_ROOM_DAYS = 20.0  # lateness stays below 78 days, 80 after weekends: no default without distress


@dataclass(frozen=True)
class Conduct:
    """One entry per order (of those invoiced). Days that never come are NEVER.

    `pays_on` settles the item; `first_pays_on` and `first_share` are an instalment before it; `bounce_tried_on` and
    `bounced_on` a payment that came back; `disputed_on`, `resolved_on`, `outcome`, `disputed_share` a dispute;
    `credited_share` is credited by a credit note; `stops` tells that payment stops in distress, but for
    `instalment` (share) on account; `trigger_on` is the day it is 90 days past due, disputed days not counted.
    """

    pays_on: Ints
    first_pays_on: Ints
    first_share: Floats
    bounce_tried_on: Ints
    bounced_on: Ints
    disputed_on: Ints
    resolved_on: Ints
    outcome: Ints
    disputed_share: Floats
    credited_share: Floats
    stops: Bools
    instalment: Floats
    trigger_on: Ints

    def take(self, chosen: Ints | Bools) -> Conduct:
        """Those items only."""
        return Conduct(**{f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self)})


def stretch(quality: Floats, above_level: Floats, economy: Economy) -> Floats:
    """Days by which quality, and more so a fall below the firm's own level, stretches payment beyond its habit."""
    return economy.stretch_days * softplus(-(quality + economy.stretch_by_change * above_level))


def conduct(orders: Orders, world: World) -> Conduct:
    """Draws the conduct of every item from its firm's habit and its quality in the month the item falls due."""
    draw, economy = world.draw("conduct"), world.economy
    rows = len(orders.firm)
    state = world.state(orders.firm, orders.due_on)
    late = world.firms.habit[orders.firm] + stretch(state, state - world.quality.level[orders.firm], economy)
    noise = np.clip(economy.noise_days * np.exp(-economy.noise_by_quality * state), *economy.noise_range)
    late = late + noise * draw.standard_normal(rows)
    late = np.where(late > _SOFT_CAP_DAYS, _SOFT_CAP_DAYS + _CAP_ROOM_DAYS * _bend(late - _SOFT_CAP_DAYS), late)
    pays_on = np.maximum(orders.due_on + np.rint(late).astype(np.int64), orders.issued_on + 1)

    disputed_on, resolved_on = _disputes(draw, orders, _share(economy.disputed_share, state))
    is_disputed = disputed_on < NEVER
    outcome = np.searchsorted([0.22, 0.45], draw.random(rows), side="right")
    is_whole = (draw.random(rows) < 0.5) | (outcome == REJECTED)
    disputed_share = np.where(is_whole, 1.0, draw.uniform(0.2, 0.8, rows))
    # Only the disputed part is paused: where the rest runs on, the dispute is settled before the rest is 90 days old.
    resolved_on = np.where(is_whole, resolved_on, np.minimum(resolved_on, orders.due_on + 60))
    pause = resolved_on - np.maximum(disputed_on, orders.due_on)
    paused = np.where(is_disputed & is_whole, np.maximum(pause, 0), 0)
    pays_on = next_working_day(np.where(is_disputed, np.maximum(pays_on, resolved_on + 1), pays_on))
    pays_on = np.minimum(pays_on, orders.due_on + paused + 82)
    credited = np.where(outcome == UPHELD, disputed_share, np.where(outcome == PARTIAL, 0.5 * disputed_share, 0.0))
    plain_credit = ~is_disputed & (draw.random(rows) < economy.credit_note_share)
    credited = np.where(is_disputed, credited, np.where(plain_credit, draw.uniform(0.05, 0.4, rows), 0.0))

    first_on, first_share = _instalments(draw, pays_on, orders, state, economy)
    tried_on, bounced_on = _bounces(draw, pays_on, orders, _share(economy.bounced_share, state))
    stops = (draw.random(rows) < economy.stopped_share) & ~(is_disputed & (outcome != REJECTED))
    has_instalment = draw.random(rows) < economy.instalment_share
    return Conduct(
        pays_on=pays_on,
        first_pays_on=first_on,
        first_share=first_share,
        bounce_tried_on=tried_on,
        bounced_on=bounced_on,
        disputed_on=disputed_on,
        resolved_on=np.where(is_disputed, resolved_on, NEVER),
        outcome=outcome,
        disputed_share=disputed_share,
        credited_share=credited,
        stops=stops,
        instalment=np.where(has_instalment, draw.uniform(0.1, 0.45, rows), 0.0),
        trigger_on=orders.due_on + economy.default_days + paused,
    )


def _bend(excess: Floats) -> Floats:
    return 1.0 - np.exp(-np.maximum(excess, 0.0) / _CAP_ROOM_DAYS)


def _share(curve: tuple[float, float], state: Floats) -> Floats:
    """a × sigmoid(−b × (quality + 1.2)): rare among the good, never absent."""
    return curve[0] * sigmoid(-curve[1] * (state + 1.2))


def _disputes(draw: np.random.Generator, orders: Orders, share: Floats) -> tuple[Ints, Ints]:
    """Day of opening (shortly before or after the due date) and of resolution; NEVER for most."""
    rows = len(share)
    opened = np.maximum(orders.due_on + draw.integers(-12, 20, rows), orders.issued_on + 1)
    resolved = opened + draw.integers(12, 55, rows)
    is_disputed = draw.random(rows) < share
    return np.where(is_disputed, opened, NEVER), np.where(is_disputed, resolved, NEVER)


def _instalments(
    draw: np.random.Generator, pays_on: Ints, orders: Orders, state: Floats, economy: Economy
) -> tuple[Ints, Floats]:
    """Day and share of a payment on account before the one that settles."""
    rows = len(pays_on)
    first_on = pays_on - draw.integers(6, 25, rows)
    is_partial = (draw.random(rows) < _share(economy.partial_share, state)) & (first_on > orders.issued_on)
    return np.where(is_partial, first_on, NEVER), np.where(is_partial, draw.uniform(0.3, 0.8, rows), 0.0)


def _bounces(draw: np.random.Generator, pays_on: Ints, orders: Orders, share: Floats) -> tuple[Ints, Ints]:
    """Day of a payment that comes back and day of its return, both before the payment that settles."""
    rows = len(pays_on)
    tried_on = pays_on - draw.integers(5, 11, rows)
    is_bounced = (draw.random(rows) < share) & (tried_on > orders.issued_on)
    return np.where(is_bounced, tried_on, NEVER), np.where(is_bounced, tried_on + draw.integers(2, 5, rows), NEVER)
