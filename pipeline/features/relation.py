"""What features measure: relations of rows, or of one row per snapshot, each built once from history's day views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Callable

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
class Relation:
    """A table with `customer_id` and `as_of` that measures are taken of.

    `tables` are the ledger's tables it cannot do without. Rows of a relation with `windows` have a column `within`: the
    shortest window, in months before `as_of`, that holds the row; longer windows hold it too. `has_one_row` says that
    there is one row per snapshot, so that measures of it are plain values, not aggregates.
    """

    name: str
    tables: tuple[str, ...]
    build: Callable[[Sight], ir.Table]
    windows: tuple[int, ...] = ()
    has_one_row: bool = False

    def window(self, rows: ir.Table, months: int | None) -> ir.Table:
        """The rows of the last `months` months; all rows when null."""
        return rows if months is None else rows.filter(rows.within <= months)

    def shortest_window(self, rows: ir.Table, day: ir.Value) -> ir.Value:
        """`within` of rows with the spine's window starts, dated by `day`; null before the longest window."""
        held = [(day > rows[f"since_{months}m"], months) for months in sorted(self.windows)]
        return ibis.cases(*held).cast("int16")
