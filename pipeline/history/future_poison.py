"""Absurd rows that nobody can have known on a day: poured into a ledger to see whether it keeps them out.

Two kinds. *Late* rows are learned after the day and tell of days before it: every row of every table revised beyond
belief, and once more under a new key. *Announced* rows are known by the day and tell of what happens after it.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.tables.ledger import BY_NAME, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = dict[str, Any]

ONE_FOR_ALL = ("customers", "fx_rates")
"""Tables whose rows are only revised: a new key there is a customer or a currency that nobody asks about."""

_EARLIER = ("founded_on", "customer_since", "due_on", "issued_on", "ordered_on", "paid_on", "opened_on", "occurred_on")
_ODD_TEXT = {"industry": "Z99", "group_id": "G9", "size_class": "odd", "outcome": "partial"}
_ANNOUNCED = ("invoices", "payments", "disputes", "orders", "events", "indicators", "contracts", "financials")
_ROOM_FOR_MONEY = Decimal(10) ** 12
_TEN_YEARS_OF_DAYS = 3650


def absurd(row: Mapping[str, Any], table: str, place: int) -> Row:
    """The row with figures beyond belief: its key, its customer and the order of its dates stay; nulls stay null."""
    odd = dict(row)
    contract = BY_NAME[table]
    for column in contract.canonical_schema:
        name = column.name
        if name in contract.key or name in ("customer_id", "currency", "known_on", "kind") or odd[name] is None:
            continue
        if pa.types.is_decimal(column.type):
            odd[name] = _odd_money(odd[name], place)
        elif pa.types.is_floating(column.type):
            odd[name] = odd[name] * 31 + 3
        elif pa.types.is_boolean(column.type):
            odd[name] = not odd[name]
        elif name in _ODD_TEXT:
            odd[name] = _ODD_TEXT[name]
        elif name in _EARLIER:
            odd[name] = odd[name] - dt.timedelta(days=45)
    return odd


def _odd_money(amount: Decimal, place: int) -> Decimal:
    """977 times as much and a few cents; of what would not fit into DECIMAL(18,2) then, a 977th."""
    if abs(amount) < _ROOM_FOR_MONEY:
        return amount * 977 + Decimal("0.01") * place
    return (amount / 977).quantize(Decimal("0.01"))


def late_rows(table: str, rows: Sequence[Mapping[str, Any]], day: dt.date) -> list[Row]:
    """Every row revised beyond belief and told once more under a new key, all of it learned after the day."""
    late: list[Row] = []
    for place, row in enumerate(rows):
        odd = absurd(row, table, place) | {"known_on": max(row["known_on"], day) + dt.timedelta(days=1)}
        late.append(odd)
        if table not in ONE_FOR_ALL:
            late.append(odd | _new_key(row, table, day, place))
    return late


def _new_key(row: Mapping[str, Any], table: str, day: dt.date, place: int) -> Row:
    """Another document of the same customer; where the key is a day, an earlier day."""
    key = BY_NAME[table].key
    if key[0] in ("customer_id", "series"):
        return {key[1]: day - dt.timedelta(days=place % _TEN_YEARS_OF_DAYS)}
    return {key[0]: f"new-{row[key[0]]}"}


def announced_rows(table: str, rows: Sequence[Mapping[str, Any]], day: dt.date) -> list[Row]:
    """A third of the rows once more, known by the day, of things that happen after it; none where nothing happens."""
    if table not in _ANNOUNCED:
        return []
    contract, announced = BY_NAME[table], []
    for row in rows[::3]:
        later: Row = {contract.event_on or "": day + dt.timedelta(days=9), "known_on": min(row["known_on"], day)}
        if table == "invoices":
            later |= {"due_on": day + dt.timedelta(days=20), "written_off_on": None}
        fresh = {} if contract.event_on in contract.key else {contract.key[0]: f"fresh-{row[contract.key[0]]}"}
        announced.append({**row, **later, **fresh})
    return announced


def one_per_key(table: str, rows: Sequence[Row]) -> list[Row]:
    """One row per key and `known_on`, the last one given: the ledger's contract."""
    key = (*BY_NAME[table].key, "known_on")
    return list({tuple(row[name] for name in key): row for row in rows}.values())


def poisoned(tables: Mapping[str, pa.Table], day: dt.date) -> dict[str, pa.Table]:
    """The tables with the late and the announced rows of that day beside their own.

    Tables and result are canonical (tables/ledger.py), in any order; nothing asked about a day up to `day` may change.
    """
    found = {}
    for table in TABLES:
        if table.name in tables:
            own = tables[table.name].to_pylist()
            added = [*late_rows(table.name, own, day), *announced_rows(table.name, own, day)]
            found[table.name] = pa.Table.from_pylist(one_per_key(table.name, [*own, *added]), table.canonical_schema)
    return found
