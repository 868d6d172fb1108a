"""The portfolio report for the monthly meeting: one document from the figures, the same bytes for the same figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.document import Document
from pipeline.report.page import html_page
from pipeline.report.portfolio.allowances import allowances
from pipeline.report.portfolio.doings import alerts, limits
from pipeline.report.portfolio.first_page import first_page
from pipeline.report.portfolio.losses import concentrations, costs, expected, grades
from pipeline.report.portfolio.monitoring import monitoring
from pipeline.report.portfolio.provenance import provenance
from pipeline.report.portfolio.receivables import ageing, outstanding, rolls
from pipeline.report.portfolio.telling import Teller
from pipeline.report.portfolio.work import worklist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHAPTERS = (
    first_page,
    ageing,
    outstanding,
    rolls,
    expected,
    grades,
    concentrations,
    costs,
    allowances,
    alerts,
    limits,
    worklist,
    monitoring,
)


@dataclass(frozen=True)
class PortfolioReport:
    """The figures as score/portfolio tells them, the language, names of customers where asked for, and the sources of
    the rules applied as (title, what it says)."""

    told: Mapping[str, Any]
    language: str
    names: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[tuple[str, str]] = ()


def render(report: PortfolioReport) -> str:
    """The whole page. Raises ParameterError when the language has no words."""
    return html_page(portfolio_document(report))


def portfolio_document(report: PortfolioReport) -> Document:
    """Every chapter in the language asked for. Raises ParameterError when the language has no words."""
    t = Teller(report.told, report.language, report.names)
    run = report.told["run"]
    with figures.written_in(report.language):
        return Document(
            kind=t.say("kind"),
            title=t.say("title", day=t.day(run["as_of"])),
            subtitle=t.say("subtitle", model=run["model_version"], policy=run["policy_version"], run=run["run_id"]),
            chapters=(*(chapter(t) for chapter in CHAPTERS), provenance(t, report.sources)),
            words=t.words,
        )
