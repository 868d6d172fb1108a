"""The feature table: every column of the catalogue for every snapshot, each relation and window aggregated once."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import ibis

from pipeline.features.catalog import FAMILIES, by_name
from pipeline.features.demand import demand
from pipeline.features.feature import Holds
from pipeline.features.relation import SNAPSHOT
from pipeline.features.sight import Sight
from pipeline.history.prepared import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import ibis.expr.types as ir

    from pipeline.features.feature import FeatureFamily
    from pipeline.features.relation import Relation
    from pipeline.tables.canonical import Ledger

_JOINS_AT_ONCE = 8
_TYPES = {Holds.NUMBER: "float64", Holds.CATEGORY: "string"}


def features(
    ledger: Ledger,
    snapshots: ir.Table,
    keep: Callable[[ir.Table, str], ir.Table],
    names: Iterable[str] | None = None,
) -> ir.Table:
    """customer_id, as_of, then every feature in the catalogue's order: float64, categories string.

    `snapshots` is a spine (history/snapshots.py); one row comes back for each of its rows. `keep` computes and stores
    an intermediate table (engine.keep); the tables it makes must outlive the result. A feature with a source table
    that was not handed in is null for everyone. A day's rows do not depend on the other days and customers asked for,
    nor on which features are: `names` restricts the columns to those, of which only what they need is built; null asks
    for all. Raises KeyError for a name that the catalogue does not have.
    """
    wanted = _wanted(names)
    store = _named_apart(keep)
    ledger = prepared(ledger, store)
    passes = _by_pass(wanted, ledger.present)
    asked_of = demand({key: frozenset().union(*(f.touched for f in some)) for key, some in passes.items()})
    looks_at_others = any(relation.looks_at_others for relation in asked_of)
    seen = _whole_book(ledger, snapshots) if looks_at_others else _asked_for(ledger, snapshots)
    measures = {
        (relation, months): partial(_measures, families=some, months=months)
        for (relation, months), some in passes.items()
        if not relation.has_one_row
    }
    sight = Sight(ledger, store(seen, "features_book"), store, asked_of, measures)
    parts = [_measured(sight, relation, months, some) for (relation, months), some in passes.items()]
    joined = _beside(snapshots.select(*SNAPSHOT), _few(snapshots, parts, store))
    return joined.select(*SNAPSHOT, **_columns(wanted, joined))


def _few(snapshots: ir.Table, parts: list[ir.Table], store: Callable[[ir.Table, str], ir.Table]) -> list[ir.Table]:
    """The parts, where there are many joined group by group: a join holds memory, and those of a query hold it at once.

    Narrow parts come first: every join carries on all columns of those before it.
    """
    ordered = sorted(parts, key=lambda part: len(part.columns))
    if len(ordered) <= _JOINS_AT_ONCE:
        return ordered
    keys = snapshots.select(*SNAPSHOT).distinct()
    groups = [ordered[first : first + _JOINS_AT_ONCE] for first in range(0, len(ordered), _JOINS_AT_ONCE)]
    wide = (_beside(keys, group) for group in groups)
    return [store(rows.select(*SNAPSHOT, *_added(rows)), f"features_wide_{n}") for n, rows in enumerate(wide)]


def _beside(rows: ir.Table, parts: list[ir.Table]) -> ir.Table:
    """The rows with the columns of every part; its keys come along under other names."""
    for place, part in enumerate(parts):
        # One chain of joins and one choice of columns at its end: a choice after each join would cost seconds.
        rows = rows.left_join(part, SNAPSHOT, rname=f"{{name}}_{place}")
    return rows


def _added(rows: ir.Table) -> list[str]:
    return [name for name in rows.columns if not name.startswith(SNAPSHOT)]


def _wanted(names: Iterable[str] | None) -> list[tuple[FeatureFamily, int | None]]:
    """The families asked for with the windows asked for, in the catalogue's order."""
    chosen = None if names is None else {by_name(name).name for name in names}
    every = [(family, months) for family in FAMILIES for months in family.windows or (None,)]
    return [(f, months) for f, months in every if chosen is None or f.column(months) in chosen]


def _named_apart(keep: Callable[[ir.Table, str], ir.Table]) -> Callable[[ir.Table, str], ir.Table]:
    """`keep` with names of this call only, so that a second call leaves the first one's lazy result true."""
    own = ibis.util.gen_name("")
    return lambda expression, name: keep(expression, f"{name}{own}")


def _whole_book(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """Every customer of the ledger on every day of the snapshots, with the window starts."""
    return _customers(ledger).cross_join(snapshots.select("as_of", *_windows(snapshots)).distinct())


def _asked_for(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """The snapshots of customers of the ledger, each once, with the window starts."""
    asked = snapshots.select(*SNAPSHOT, *_windows(snapshots)).distinct()
    return asked.semi_join(_customers(ledger), "customer_id")


def _customers(ledger: Ledger) -> ir.Table:
    known = [ledger.tables[table].select("customer_id") for table in ("customers", "invoices", "payments")]
    return ibis.union(*known, distinct=True)


def _windows(snapshots: ir.Table) -> list[str]:
    return [name for name in snapshots.columns if name.startswith("since_")]


def _by_pass(
    wanted: Iterable[tuple[FeatureFamily, int | None]], present: frozenset[str]
) -> dict[tuple[Relation, int | None], list[FeatureFamily]]:
    """Families whose tables are there, by relation and window: each pair is one pass over the relation's rows."""
    passes: dict[tuple[Relation, int | None], list[FeatureFamily]] = defaultdict(list)
    for family, months in wanted:
        if present.issuperset(family.tables):
            passes[family.relation, months].append(family)
    return passes


def _measured(sight: Sight, relation: Relation, months: int | None, families: list[FeatureFamily]) -> ir.Table:
    """One row per snapshot with a row in the relation: the families' columns of one window."""
    if relation.has_one_row:
        rows = sight.rows(relation, months)
        return rows.select(*SNAPSHOT, **_measures(rows, families, months))
    return sight.measured(relation, months).select(*SNAPSHOT, *(family.column(months) for family in families))


def _measures(rows: ir.Table, families: list[FeatureFamily], months: int | None) -> dict[str, ir.Value]:
    return {family.column(months): family.measure(rows).cast(_TYPES[family.holds]) for family in families}


def _columns(wanted: Iterable[tuple[FeatureFamily, int | None]], joined: ir.Table) -> dict[str, ir.Value]:
    columns: dict[str, ir.Value] = {}
    for family, months in wanted:
        name = family.column(months)
        if name not in joined.columns:
            columns[name] = ibis.null(_TYPES[family.holds])
        elif family.without_rows is not None:
            columns[name] = joined[name].fill_null(family.without_rows)
        else:
            columns[name] = joined[name]
    return columns
