"""The model report: one self-contained HTML page, the same bytes for the same input."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from pipeline.report.chapters.bins import bins
from pipeline.report.chapters.booster import booster
from pipeline.report.chapters.calibration import calibration
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
from pipeline.report.chapters.verdict import verdict
from pipeline.report.report_input import ReportInput, WorkedCustomer
from pipeline.report.standing import standing
from pipeline.report.words import words_in

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["ReportInput", "WorkedCustomer", "render"]

CHAPTERS = (
    verdict,
    population,
    definition,
    default_rates,
    timetable,
    leaks,
    discrimination,
    calibration,
    parts,
    scorecard,
    selection,
    bins,
    booster,
    grades,
    limits,
    reproduction,
)


def render(report_input: ReportInput) -> str:
    """The whole page. Raises ParameterError when the language has no words."""
    words = words_in(report_input.language, *report_input.other_words)
    template = _environment().get_template("model_report.html.j2")
    label = label_words(report_input.label, words)
    page = template.render(
        words=words,
        css=_stylesheet(),
        title=words("page.title", label=label),
        subtitle=words(
            "page.subtitle",
            extract=report_input.provenance.get("extract_date", "–"),
            table=(report_input.table or {}).get("name", ""),
            standing=standing(report_input, words),
        ),
        chapters=[chapter(report_input, words) for chapter in CHAPTERS],
    )
    return re.sub(r"\n\s*\n+", "\n", page).strip() + "\n"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _stylesheet() -> object:
    from markupsafe import Markup

    source = resources.files("pipeline.report") / "templates" / "report.css"
    return Markup(source.read_text(encoding="utf-8"))
