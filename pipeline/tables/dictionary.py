"""The ledger's documentation, generated from the contracts: docs/ledger.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.tables.contract import Kind
from pipeline.tables.ledger import TABLES
from pipeline.tables.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.tables.contract import Column, Table

_WRITTEN = {
    Kind.ID: "text, always (leading zeros matter)",
    Kind.DATE: "an ISO 8601 day, such as 2019-09-30",
    Kind.MONEY: "digits, a point and at most two decimals, such as -1234.50; no separator of thousands",
    Kind.SHARE: "a number from 0 to 1",
    Kind.NUMBER: "a finite number with a decimal point",
    Kind.TEXT: "text; an empty cell is null, and NA is Namibia",
    Kind.BOOL: "true or false",
    Kind.INT: "a whole number",
}
_OPENING = """# The ledger, table by table

This page is generated from the contracts in `pipeline/tables/ledger.py` and the rules in `pipeline/tables/rules.py`;
`make docs` writes it, and a test holds it to them.

One folder is the ledger of one selling entity. Each table is one file, named after it: `.parquet`, `.csv` or `.csv.gz`
(UTF-8, comma, one header line). `customers`, `invoices` and `payments` are needed; a
column with ? may be missing or empty. A source that writes its values in
another way is read through a mapping, which declares formats; none is guessed.

Every table has `known_on`, the day we learned of the row. A later `known_on` for a key seen before is a revision; all
are kept. A row that breaks a rule goes to quarantine with its reasons; above the table's threshold intake stops, and
nothing is written.
"""


def markdown() -> str:
    """The page: how values are written, then every table with its columns, rules, threshold and cost of absence."""
    kinds = ["| type | written as |", "|---|---|", *(f"| {kind} | {_WRITTEN[kind]} |" for kind in Kind)]
    return "\n".join([_OPENING, *kinds, "", *(line for table in TABLES for line in _table(table))])


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    need = "Needed." if table.is_needed else f"Without it: {table.absence_costs}."
    yield f"{table.grain} {need} Key: {', '.join(f'`{name}`' for name in table.key)} with `known_on`. " + (
        f"Intake stops when more than {table.max_bad_share:.0%} of its rows are bad."
    )
    yield ""
    yield "| column | type | meaning | rules |"
    yield "|---|---|---|---|"
    for column in table.columns:
        yield f"| {_name(table, column)} | {column.kind} | {_meaning(column)} | {_rules(table, column)} |"
    for column in table.derived:
        yield f"| `{column.name}` (added by intake) | {column.kind} | {_meaning(column)} | |"
    yield ""


def _name(table: Table, column: Column) -> str:
    name = f"**`{column.name}`**" if column.name in table.key else f"`{column.name}`"
    return f"{name} ?" if table.may_be_missing(column) else name


def _meaning(column: Column) -> str:
    revealed = ""
    if column.is_revealed:
        also = f", with {', '.join(column.reveals)}" if column.reveals else ""
        revealed = f" (revealed: null before it happens{also})"
    return f"{column.meaning}{revealed}"


def _rules(table: Table, column: Column) -> str:
    demands = [rule.demand for rule in rules_of(table) if rule.column == column.name]
    if column.name == "currency" and column.name == table.currency_column:
        demands.append("the base currency, or one with a rate on or before the day, known by then")
    if column.name == table.key[0]:
        demands.append("the key stands once per known_on")
    return "; ".join(demands)
