"""Work that runs ahead of the planning: in order, told of in the thread that asked, and given up after a failure."""

from __future__ import annotations

import threading
import time

import duckdb
import ibis
import pyarrow as pa
import pytest

from pipeline.engine import connect_duckdb
from pipeline.engine.ahead import Ahead

ROWS = pa.table({"n": list(range(300))})


@pytest.fixture
def engine(tmp_path):
    engine = connect_duckdb(2, "500MB", tmp_path)
    yield engine
    engine.close()


def slow_rows(engine):
    """A table that takes seconds to compute."""
    rows = engine.register("rows", ROWS)
    other, third = rows.select(m=rows.n), rows.select(k=rows.n)
    crossed = rows.cross_join(other).cross_join(third)
    return crossed.filter((crossed.n * 31 + crossed.m * 17 + crossed.k) % 999_983 == 0)


def test_work_runs_in_order_and_the_asking_thread_is_told():
    ahead, done, told = Ahead(), [], []
    for n in range(5):
        ahead.run(
            lambda n=n: (time.sleep(0.01 * (5 - n)), done.append(n)),
            lambda seconds: told.append((seconds, threading.get_ident())),
        )
    ahead.wait()
    ahead.stop(lambda: None)
    assert done == [0, 1, 2, 3, 4]
    assert [thread for _, thread in told] == [threading.get_ident()] * 5
    assert all(seconds >= 0.01 * (5 - n) for n, (seconds, _) in enumerate(told))


def test_the_first_failure_is_raised_and_what_follows_it_given_up():
    ahead, done = Ahead(), []
    ready = threading.Event()

    def fail():
        ready.wait()
        raise ValueError("the first")

    ahead.run(lambda: done.append("before"))
    ahead.run(fail)
    ahead.run(lambda: time.sleep(0.2))
    for _ in range(50):
        ahead.run(lambda: done.append("after"))
    ready.set()
    with pytest.raises(ValueError, match="the first"):
        ahead.wait()
    ahead.wait()
    ahead.stop(lambda: None)
    assert done == ["before"]


def test_keeping_does_not_wait_and_reading_does(engine):
    seconds = []
    asked = time.monotonic()
    kept = engine.keep(slow_rows(engine), "slow", seconds.append)
    planned = time.monotonic() - asked
    assert kept.count().to_pyarrow().as_py() == slow_rows(engine).count().to_pyarrow().as_py() > 0
    assert len(seconds) == 1
    assert planned < seconds[0]


def test_what_is_kept_tells_the_types_it_has(engine):
    rows = engine.register("rows", ROWS)
    kept = engine.keep(rows.aggregate(total=rows.n.sum(), mean=rows.n.mean(), text=rows.n.cast("string").max()), "sums")
    assert kept.schema() == engine.backend.table(kept.get_name()).schema()


def test_an_error_of_a_kept_table_reaches_whoever_reads_on(engine):
    rows = engine.register("rows", ROWS)
    broken = engine.keep(rows.select(day=rows.n.cast("string").cast("date")), "broken")
    with pytest.raises(duckdb.ConversionException):
        engine.collect(broken, ["day"])
    assert engine.collect(rows.aggregate(n=rows.count()), ["n"]).to_pylist() == [{"n": 300}]


def test_closing_breaks_off_what_runs(tmp_path):
    engine = connect_duckdb(2, "500MB", tmp_path)
    rows = engine.register("rows", ROWS)
    endless = rows.select(a=rows.n)
    for name in "bcdef":
        endless = endless.cross_join(rows.select(**{name: rows.n}))
    engine.keep(endless.aggregate(total=ibis._.a.sum()), "endless")
    engine.keep(rows, "never")
    started = time.monotonic()
    engine.close()
    assert time.monotonic() - started < 30
    assert not list(tmp_path.iterdir())
