"""Both models in each part of the book: by depth of data, industry and size, and the card of the thin pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Facts, Missing, Table, Text
from pipeline.report.chapters.measured import model_name, models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

THIN = "thin_file"


def parts(given: ReportInput, words: Words) -> Chapter:
    """One table a division, then how the thin pool is rated."""
    blocks: list[Block] = [Text(words("parts.how"))]
    told: Mapping[str, Any] = given.validation.get("parts") or {}
    if not told:
        blocks.append(Missing(words("parts.none")))
    blocks += [_table(division, found, given, words) for division, found in told.items()]
    blocks += _thin(given, words)
    return Chapter("parts", words("parts.title"), tuple(blocks), words("parts.lead"))


def _table(division: str, found: Mapping[str, Any], given: ReportInput, words: Words) -> Table:
    scorers = [*((name, model_name(name, given, words)) for name, _ in models(given))]
    if any(THIN in part["models"] for part in found.values()) and division == "data_depth":
        scorers.append((THIN, words("parts.thin_card")))
    columns = (
        Column(words(f"parts.{division}")),
        Column(words("parts.rows"), is_number=True),
        Column(words("parts.bad_groups"), is_number=True),
        *(Column(words("parts.gini_of", model=title), is_number=True) for _, title in scorers),
        *(Column(words("parts.ratio_of", model=title), is_number=True) for _, title in scorers),
    )
    rows = tuple(
        (
            Cell(words.or_name("depth", part) if division == "data_depth" else part),
            Cell(figures.count(measured["rows"])),
            Cell(figures.count(measured["bad_customers"])),
            *(_gini(measured["models"][name]["gini"], words) for name, _ in scorers),
            *(Cell(figures.decimal(measured["models"][name]["observed_over_expected"])) for name, _ in scorers),
        )
        for part, measured in found.items()
    )
    note = words("parts.note", level=figures.share(given.confidence, 0))
    return Table(words("parts.caption", division=words(f"parts.{division}")), columns, rows, (note,))


def _gini(raw: Mapping[str, Any] | None, words: Words) -> Cell:
    told = figures.measured(raw)
    return Cell(told.value, note=told.interval or words("parts.too_few"))


def _thin(given: ReportInput, words: Words) -> list[Block]:
    """What the thin file of the champion's kind rests on; nothing where nobody is thin."""
    for _, told in models(given):
        thin = (given.details.get(told["kind"]) or {}).get("thin_file")
        if thin:
            break
    else:
        return []
    features = ", ".join(given.titles.get(name, name) for name in thin["features"])
    pairs = (
        (words("parts.pool"), words("parts.pool_of", **{k: figures.count(v) for k, v in _counts(thin).items()})),
        (words("parts.pool_pd"), figures.probability(thin["pd"])),
        (words("parts.bound"), figures.share(thin["confidence"], 0)),
        (words("parts.card"), features or words("parts.no_card", why=thin["why_no_card"])),
        (words("parts.gini_in_pool"), figures.decimal(thin["gini_in_pool"])),
    )
    return [Facts(pairs)]


def _counts(thin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: thin["pool"][name] for name in ("rows", "customers", "bad_customers")}
