"""What the leak detector found in the training table, and what a person took on themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Missing, Table, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

VERDICTS = ("refuse", "warn", "accepted")


def leaks(given: ReportInput, words: Words) -> Chapter:
    """Findings with their evidence, the strongest single columns, and what could not be judged."""
    title = words("leaks.title")
    found: Mapping[str, Any] | None = next((d["leaks"] for d in given.details.values() if d.get("leaks")), None)
    if found is None:
        return Chapter("leaks", title, (Missing(words("leaks.none")),))
    blocks: list[Block] = [Text(words("leaks.looked", columns=figures.count(found["columns"])))]
    blocks.append(_findings(found["findings"], given, words) if found["findings"] else Text(words("leaks.clean")))
    blocks.append(Text(words("leaks.cannot")))
    if found["strongest"]:
        blocks.append(_strongest(found["strongest"], given, words))
    unjudged = tuple(
        words("leaks.not_judged", check=words.or_name("leak_check", check), why=words.told(why))
        for check, why in found["unjudged"].items()
    )
    if unjudged:
        blocks.append(Bullets(words("leaks.unjudged"), unjudged))
    idle = tuple(words("leaks.idle_entry", name=name) for name in found["idle"])
    if idle:
        blocks.append(Bullets(words("leaks.idle"), idle))
    return Chapter("leaks", title, tuple(blocks), words("leaks.lead", **_counts(found["findings"])))


def _counts(findings: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {verdict: sum(1 for finding in findings if finding["verdict"] == verdict) for verdict in VERDICTS}


def _findings(findings: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> Table:
    columns = tuple(Column(words(f"leaks.{name}")) for name in ("check", "column", "told", "verdict"))
    rows = tuple(_finding(finding, given, words) for finding in findings)
    return Table(words("leaks.caption"), columns, rows, (words("leaks.note"),))


def _finding(finding: Mapping[str, Any], given: ReportInput, words: Words) -> tuple[Cell, ...]:
    name = finding["column"]
    examples = figures.in_turn(str(key) for key in finding["examples"])
    note = words("leaks.example", examples=examples) if examples else ""
    answer = str(finding["accepted"] or words.told(finding["remedy"]))
    return (
        Cell(words.or_name("leak_check", finding["check"])),
        Cell(words("leaks.whole")) if name is None else Cell(given.titles.get(name, name), note=name),
        Cell(words.told(finding["told"]), note=note),
        Cell(words.or_name("leak_verdict", finding["verdict"]), note=answer),
    )


def _strongest(powers: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> Table:
    columns = (
        Column(words("leaks.column")),
        Column(words("leaks.overall"), is_number=True),
        Column(words("leaks.where_filled"), is_number=True),
        Column(words("leaks.fill"), is_number=True),
    )
    rows = tuple(
        (
            Cell(given.titles.get(p["column"], p["column"]), note=p["column"]),
            _auc(p["overall"]),
            _auc(p["where_filled"]),
            Cell(figures.share(p["fill"], 0)),
        )
        for p in powers
    )
    return Table(words("leaks.strongest_caption"), columns, rows, (words("leaks.strongest_note"),))


def _auc(raw: Mapping[str, Any] | None) -> Cell:
    told = figures.measured(raw)
    return Cell(told.value, note=told.interval)
