"""The portfolio report's drawings. Each takes plain rows and words and fills a matplotlib figure."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, Any

from pipeline.report.charts import SERIES
from pipeline.report.drawing import INK, QUIET, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# From light to dark as items age, so that the order reads in grey too.
SHADES = ("#dde5ee", "#aebfd1", "#7b95b1", "#446a92", "#12355b")


def stacked(days: Sequence[str], parts: Sequence[tuple[str, Sequence[float]]]) -> Callable[[Any, Sheet], None]:
    """One bar a day, its parts one above the other, the oldest items at the foot."""

    shade = {at: SHADES[at * (len(SHADES) - 1) // max(len(parts) - 1, 1)] for at in range(len(parts))}

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(2.9, 3.0))
        axes = figure.subplots()
        floor = [0.0] * len(days)
        for at in reversed(range(len(parts))):
            name, values = parts[at]
            axes.bar(
                range(len(days)), values, bottom=floor, width=0.74, color=shade[at],
                edgecolor="white", linewidth=0.5, label=name,
            )  # fmt: skip
            floor = [low + value for low, value in zip(floor, values, strict=True)]
        _days(axes, days, range(len(days)), sheet)
        axes.set_ylim(bottom=0)
        _legend(figure, axes, sheet)

    return draw


def lines(
    days: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    from_zero: bool,
    bound: float | None = None,
    ranges: Sequence[Sequence[tuple[float, float] | None]] = (),
) -> Callable[[Any, Sheet], None]:
    """One line a series over the days; a day without a value leaves a gap. `bound` is drawn as a thin level line.

    `ranges`: of each series the interval of each day, upright in the colour of its line; null where there is none.
    """
    at = places(days)

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(2.6, 2.7))
        axes = figure.subplots()
        for (name, values), style in zip(series, SERIES, strict=False):
            known = [float("nan") if value is None else value for value in values]
            axes.plot(at, known, **style, linewidth=1.7, markersize=4, label=name)
        # A hundredth of the axis beside each other, so that one does not hide the other.
        beside = 0.01 * (at[-1] + 1.2) if at else 0.0
        for place, (intervals, style) in enumerate(zip(ranges, SERIES, strict=False)):
            told = [(x + place * beside, *ends) for x, ends in zip(at, intervals, strict=True) if ends is not None]
            if told:
                axes.vlines(*zip(*told, strict=True), color=style["color"], linewidth=1.0, alpha=0.6)
        if bound is not None:
            axes.axhline(bound, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)))
        _days(axes, days, at, sheet)
        if from_zero:
            # Room above the highest point, so that its mark stands whole.
            highest = [v for _, values in series for v in values if v is not None]
            top = max([*highest, *(ends[1] for one in ranges for ends in one if ends is not None)], default=0.0)
            axes.set_ylim(0, 1.08 * top if top > 0 else 1.0)
        _legend(figure, axes, sheet)

    return draw


def ratios(days: Sequence[str], rows: Sequence[tuple[float, float, float]]) -> Callable[[Any, Sheet], None]:
    """Observed over expected of each cohort with its interval, against 1."""

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(2.6, 2.7))
        axes = figure.subplots()
        at = places(days)
        axes.axhline(1.0, color=INK, linewidth=0.9)
        axes.vlines(at, [low for _, low, _ in rows], [high for _, _, high in rows], color=QUIET, linewidth=1.3)
        axes.plot(
            at, [value for value, _, _ in rows], linestyle="", marker="o", markersize=4.5, color=SERIES[0]["color"]
        )
        _days(axes, days, at, sheet)
        # Room above the highest end, so that the whisker is seen to end there.
        axes.set_ylim(0, 1.08 * max(1.0, *(high for _, _, high in rows)))

    return draw


def places(days: Sequence[str | dt.date]) -> list[float]:
    """Where days stand on an axis of months, the first at 0: month ends are whole months apart, gaps as wide as they
    were.

    >>> places(["2023-05-31", "2023-06-30", "2024-08-31", "2024-09-15"])
    [0.0, 1.0, 15.0, 15.5]
    """
    found = [_months(dt.date.fromisoformat(str(day))) for day in days]
    return [at - found[0] for at in found]


def _months(day: dt.date) -> float:
    return 12 * day.year + day.month + day.day / calendar.monthrange(day.year, day.month)[1]


def _days(axes: Any, days: Sequence[str | dt.date], at: Sequence[float], sheet: Sheet) -> None:
    """Months under the axis, as many as there is room for, the last one always."""
    last = at[-1] if len(at) else 0.0
    step = max(1, -(-int(last + 1) // (5 if sheet.is_narrow else 13)))
    ticks: list[int] = []
    for place in reversed(range(len(at))):
        # The fifteenth of two months lies a little more or less than a month apart.
        if not ticks or at[ticks[-1]] - at[place] >= step - 0.1:
            ticks.append(place)
    names = [str(days[place])[:7] for place in ticks]
    axes.set_xticks([at[place] for place in ticks], names, fontsize=6.5 if sheet.is_narrow else 7.5)
    axes.set_xlim(-0.6, last + 0.6)


def _legend(figure: Any, axes: Any, sheet: Sheet) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=2 if sheet.is_narrow else 5, fontsize=7.5)
