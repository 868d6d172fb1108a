"""The portfolio report's drawings. Each takes plain rows and words and fills a matplotlib figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report.charts import SERIES
from pipeline.report.drawing import INK, QUIET, Sheet

if TYPE_CHECKING:
    import datetime as dt
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
        _days(axes, days, sheet)
        axes.set_ylim(bottom=0)
        _legend(figure, axes, sheet)

    return draw


def lines(
    days: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    from_zero: bool,
    bound: float | None = None,
) -> Callable[[Any, Sheet], None]:
    """One line a series over the days; a day without a value leaves a gap. `bound` is drawn as a thin level line."""

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(2.6, 2.7))
        axes = figure.subplots()
        for (name, values), style in zip(series, SERIES, strict=False):
            known = [float("nan") if value is None else value for value in values]
            axes.plot(range(len(days)), known, **style, linewidth=1.7, markersize=4, label=name)
        if bound is not None:
            axes.axhline(bound, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)))
        _days(axes, days, sheet)
        if from_zero:
            # Room above the highest point, so that its mark stands whole.
            top = max((v for _, values in series for v in values if v is not None), default=0.0)
            axes.set_ylim(0, 1.08 * top if top > 0 else 1.0)
        _legend(figure, axes, sheet)

    return draw


def ratios(days: Sequence[str], rows: Sequence[tuple[float, float, float]]) -> Callable[[Any, Sheet], None]:
    """Observed over expected of each cohort with its interval, against 1."""

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(2.6, 2.7))
        axes = figure.subplots()
        at = range(len(days))
        axes.axhline(1.0, color=INK, linewidth=0.9)
        axes.vlines(at, [low for _, low, _ in rows], [high for _, _, high in rows], color=QUIET, linewidth=1.3)
        axes.plot(
            at, [value for value, _, _ in rows], linestyle="", marker="o", markersize=4.5, color=SERIES[0]["color"]
        )
        _days(axes, days, sheet)
        axes.set_ylim(bottom=0)

    return draw


def _days(axes: Any, days: Sequence[str | dt.date], sheet: Sheet) -> None:
    """Months under the axis, as many as there is room for, the last one always."""
    step = max(1, -(-len(days) // (5 if sheet.is_narrow else 13)))
    ticks = [at for at in range(len(days)) if (len(days) - 1 - at) % step == 0]
    axes.set_xticks(ticks, [str(days[at])[:7] for at in ticks], fontsize=6.5 if sheet.is_narrow else 7.5)
    axes.set_xlim(-0.6, len(days) - 0.4)


def _legend(figure: Any, axes: Any, sheet: Sheet) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=2 if sheet.is_narrow else 5, fontsize=7.5)
