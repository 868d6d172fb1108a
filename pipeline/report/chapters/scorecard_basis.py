"""Cards whose points are not simply those of the fit: set by people, or rounded to whole numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Cell, Column, Table
from pipeline.report.chapters.bin_words import bin_name
from pipeline.report.chapters.scorecard_scale import points_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words
    from pipeline.score.scorecard import Scorecard


def expert_points(card: Scorecard, given: ReportInput, words: Words) -> Table:
    """Every bin with the points people gave it and who stood in it; no rate and no weight of evidence, for no outcome
    entered."""
    reasons = {str(f["feature"]): str(f["reason"]) for f in given.details["scorecard"].get("selection") or ()}
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for c in card.characteristics:
        title = given.titles.get(c.feature, c.feature)
        heading = words("scorecard.expert_group", title=title, reason=reasons.get(c.feature, ""))
        groups.append((len(rows), heading))
        total = sum(b.count for b in c.bins) or 1
        rows.extend(
            (
                Cell(bin_name(b, words)),
                Cell(figures.count(b.count)),
                Cell(figures.share(b.count / total)),
                Cell(figures.decimal(b.points, points_digits(card))),
            )
            for b in c.bins
        )
    names = ("count", "weight", "points")
    columns = (Column(words("scorecard.bin")), *(Column(words(f"scorecard.{n}"), is_number=True) for n in names))
    notes = (words("scorecard.expert_note"),)
    return Table(words("scorecard.points_caption"), columns, tuple(rows), notes, tuple(groups))


def rounding_loss(told: Mapping[str, Any], words: Words) -> Table:
    """Gini and log loss of the whole points beside those of the points before, on the customers of the test, and their
    difference with its interval."""
    rows = []
    for name in ("exact", "whole"):
        found = told.get(name) or {}
        cells = (words(f"scorecard.rounding_{name}"), _digits(found.get("gini"), 4), _digits(found.get("log_loss"), 6))
        rows.append(tuple(Cell(text) for text in cells))
    apart = told.get("difference") or {}
    gini, loss = (
        figures.measured(apart.get(name), partial(figures.signed, digits=digits))
        for name, digits in (("gini", 4), ("log_loss", 6))
    )
    rows.append((Cell(words("scorecard.rounding_difference")), *(Cell(f.value, note=f.interval) for f in (gini, loss))))
    columns = (
        Column(words("scorecard.rounding_points")),
        Column(words("scorecard.rounding_gini"), is_number=True),
        Column(words("scorecard.rounding_log_loss"), is_number=True),
    )
    note = words(
        "scorecard.rounding_note",
        rows=figures.count(told.get("rows")),
        change=_digits(told.get("largest_pd_change"), 4),
        level=figures.share(told.get("confidence"), 0),
    )
    return Table(words("scorecard.rounding_caption"), columns, tuple(rows), (note,))


def _digits(value: Any, digits: int) -> str:
    return figures.decimal(value, digits)
