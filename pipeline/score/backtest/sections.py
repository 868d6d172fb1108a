"""policy/backtest.yaml as a frozen object; what each key means stands in the file."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the reader resolves the hints
from dataclasses import dataclass

from pipeline.score.portfolio.sections import ToldSource  # noqa: TC001 - the reader resolves the hints


@dataclass(frozen=True)
class RefusalSection:
    """policy/backtest.yaml: what a refused sale costs."""

    valid_from: dt.date
    owner: str
    sources: tuple[ToldSource, ...]
    margin_share: float
    lost_share: float

    @property
    def cost_share(self) -> float:
        """What refusing costs, per unit of the invoiced amount."""
        return self.margin_share * self.lost_share


def contradictions(section: RefusalSection) -> list[str]:
    """Every value that cannot be, named by its path."""
    return [
        f"backtest.{name}: {value:g} lies outside 0 to 1"
        for name, value in (("margin_share", section.margin_share), ("lost_share", section.lost_share))
        if not 0 <= value <= 1
    ]
