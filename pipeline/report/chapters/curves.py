"""The order of the models as curves on the test rows: ROC, and the cumulative accuracy profile (CAP) beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Missing
from pipeline.report.chapters.measured import model_name, models
from pipeline.report.drawing import chart
from pipeline.statistics.cap import cap_of_roc

if TYPE_CHECKING:
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_ROLE = "test"


def curves(given: ReportInput, words: Words) -> list[Block]:
    """Both charts, or why there is none."""
    found = _roc_curves(given, words)
    if not found:
        return [Missing(words("discrimination.no_roc"))]
    return [_roc(found, words), *_cap(found, given, words)]


def _roc_curves(given: ReportInput, words: Words) -> list[charts.Curve]:
    if given.roc is None or not len(given.roc):
        return []
    rows = given.roc[given.roc["role"] == _ROLE]
    parts = ((name, rows[rows["model"] == name]) for name, _ in models(given))
    return [
        charts.Curve(
            model_name(name, given, words),
            list(zip(part["false_alarm_rate"].astype(float), part["hit_rate"].astype(float), strict=True)),
        )
        for name, part in parts
        if len(part)
    ]


def _roc(found: list[charts.Curve], words: Words) -> Block:
    drawing = charts.roc(
        found, words("discrimination.roc_x"), words("discrimination.roc_y"), words("discrimination.chance")
    )
    told = words("discrimination.roc", text=_in_words(found))
    return chart("roc", words("discrimination.roc_title"), words("discrimination.roc_caption"), told, drawing)


def _cap(found: list[charts.Curve], given: ReportInput, words: Words) -> list[Block]:
    """The same points by share of all rows: as the part that is worked through from the riskiest on."""
    rate = (given.validation["samples"].get(_ROLE) or {}).get("default_rate")
    if not figures.is_known(rate):
        return []
    bad_rate = float(rate)  # type: ignore[arg-type]
    caps = [charts.Curve(c.name, [(x, y) for x, y in cap_of_roc(c.points, bad_rate).tolist()]) for c in found]
    limits = (words("discrimination.chance"), words("discrimination.perfect"))
    x, y = words("discrimination.cap_x"), words("discrimination.roc_y")
    told = words("discrimination.cap", text=_in_words(caps), rate=figures.share(bad_rate))
    drawing = charts.cap(caps, bad_rate, x, y, limits)
    return [chart("cap", words("discrimination.cap_title"), words("discrimination.cap_caption"), told, drawing)]


def _in_words(found: list[charts.Curve]) -> str:
    return figures.in_turn(f"{c.name}: {_reached(c)}" for c in found)


def _reached(curve: charts.Curve) -> str:
    """Share of bads found at a tenth and at three tenths of the other axis."""
    reached = [max(y for x, y in curve.points if x <= limit + 1e-12) for limit in (0.1, 0.3)]
    told = zip((0.1, 0.3), reached, strict=True)
    return figures.listed(f"{figures.share(x, 0)} → {figures.share(y, 0)}" for x, y in told)
