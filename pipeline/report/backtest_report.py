"""The report on policies replayed over the past: one document from the figures, the same bytes for the same figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.backtest.comparison import differences, side_by_side
from pipeline.report.backtest.first_page import first_page
from pipeline.report.backtest.ground import assumptions, candidates, made, models
from pipeline.report.backtest.months import months
from pipeline.report.backtest.parts import doings, grades
from pipeline.report.document import Document
from pipeline.report.page import html_page
from pipeline.report.portfolio.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHAPTERS = (first_page, side_by_side, differences, months, grades, doings, candidates, models, assumptions)


@dataclass(frozen=True)
class BacktestReport:
    """The figures as flows/backtest.py tells them, the language, and the sources of what a refused sale costs."""

    told: Mapping[str, Any]
    language: str
    sources: Sequence[tuple[str, str]] = ()


def render(report: BacktestReport) -> str:
    """The whole page. Raises ParameterError when the language has no words."""
    t = Teller(report.told, report.language, prefix="backtest")
    run = report.told["run"]
    with figures.written_in(report.language):
        document = Document(
            kind=t.say("kind"),
            title=t.say("title", first=t.day(run["from"]), last=t.day(run["to"])),
            subtitle=t.say("subtitle", id=run["id"], extract=t.day(run["extract_date"])),
            chapters=(*(chapter(t) for chapter in CHAPTERS), made(t, report.sources)),
            words=t.words,
        )
        return html_page(document)
