"""The scenarios of the default definition: a few documents, a day, what must be found, and why, in two languages.

They are tests that a committee can read; docs/default-definition.md tells them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLES = ("invoices", "payments", "disputes", "orders", "events")
_FIELDS = {"title", "title_zh", "en", "zh", "extract_date", "is_natural_person", "expect", *_TABLES}
_NEEDED = ("title", "title_zh", "en", "zh", "extract_date", "invoices", "expect")
_EXPECTED = {"as_of", "status", "default_on", "reason", "outcome", "event_on"}
_ID = {"invoices": "invoice_id", "payments": "payment_id", "disputes": "dispute_id", "orders": "order_id"}
_HAPPENED = {
    "invoices": "issued_on",
    "payments": "paid_on",
    "disputes": "opened_on",
    "orders": "ordered_on",
    "events": "occurred_on",
}


@dataclass(frozen=True)
class Expectation:
    """What must be found on a day: `status` (performing, default) as known on it; `outcome` of the snapshot."""

    as_of: dt.date
    status: str | None = None
    default_on: dt.date | None = None
    reason: str | None = None
    outcome: str | None = None
    event_on: dt.date | None = None


@dataclass(frozen=True)
class Scenario:
    """One case of one customer; `documents` are the rows of its mini-ledger by table, as written in the file."""

    name: str
    title: str
    title_zh: str
    en: str
    zh: str
    extract_date: dt.date
    is_natural_person: bool
    documents: dict[str, list[dict[str, Any]]]
    expect: tuple[Expectation, ...]


def parse_scenario(name: str, text: str) -> Scenario:
    """Reads one scenario file. Raises ParameterError naming every unknown or missing key at once."""
    raw = read_yaml(text, name)
    breaches = [f"{key}: missing" for key in _NEEDED if key not in raw]
    breaches += [f"{key}: unknown key; known: {', '.join(sorted(_FIELDS))}" for key in raw if key not in _FIELDS]
    breaches += [
        f"expect: unknown key {key!r}; known: {', '.join(sorted(_EXPECTED))}"
        for row in raw.get("expect", ())
        for key in row
        if key not in _EXPECTED
    ]
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(f"scenario {name}: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named.")
    texts = {key: " ".join(str(raw[key]).split()) for key in ("title", "title_zh", "en", "zh")}
    return Scenario(
        name=name,
        extract_date=raw["extract_date"],
        is_natural_person=bool(raw.get("is_natural_person", False)),
        documents={table: raw[table] for table in _TABLES if table in raw},
        expect=tuple(Expectation(**row) for row in raw["expect"]),
        **texts,
    )


def mini_ledger(scenarios: Sequence[Scenario]) -> dict[str, pa.Table]:
    """One ledger of all the scenarios, each the customer of its name, with what they leave out.

    Added are the customer, ids, the currency, and `known_on`: the day it happened.
    """
    customers = [
        {
            "customer_id": scenario.name,
            "name": scenario.title,
            "customer_since": dt.date(2000, 1, 1),
            "is_natural_person": scenario.is_natural_person,
            "known_on": dt.date(2000, 1, 1),
        }
        for scenario in scenarios
    ]
    tables = {"customers": pa.Table.from_pylist(customers)}
    for table in _TABLES:
        rows = [
            _row(table, scenario.name, number, told)
            for scenario in scenarios
            for number, told in enumerate(scenario.documents.get(table, ()))
        ]
        if rows:
            tables[table] = pa.Table.from_pylist(rows)
    return tables


def _row(table: str, customer: str, number: int, told: dict[str, Any]) -> dict[str, Any]:
    own = _ID.get(table, "event_id")
    ids: dict[str, str | None] = {own: f"{customer}/{told.get(own, number)}"}
    if table in ("payments", "disputes"):
        invoice = told.get("invoice_id")
        ids["invoice_id"] = None if invoice is None else f"{customer}/{invoice}"
    row: dict[str, Any] = {
        "customer_id": customer,
        "known_on": told[_HAPPENED[table]],
        **_LEFT_OUT.get(table, {}),
        **told,
        **ids,
    }
    if row.get("amount") is not None:
        row["amount"] = Decimal(str(row["amount"]))
    return row


_LEFT_OUT: dict[str, dict[str, Any]] = {
    "invoices": {"kind": "invoice", "currency": "EUR", "due_on": None, "written_off_on": None},
    "disputes": {"amount": None, "resolved_on": None, "outcome": None},
}
