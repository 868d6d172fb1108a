"""The feature table: every column of the catalogue for every snapshot, each relation and window aggregated once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import ibis

from pipeline.features.catalog import FAMILIES
from pipeline.features.feature import Holds
from pipeline.features.relation import SNAPSHOT, Sight
from pipeline.history.prepared import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import ibis.expr.types as ir

    from pipeline.features.feature import FeatureFamily
    from pipeline.features.relation import Relation
    from pipeline.tables.canonical import Ledger

_TYPES = {Holds.NUMBER: "float64", Holds.CATEGORY: "string"}


def features(ledger: Ledger, snapshots: ir.Table, keep: Callable[[ir.Table, str], ir.Table]) -> ir.Table:
    """customer_id, as_of, then every feature in the catalogue's order: float64, categories string.

    `snapshots` is a spine (history/snapshots.py); one row comes back for each of its rows. `keep` computes and stores
    an intermediate table (engine.keep); the tables it makes must outlive the result. A feature with a source table
    that was not handed in is null for everyone. A day's rows do not depend on the other days and customers asked for.
    """
    names = _named_apart(keep)
    ledger = prepared(ledger, names)
    sight = Sight(ledger, names(_whole_book(ledger, snapshots), "features_book"), names)
    usable = [family for family in FAMILIES if ledger.present.issuperset(family.tables)]
    parts = [_measured(sight, relation, months, some) for (relation, months), some in _by_pass(usable).items()]
    joined = snapshots.select(*SNAPSHOT)
    for place, part in enumerate(parts):
        # One chain of joins and one choice of columns at its end: a choice after each join would cost seconds.
        joined = joined.left_join(part, SNAPSHOT, rname=f"{{name}}_{place}")
    return joined.select(*SNAPSHOT, **_columns(joined))


def _named_apart(keep: Callable[[ir.Table, str], ir.Table]) -> Callable[[ir.Table, str], ir.Table]:
    """`keep` with names of this call only, so that a second call leaves the first one's lazy result true."""
    own = ibis.util.gen_name("")
    return lambda expression, name: keep(expression, f"{name}{own}")


def _whole_book(ledger: Ledger, snapshots: ir.Table) -> ir.Table:
    """Every customer of the ledger on every day of the snapshots, with the window starts."""
    windows = [name for name in snapshots.columns if name.startswith("since_")]
    days = snapshots.select("as_of", *windows).distinct()
    known = [ledger.tables[table].select("customer_id") for table in ("customers", "invoices", "payments")]
    return ibis.union(*known, distinct=True).cross_join(days)


def _by_pass(families: Iterable[FeatureFamily]) -> dict[tuple[Relation, int | None], list[FeatureFamily]]:
    """Families by relation and window: each pair is one pass over the relation's rows."""
    passes: dict[tuple[Relation, int | None], list[FeatureFamily]] = defaultdict(list)
    for family in families:
        for months in family.windows or (None,):
            passes[family.relation, months].append(family)
    return passes


def _measured(sight: Sight, relation: Relation, months: int | None, families: list[FeatureFamily]) -> ir.Table:
    """One row per snapshot with a row in the relation: the families' columns of one window."""
    rows = relation.window(sight.rows(relation), months)
    values = {family.column(months): family.measure(rows).cast(_TYPES[family.holds]) for family in families}
    if relation.has_one_row:
        return rows.select(*SNAPSHOT, **values)
    return sight.keep(rows.group_by(SNAPSHOT).aggregate(**values), f"features_{relation.name}_{months or 'all'}")


def _columns(joined: ir.Table) -> dict[str, ir.Value]:
    columns: dict[str, ir.Value] = {}
    for family in FAMILIES:
        for months in family.windows or (None,):
            name = family.column(months)
            if name not in joined.columns:
                columns[name] = ibis.null(_TYPES[family.holds])
            elif family.without_rows is not None:
                columns[name] = joined[name].fill_null(family.without_rows)
            else:
                columns[name] = joined[name]
    return columns
