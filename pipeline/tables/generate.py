"""Small random ledgers that keep every rule of the contracts: for tests of anything that takes a ledger."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.tables.canonical import conform
from pipeline.tables.contract import Column, DateRange, Kind, Table
from pipeline.tables.ledger import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator

FIRST_DAY = dt.date(2020, 1, 1)
LAST_DAY = dt.date(2024, 12, 31)
# What readers of text stumble over: the null of pandas, delimiters, quotes, other scripts, formulas, spaces.
_TEXTS = ("NA", "null", "0042", 'a, "b"', "客户", "=1+1", " x ", "Straße", "line\nbreak", "nan")
_ROWS_PER_CUSTOMER: Mapping[str, float] = {
    "customers": 1,
    "invoices": 6,
    "payments": 6,
    "disputes": 0.5,
    "orders": 4,
    "financials": 1,
    "contracts": 1,
    "obligations": 1.5,
    "limits": 1,
    "covers": 0.5,
    "events": 1,
    "overrides": 0.3,
    "indicators": 2,
    "fx_rates": 2,
}
_LAST_REVISION = LAST_DAY - dt.timedelta(days=1)
_REVISED_SHARE = 0.1

Row = dict[str, Any]


def random_ledger(seed: int, customers: int) -> dict[str, pa.Table]:
    """All fourteen canonical tables, sorted; references resolve, some rows have a later revision; base currency EUR.

    Equal seeds give equal rows. Days lie between FIRST_DAY and LAST_DAY.
    """
    rng = np.random.default_rng(seed)
    made: dict[str, list[Row]] = {}
    # Parents first: invoices name contracts and orders.
    parents = ("customers", "contracts", "orders", "invoices")
    for table in sorted(TABLES, key=lambda t: parents.index(t.name) if t.name in parents else len(parents)):
        made[table.name] = random_rows(table, rng, max(1, round(customers * _ROWS_PER_CUSTOMER[table.name])), made)
    # One row known on the last day makes it the extract date, so that every revealed day lies before it.
    made["customers"].append(made["customers"][0] | {"known_on": LAST_DAY})
    return {t.name: conform(t.name, pa.Table.from_pylist(made[t.name], schema=t.canonical_schema)) for t in TABLES}


def random_rows(table: Table, rng: Generator, count: int, parents: Mapping[str, list[Row]]) -> list[Row]:
    """Up to `count` rows of one contract, and revisions of some; keys are unique with `known_on`."""
    rows: dict[tuple[Any, ...], Row] = {}
    for number in range(count):
        row = _row(table, rng, number, parents)
        rows.setdefault(_key(table, row), row)
        if rng.random() < _REVISED_SHARE:
            later = row | {
                "known_on": min(row["known_on"] + dt.timedelta(days=int(rng.integers(1, 90))), _LAST_REVISION)
            }
            rows.setdefault(_key(table, later), later)
    return list(rows.values())


def _key(table: Table, row: Row) -> tuple[Any, ...]:
    return (*(row[name] for name in table.key), row["known_on"])


def _row(table: Table, rng: Generator, number: int, parents: Mapping[str, list[Row]]) -> Row:
    event = FIRST_DAY + dt.timedelta(days=int(rng.integers(0, (LAST_DAY - FIRST_DAY).days - 30)))
    known_on = event + dt.timedelta(days=int(rng.integers(0, 30)))
    row: Row = {"known_on": known_on}
    if table.event_on is not None:
        row[table.event_on] = event
    for column in table.columns:
        if column.name not in row:
            row[column.name] = _value(table, column, rng, number, known_on)
    _refer(table, row, rng, parents)
    _keep_rules(table, row, rng, event)
    if table.derived:
        row["amount_document"] = row["amount"]
    return row


def _value(table: Table, column: Column, rng: Generator, number: int, known_on: dt.date) -> object:
    if column.is_null_allowed and column.name != "currency" and rng.random() < 0.3:
        return None
    if column.values:
        return str(rng.choice(column.values))
    if column.name == "currency":
        return str(rng.choice(["USD", "CNY", "GBP"])) if table.name == "fx_rates" else "EUR"
    if column.kind is Kind.ID:
        return f"{table.name[:3].upper()}-{number:05d}"
    return _MAKERS[column.kind](column, rng, known_on)


def _date(column: Column, rng: Generator, known_on: dt.date) -> dt.date | None:
    days = dt.timedelta(days=int(rng.integers(0, 200)))
    if column.is_revealed:
        return known_on + days if known_on + days <= LAST_DAY else None
    if column.date_range is DateRange.FUTURE:
        return dt.date(9999, 12, 31) if rng.random() < 0.05 else known_on + days
    if column.date_range is DateRange.BIRTH:
        return known_on - 20 * days
    return known_on - days


def _money(column: Column, rng: Generator, _known_on: dt.date) -> Decimal:
    cents = int(rng.integers(1, 10_000_000))
    is_negative = column.negative_is_allowed and rng.random() < 0.1
    return Decimal(-cents if is_negative else cents).scaleb(-2)


_MAKERS: Mapping[Kind, Callable[[Column, Generator, dt.date], object]] = {
    Kind.DATE: _date,
    Kind.MONEY: _money,
    Kind.SHARE: lambda _column, rng, _day: round(float(rng.random()), 4),
    Kind.NUMBER: lambda _column, rng, _day: round(float(rng.lognormal()), 6) + 0.000001,
    Kind.INT: lambda _column, rng, _day: int(rng.integers(1, 91)),
    Kind.BOOL: lambda _column, rng, _day: bool(rng.random() < 0.5),
    Kind.TEXT: lambda _column, rng, _day: str(rng.choice(_TEXTS)),
}


def _refer(table: Table, row: Row, rng: Generator, parents: Mapping[str, list[Row]]) -> None:
    """Puts ids that stand into the columns that refer; a row's customer is the one of what it refers to."""
    named = [column for column in table.columns if column.references]
    for column in sorted(named, key=lambda c: c.references != "customers"):
        if row[column.name] is None:
            continue
        candidates = parents[column.references or ""]
        parent = candidates[int(rng.integers(0, len(candidates)))]
        row[column.name] = parent[f"{(column.references or '')[:-1]}_id"]
        row["customer_id"] = parent["customer_id"]


def _keep_rules(table: Table, row: Row, rng: Generator, event: dt.date) -> None:
    """What the contract says across columns."""
    for column in table.columns:
        if column.is_revealed and row[column.name] is None:
            row.update(dict.fromkeys(column.reveals))
    if table.name == "invoices":
        row["due_on"] = event + dt.timedelta(days=int(rng.integers(0, 90)))
        sign = -1 if row["kind"] == "credit_note" else 1
        row["amount"] = sign * abs(row["amount"])
