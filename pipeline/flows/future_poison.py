"""Future poison: absurd rows that nobody can have known are poured into a part of the ledger, and nothing may change.

The part is all that the ledger tells of a few drawn groups of customers, with what it tells of everybody. Features,
positions and PDs are built twice, on the part as it is and on the part poisoned: at the test dates, where they must be
equal, and on a day by which the poison was known, where they must not.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.features.build import features
from pipeline.features.catalog import FEATURES
from pipeline.flows.definition import default_definition
from pipeline.flows.setting import ledger_in
from pipeline.history.future_poison import poisoned
from pipeline.history.position import positions
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.unchanged import unchanged
from pipeline.train.committee_poison import Poison, PoisonedTable, poison_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.engine import Engine
    from pipeline.flows.setting import Setting
    from pipeline.history.definition import DefaultDefinition
    from pipeline.params import PoisonParams
    from pipeline.score.model import Model
    from pipeline.tables.canonical import Ledger
    from pipeline.train.sample import Sample

    Build = Callable[[Ledger, pa.Table], pa.Table]

_ORDER = ("as_of", "customer_id")
_MANY_ROWS = ("invoices", "payments", "orders", "events")
# Late rows are learned on the day after they could have mattered; by then all of them are known.
_UNTIL_KNOWN = dt.timedelta(days=31)


def future_poison(setting: Setting, models: Mapping[str, Model], panel: Sample) -> Poison | None:
    """What the poison changed; null where there is no test date, or where no group of customers has few enough rows."""
    if not len(panel.is_bad):
        return None
    definition, seed = default_definition(setting), setting.params.validate.seed
    with setting.engine() as engine, unchanged(setting.project.ledger):
        build = partial(_built, engine, definition=definition, models=models)
        ledger = ledger_in(engine, setting.project.ledger)
        return poured_in(engine, ledger, panel, build, limits=setting.params.validate.tests.poison, seed=seed)


def poured_in(
    engine: Engine, ledger: Ledger, panel: Sample, build: Build, *, limits: PoisonParams, seed: int
) -> Poison | None:
    """`build` twice for the customers drawn from the panel, without and with the poison, and what differs."""
    customers = _drawn(engine, ledger, panel, limits, seed)
    if not customers:
        return None
    last = max(panel.days)
    own = _part(engine, ledger, customers)
    spoilt = poisoned(own, last)
    asked = spine(_every(customers, [*sorted(set(panel.days)), last + _UNTIL_KNOWN]))
    clean, other = (build(_like(engine, ledger, rows), asked) for rows in (own, spoilt))
    tables = [PoisonedTable(n, len(rows), len(spoilt[n]) - len(rows), _read_by(n)) for n, rows in own.items()]
    return poison_in(clean, other, last, tables)


def _drawn(engine: Engine, ledger: Ledger, panel: Sample, limits: PoisonParams, seed: int) -> list[str]:
    """Customers of the test dates, whole groups, in an order drawn by the seed, until there are enough or the rows of
    the next group would be too many; those groups are passed by."""
    heavy = {name: _rows_by_customer(engine, ledger, name) for name in _MANY_ROWS}
    members: dict[str, list[str]] = {}
    for cluster, customer in sorted(set(zip(panel.clusters.astype(str), panel.rows["customer_id"], strict=True))):
        members.setdefault(cluster, []).append(customer)
    generator = np.random.Generator(np.random.PCG64(seed))
    found: list[str] = []
    names, rows = sorted(members), 0
    for place in generator.permutation(len(names)):
        group = members[names[place]]
        cost = sum(counted.get(customer, 0) for counted in heavy.values() for customer in group)
        if len(found) + len(group) <= limits.customers and rows + cost <= limits.rows:
            found, rows = [*found, *group], rows + cost
        if len(found) == limits.customers:
            break
    return sorted(found)


def _rows_by_customer(engine: Engine, ledger: Ledger, table: str) -> dict[str, int]:
    rows = ledger.tables[table]
    counted = engine.collect(rows.group_by("customer_id").agg(n=rows.count()), ["customer_id"])
    return dict(zip(counted["customer_id"].to_pylist(), counted["n"].to_pylist(), strict=True))


def _part(engine: Engine, ledger: Ledger, customers: Sequence[str]) -> dict[str, pa.Table]:
    """By name the canonical rows of those customers, and all rows of tables that tell of no customer."""
    found = {}
    for name in sorted(ledger.present):
        columns = BY_NAME[name].canonical_schema.names
        rows = ledger.tables[name].select(*columns)
        if "customer_id" in columns:
            rows = rows.filter(rows.customer_id.isin(customers))
        found[name] = engine.collect(rows, [*BY_NAME[name].key, "known_on"])
    return found


def _like(engine: Engine, ledger: Ledger, rows: Mapping[str, pa.Table]) -> Ledger:
    return ledger_of(engine.register, rows, ledger.base_currency, ledger.extract_date)


def _every(customers: Sequence[str], days: Sequence[dt.date]) -> pa.Table:
    every = [(day, customer) for day in days for customer in customers]
    as_of = pa.array([day for day, _ in every], pa.date32())
    return pa.table({"customer_id": pa.array([customer for _, customer in every], pa.string()), "as_of": as_of})


def _built(
    engine: Engine, ledger: Ledger, asked: pa.Table, *, definition: DefaultDefinition, models: Mapping[str, Model]
) -> pa.Table:
    """Features, then positions, then the PD of each model and of its thin-file card, in a total order of the keys."""
    days = engine.register(f"asked_of_{ledger.data_version[:12]}", asked)
    book = prepared(ledger, engine.keep)
    known = engine.collect(features(book, days, engine.keep), _ORDER)
    stood = engine.collect(positions(book, days, definition, engine.keep), _ORDER)
    told = known.select([*_ORDER, *(name for name in known.column_names if name not in _ORDER)])
    for name in stood.column_names:
        if name not in told.column_names:
            told = told.append_column(name, stood[name])
    frame = known.to_pandas()
    for role, model in models.items():
        told = told.append_column(f"{role}.pd", pa.array(model.pd(frame)))
        told = told.append_column(f"{role}.thin_file_pd", pa.array(model.thin_file.pd_of(frame)))
    return told


def _read_by(table: str) -> tuple[str, ...]:
    return tuple(feature.name for feature in FEATURES if table in feature.source)
