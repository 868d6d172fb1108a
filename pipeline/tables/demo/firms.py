"""The firms: who they are, when they trade with us, how they are in the habit of paying."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import Bools, Floats, Ints, stream
from pipeline.tables.demo.economy import INDUSTRIES, PLACES, SIZES

if TYPE_CHECKING:
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.timeline import Timeline


@dataclass(frozen=True)
class Firms:
    """One entry per firm. `arrives` and `leaves` are months (`leaves` is the first without trade); `group` is −1
    for a firm on its own; `habit` is the usual lateness in days, independent of quality."""

    size: Ints
    industry: Ints
    place: Ints
    region: Ints
    group: Ints
    is_natural_person: Bools
    is_public_body: Bools
    has_late_habit: Bools
    habit: Floats
    terms: Ints
    founded_on: Ints
    since: Ints
    arrives: Ints
    leaves: Ints
    orders_a_month: Floats
    order_amount: Floats
    expected_level: Floats

    def take(self, chosen: Ints) -> Firms:
        """Those firms only, with groups numbered anew."""
        parts = {f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self)}
        _, numbers = np.unique(parts["group"], return_inverse=True)
        parts["group"] = np.where(parts["group"] >= 0, numbers, -1)
        return Firms(**parts)

    def is_trading(self, months: int) -> Bools:
        """Firms × months: the firm places orders."""
        month = np.arange(months)
        return (month >= self.arrives[:, None]) & (month < self.leaves[:, None])


def firms(count: int, line: Timeline, economy: Economy, seed: int) -> Firms:
    """Draws `count` firms. Quality may depend on size, industry, age and kind; the habit of paying late never does."""
    draw = stream(seed, "firms")
    size = _pick(draw, count, [s.share for s in SIZES])
    industry = _pick(draw, count, [i.share for i in INDUSTRIES])
    place = _pick(draw, count, [p.share for p in PLACES])
    is_person = (draw.random(count) < economy.natural_person_share) & (size <= 1)
    is_public = ~is_person & (draw.random(count) < economy.public_body_share)
    has_late_habit = draw.random(count) < np.where(is_public, 0.5, economy.late_habit_share)
    late = draw.uniform(*economy.late_habit_days, count)
    prompt = np.clip(economy.prompt_habit_sd * draw.standard_normal(count), -8.0, 10.0)
    arrives = np.where(
        draw.random(count) < economy.initial_share, 0, 1 + (draw.random(count) * (line.count - 2)).astype(np.int64)
    )
    since = line.starts[arrives] + draw.integers(0, 28, count)
    since = np.where(arrives == 0, line.starts[0] - (draw.gamma(1.6, 1500.0, count)).astype(np.int64) % 9000, since)
    age_years = 0.3 + draw.gamma(1.7, 9.0, count)
    mean = economy.trade_noise * draw.standard_normal((2, count))
    return Firms(
        size=size,
        industry=industry,
        place=place,
        region=(draw.random(count) * np.array([len(p.regions) for p in PLACES])[place]).astype(np.int64),
        group=_groups(draw, count, economy.grouped_share),
        is_natural_person=is_person,
        is_public_body=is_public,
        has_late_habit=has_late_habit,
        habit=np.where(has_late_habit, late, prompt),
        terms=np.array([14, 30, 45, 60])[_pick(draw, count, [0.16, 0.50, 0.18, 0.16])],
        founded_on=since - (365.25 * age_years).astype(np.int64),
        since=since,
        arrives=arrives,
        leaves=arrives + 1 + draw.geometric(economy.leave_rate, count),
        orders_a_month=np.array([s.orders for s in SIZES])[size] * np.exp(mean[0]),
        order_amount=np.array([s.order_amount for s in SIZES])[size] * np.exp(mean[1]),
        expected_level=_expected_level(size, industry, age_years, is_person, is_public)
        + np.where(arrives > 0, economy.new_customer_quality, 0.0),
    )


def _expected_level(size: Ints, industry: Ints, age_years: Floats, is_person: Bools, is_public: Bools) -> Floats:
    """What size, industry, age and kind say of a firm's quality."""
    by_age = 0.39 * np.log(np.clip(age_years, 1.0, 40.0) / 12.0)
    level: Floats = np.array([s.quality for s in SIZES])[size]
    level = level + np.array([i.quality for i in INDUSTRIES])[industry] + by_age
    found: Floats = level - 0.15 * is_person + 1.3 * is_public
    return found


def _pick(draw: np.random.Generator, count: int, shares: list[float]) -> Ints:
    """Indices drawn with those shares."""
    edges = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(edges, draw.random(count), side="right").clip(0, len(shares) - 1)


def _groups(draw: np.random.Generator, count: int, share: float) -> Ints:
    """Group numbers of 2 to 5 firms for about `share` of the firms, −1 for the others; groups are scattered."""
    members = int(count * share)
    sizes = draw.integers(2, 6, members)
    numbers = np.repeat(np.arange(members), sizes)[:members]
    group = np.full(count, -1, dtype=np.int64)
    group[draw.permutation(count)[:members]] = numbers
    return group
