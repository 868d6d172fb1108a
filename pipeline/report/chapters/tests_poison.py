"""Future poison table by table: what was poured in, who reads it, and that it would have been noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.words import Words

_COUNTS = ("columns", "changed", "noticed")


def poison(results: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    """One row a table of the ledger; nothing where none was poisoned."""
    told = [one for one in results if one["details"]]
    if not told:
        return []
    one = told[0]
    rows = tuple(_row(row, words) for row in one["details"])
    heads = ("poison_added", *(f"poison_{name}" for name in _COUNTS))
    columns = (Column(words("tests.source_head")), *(Column(words(f"tests.{head}"), is_number=True) for head in heads))
    note = words(
        "tests.poison_note",
        customers=figures.count(one["customers"]),
        snapshots=figures.count(one["rows"]),
        noticed=figures.count(one["shown"]),
        columns=figures.count(one["against"]),
    )
    return [Table(words("tests.poison_caption"), columns, rows, (note,), is_fixed=True)]


def _row(row: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    added = Cell(figures.count(row["added"]), note=words("tests.rows", rows=figures.count(row["rows"])))
    if not row["columns"]:
        return (_name(row, words), added, Cell(words("tests.poison_unread")), Cell(figures.DASH), Cell(figures.DASH))
    return (_name(row, words), added, *(Cell(figures.count(row[name])) for name in _COUNTS))


def _name(row: Mapping[str, Any], words: Words) -> Cell:
    return Cell(words.or_same("tests.source", row["table"]))
