"""What a chapter is made of: text, tables, charts, pictures and lists, with no mark-up in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True)
class Cell:
    """One cell: text, a smaller note under it, and a bar of `bar` (0 to 1) of the cell's width behind it."""

    text: str
    note: str = ""
    bar: float | None = None


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers stand to the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """The first cell of each row heads the row; `groups` are (first row, heading) pairs that part the rows.

    A reader may sort it, within its groups; `is_fixed` where the order of the rows says something or the last is a sum.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    groups: tuple[tuple[int, str], ...] = ()
    is_fixed: bool = False

    @property
    def sorts(self) -> bool:
        """Worth sorting: more than three rows in an order that may change."""
        return not self.is_fixed and len(self.rows) > 3

    def group_at(self, row: int) -> str:
        """The heading that stands before a row; empty for none."""
        return dict(self.groups).get(row, "")


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Missing:
    """Something that could not be told, and why."""

    kind: ClassVar[str] = "missing"
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading inside a chapter."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Bullets:
    """A list with a heading."""

    kind: ClassVar[str] = "bullets"
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Commands:
    """Lines to type."""

    kind: ClassVar[str] = "commands"
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """A drawing in two widths. `name` is unique in the report; the drawings carry their own description in words."""

    kind: ClassVar[str] = "chart"
    name: str
    title: str
    caption: str
    wide: str
    narrow: str


@dataclass(frozen=True)
class Picture:
    """A PNG as a data URI, with its size in pixels; small ones stand side by side."""

    kind: ClassVar[str] = "picture"
    title: str
    alt: str
    source: str
    width: int
    height: int
    is_small: bool = False


@dataclass(frozen=True)
class Tile:
    """One of the figures of the first page."""

    label: str
    value: str
    interval: str
    note: str


@dataclass(frozen=True)
class Tiles:
    """The figures of the first page."""

    kind: ClassVar[str] = "tiles"
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Signatures:
    """Lines to sign by hand: who signs what, and the fields to fill in (name, signature, day)."""

    kind: ClassVar[str] = "signatures"
    lines: tuple[str, ...]
    fields: tuple[str, ...]


Block: TypeAlias = Table | Text | Missing | Heading | Bullets | Facts | Commands | Chart | Picture | Tiles | Signatures


@dataclass(frozen=True)
class Chapter:
    """A chapter with its anchor."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    lead: str = ""


def cells(*texts: str) -> tuple[Cell, ...]:
    """A row of plain texts."""
    return tuple(Cell(text) for text in texts)
