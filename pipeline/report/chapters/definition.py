"""What counts as default, in words, from the policy file in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Chapter, Column, Table, Text, cells
from pipeline.report.chapters.label_words import label_words, window_words
from pipeline.report.chapters.target import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def definition(given: ReportInput, words: Words) -> Chapter:
    """The label, the choice of the house with its figures, its readings, and what others do; of a table its target."""
    if given.table is not None:
        return target(given, given.table, words)
    choice: Mapping[str, Any] = given.definition["choice"]
    blocks: list[Block] = [Text(words(f"definition.label_{given.label['kind']}", **_label(given, words)))]
    blocks.append(Bullets(words("definition.choice_title"), _choice(choice, given, words)))
    readings = given.definition.get("readings") or {}
    if readings:
        told = tuple(_filled(words.told(text), choice) for text in readings.values())
        blocks.append(Bullets(words("definition.readings_title"), told))
    sources = given.definition.get("sources") or []
    if sources:
        columns = (Column(words("definition.source")), Column(words("definition.says")))
        rows = tuple(cells(str(s["name"]), words.told(s["says"])) for s in sources)
        blocks.append(Table(words("definition.sources_caption"), columns, rows))
    version = figures.day(given.definition.get("version"))
    lead = words("definition.lead", version=version, valid_from=figures.day(given.definition.get("valid_from")))
    return Chapter("definition", words("definition.title"), tuple(blocks), lead)


def _filled(reading: str, choice: Mapping[str, Any]) -> str:
    """A reading with the figure in place of the name of the key it stands under."""
    days = choice["days"]
    return reading.replace("`days`天", f"{days}天").replace("`days`", f"{days} days").replace("`", "")


def _label(given: ReportInput, words: Words) -> dict[str, str]:
    return {
        "label": label_words(given.label, words),
        "days": str(given.label.get("days")),
        "window": window_words(given.label, words),
    }


def _choice(choice: Mapping[str, Any], given: ReportInput, words: Words) -> tuple[str, ...]:
    currency = given.base_currency
    events = figures.listed(words.or_name("event", kind) for kind in choice.get("insolvency_events") or ())
    amounts = (choice.get("absolute") or {}).get(currency) or {}
    told = [
        words(
            "definition.past_due",
            days=choice["days"],
            company=figures.count(amounts.get("company")),
            person=figures.count(amounts.get("natural_person")),
            currency=currency,
            share=figures.share(choice["relative_basis_points"] / 10_000),
        ),
        words("definition.insolvency", kinds=events),
        words("definition.write_off", amount=figures.count(choice.get("write_off_above")), currency=currency),
        words("definition.dispute"),
        words("definition.probation", days=choice.get("probation_days")),
    ]
    return tuple(told)
