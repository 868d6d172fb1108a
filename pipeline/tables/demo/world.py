"""The world of one book: its timeline, its parameters, its seed, and the firms with their latent quality."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.tables.demo.arrays import stream
from pipeline.tables.demo.firms import Firms, firms
from pipeline.tables.demo.quality import Quality, quality
from pipeline.tables.demo.timeline import Timeline, timeline

if TYPE_CHECKING:
    import numpy as np

    from pipeline.tables.demo.arrays import Bools, Floats, Ints
    from pipeline.tables.demo.economy import Economy


@dataclass(frozen=True)
class World:
    """What everything else is drawn from."""

    line: Timeline
    economy: Economy
    seed: int
    firms: Firms
    quality: Quality

    @property
    def count(self) -> int:
        """Number of firms."""
        return len(self.firms.size)

    def draw(self, noun: str) -> np.random.Generator:
        """The noun's own random stream."""
        return stream(self.seed, noun)

    def state(self, firm: Ints, day: Ints) -> Floats:
        """Quality of each firm in the month of each day."""
        return self.quality.at(firm, self.line.month_of(day))

    def is_trading(self) -> Bools:
        """Firms × months: the firm places orders."""
        return self.firms.is_trading(self.line.count)

    def arrived_on(self) -> Ints:
        """First day of the month in which each firm arrived."""
        found: Ints = self.line.starts[self.firms.arrives]
        return found

    def take(self, chosen: Ints) -> World:
        """The same world with some of the firms."""
        return dataclasses.replace(self, firms=self.firms.take(chosen), quality=self.quality.take(chosen))


def world(candidates: int, months: int, economy: Economy, seed: int) -> World:
    """Draws the firms and their qualities over a ledger of that many months and the burn-in before it."""
    line = timeline(months, economy.burn_in_months)
    everyone = firms(candidates, line, economy, seed)
    return World(line, economy, seed, everyone, quality(everyone, line.count, economy, seed))
