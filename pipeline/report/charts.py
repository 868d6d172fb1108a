"""The report's drawings. Each takes plain rows and words and fills a matplotlib figure; nothing is reckoned here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report.drawing import BAND, FIRST, GRID, INK, QUIET, SECOND, Sheet

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

# Form, fill and line tell the series apart where colour is not seen.
SERIES: tuple[dict[str, Any], ...] = (
    {"color": FIRST, "marker": "o", "linestyle": "-"},
    {"color": SECOND, "marker": "s", "linestyle": (0, (5, 2))},
    {"color": QUIET, "marker": "^", "linestyle": (0, (1, 1.5))},
    {"color": QUIET, "marker": "D", "linestyle": (0, (4, 1.5, 1, 1.5))},
    {"color": QUIET, "marker": "v", "linestyle": (0, (2, 2))},
)


@dataclass(frozen=True)
class Rate:
    """The default rate of one snapshot date with its interval, all as shares of 1."""

    day: dt.date
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Span:
    """A role's first and last snapshot date, and the day by which its outcomes are known."""

    name: str
    first: dt.date
    last: dt.date
    settled: dt.date


@dataclass(frozen=True)
class Curve:
    """A named line of (x, y) points."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Whisker:
    """A figure with its interval (null: none) on one line of a forest; `series` is the position in SERIES."""

    group: str
    name: str
    value: float
    low: float | None
    high: float | None
    series: int
    text: str


@dataclass(frozen=True)
class GradePoint:
    """One grade: mean forecast, observed rate and its interval as shares of 1."""

    grade: str
    expected: float
    observed: float
    low: float
    high: float


def default_rates(rates: Sequence[Rate], spans: Sequence[Span]) -> Callable[[Any, Sheet], None]:
    """Default rate per snapshot date, with the dates of each role shaded and named."""

    def draw(figure: Any, sheet: Sheet) -> None:
        from matplotlib.ticker import PercentFormatter

        figure.set_figheight(sheet.height(2.9, 2.7))
        axes = figure.subplots()
        days = [r.day for r in rates]
        top = max((r.high for r in rates), default=0.01) * 1.22
        _shade(axes, spans, top, sheet)
        axes.vlines(days, [r.low for r in rates], [r.high for r in rates], color=QUIET, linewidth=1.1)
        axes.plot(days, [r.rate for r in rates], color=FIRST, linewidth=1.4, marker="o", markersize=3.2)
        axes.set_ylim(0, top)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if top > 0.06 else 1))
        _dates(axes, sheet)

    return draw


def timetable(spans: Sequence[Span]) -> Callable[[Any, Sheet], None]:
    """One line a role: its snapshot dates as a thick bar, the window in which their outcomes fall as a thin one."""

    def draw(figure: Any, sheet: Sheet) -> None:
        import matplotlib.dates as mdates

        figure.set_figheight(sheet.height(1.7, 1.8))
        axes = figure.subplots()
        for row, span in enumerate(spans):
            first, last, end = (mdates.date2num(d) for d in (span.first, span.last, span.settled))
            axes.barh(row, max(last - first, 20), left=first, height=0.46, color=(FIRST, SECOND, QUIET)[row % 3])
            axes.plot([last, end], [row, row], color=INK, linewidth=1.1)
            axes.plot([end], [row], color=INK, marker="|", markersize=9)
        axes.set_yticks(range(len(spans)), [s.name for s in spans])
        axes.invert_yaxis()
        axes.xaxis_date()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        _dates(axes, sheet)

    return draw


def roc(curves: Sequence[Curve], x_label: str, y_label: str, chance: str) -> Callable[[Any, Sheet], None]:
    """ROC curves beside the diagonal of chance."""
    return _in_square(curves, [Curve(chance, [(0, 0), (1, 1)])], x_label, y_label)


def cap(
    curves: Sequence[Curve], bad_rate: float, x_label: str, y_label: str, limits: tuple[str, str]
) -> Callable[[Any, Sheet], None]:
    """Cumulative accuracy profiles between chance and a perfect order; `limits` are the names of those two."""
    chance, perfect = limits
    ends = [Curve(chance, [(0, 0), (1, 1)]), Curve(perfect, [(0, 0), (bad_rate, 1), (1, 1)])]
    return _in_square(curves, ends, x_label, y_label)


def _in_square(
    curves: Sequence[Curve], ends: Sequence[Curve], x_label: str, y_label: str
) -> Callable[[Any, Sheet], None]:
    """Curves of shares; `ends` are what they are held against. The legend stands in the corner under the diagonal."""

    def draw(figure: Any, sheet: Sheet) -> None:
        from matplotlib.ticker import PercentFormatter

        figure.set_figheight(sheet.height(4.6, 3.6))
        axes = figure.subplots()
        for end, (colour, line) in zip(ends, ((GRID, "-"), (QUIET, (0, (1, 1.5)))), strict=False):
            axes.plot(*zip(*end.points, strict=True), color=colour, linestyle=line, linewidth=1.2, label=end.name)
        for curve, style in reversed(list(zip(curves, SERIES, strict=False))):
            x, y = zip(*curve.points, strict=True)
            axes.plot(x, y, color=style["color"], linestyle=style["linestyle"], linewidth=1.7, label=curve.name)
        axes.set(xlim=(0, 1), ylim=(0, 1.005), xlabel=x_label, ylabel=y_label)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(visible=True, axis="x")
        handles, names = axes.get_legend_handles_labels()
        axes.set_aspect("equal", adjustable="box", anchor="W")
        size = 7 if sheet.is_narrow else 8.5
        axes.legend(handles[::-1], names[::-1], loc="lower right", handlelength=2.6, fontsize=size, borderaxespad=0.8)

    return draw


def forest(rows: Sequence[Whisker], label: str) -> Callable[[Any, Sheet], None]:
    """Dots with intervals, one line each, parted by group; the figure stands in words at the end of the line."""

    def draw(figure: Any, sheet: Sheet) -> None:
        lines, heads = _lines(rows)
        figure.set_figheight(0.23 * (len(lines) + len(heads)) + 0.75)
        axes = figure.subplots()
        for at, row in lines:
            style = SERIES[row.series % len(SERIES)]
            if row.low is not None and row.high is not None:
                axes.plot([row.low, row.high], [at, at], color=style["color"], linewidth=1.6)
            axes.plot([row.value], [at], color=style["color"], marker=style["marker"], markersize=5.5)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks([*heads.values(), *(at for at, _ in lines)], [*heads, *(r.name for _, r in lines)])
        for tick in axes.get_yticklabels()[: len(heads)]:
            tick.set_fontweight("bold")
        axes.set_ylim(len(lines) + len(heads) - 0.4, -0.6)
        axes.set_xlim(*_room(rows))
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel(label)
        place = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 8, "annotation_clip": False}
        for at, row in [] if sheet.is_narrow else lines:
            axes.annotate(row.text, (1.01, at), **place)

    return draw


def calibration(
    models: Sequence[tuple[str, Sequence[GradePoint]]], expected: str, observed: str
) -> Callable[[Any, Sheet], None]:
    """Per model one panel: the forecast of each grade as a bar, what was observed as a dot with its interval."""

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(3.2, 2.7 * len(models) + 0.4))
        shape = (len(models), 1) if sheet.is_narrow else (1, len(models))
        panels = figure.subplots(*shape, squeeze=False, sharey=True).ravel()
        floor = _floor(models)
        for axes, (name, points), style in zip(panels, models, SERIES, strict=False):
            _calibration_panel(axes, points, style, floor)
            axes.set_title(name)
        handles = [
            panels[0].plot([], [], color=INK, linewidth=2.4, label=expected)[0],
            panels[0].errorbar([], [], yerr=[], color=INK, marker="o", linestyle="", label=observed),
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=1 if sheet.is_narrow else 2)

    return draw


def grades(names: Sequence[str], counts: Sequence[int]) -> Callable[[Any, Sheet], None]:
    """Customers per grade, each bar with its count."""

    def draw(figure: Any, sheet: Sheet) -> None:
        figure.set_figheight(sheet.height(2.3, 2.2))
        axes = figure.subplots()
        axes.bar(range(len(names)), counts, color=FIRST, width=0.72)
        top = max(counts, default=1)
        for at, n in enumerate(counts):
            axes.text(at, n + 0.02 * top, f"{n:,}", ha="center", va="bottom", fontsize=6.5 if sheet.is_narrow else 8)
        axes.set_xticks(range(len(names)), names, fontsize=6.5 if sheet.is_narrow else 8)
        axes.set_ylim(0, 1.12 * max(top, 1))
        # Each bar carries its count: a scale would say it twice.
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)

    return draw


def _shade(axes: Any, spans: Sequence[Span], top: float, sheet: Sheet) -> None:
    from datetime import timedelta

    for position, span in enumerate(spans):
        axes.axvspan(span.first - timedelta(days=12), span.last + timedelta(days=12), color=BAND, zorder=0)
        middle = span.first + (span.last - span.first) / 2
        # On the narrow sheet neighbours would run into each other on one line.
        lift = 0.985 - (0.075 * (position % 2) if sheet.is_narrow else 0)
        axes.text(middle, lift * top, span.name, ha="center", va="top", fontsize=7 if sheet.is_narrow else 8, color=INK)


def _dates(axes: Any, sheet: Sheet) -> None:
    from matplotlib.dates import MONTHLY, AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=5 if sheet.is_narrow else 9)
    # Half a year at most is too close for nearly three years on a narrow sheet.
    locator.intervald[MONTHLY] = [1, 2, 3, 4, 6, 12]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))


def _lines(rows: Sequence[Whisker]) -> tuple[list[tuple[int, Whisker]], dict[str, int]]:
    lines: list[tuple[int, Whisker]] = []
    heads: dict[str, int] = {}
    for row in rows:
        if row.group not in heads:
            heads[row.group] = len(lines) + len(heads)
        lines.append((len(lines) + len(heads), row))
    return lines, heads


def _room(rows: Sequence[Whisker]) -> tuple[float, float]:
    ends = [0.0, *(v for r in rows for v in (r.value, r.low, r.high) if v is not None)]
    return min(ends) - 0.02, min(1.02, max(ends) + 0.04)


def _floor(models: Sequence[tuple[str, Sequence[GradePoint]]]) -> float:
    seen = [v for _, points in models for p in points for v in (p.expected, p.observed, p.low) if v > 0]
    return max(1e-4, 0.7 * min(seen)) if seen else 1e-4


def _calibration_panel(axes: Any, points: Sequence[GradePoint], style: dict[str, Any], floor: float) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_yscale("log")
    for at, point in enumerate(points):
        axes.plot([at - 0.36, at + 0.36], [max(point.expected, floor)] * 2, color=INK, linewidth=2.4)
        axes.plot([at, at], [max(point.low, floor), max(point.high, floor)], color=style["color"], linewidth=1.3)
        # Nothing observed has no place on this scale: an open mark on the floor.
        fill = style["color"] if point.observed > 0 else "white"
        axes.plot(
            [at], [max(point.observed, floor)], marker=style["marker"], markersize=5.5,
            color=style["color"], markerfacecolor=fill, clip_on=False, zorder=3,
        )  # fmt: skip
    axes.set_xticks(range(len(points)), [p.grade for p in points], fontsize=7)
    axes.set_xlim(-0.6, len(points) - 0.4)
    axes.set_ylim(floor, 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.minorticks_off()
