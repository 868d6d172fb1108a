"""Whether segments of customers have a level of their own, and which."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table, Text
from pipeline.report.chapters.measured import model_name, models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_COLUMNS = ("rows", "bads", "bad_groups", "own_odds", "weight", "odds_in_force")


def segment_levels(given: ReportInput, words: Words) -> list[Block]:
    """One table a model that divides its customers, or a sentence on why it does not; nothing for a model that tells
    of no segments."""
    blocks: list[Block] = []
    for name, told in models(given):
        segments = ((given.details.get(told["kind"]) or {}).get("calibration") or {}).get("segments")
        if segments:
            blocks.append(_told(model_name(name, given, words), segments, given, words))
    return blocks


def _told(model: str, segments: Mapping[str, Any], given: ReportInput, words: Words) -> Block:
    if segments["feature"] is None or not segments["levels"]:
        return Text(words("segments.none", model=model, why=words.told(segments["reason"])))
    title = given.titles.get(segments["feature"], segments["feature"])
    rows = tuple(_row(str(segments["feature"]), level, words) for level in segments["levels"])
    columns = (
        Column(title),
        *(Column(words(f"segments.{name}"), is_number=True) for name in _COLUMNS),
    )
    caption = words("segments.caption", model=model, title=title)
    notes = (words("segments.reason", why=words.told(segments["reason"])), words("segments.note"))
    return Table(caption, columns, rows, notes)


def _row(feature: str, level: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    own, weight = level["own"], level["weight"]
    in_force = figures.decimal(math.exp(-own * weight)) if weight is not None else words("segments.whole")
    return (
        Cell(words.or_same(feature, str(level["segment"]))),
        Cell(figures.count(level["rows"])),
        Cell(figures.count(level["bads"])),
        Cell(figures.count(level["bad_customers"])),
        Cell(figures.decimal(None if own is None else math.exp(-own))),
        Cell(figures.decimal(weight)),
        Cell(in_force),
    )
