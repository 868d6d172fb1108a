"""What the models predict where the rows are a table of one's own: its target, source, exclusions and special codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Facts, Table, Text
from pipeline.report.chapters.label_words import has_window, label_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_NAMED = ("entity", "group", "date")


def target(given: ReportInput, table: Mapping[str, Any], words: Words) -> Chapter:
    """The target in words, where the table is from, what was left out of it, and what stands in place of numbers."""
    blocks: list[Block] = [Text(figures.sentences(*_target(given, table, words))), _facts(table, words)]
    excluded = tuple((Cell(name or '""'), Cell(str(reason))) for name, reason in table["excluded"].items())
    if excluded:
        columns = (Column(words("definition.excluded_column")), Column(words("definition.excluded_reason")))
        blocks.append(Table(words("definition.excluded_caption"), columns, excluded))
    blocks += _special(given, words)
    if table["remarks"]:
        blocks.append(Bullets(words("definition.remarks"), tuple(words.told(remark) for remark in table["remarks"])))
    lead = words("definition.target_lead", name=table["name"])
    return Chapter("definition", words("definition.title"), tuple(blocks), lead)


def _target(given: ReportInput, table: Mapping[str, Any], words: Words) -> list[str]:
    told = table["target"]
    values = {name: figures.listed(told[name]) for name in ("bad", "good", "indeterminate")}
    label = label_words(given.label, words)
    found = [
        words("definition.label_target", label=label, column=told["column"], bad=values["bad"], good=values["good"])
    ]
    if values["indeterminate"]:
        found.append(words("definition.target_indeterminate", values=values["indeterminate"]))
    if told["rule"] == "last_row_of_entity":
        found.append(words("definition.target_last_row"))
    if not has_window(given.label):
        found.append(words("definition.no_window"))
    return found


def _facts(table: Mapping[str, Any], words: Words) -> Facts:
    named = table["identified_by"]
    pairs = {
        **{name: str(table[name]) for name in ("name", "source", "licence")},
        "key": figures.listed(named["key"]) or words("definition.no_key"),
        **{name: named[name] or words("definition.none") for name in _NAMED},
    }
    return Facts(tuple((words(f"definition.facts.{name}"), value) for name, value in pairs.items()))


def _special(given: ReportInput, words: Words) -> list[Block]:
    rows = tuple(
        (
            Cell(given.titles.get(str(f["name"]), str(f["name"])), note=str(f["name"])),
            Cell(f"{special['code']:g}"),
            Cell(str(special.get(words.language) or special["en"])),
        )
        for f in given.catalogue
        for special in f.get("special") or ()
    )
    if not rows:
        return []
    columns = (
        Column(words("definition.special_feature")),
        Column(words("definition.special_code"), is_number=True),
        Column(words("definition.special_meaning")),
    )
    return [Table(words("definition.special_caption"), columns, rows, (words("definition.special_note"),))]
