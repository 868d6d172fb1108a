"""What a relation may see: the ledger through history's day views, and the relations that it says it reads."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.features.demand import Asked, reach
from pipeline.features.relation import SNAPSHOT, Kept, Read, Relation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import ibis.expr.types as ir
    from ibis.common.deferred import Deferred

    from pipeline.tables.canonical import Ledger

    Pass = tuple[Relation, int | None]
    Measures = Callable[[ir.Table], dict[str, ir.Value]]

_USES_UNSTORED = {Kept.ALWAYS: 0, Kept.WHEN_SHARED: 1, Kept.WHEN_OFTEN: 2, Kept.NEVER: math.inf}
"""Up to so many uses a relation is told anew at each."""


@dataclass(frozen=True)
class Sight:
    """All that a relation may see, and what is asked of it.

    `snapshots` are those asked for; every customer of the ledger on every day asked for where anything tells of a
    customer by others, so that this does not hang on who else was asked for. `rows` gives a relation, built once, to
    those who say that they read it. `measures` are the aggregates that features take of a relation's rows of a window.
    """

    ledger: Ledger
    snapshots: ir.Table
    keep: Callable[[ir.Table, str], ir.Table]
    asked_of: Mapping[Relation, Asked]
    measures: Mapping[Pass, Measures] = field(default_factory=dict)
    reader: Relation | None = None
    _built: dict[Relation, ir.Table] = field(default_factory=dict)
    _passes: dict[Pass, ir.Table] = field(default_factory=dict)

    @property
    def asked(self) -> Asked:
        """What is asked of the relation that is being built."""
        if self.reader is None:
            raise LookupError("no relation is being built: ask for one with rows()")
        return self.asked_of[self.reader]

    def chosen(self, values: Mapping[str, Deferred]) -> dict[str, Deferred]:
        """Those of the values whose names are asked for as columns of the relation that is being built."""
        return {name: value for name, value in values.items() if name in self.asked.columns}

    def rows(self, relation: Relation, months: int | None = None) -> ir.Table:
        """The relation's rows, of the window that the reader says it reads; `months` where features are measured.

        Raises LookupError when the relation that is being built does not say that it reads this one.
        """
        if self.reader is not None:
            months = self._read(relation).months or self.asked.months or None
        rows = self._whole(relation)
        window = reach(relation, months)
        return rows if window >= self.asked_of[relation].months else relation.window(rows, window)

    def measured(self, relation: Relation, months: int | None) -> ir.Table:
        """The measures of a window, one row per snapshot with a row in it, beside the totals asked of the same rows."""
        asked_for = (relation, months)
        if asked_for not in self._passes:
            rows = dataclasses.replace(self, reader=None).rows(relation, months)
            values = {**self.measures[asked_for](rows), **self._totals_beside(asked_for)}
            passed = rows.group_by(SNAPSHOT).aggregate(**values)
            self._passes[asked_for] = self.keep(passed, f"features_{relation.name}_{months or 'all'}")
        return self._passes[asked_for]

    def totals(self) -> ir.Table:
        """The totals asked of the relation that is being built: one row per snapshot with a row to total."""
        reader = self._reader()
        totals = reader.totals
        if totals is None:
            raise LookupError(f"relation {reader.name} has no totals; give it some")
        self._read(totals.of)
        if (totals.of, totals.months) not in self.measures:
            return self.rows(totals.of).group_by(SNAPSHOT).aggregate(**self.chosen(totals.values))
        passed = self.measured(totals.of, totals.months)
        return passed.select(*SNAPSHOT, **{name: passed[_beside(reader, name)] for name in self.chosen(totals.values)})

    def beside(self, rows: ir.Table, relation: Relation) -> ir.Table:
        """The rows with the columns read of a relation that has one row per snapshot; as they are where none is."""
        columns = self.read_of(relation)
        if not columns:
            return rows
        other = self.rows(relation).select(*SNAPSHOT, *columns)
        return rows.left_join(other, SNAPSHOT).select(*rows.columns, *columns)

    def parts(self) -> list[ir.Table]:
        """Of each relation that is read, where any of it is asked for, the columns asked for."""
        found = ((read.relation, self.read_of(read.relation)) for read in self._reader().reads)
        return [self.rows(relation).select(*SNAPSHOT, *columns) for relation, columns in found if columns]

    def read_of(self, relation: Relation) -> Sequence[str]:
        """The columns that the reader needs of the relation now, in the relation's order."""
        needed = self._read(relation).needed(self.asked.columns) or ()
        return [name for name in relation.columns if name in needed]

    def _totals_beside(self, measured: Pass) -> dict[str, Deferred]:
        found: dict[str, Deferred] = {}
        for reader, asked in self.asked_of.items():
            if reader.totals is not None and (reader.totals.of, reader.totals.months) == measured:
                chosen = (name for name in reader.totals.values if name in asked.columns)
                found |= {_beside(reader, name): reader.totals.values[name] for name in chosen}
        return found

    def _reader(self) -> Relation:
        if self.reader is None:
            raise LookupError("no relation is being built: only a builder has parts")
        return self.reader

    def _read(self, relation: Relation) -> Read:
        reader = self._reader()
        for read in reader.reads:
            if read.relation == relation:
                return read
        raise LookupError(f"relation {reader.name} reads {relation.name} without saying so; add it to its reads")

    def _whole(self, relation: Relation) -> ir.Table:
        if relation not in self._built:
            rows = relation.build(dataclasses.replace(self, reader=relation))
            self._built[relation] = self._kept(relation, _narrow(relation, rows, self.asked_of[relation]))
        return self._built[relation]

    def _kept(self, relation: Relation, rows: ir.Table) -> ir.Table:
        if self.asked_of[relation].uses > _USES_UNSTORED[relation.kept]:
            return self.keep(rows, f"features_{relation.name}")
        return rows


def _beside(reader: Relation, name: str) -> str:
    """How a total is called beside the measures of a pass; no feature is called so."""
    return f"total_{reader.name}_{name}"


def _narrow(relation: Relation, rows: ir.Table, asked: Asked) -> ir.Table:
    """The rows without the columns that nobody asked for."""
    names = [name for name in rows.columns if name in asked.columns or name not in relation.columns]
    return rows if len(names) == len(rows.columns) else rows.select(*names)
