"""The tables of a PostgreSQL target: made by the first delivery, held against their description by every other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.deliver.published import schema_in_targets
from pipeline.errors import ContractError
from pipeline.score.draft import RUN_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

RUNS = "creditbook_runs"
_KINDS: Mapping[pa.DataType, str] = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.decimal128(18, 2): "numeric(18,2)",
}
_OF_RUNS: Mapping[str, tuple[str, bool]] = {
    # column: type, not null
    "as_of": ("date", True),
    "run_id": ("text", True),
    "manifest_sha256": ("text", True),
    "model_version": ("text", True),
    "policy_version": ("text", True),
    "base_currency": ("text", False),
    **{f"{name}_rows": ("bigint", True) for name in RUN_TABLES},
    "handed_on_at": ("timestamp with time zone", True),
}
_KEYS: Mapping[str, tuple[str, ...]] = {RUNS: ("as_of",), "scored_book": ("as_of", "customer_id")}
_FOUND = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
"""


def columns_of(name: str) -> Mapping[str, tuple[str, bool]]:
    """Type and "not null" of each column of a table, in order.

    >>> columns_of("limit_trace")["amount"]
    ('numeric(18,2)', True)
    """
    if name == RUNS:
        return _OF_RUNS
    return {field.name: (_KINDS[field.type], not field.nullable) for field in schema_in_targets(name)}


def is_there(connection: Connection[Any], schema: str, name: str) -> bool:
    """The schema has a table of that name."""
    return bool(connection.execute(_FOUND, [schema, name]).fetchall())


def all_fit(connection: Connection[Any], schema: str) -> bool:
    """Every table is there and as described."""
    found = _found(connection, schema)
    return all(found.values()) and not _odd(schema, found)


def create_or_check(connection: Connection[Any], schema: str) -> None:
    """Makes the schema and the tables that are missing, inside the caller's transaction.

    Raises ContractError naming every column, of all tables, that is not as described: nothing is altered.
    """
    from psycopg import sql

    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    found = _found(connection, schema)
    odd = _odd(schema, found)
    if odd:
        listed = "\n".join(f"  - {breach}" for breach in odd)
        raise ContractError(
            f"postgres: {len(odd)} column(s) are not those handed on:\n{listed}\nNothing was changed there. Alter the "
            f"tables to match, or rename the schema {schema} away: the next delivery makes it anew and "
            "creditbook deliver hands on every published day again"
        )
    for name in found:
        if not found[name]:
            _create(connection, schema, name)


_Columns = dict[str, tuple[str, bool]]


def _found(connection: Connection[Any], schema: str) -> dict[str, _Columns]:
    """By table the columns it has; none where it is not there."""
    return {
        name: {row[0]: (row[1], row[2]) for row in connection.execute(_FOUND, [schema, name])}
        for name in (*RUN_TABLES, RUNS)
    }


def _odd(schema: str, found: Mapping[str, _Columns]) -> list[str]:
    return [
        f"{schema}.{name}.{breach}"
        for name, columns in found.items()
        if columns
        for breach in _breaches(columns_of(name), columns)
    ]


def _breaches(told: Mapping[str, tuple[str, bool]], found: Mapping[str, tuple[str, bool]]) -> list[str]:
    breaches = [f"{name}: missing, {_spelled(*told[name])} is due" for name in told if name not in found]
    breaches += [f"{name}: not known here" for name in found if name not in told]
    return breaches + [
        f"{name}: {_spelled(*found[name])} where {_spelled(*told[name])} is due"
        for name in told
        if name in found and found[name] != told[name]
    ]


def _spelled(kind: str, is_needed: bool) -> str:  # noqa: FBT001 - a fact of the column, not a switch
    return f"{kind} not null" if is_needed else kind


def _create(connection: Connection[Any], schema: str, name: str) -> None:
    from psycopg import sql

    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_spelled(kind, is_needed)))
        for column, (kind, is_needed) in columns_of(name).items()
    ]
    key = _KEYS.get(name)
    if key:
        columns.append(sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, key))))
    table = sql.Identifier(schema, name)
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(columns)))
    if name == RUNS:
        connection.execute(sql.SQL("ALTER TABLE {} ALTER handed_on_at SET DEFAULT now()").format(table))
    elif key is None:
        connection.execute(sql.SQL("CREATE INDEX ON {} (as_of, customer_id)").format(table))
