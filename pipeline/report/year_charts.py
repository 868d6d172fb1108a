"""Drawings of shares that move from year to year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report.drawing import QUIET, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DARK, _LIGHT = (18, 53, 91), (222, 231, 240)


@dataclass(frozen=True)
class Years:
    """Shares of 1 by part and year, the riskiest part first; `is_blank` marks the parts without a value."""

    name: str
    years: tuple[int, ...]
    shares: tuple[tuple[float, ...], ...]
    is_blank: tuple[bool, ...]


def by_year(panels: Sequence[Years]) -> Callable[[Any, Sheet], None]:
    """One stacked bar a year in each panel; dark to light is risky to safe."""

    def draw(figure: Any, sheet: Sheet) -> None:
        from matplotlib.ticker import PercentFormatter

        across = 1 if sheet.is_narrow else 3
        down = -(-len(panels) // across)
        figure.set_figheight(1.9 * down)
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        for at, axes in enumerate(grid.flat):
            if at >= len(panels):
                axes.set_visible(False)
                continue
            _bars(axes, panels[at])
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))

    return draw


def _bars(axes: Any, panel: Years) -> None:
    places = range(len(panel.years))
    floor = [0.0] * len(panel.years)
    ordered = [i for i, is_blank in enumerate(panel.is_blank) if not is_blank]
    for i, (share, is_blank) in enumerate(zip(panel.shares, panel.is_blank, strict=True)):
        colour = "white" if is_blank else shade(ordered.index(i), len(ordered))
        axes.bar(
            places, share, bottom=floor, width=0.8, color=colour, linewidth=0.5,
            edgecolor=QUIET if is_blank else "white", hatch="////" if is_blank else None,
        )  # fmt: skip
        floor = [low + part for low, part in zip(floor, share, strict=True)]
    axes.set_xticks(places, [str(year) for year in panel.years], fontsize=7)
    axes.set_ylim(0, 1)
    name = panel.name if len(panel.name) <= 34 else f"{panel.name[:33]}…"
    axes.set_title(name, fontsize=7.5)


def shade(at: int, of: int) -> str:
    """A colour from dark (the first) to light (the last).

    >>> shade(0, 3), shade(2, 3)
    ('#12355b', '#dee7f0')
    """
    part = at / (of - 1) if of > 1 else 0.0
    mixed = (round(dark + part * (light - dark)) for dark, light in zip(_DARK, _LIGHT, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
