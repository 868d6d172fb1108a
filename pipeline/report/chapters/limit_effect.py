"""What the suggested limits would change: for customers with a limit today, grade by grade, and who stands above."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.report.words import Words

_AMOUNTS = ("limit_current", "limit_suggested")


def limit_effect(book: pd.DataFrame, words: Words) -> list[Block]:
    """Limits now and as suggested by grade, and the exposure above the suggestion; nothing where nobody has a limit.

    Only customers with both a limit today and a suggestion are counted, so that the sums compare like with like.
    """
    both = book[book["limit_current"].notna() & book["limit_suggested"].notna()]
    if not len(both):
        return []
    grades = both["grade"].where(both["grade"].notna(), "").astype(str)
    rows = [_row(name or words("segment.none"), both[grades == name]) for name in sorted(set(grades), key=_last_empty)]
    rows.append(_row(words("limits.total"), both))
    columns = (
        Column(words("grades.grade")),
        *(
            Column(words(f"limits.effect.{name}"), is_number=True)
            for name in ("customers", "now", "suggested", "change", "share", "raised", "cut")
        ),
    )
    note = words("limits.effect.note", n=figures.count(len(both)), of=figures.count(len(book)))
    table = Table(words("limits.effect.caption"), columns, tuple(rows), (note,), is_fixed=True)
    return [table, Text(_above(book, words))]


def _last_empty(name: str) -> tuple[bool, str]:
    return not name, name


def _row(name: str, part: pd.DataFrame) -> tuple[Cell, ...]:
    now, suggested = (amount(part[column]) for column in _AMOUNTS)
    change = part["limit_suggested"].map(_exact) - part["limit_current"].map(_exact)
    share = float((suggested - now) / now) if now else None
    return (
        Cell(name),
        Cell(figures.count(len(part))),
        Cell(figures.count(now)),
        Cell(figures.count(suggested)),
        Cell(figures.signed(suggested - now, 0)),
        Cell(figures.DASH if share is None else f"{'+' if share > 0 else ''}{figures.share(share, 0)}"),
        Cell(figures.count((change > 0).sum())),
        Cell(figures.count((change < 0).sum())),
    )


def _above(book: pd.DataFrame, words: Words) -> str:
    """Who owes more than the suggestion would let them owe."""
    told = book[book["limit_suggested"].notna() & book["ead"].notna()]
    excess = told["ead"].map(_exact) - told["limit_suggested"].map(_exact)
    is_above = excess > 0
    total = sum(excess[is_above], Decimal(0))
    return words(
        "limits.effect.above",
        n=figures.count(is_above.sum()),
        of=figures.count(len(told)),
        amount=figures.count(total),
    )


def amount(column: pd.Series) -> Decimal:
    """An exact sum: amounts come as Decimal; a float is taken by its shortest text, null adds nothing."""
    return sum((_exact(value) for value in column.dropna()), Decimal(0))


def _exact(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
