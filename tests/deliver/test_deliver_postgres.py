"""Runs in a PostgreSQL server: exact, whole or not at all, once, and without a word of the connection string."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.deliver.postgres import postgres_target
from pipeline.deliver.target import bring_in_step
from pipeline.errors import (
    ContractError,
    LockedError,
    OutputError,
    ParameterError,
    StorageError,
    TargetUnreachableError,
)
from pipeline.score.draft import RUN_TABLES

pytestmark = pytest.mark.xdist_group("postgres")
MAY, JUNE = dt.date(2025, 5, 31), dt.date(2025, 6, 30)
TEXTS = [
    "",
    '"',
    'a "b", c',
    "line\nbreak\r\n",
    "\\N",
    "\\.",
    "\\",
    "tab\t",
    "=1+1",
    "中文 Ω é",
    "NULL",
    " lead",
    "'",
    "𝄞",
]
OVER = {"limit_current": Decimal("9000.00")}


def rows_of(reader, schema, name, order):
    found = reader.execute(f"SELECT * FROM {schema}.{name} ORDER BY {order}")
    names = [column.name for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def runs_of(reader, schema):
    """What every table says it holds: by table, the pairs of day and run."""
    tables = (*RUN_TABLES, "creditbook_runs")
    asked = "SELECT DISTINCT as_of, run_id FROM {}.{} ORDER BY as_of"
    return {name: reader.execute(asked.format(schema, name)).fetchall() for name in tables}


def serve(target, *runs, read_back=()):
    return bring_in_step(target, runs, read_back, lambda run: None)


ORDER = {
    "scored_book": "customer_id",
    "alerts": "customer_id, rule",
    "limit_trace": "customer_id, cap",
    "changes": "customer_id, quantity",
}


def test_every_value_of_every_table_arrives_as_it_was_published(published, postgres, reader, schema, told):
    named = [{"name": text, "customer_id": f"A{i:02d}"} for i, text in enumerate(TEXTS)]
    published(MAY, *named)
    fallen = {**named[0], "days_late_3m": 45.0, "overdue_share": 0.8, **OVER}
    others = [{"customer_id": "B", "is_in_default": True}, {"customer_id": "C", "is_in_book": False}]
    run = published(JUNE, fallen, *named[1:], *others)
    postgres.hand_on(run)
    for name, order in ORDER.items():
        expected = sorted(told(run, name), key=lambda row: [row[key] for key in order.split(", ")])
        assert rows_of(reader, schema, name, order) == expected != [], name
    book = rows_of(reader, schema, "scored_book", "customer_id")
    assert [row["name"] for row in book[: len(TEXTS)]] == TEXTS
    assert (book[0]["pd_previous"] < book[0]["pd"], book[-1]["pd"]) == (True, None)
    (line,) = rows_of(reader, schema, "creditbook_runs", "as_of")
    assert (line["run_id"], line["manifest_sha256"]) == (run.run_id, run.manifest_sha256)
    assert [line[f"{name}_rows"] for name in ORDER] == [len(told(run, name)) for name in ORDER]


def test_a_run_that_is_there_is_not_written_again(published, postgres, reader, schema):
    run = published(JUNE, {}, OVER)
    assert serve(postgres, run).taken == (run,)
    where = f"SELECT ctid, xmin, customer_id FROM {schema}.scored_book ORDER BY customer_id"
    before = reader.execute(where).fetchall()
    assert serve(postgres, run, read_back=[run]).taken == ()
    assert reader.execute(where).fetchall() == before


def test_another_run_of_a_day_replaces_that_day_alone(published, postgres, reader, schema):
    may, june = published(MAY, {}), published(JUNE, {}, OVER)
    postgres.hand_on(may)
    postgres.hand_on(june)
    again = published(JUNE, {}, OVER, {}, ledger="e")
    assert serve(postgres, may, again).taken == (again,)
    assert rows_of(reader, schema, "creditbook_runs", "as_of")[1]["scored_book_rows"] == 3
    both = [(MAY, may.run_id), (JUNE, again.run_id)]
    assert runs_of(reader, schema) == {
        "scored_book": both, "limit_trace": both, "creditbook_runs": both,
        "alerts": [both[1]], "changes": [],
    }  # fmt: skip


def test_rows_somebody_removed_are_missed_when_the_day_is_read_back_and_put_back(published, postgres, reader, schema):
    run = published(JUNE, {}, OVER, {})
    postgres.hand_on(run)
    reader.execute(f"DELETE FROM {schema}.scored_book WHERE customer_id = 'C1'")
    assert not postgres.is_whole(run)
    assert postgres.in_step([run]) == {JUNE}
    assert serve(postgres, run, read_back=[run]).taken == (run,)
    reader.execute(f"UPDATE {schema}.scored_book SET ead = ead + 0.01 WHERE customer_id = 'C1'")
    assert not postgres.is_whole(run)
    reader.execute(f"UPDATE {schema}.scored_book SET ead = ead - 0.01 WHERE customer_id = 'C1'")
    assert postgres.is_whole(run)
    reader.execute(f"DROP TABLE {schema}.limit_trace")
    assert serve(postgres, run, read_back=[run]).taken == (run,)
    assert postgres.is_whole(run)


KILLED = """
import datetime as dt, os, pathlib, sys
from pipeline.deliver import published
from pipeline.deliver.postgres import postgres_target
dsn, schema, day, folder = sys.argv[1:]
run = published.published_day(dt.date.fromisoformat(day), pathlib.Path(folder))
published._BATCH = 5
whole = published.PublishedDay.batches
def half(self, name):
    for number, batch in enumerate(whole(self, name)):
        yield batch
        if number == 1:
            print("half", flush=True)
            sys.stdin.read()
published.PublishedDay.batches = half
postgres_target(dsn, "X", schema, 5).hand_on(run)
"""


def test_a_delivery_killed_in_the_middle_of_copying_leaves_readers_on_the_old_run(
    published, postgres, dsn, reader, schema
):
    old = published(JUNE, *[{}] * 12)
    postgres.hand_on(old)
    before = runs_of(reader, schema)
    new = published(JUNE, *[OVER] * 20, ledger="e")
    command = [sys.executable, "-c", KILLED, dsn, schema, JUNE.isoformat(), str(new.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "half\n"
        copying = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND application_name = 'creditbook'"
        assert reader.execute(copying).fetchone() == (1,)
        assert runs_of(reader, schema) == before
        writer.send_signal(signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
    assert runs_of(reader, schema) == before
    assert postgres.is_whole(old)
    assert serve(postgres, new).taken == (new,)
    assert runs_of(reader, schema)["scored_book"] == [(JUNE, new.run_id)]
    assert reader.execute(f"SELECT count(*) FROM {schema}.scored_book").fetchone() == (20,)


def test_a_connection_that_breaks_in_the_middle_is_told_and_undone(published, postgres, reader, schema, monkeypatch):
    old = published(JUNE, {}, {})
    postgres.hand_on(old)
    new = published(JUNE, OVER, ledger="e")
    whole = type(new).batches

    def cut(self, name):
        reader.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()"
        )
        return whole(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(type(new), "batches", cut)
        with pytest.raises(
            TargetUnreachableError, match=r"the connection was lost .*; nothing was changed there"
        ) as lost:
            postgres.hand_on(new)
    assert lost.value.exit_code == 69
    assert postgres.is_whole(old)


def test_what_a_trigger_alters_is_noticed_before_readers_see_it(published, postgres, reader, schema):
    old = published(JUNE, {}, {})
    postgres.hand_on(old)
    reader.execute(f"""
        CREATE FUNCTION {schema}.round_down() RETURNS trigger AS
        $$ BEGIN NEW.open_amount := 0; RETURN NEW; END $$ LANGUAGE plpgsql;
        CREATE TRIGGER rounding BEFORE INSERT ON {schema}.scored_book
        FOR EACH ROW EXECUTE FUNCTION {schema}.round_down()""")
    with pytest.raises(StorageError, match=r"scored_book: open_amount: the sum is 0\.00, handed on was 10000\.00"):
        postgres.hand_on(published(JUNE, OVER, ledger="e"))
    assert postgres.is_whole(old)


def test_changed_tables_are_refused_with_every_column_named(published, postgres, reader, schema):
    run = published(JUNE, {})
    postgres.hand_on(run)
    reader.execute(
        f"ALTER TABLE {schema}.scored_book ALTER ead TYPE double precision, DROP COLUMN grade, ADD COLUMN mine int"
    )
    reader.execute(f"ALTER TABLE {schema}.alerts ALTER rule DROP NOT NULL")
    with pytest.raises(ContractError) as refused:
        postgres.hand_on(published(JUNE, OVER, ledger="e"))
    assert refused.value.exit_code == 65
    for told in (
        "4 column(s)",
        "scored_book.ead: double precision not null where numeric(18,2) not null is due",
        "scored_book.grade: missing, text is due",
        "scored_book.mine: not known here",
        "alerts.rule: text where text not null is due",
    ):
        assert told in str(refused.value)
    assert runs_of(reader, schema)["scored_book"] == [(JUNE, run.run_id)]


def test_a_sign_the_database_cannot_store_is_told_by_row_and_not_by_value(published, postgres, reader, schema):
    run = published(JUNE, {"name": "Firm"}, {"name": "Secret\0Firm"})
    with pytest.raises(ContractError, match=r"row 2 of scored_book holds a sign .* cannot store") as refused:
        postgres.hand_on(run)
    assert "Secret" not in str(refused.value)
    assert reader.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is None


def test_a_second_delivery_waits_for_the_first_and_then_leaves(published, postgres, reader, schema):
    run = published(JUNE, {})
    postgres.hand_on(run)
    impatient = replace(postgres, wait_seconds=1)
    with reader.transaction():
        reader.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"creditbook {schema}"])
        with pytest.raises(LockedError, match="was there for 1 s") as locked:
            impatient.hand_on(run)
        assert locked.value.exit_code == 75
        waiting = threading.Thread(target=postgres.hand_on, args=(run,))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()
    assert postgres.is_whole(run)


def test_a_user_without_rights_is_told_so(published, dsn, reader, schema):
    reader.execute("CREATE ROLE guest LOGIN")
    try:
        guest = postgres_target(dsn.replace("judge", "guest"), "X", schema, 5)
        with pytest.raises(
            OutputError, match=r"permission denied for database postgres \(InsufficientPrivilege 42501\)"
        ):
            guest.hand_on(published(JUNE, {}))
    finally:
        reader.execute("DROP ROLE guest")


SECRET, VARIABLE = "tiger7", "CREDITBOOK_TEST_DSN"


@pytest.mark.parametrize(
    ("dsn", "error", "told"),
    [
        ("host=127.0.0.1 port=1 {rest}", TargetUnreachableError, "nothing listens"),
        ("host=no-such.invalid {rest}", TargetUnreachableError, "host is not known"),
        ("host={folder} {rest}", TargetUnreachableError, "no such database or user"),
        ("postgresql://scott:{secret}@[", ParameterError, "no connection string"),
        ("{secret}", ParameterError, "no connection string"),
        ("hots=db {rest}", ParameterError, "no connection string"),
        ("", ParameterError, "the environment has no CREDITBOOK_TEST_DSN"),
    ],
)
def test_no_part_of_the_connection_string_is_ever_told(dsn, error, told, postgres_server):
    rest = f"user=scott password={SECRET} dbname=vault"
    given = dsn.format(folder=postgres_server, secret=SECRET, rest=rest)
    with pytest.raises(error, match=told) as refused:
        postgres_target(given, VARIABLE, "public", 2).days()
    assert not [part for part in (SECRET, "scott", "vault", "no-such") if part in str(refused.value)]
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert SECRET not in repr(postgres_target("host=x password=" + SECRET, VARIABLE, "public", 2))
