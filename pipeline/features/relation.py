"""What features measure: relations of rows, or of one row per snapshot, each built once from history's day views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir

    from pipeline.tables.canonical import Ledger

SNAPSHOT = ("customer_id", "as_of")


@dataclass(frozen=True)
class Sight:
    """All that a relation may see: the ledger through history's day views, and the snapshots of the whole book.

    `snapshots` holds every customer of the ledger on every day asked for, so that what is said of a customer's peers
    does not hang on who else was asked for. `rows` gives a relation, built once.
    """

    ledger: Ledger
    snapshots: ir.Table
    keep: Callable[[ir.Table, str], ir.Table]
    _built: dict[str, ir.Table] = field(default_factory=dict)

    def rows(self, relation: Relation) -> ir.Table:
        """The relation's rows; the second call gives what the first one built."""
        if relation.name not in self._built:
            self._built[relation.name] = relation.build(self)
        return self._built[relation.name]


@dataclass(frozen=True)
class Told:
    """Where a relation's column comes from: its type, and the ledger's columns (`table.column`) it is told from."""

    dtype: str
    sources: tuple[str, ...]


def told(dtype: str, *sources: str) -> Told:
    """A column told from those columns of the ledger."""
    return Told(dtype, sources)


@dataclass(frozen=True)
class Relation:
    """A table with `customer_id` and `as_of` that measures are taken of.

    `tables` are the ledger's tables it cannot do without. Rows of a relation with `windows` have a column `within`: the
    shortest window, in months before `as_of`, that holds the row; longer windows hold it too. `has_one_row` says that
    there is one row per snapshot, so that measures of it are plain values, not aggregates.

    `columns` tells where each column that a measure may touch comes from, and `cut_by` which columns of the ledger
    decide what rows there are. The keys, `customer_id` and `known_on` of every table count always, named or not.
    """

    name: str
    tables: tuple[str, ...]
    build: Callable[[Sight], ir.Table]
    windows: tuple[int, ...] = ()
    has_one_row: bool = False
    columns: Mapping[str, Told] = field(default_factory=dict, compare=False)
    cut_by: tuple[str, ...] = ()

    def window(self, rows: ir.Table, months: int | None) -> ir.Table:
        """The rows of the last `months` months; all rows when null."""
        return rows if months is None else rows.filter(rows.within <= months)

    def shortest_window(self, rows: ir.Table, day: ir.Value) -> ir.Value:
        """`within` of rows with the spine's window starts, dated by `day`; null before the longest window."""
        held = [(day > rows[f"since_{months}m"], months) for months in sorted(self.windows)]
        return ibis.cases(*held).cast("int16")

    def outline(self) -> ir.Table:
        """An empty table with the relation's columns, to see what a measure touches."""
        types = {"customer_id": "string", "as_of": "date"} | {name: told.dtype for name, told in self.columns.items()}
        return ibis.table(types | ({"within": "int16"} if self.windows else {}), name=self.name)

    def sources_of(self, touched: set[str]) -> set[str]:
        """The ledger's columns behind the columns of that name, with those that decide what rows there are."""
        named = (self.columns[name].sources for name in touched if name in self.columns)
        return set(self.cut_by).union(*named)
