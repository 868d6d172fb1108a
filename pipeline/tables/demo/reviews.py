"""Yearly reviews: the days on which limits, covers and ratings are set anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Ints
    from pipeline.tables.demo.world import World

_YEAR_DAYS = 365


@dataclass(frozen=True)
class Reviews:
    """One entry per review, by firm and day; `turn` counts a firm's reviews from 0."""

    firm: Ints
    day: Ints
    turn: Ints


def yearly_reviews(draw: np.random.Generator, world: World, gone_on: Ints, share: float) -> Reviews:
    """Reviews of a `share` of the firms, from their arrival (at most a year before the ledger) until they are gone."""
    line = world.line
    has = np.flatnonzero(draw.random(world.count) < share)
    arrived = world.arrived_on()[has]
    first_on = np.where(arrived < line.first_day, line.first_day - draw.integers(0, _YEAR_DAYS, len(has)), arrived)
    until = np.minimum(gone_on[has] - 1, line.last_day)
    turns = np.maximum((until - first_on) // _YEAR_DAYS + 1, 0)
    firm = np.repeat(has, turns)
    turn = np.arange(len(firm)) - np.repeat(np.cumsum(turns) - turns, turns)
    return Reviews(firm, np.repeat(first_on, turns) + _YEAR_DAYS * turn, turn)
