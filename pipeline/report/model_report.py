"""The model report: its chapters in the order of reading, the same bytes for the same input."""

from __future__ import annotations

from pipeline.report import figures
from pipeline.report.chapters.benchmark import benchmark
from pipeline.report.chapters.bins import bins
from pipeline.report.chapters.booster import booster
from pipeline.report.chapters.calibration import calibration
from pipeline.report.chapters.changes import changes
from pipeline.report.chapters.definition import definition
from pipeline.report.chapters.discrimination import discrimination
from pipeline.report.chapters.grades import grades
from pipeline.report.chapters.label_words import label_words
from pipeline.report.chapters.leaks import leaks
from pipeline.report.chapters.limits import limits
from pipeline.report.chapters.over_time import default_rates, timetable
from pipeline.report.chapters.parts import parts
from pipeline.report.chapters.population import population
from pipeline.report.chapters.reproduction import reproduction
from pipeline.report.chapters.scorecard import scorecard
from pipeline.report.chapters.selection import selection
from pipeline.report.chapters.sign_off import sign_off
from pipeline.report.chapters.tests import tests
from pipeline.report.chapters.verdict import verdict
from pipeline.report.document import Document
from pipeline.report.page import html_page
from pipeline.report.report_input import ReportInput, WorkedCustomer
from pipeline.report.standing import standing
from pipeline.report.words import words_in

__all__ = ["ReportInput", "WorkedCustomer", "model_report", "render"]

CHAPTERS = (
    verdict,
    changes,
    population,
    definition,
    default_rates,
    timetable,
    leaks,
    tests,
    discrimination,
    calibration,
    benchmark,
    parts,
    scorecard,
    selection,
    bins,
    booster,
    grades,
    limits,
    reproduction,
    sign_off,
)


def render(report_input: ReportInput) -> str:
    """The whole page. Raises ParameterError when the language has no words."""
    return html_page(model_report(report_input))


def model_report(report_input: ReportInput) -> Document:
    """Every chapter in the language asked for. Raises ParameterError when the language has no words."""
    words = words_in(report_input.language, *report_input.other_words)
    with figures.written_in(words.language):
        subtitle = words(
            "page.subtitle",
            extract=figures.day(report_input.provenance.get("extract_date")),
            table=(report_input.table or {}).get("name", ""),
            standing=standing(report_input, words),
        )
        return Document(
            kind=words("page.kind"),
            title=words("page.title", label=label_words(report_input.label, words)),
            subtitle=subtitle,
            chapters=tuple(chapter(report_input, words) for chapter in CHAPTERS),
            words=words,
        )
