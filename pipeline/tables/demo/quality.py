"""Latent credit quality: the firm's level, its own slow swing (partly its group's), its industry and the economy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import Floats, stream

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Ints
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.firms import Firms


@dataclass(frozen=True)
class Quality:
    """Parts of the quality, each already weighted: `level` (firms), `swing` (firms × months), `industry`
    (industries × months), `macro` (months). Their sum is the quality."""

    level: Floats
    swing: Floats
    industry: Floats
    macro: Floats
    total: Floats

    @property
    def above_level(self) -> Floats:
        """Firms × months: quality above the firm's own level."""
        return self.total - self.level[:, None]

    def at(self, firm: Ints, month: Ints) -> Floats:
        """Quality of those firms in those months."""
        return self.total[firm, month]

    def take(self, chosen: Ints) -> Quality:
        """The same for some of the firms."""
        return Quality(self.level[chosen], self.swing[chosen], self.industry, self.macro, self.total[chosen])


def quality(firms: Firms, months: int, economy: Economy, seed: int) -> Quality:
    """Draws the qualities of all firms over all months, stationary from the first month on."""
    draw = stream(seed, "quality")
    count = len(firms.size)
    own = _autoregression(draw, (count, months), economy.swing_persistence)
    shared = _autoregression(draw, (max(int(firms.group.max()), 0) + 1, months), economy.swing_persistence)
    weight = economy.group_weight
    grouped = np.sqrt(1.0 - weight) * own + np.sqrt(weight) * shared[np.maximum(firms.group, 0)]
    swing = economy.swing_sd * np.where(firms.group[:, None] >= 0, grouped, own)
    codes = int(firms.industry.max()) + 1
    industry = economy.industry_sd * _autoregression(draw, (codes, months), economy.industry_persistence)
    macro = economy.macro_sd * _autoregression(draw, (1, months), economy.macro_persistence)[0]
    level = firms.expected_level + economy.level_sd * draw.standard_normal(count)
    total = level[:, None] + swing + industry[firms.industry] + macro[None, :]
    return Quality(level, swing, industry, macro, total)


def _autoregression(draw: np.random.Generator, shape: tuple[int, int], persistence: float) -> Floats:
    """Rows of a stationary AR(1) of variance one."""
    shocks = draw.standard_normal(shape)
    states = np.empty(shape)
    states[:, 0] = shocks[:, 0]
    innovation = np.sqrt(1.0 - persistence**2)
    for month in range(1, shape[1]):
        states[:, month] = persistence * states[:, month - 1] + innovation * shocks[:, month]
    return states
