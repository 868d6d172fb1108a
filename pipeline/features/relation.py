"""What features measure: relations of rows, or of one row per snapshot, each built once from history's day views."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir
    from ibis.common.deferred import Deferred

    from pipeline.features.sight import Sight

SNAPSHOT = ("customer_id", "as_of")


class Kept(Enum):
    """Whether a relation's rows are stored once they are built; what a builder stores itself needs none of it.

    Shared is read more than once; often is more than twice: rows of one plain join are told twice sooner than stored.
    """

    NEVER = "never"
    WHEN_SHARED = "when shared"
    WHEN_OFTEN = "when often"
    ALWAYS = "always"


@dataclass(frozen=True)
class Told:
    """Where a relation's column comes from: its type, and the ledger's columns (`table.column`) it is told from."""

    dtype: str
    sources: tuple[str, ...]


def told(dtype: str, *sources: str) -> Told:
    """A column told from those columns of the ledger."""
    return Told(dtype, sources)


@dataclass(frozen=True)
class Read:
    """What a relation reads of another one.

    `columns` are those it needs whatever is asked of it; `passed_on` those that it only hands on under the same name.
    One that hands on alone is built only where one of those is asked for. `months` is the window it reads; null: as
    far back as it reaches itself, all there is where it has no windows. `days_before` asks for rows on the days so many
    months before the snapshots too. `often`: the builder goes over the rows more than once.
    """

    relation: Relation
    months: int | None = None
    columns: tuple[str, ...] = ()
    passed_on: tuple[str, ...] = ()
    days_before: tuple[int, ...] = ()
    often: bool = False

    def needed(self, asked: frozenset[str]) -> frozenset[str] | None:
        """The columns to read where those columns are asked of the reader; null where there is nothing to read."""
        handed_on = asked.intersection(self.passed_on)
        return handed_on.union(self.columns) if handed_on or self.columns or not self.passed_on else None


@dataclass(frozen=True)
class Totals:
    """Aggregates of another relation's rows of a window (null: it has none), by name, one row per snapshot.

    Where features measure the same rows, one pass over them computes both.
    """

    of: Relation
    months: int | None
    values: Mapping[str, Deferred] = field(compare=False)


@dataclass(frozen=True)
class Relation:
    """A table with `customer_id` and `as_of` that measures are taken of.

    `tables` are the ledger's tables it cannot do without. Rows of a relation with `windows` have a column `within`: the
    shortest window, in months before `as_of`, that holds the row; longer windows hold it too. `has_one_row` says that
    there is one row per snapshot, so that measures of it are plain values, not aggregates.

    `columns` tells where each column that a measure may touch comes from, and `cut_by` which columns of the ledger
    decide what rows there are. The keys, `customer_id` and `known_on` of every table count always, named or not.

    `reads` are the relations that `build` may read, `looks_at_others` says that it tells of a customer by others.
    `totals` are what `build` takes from `Sight.totals`, null where it builds otherwise.
    """

    name: str
    tables: tuple[str, ...]
    build: Callable[[Sight], ir.Table] = field(compare=False)
    windows: tuple[int, ...] = ()
    has_one_row: bool = False
    columns: Mapping[str, Told] = field(default_factory=dict, compare=False)
    cut_by: tuple[str, ...] = ()
    reads: tuple[Read, ...] = field(default=(), compare=False)
    kept: Kept = Kept.NEVER
    looks_at_others: bool = False
    totals: Totals | None = field(default=None, compare=False)

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
