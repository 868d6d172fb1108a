"""How each alert rule has done on history, as a page of its own: the same table that the portfolio report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Bullets, Chapter
from pipeline.report.document import Document
from pipeline.report.page import html_page
from pipeline.report.portfolio.measured_rules import measured_rules
from pipeline.report.portfolio.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Mapping


def render(told: Mapping[str, Any], language: str) -> str:
    """The whole page from the figures of warnings.json. Raises ParameterError when the language has no words."""
    t = Teller({"run": {"base_currency": told["base_currency"]}}, language)
    with figures.written_in(language):
        chapter = Chapter(
            "measured",
            t.say("measured.title"),
            tuple(measured_rules(t, told)),
            t.say("measured.lead", first=t.day(told["first"]), last=t.day(told["last"])),
        )
        title = t.say("measured.how.title")
        how = Chapter("how", title, (Bullets(title, _how(t, told)),))
        document = Document(
            kind=t.say("measured.kind"),
            title=t.say("measured.headline", last=t.day(told["last"])),
            subtitle=t.say("measured.subtitle", policy=told["policy_version"], data=told["data_version"][:12]),
            chapters=(chapter, how),
            words=t.words,
        )
        return html_page(document)


def _how(t: Teller, told: Mapping[str, Any]) -> tuple[str, ...]:
    keys = ("known", "precision", "base", "recall", "reach", "lead", "load", "interval", "replay")
    values = {
        "months": told["months"], "fewest": told["fewest"], "until": t.day(told["until"]),
        "refits": figures.count(len(told["refits"])), "hypothetical": figures.count(told["hypothetical"]),
        "month_ends": figures.count(told["month_ends"]), "confidence": figures.share(told["confidence"], 0),
        "days": told["look_back"]["days"],
    }  # fmt: skip
    notes = tuple(t.words.told(note) for note in told["notes"])
    said, *others = (t.say(f"measured.how.{key}", **values) for key in keys)
    return (said, *(_refit(t, one) for one in told["refits"]), *others, *notes)


def _refit(t: Teller, one: Mapping[str, Any]) -> str:
    days = {name: t.day(one[name]) for name in ("fitted_on", "first_date", "last_date")}
    return t.say("measured.how.refit", **days)
