"""The card of the thin pool: every bin with its points and what a reason in it costs, and how the card was fitted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Cell, Column, Table
from pipeline.report.chapters.bin_words import bin_name
from pipeline.report.chapters.bins import over_time
from pipeline.report.chapters.selection import fates_table, p_value
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.blocks import Block
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words
    from pipeline.score.scorecard import Bin, Characteristic


def thin_card(given: ReportInput, fitted: Mapping[str, Any], words: Words) -> list[Block]:
    """The points, then the fate of every feature, the coefficients and the bins over time; nothing where the pool has
    no card. `fitted` is what fitting told of the thin file; one of an earlier version tells less.
    """
    if given.thin_card is None:
        return []
    blocks: list[Block] = [_points(given, given.thin_card, fitted, words)]
    if fitted.get("selection"):
        blocks.append(fates_table(fitted, given, words, words("parts.fates_caption")))
    if fitted.get("coefficients"):
        blocks.append(_coefficients(fitted["coefficients"], given, words))
    if fitted.get("bin_stability"):
        blocks += over_time(fitted, given, words, words("parts.time_caption"))
    return blocks


def _coefficients(told: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> Table:
    rows = tuple(
        (
            Cell(given.titles.get(found["feature"], found["feature"]), note=found["feature"]),
            Cell(figures.decimal(found["coefficient"], 3)),
            Cell(figures.decimal(found["unpenalised"], 3)),
            Cell(figures.decimal(found["standard_error"], 3)),
            Cell(p_value(found["p_value"])),
        )
        for found in told
    )
    columns = (
        Column(words("scorecard.characteristic")),
        Column(words("scorecard.coefficient"), is_number=True),
        Column(words("parts.unpenalised"), is_number=True),
        Column(words("parts.standard_error"), is_number=True),
        Column(words("selection.p_value"), is_number=True),
    )
    return Table(words("parts.coefficients_caption"), columns, rows, (words("parts.coefficients_note"),))


def _points(given: ReportInput, told: Mapping[str, Any], fitted: Mapping[str, Any], words: Words) -> Table:
    """Its characteristics in the order in which points are added."""
    card = Scorecard.from_json(json.dumps(told))
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    rates = {(r["feature"], r["bin"]): r for r in fitted.get("bin_rates") or ()}
    for c in card.characteristics:
        mean = figures.decimal(c.mean_points, 4)
        groups.append((len(rows), words("parts.points_group", title=given.titles.get(c.feature, c.feature), mean=mean)))
        rows.extend(_bin_row(b, c, rates.get((c.feature, b.label)) or {}, words) for b in c.bins)
    columns = (
        Column(words("scorecard.bin")),
        *(Column(words(f"scorecard.{name}"), is_number=True) for name in ("count", "bads", "rate", "points")),
        Column(words("parts.against_mean"), is_number=True),
    )
    note = words(
        "parts.points_note",
        start=figures.decimal(card.intercept_points, 4),
        score=f"{card.base_score:g}",
        odds=f"{card.base_odds:g}",
        pdo=f"{card.pdo:g}",
    )
    notes = [note]
    if rates:
        notes.append(words("parts.points_rate_note", level=figures.share(fitted["bin_confidence"], 0)))
    return Table(words("parts.points_caption"), columns, tuple(rows), tuple(notes), tuple(groups))


def _bin_row(b: Bin, of: Characteristic, ends: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    rate = figures.measured({**ends, "value": b.bads / b.count if b.count else None}, figures.share)
    return (
        Cell(bin_name(b, words)),
        Cell(figures.count(b.count)),
        Cell(figures.count(b.bads)),
        Cell(rate.value, note=rate.interval),
        Cell(figures.decimal(b.points, 4)),
        Cell(figures.decimal(b.points - of.mean_points, 0)),
    )
