"""A table's contract: one object that describes, checks and generates the columns of one ledger table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.tables.revisions import REVISION_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(StrEnum):
    """What a column holds; `arrow` gives the canonical type."""

    ID = "id"
    DATE = "date"
    MONEY = "money"
    SHARE = "share"
    NUMBER = "number"
    TEXT = "text"
    BOOL = "bool"
    INT = "int"

    @property
    def arrow(self) -> pa.DataType:
        """The canonical Arrow type: ids and texts are strings, money DECIMAL(18,2), shares and numbers doubles."""
        return _ARROW[self]


_ARROW: dict[Kind, pa.DataType] = {
    Kind.ID: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.MONEY: pa.decimal128(18, 2),
    Kind.SHARE: pa.float64(),
    Kind.NUMBER: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.BOOL: pa.bool_(),
    Kind.INT: pa.int64(),
}


class DateRange(StrEnum):
    """Where a date may lie: events between 1970 and the extract date; births earlier; due and validity dates later."""

    EVENT = "event"
    BIRTH = "birth"
    FUTURE = "future"


@dataclass(frozen=True)
class Column:
    """One column. `is_null_allowed` also allows the column to be missing, unless `must_be_there`; `is_revealed` marks a
    fact that may lie after `known_on` and reads as null before it happens (with the columns in `reveals`)."""

    name: str
    kind: Kind
    meaning: str
    is_null_allowed: bool = False
    values: tuple[str, ...] = ()
    references: str | None = None
    date_range: DateRange = DateRange.EVENT
    is_revealed: bool = False
    reveals: tuple[str, ...] = ()
    zero_is_allowed: bool = True
    negative_is_allowed: bool = True
    must_be_there: bool = False


@dataclass(frozen=True)
class Table:
    """One ledger table. `key` is unique together with `known_on`; `event_on` is the column that dates the event.

    `max_bad_share` is the share of quarantined rows above which a run stops before anything is written.
    `currency_column` names the column that holds the currency of its money; `absence_costs` tells what is lost
    without the table. `derived` are the canonical columns that intake adds.
    """

    name: str
    grain: str
    is_needed: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    event_on: str | None = None
    absence_costs: str = ""
    currency_column: str | None = None
    max_bad_share: float = 0.01
    derived: tuple[Column, ...] = field(default=())

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError when the contract has none."""
        for column in (*self.columns, *self.derived):
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def may_be_missing(self, column: Column) -> bool:
        """Whether a source may do without the column; never a column of the key."""
        return column.is_null_allowed and not column.must_be_there and column.name not in self.key

    @property
    def source_schema(self) -> pa.Schema:
        """The columns a supplier hands in, in canonical types."""
        return pa.schema([pa.field(c.name, c.kind.arrow) for c in self.columns])

    @property
    def canonical_schema(self) -> pa.Schema:
        """The columns intake writes: those handed in, then the derived ones."""
        return pa.schema([pa.field(c.name, c.kind.arrow) for c in (*self.columns, *self.derived)])

    @property
    def stored_schema(self) -> pa.Schema:
        """The canonical columns and what intake tells of each row's revision, as an engine sees them."""
        return pa.schema([*self.canonical_schema, *REVISION_SCHEMA])

    def empty(self) -> pa.Table:
        """The canonical table without a row."""
        return self.canonical_schema.empty_table()
