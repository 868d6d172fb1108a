"""A PostgreSQL schema as a target: one transaction per run, so that its readers see the run before or this one."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv

from pipeline.deliver.postgres_errors import connecting, told_errors
from pipeline.deliver.postgres_tables import RUNS, all_fit, create_or_check, is_there
from pipeline.deliver.published import Control, differences, schema_in_targets
from pipeline.errors import ParameterError, StorageError, TargetUnreachableError
from pipeline.score.draft import RUN_TABLES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from pipeline.deliver.published import PublishedDay


@dataclass(frozen=True)
class PostgresTarget:
    """The tables of `schema`. The connection string never leaves this object: neither its text nor its errors show it.

    `variable` names the environment variable it came from. `wait_seconds`: for a connection, and for another delivery.
    """

    dsn: str = field(repr=False)
    variable: str
    schema: str
    wait_seconds: int
    name: str = "postgres"

    def days(self) -> list[dt.date]:
        """The days it holds, in order."""
        return sorted(self._held())

    def in_step(self, runs: Sequence[PublishedDay]) -> frozenset[dt.date]:
        """The days of which it holds this very run."""
        held = self._held()
        return frozenset(run.as_of for run in runs if held.get(run.as_of) == (run.run_id, run.manifest_sha256))

    def is_whole(self, run: PublishedDay) -> bool:
        """What it holds of the run has the run's rows, values and sums."""
        with self._transaction() as connection:
            return all_fit(connection, self.schema) and not _gaps(connection, self.schema, run)

    def hand_on(self, run: PublishedDay) -> None:
        """Replaces the day: creates or checks the tables, deletes, copies, reads back, and commits.

        Raises ContractError (a table has other columns), TargetUnreachableError, LockedError (another delivery is
        under way), OutputError (rights), StorageError (disk, or what is read back differs).
        """
        with self._transaction() as connection:
            # Held until the transaction ends; readers are not kept waiting by it.
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"creditbook {self.schema}"])
            create_or_check(connection, self.schema)
            for name in RUN_TABLES:
                _replace(connection, self.schema, name, run)
            _record(connection, self.schema, run)
            gaps = _gaps(connection, self.schema, run)
            if gaps:
                raise StorageError(
                    f"postgres: {len(gaps)} figure(s) read back differ from the run of {run.as_of}, e.g. {gaps[0]}; "
                    f"nothing was changed there; look for a trigger or a rule on the tables of schema {self.schema}"
                )

    def _held(self) -> dict[dt.date, tuple[str, str]]:
        """By day, run id and hash of the manifest; empty before the first delivery."""
        from psycopg import sql

        with self._transaction() as connection:
            if not is_there(connection, self.schema, RUNS):
                return {}
            table = sql.Identifier(self.schema, RUNS)
            rows = connection.execute(sql.SQL("SELECT as_of, run_id, manifest_sha256 FROM {}").format(table))
            return {row[0]: (row[1], row[2]) for row in rows}

    @contextmanager
    def _transaction(self) -> Iterator[Connection[Any]]:
        """A connection whose work is committed at the end of the block, and undone when the block fails."""
        import psycopg

        with connecting(self.variable, self.wait_seconds):
            connection = psycopg.connect(self.dsn, **_settings(self.dsn, self.wait_seconds))
        with told_errors(self.wait_seconds), connection:
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{self.wait_seconds * 1000}"])
            yield connection


def postgres_target(dsn: str | None, variable: str, schema: str, wait_seconds: int) -> PostgresTarget:
    """The target of a connection string. Raises TargetUnreachableError where the client is not installed,
    ParameterError where the environment has no connection string that can be read."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise TargetUnreachableError(
            "deliver.postgres: the client psycopg is not installed; install creditbook with the extra postgres"
        ) from None
    if not dsn:
        raise ParameterError(
            f"deliver.postgres.dsn_env: the environment has no {variable}; set it to a connection string such as "
            "host=db.example dbname=credit user=creditbook, or set deliver.postgres to null"
        )
    try:
        conninfo_to_dict(dsn)
    except ProgrammingError:
        # The client's own message repeats what it could not read, which may be the password.
        raise ParameterError(
            f"deliver.postgres.dsn_env: what {variable} holds is no connection string of PostgreSQL; write "
            "keyword=value pairs or postgresql://user@host/database"
        ) from None
    return PostgresTarget(dsn, variable, schema, wait_seconds)


def _settings(dsn: str, wait_seconds: int) -> dict[str, Any]:
    """What the connection string leaves open; it has the last word, but for the coding of the texts."""
    from psycopg.conninfo import conninfo_to_dict

    ours = {
        "connect_timeout": wait_seconds,
        # Bytes sent and not acknowledged for so long: the server is gone.
        "tcp_user_timeout": wait_seconds * 1000,
        "application_name": "creditbook",
    }
    # Statements are not prepared, so that a pooler may stand between.
    return {**ours, **conninfo_to_dict(dsn), "client_encoding": "utf8", "prepare_threshold": None}


def _replace(connection: Connection[Any], schema: str, name: str, run: PublishedDay) -> None:
    from psycopg import sql

    table = sql.Identifier(schema, name)
    connection.execute(sql.SQL("DELETE FROM {} WHERE as_of = %s").format(table), [run.as_of])
    columns = sql.SQL(", ").join(map(sql.Identifier, schema_in_targets(name).names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, columns)
    with connection.cursor().copy(statement) as copied:
        for batch in run.batches(name):
            copied.write(_csv(batch))


def _csv(batch: pa.RecordBatch) -> bytes:
    """Rows as COPY reads them: every text in quotation marks, so that the empty text and null stay apart."""
    buffer = io.BytesIO()
    csv.write_csv(batch, buffer, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return buffer.getvalue()


def _record(connection: Connection[Any], schema: str, run: PublishedDay) -> None:
    from psycopg import sql

    manifest = run.manifest
    told = {
        "as_of": run.as_of,
        "run_id": run.run_id,
        "manifest_sha256": run.manifest_sha256,
        "model_version": manifest["versions"]["model"]["version"],
        "policy_version": manifest["versions"]["policy"]["version"],
        "base_currency": manifest["base_currency"],
        **{f"{name}_rows": manifest["rows"][name] for name in RUN_TABLES},
    }
    table = sql.Identifier(schema, RUNS)
    connection.execute(sql.SQL("DELETE FROM {} WHERE as_of = %s").format(table), [run.as_of])
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            table,
            sql.SQL(", ").join(map(sql.Identifier, told)),
            sql.SQL(", ").join([sql.Placeholder()] * len(told)),
        ),
        list(told.values()),
    )


def _gaps(connection: Connection[Any], schema: str, run: PublishedDay) -> list[str]:
    """In what the tables differ from the run; rows of another run of the day count as a difference too."""
    return [
        f"{name}: {gap}"
        for name in RUN_TABLES
        for gap in differences(run.control(name), _control(connection, schema, name, run))
    ]


def _control(connection: Connection[Any], schema: str, name: str, run: PublishedDay) -> Control:
    from psycopg import sql

    columns = schema_in_targets(name)
    money = [column.name for column in columns if pa.types.is_decimal(column.type)]
    asked: list[sql.Composable] = [sql.SQL("count(*)")]
    asked += [sql.SQL("count({})").format(sql.Identifier(column)) for column in columns.names]
    asked += [sql.SQL("coalesce(sum({}), 0.00)").format(sql.Identifier(column)) for column in money]
    statement = sql.SQL("SELECT {} FROM {} WHERE as_of = %s AND run_id = %s").format(
        sql.SQL(", ").join(asked), sql.Identifier(schema, name)
    )
    ((rows, *found),) = connection.execute(statement, [run.as_of, run.run_id]).fetchall()
    values, sums = found[: len(columns)], found[len(columns) :]
    return Control(
        rows, dict(zip(columns.names, values, strict=True)), dict(zip(money, map(Decimal, sums), strict=True))
    )
