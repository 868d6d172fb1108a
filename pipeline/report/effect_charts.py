"""Drawings of what features do to forecasts: the dots are one small picture inside the drawing, the text stays text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.report.drawing import FIRST, GRID, INK, QUIET, SECOND, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DOTS = 150


@dataclass(frozen=True)
class Spread:
    """The effects of one feature, and where each row's value lies among the others (0 low, 1 high, NaN none)."""

    name: str
    effect: Floats
    place: Floats


@dataclass(frozen=True)
class Dependence:
    """The values of one feature and its effects; `levels` names the values of a category."""

    name: str
    value: Floats
    effect: Floats
    levels: tuple[str, ...] = ()


def beeswarm(rows: Sequence[Spread], label: str, ends: tuple[str, str]) -> Callable[[Any, Sheet], None]:
    """One line a feature, one dot a row, heaped where many are; light to dark is low to high, grey has no order."""

    def draw(figure: Any, sheet: Sheet) -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap, Normalize

        figure.set_figheight(sheet.height(0.34, 0.42) * len(rows) + 1.1)
        axes = figure.subplots()
        # Low is light orange, high is dark blue: told apart in grey too.
        colours = LinearSegmentedColormap.from_list("value", ["#f2b27a", "#9aa9b5", FIRST])
        axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
        for at, row in enumerate(rows):
            lifts = heaps(row.effect)
            shown = np.where(np.isnan(row.place), 0.5, row.place)
            hues = np.where(np.isnan(row.place)[:, None], _grey(), colours(shown))
            axes.scatter(row.effect, at + lifts, s=3.5, c=hues, linewidths=0, rasterized=True, zorder=2)
        axes.set_yticks(range(len(rows)), [_short(row.name, 26 if sheet.is_narrow else 60) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(label)
        axes.grid(visible=True, axis="x")
        bar = figure.colorbar(
            ScalarMappable(Normalize(0, 1), colours), ax=axes, aspect=40, shrink=0.6, pad=0.02, ticks=[0, 1]
        )
        bar.ax.set_yticklabels(ends)
        bar.outline.set_visible(False)

    return draw


def dependence(panels: Sequence[Dependence], label: str) -> Callable[[Any, Sheet], None]:
    """Value against effect, a panel a feature; the line is the mean effect by rank."""

    def draw(figure: Any, sheet: Sheet) -> None:
        across = 1 if sheet.is_narrow else min(2, len(panels))
        down = -(-len(panels) // across)
        figure.set_figheight(2.45 * down)
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        for at, axes in enumerate(grid.flat):
            if at >= len(panels):
                axes.set_visible(False)
                continue
            _panel(axes, panels[at], sheet)
        figure.supylabel(label, fontsize=8.5)

    return draw


def _panel(axes: Any, panel: Dependence, sheet: Sheet) -> None:
    known = ~np.isnan(panel.value)
    value, effect = panel.value[known], panel.effect[known]
    axes.axhline(0, color=GRID, linewidth=1.0)
    axes.scatter(value, effect, s=4, color=QUIET, alpha=0.5, linewidths=0, rasterized=True)
    axes.set_title(_short(panel.name, 38), fontsize=8.5)
    if panel.levels:
        means = [effect[value == i].mean() if (value == i).any() else np.nan for i in range(len(panel.levels))]
        axes.plot(range(len(panel.levels)), means, linestyle="", marker="_", markersize=14, color=SECOND)
        axes.set_xticks(range(len(panel.levels)), [_short(level, 10) for level in panel.levels])
    elif len(value):
        x, y = curve(value, effect)
        axes.plot(x, y, color=SECOND, linewidth=1.6)
        axes.set_xlim(*_room(value))
    axes.locator_params(axis="y", nbins=5)
    if not panel.levels:
        axes.locator_params(axis="x", nbins=4 if sheet.is_narrow else 5)


def _room(value: Floats) -> tuple[float, float]:
    """From the 0.5 % to the 99.5 % quantile: one giant must not press all others into a corner."""
    low, high = (float(v) for v in np.quantile(value, [0.005, 0.995]))
    reach = (high - low) * 0.04 or 1.0
    return low - reach, high + reach


def curve(value: Floats, effect: Floats, parts: int = 20) -> tuple[Floats, Floats]:
    """Mean value and mean effect of so many parts of equal size by rank; equal values are never parted."""
    cuts = np.unique(np.quantile(value, np.linspace(0, 1, parts + 1)[1:-1]))
    part = np.searchsorted(cuts, value, side="right")
    found = np.unique(part)
    return (
        np.array([value[part == p].mean() for p in found]),
        np.array([effect[part == p].mean() for p in found]),
    )


def heaps(effect: Floats) -> Floats:
    """How far each dot stands from its line so that dots of like effect do not hide each other; within ±0.38."""
    low, high = float(effect.min()), float(effect.max())
    if high == low:
        return np.zeros(len(effect))
    column = np.floor((effect - low) / (high - low) * (_DOTS - 1)).astype(int)
    order = np.argsort(column, kind="stable")
    counts = np.bincount(column, minlength=_DOTS)
    start = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(effect))
    rank[order] = np.arange(len(effect)) - start
    side = np.where(rank % 2 == 0, 1.0, -1.0) * np.ceil(rank / 2)
    lifts: Floats = side * (0.76 / max(counts.max(), 24))
    return lifts


def _grey() -> Floats:
    return np.array([0.62, 0.66, 0.70, 1.0])


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
