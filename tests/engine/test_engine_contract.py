"""What every engine promises, on each engine."""

import datetime as dt
import os
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.engine import connect_duckdb, read_parquet, write_parquet
from pipeline.engine.parquet_files import ROWS_PER_GROUP, write_batches
from pipeline.engine.spark import _batches

ROWS = pa.table(
    {
        "key": pa.array([3, 1, 2, 4], pa.int64()),
        "small": pa.array([3, None, 2, 4], pa.int16()),
        "day": pa.array([dt.date(2024, 2, 29), None, dt.date(9999, 12, 31), dt.date(1900, 1, 1)]),
        "amount": pa.array([Decimal("1.50"), None, Decimal("-0.01"), Decimal("9" * 16 + ".99")], pa.decimal128(18, 2)),
        "text": ["a", None, "", "Ωé中"],
        "is_so": [True, None, False, True],
        "number": [0.1, None, -2.5, 1e300],
    }
)


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.xdist_group("spark")])])
def engine(request, tmp_path):
    if request.param == "spark":
        yield request.getfixturevalue("spark_engine")
        return
    opened = connect_duckdb(2, "1GB", tmp_path / "duckdb")
    yield opened
    opened.close()


def test_registered_rows_come_back_with_their_types_and_their_nulls(engine):
    found = engine.collect(engine.register("rows", ROWS), ["key"])
    assert found.schema == ROWS.schema
    assert found.equals(ROWS.sort_by("key"))


def test_a_file_is_read_as_it_was_written(engine, tmp_path):
    write_parquet(ROWS, tmp_path / "rows.parquet")
    found = engine.collect(engine.read(tmp_path / "rows.parquet", "rows"), ["key"])
    assert found.equals(ROWS.sort_by("key"))


def test_what_is_kept_has_the_types_ibis_tells_and_a_second_of_the_name_changes_nothing(engine):
    rows = engine.register("rows", ROWS)
    sums = rows.group_by("is_so").agg(amount=rows.amount.sum(), count=rows.count(), key=rows.key.sum())
    kept = engine.keep(sums, "sums")
    engine.keep(rows.limit(1), "sums")
    assert kept.schema() == sums.schema()
    found = engine.collect(kept.filter(kept.is_so.isnull()).drop("amount"), ["key"])
    assert found.to_pylist() == [{"is_so": None, "count": 1, "key": 1}]


def test_rows_from_memory_keep_their_nulls(engine):
    import ibis

    rows = engine.register("rows", ROWS)
    found = engine.collect(rows.inner_join(ibis.memtable(ROWS.select(["key", "amount"])), "key"), ["key"])
    assert found["amount_right"].equals(ROWS.sort_by("key")["amount"])


def test_what_engines_by_themselves_answer_differently_is_answered_the_same(engine):
    rows = engine.register(
        "odd",
        pa.table(
            {
                "key": [1, 1, 2],
                "text": ["\t valve vf \n", "\v\f", None],
                "part": pa.array([Decimal("1.00"), Decimal("1.00"), None], pa.decimal128(18, 2)),
                "whole": pa.array([Decimal("3.00"), Decimal("3.00"), Decimal("3.00")], pa.decimal128(18, 2)),
                "number": [float("nan"), 1.0, None],
                "is_so": pa.array([True, None, None], pa.bool_()),
            }
        ),
    )
    told = rows.group_by("key").agg(
        texts=rows.text.strip().max(),
        thirds=rows.part.sum() / rows.whole.sum(),
        nulls=rows.number.isnull().cast("int64").sum(),
        count=rows.count(where=rows.is_so),
    )
    assert engine.collect(told, ["key"]).to_pylist() == [
        {"key": 1, "texts": "valve vf", "thirds": 1 / 3, "nulls": 0, "count": 1},
        {"key": 2, "texts": None, "thirds": None, "nulls": 1, "count": 0},
    ]


def test_an_overflow_is_an_error_and_never_null(engine):
    rows = engine.register("rows", ROWS)
    with pytest.raises(Exception, match=r"(?i)range|overflow|out of|could not"):
        engine.collect(engine.keep(rows.select(x=rows.number.cast("int32")), "too_large"), ["x"])


def test_one_file_is_written_in_total_order_with_checksums_and_the_same_bytes_every_time(engine, tmp_path):
    count = 3 * ROWS_PER_GROUP // 2
    rows = engine.register("many", pa.table({"key": pa.array(range(count, 0, -1), pa.int64())}))
    rows = rows.mutate(half=rows.key.cast("float64") / 2)
    paths = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    assert [engine.write(rows, path, ["key"]) for path in paths] == [count, count]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = read_parquet(paths[0])
    assert found["key"].to_pylist() == list(range(1, count + 1))
    assert found.schema == pa.schema([("key", pa.int64()), ("half", pa.float64())])
    assert pq.read_metadata(paths[0]).num_row_groups == 2
    damaged = bytearray(paths[0].read_bytes())
    damaged[len(damaged) // 3] ^= 1
    paths[1].write_bytes(damaged)
    with pytest.raises(OSError, match=r"(?i)crc|corrupt|page"):
        read_parquet(paths[1])


def test_a_wide_table_is_written_in_smaller_row_groups_whatever_batches_it_comes_in(tmp_path):
    rows = pa.table({f"column_{n}": pa.array(range(40_000), pa.float64()) for n in range(130)})
    paths = [tmp_path / "large.parquet", tmp_path / "small.parquet"]
    for path, size in zip(paths, (40_000, 777), strict=True):
        assert write_batches(rows.to_batches(max_chunksize=size), rows.schema, path) == 40_000
    assert paths[0].read_bytes() == paths[1].read_bytes()
    told = pq.read_metadata(paths[0])
    assert [told.row_group(n).num_rows for n in range(told.num_row_groups)] == [16_384, 16_384, 7_232]
    assert read_parquet(paths[0]).equals(rows)


def test_a_long_part_of_a_cluster_is_read_holding_one_row_group_of_it(tmp_path):
    # Numbers that do not compress: 40 groups of 128 KiB.
    rows = pa.table({"x": [number * 0.1 for number in range(40 * 16_384)]})
    pq.write_table(rows, tmp_path / "part.parquet", row_group_size=16_384, use_dictionary=False)
    before, held, read = pa.total_allocated_bytes(), 0, []
    for batch in _batches(iter([tmp_path / "part.parquet"]), rows.schema):
        held = max(held, pa.total_allocated_bytes() - before)
        read.append(batch.slice(0, 1)["x"][0].as_py())
    assert read == [number * 16_384 * 0.1 for number in range(40)]
    assert held < rows.nbytes / 4


def test_nothing_is_written_as_a_file_of_no_rows(engine, tmp_path):
    rows = engine.register("rows", ROWS)
    assert engine.write(rows.filter(rows.key > 9), tmp_path / "none.parquet", ["key"]) == 0
    assert read_parquet(tmp_path / "none.parquet").schema == ROWS.schema
    assert engine.collect(rows.filter(rows.key > 9), ["key"]).schema == ROWS.schema


def test_a_function_sees_every_row_once_with_its_types(engine):
    def told(batch):
        kinds = pa.array([str(batch.schema.field("amount").type)] * batch.num_rows)
        sizes = pa.array([batch.num_rows] * batch.num_rows, pa.int64())
        return pa.record_batch({"key": batch["key"], "amount": batch["amount"], "kind": kinds, "rows": sizes})

    schema = pa.schema(
        [("key", pa.int64()), ("amount", pa.decimal128(18, 2)), ("kind", pa.string()), ("rows", pa.int64())]
    )
    mapped = engine.map_batches(engine.register("rows", ROWS), told, schema, "told")
    found = engine.collect(mapped, ["key"])
    assert found.schema == schema
    assert found.select(["key", "amount"]).equals(ROWS.sort_by("key").select(["key", "amount"]))
    assert set(found["kind"].to_pylist()) == {"decimal128(18, 2)"}
    assert min(found["rows"].to_pylist()) >= 1
    nothing = engine.map_batches(
        mapped.filter(mapped.key > 9).select(*ROWS.column_names[:1], "amount"), told, schema, "none"
    )
    assert engine.collect(nothing, ["key"]).schema == schema


def test_a_closed_engine_leaves_nothing_on_disk_and_a_killed_one_is_swept(tmp_path):
    killed = os.fork()
    if killed == 0:
        connect_duckdb(1, "512MB", tmp_path)
        os._exit(0)
    os.waitpid(killed, 0)
    left = set(tmp_path.iterdir())
    assert len(left) == 1
    other = connect_duckdb(1, "512MB", tmp_path)
    opened = connect_duckdb(1, "512MB", tmp_path)
    assert len(set(tmp_path.iterdir()) - left) == len(list(tmp_path.iterdir())) == 2
    opened.map_batches(opened.register("rows", ROWS), lambda batch: batch, ROWS.schema, "same")
    opened.close()
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_duckdb_spills_into_its_scratch_folder_and_finishes_above_its_memory(tmp_path):
    opened = connect_duckdb(1, "100MB", tmp_path)
    opened.backend.raw_sql("CREATE TEMP TABLE large AS SELECT (hash(range) >> 1)::BIGINT AS key FROM range(20000000)")
    folder = next(tmp_path.iterdir())
    assert any(path.suffix == ".tmp" for path in folder.iterdir())
    table = opened.backend.table("large")
    assert opened.write(table.filter(table.key % 40 == 0), tmp_path / "sorted.parquet", ["key"]) > 400_000
    opened.close()
