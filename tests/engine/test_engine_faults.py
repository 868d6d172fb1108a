"""What can go wrong on a cluster: a worker is lost, the master is not there, an executor never comes."""

import os
import subprocess
import sys
import threading
import time

import ibis
import pyarrow as pa
import pytest
import yaml

from pipeline.engine import connect
from pipeline.errors import CreditbookError, ParameterError, TargetUnreachableError
from pipeline.params import EngineParams
from pipeline.read_params import parse_params
from pipeline.tables.canonical import FORMAT_VERSION, MANIFEST

NOBODY = "spark://127.0.0.1:9"
on_the_cluster = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{kind: spark}", "engine.master: Spark needs a master"),
        ("{kind: spark, master: 'http://host:8080'}", "engine.master: expected spark://host:port"),
        ("{kind: spark, master: 'spark://host'}", "engine.master: expected spark://host:port"),
        ("{kind: spark, master: yarn, memory_limit: 256MB}", "engine.memory_limit: Spark needs 512MB at least"),
        ("{memory_limit: much}", "engine.memory_limit: expected a size such as 2GB"),
        ("{master: yarn}", "engine.master: is for kind spark only"),
        ("{shared_folder: 's3a://bucket/runs'}", "engine.shared_folder: is for kind spark only"),
        ("{kind: spark, master: yarn, options: {executor.cores: '2'}}", "begins with spark."),
        ("{kind: spark, master: yarn, options: {spark.sql.ansi.enabled: 'false'}}", "results rest on it"),
        ("{kind: spark, master: yarn, options: {spark.executor.instances: 4}}", "expected a text"),
        ("{kind: polars}", "engine.kind: expected one of duckdb, spark"),
    ],
)
def test_wrong_parameters_of_the_engine_are_named(text, part):
    with pytest.raises(ParameterError) as refused:
        parse_params(f"engine: {text}")
    assert part in str(refused.value)


@pytest.mark.parametrize(
    "master", ["spark://host:7077", "spark://a:1,b:2", "local", "local[2]", "yarn", "k8s://https://h:6443"]
)
def test_every_kind_of_master_is_accepted(master):
    assert parse_params(f"engine: {{kind: spark, master: '{master}'}}").engine.master == master


def test_a_master_that_does_not_answer_is_told_at_once_with_its_exit_code(repository, tmp_path):
    pytest.importorskip("pyspark")
    told = yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))
    told["engine"] |= {"kind": "spark", "master": NOBODY}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    (tmp_path / "policy").symlink_to(repository / "policy")
    (tmp_path / "data" / "ledger").mkdir(parents=True)
    (tmp_path / "data" / "ledger" / MANIFEST).write_text(f'{{"format_version": {FORMAT_VERSION}}}', encoding="utf-8")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "stage", "label"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - began < 60
    assert done.returncode == 69
    assert NOBODY in done.stderr
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("module", "part"), [("pyspark", r"creditbook\[spark\]"), ("java", "no java was found")])
def test_a_missing_library_is_told_with_the_way_to_install_it(monkeypatch, tmp_path, module, part):
    if module == "pyspark":
        monkeypatch.setitem(sys.modules, "pyspark", None)
    else:
        pytest.importorskip("pyspark")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(TargetUnreachableError, match=part) as refused:
        connect(EngineParams(kind="spark", master="local[1]"), tmp_path / "spark")
    assert refused.value.exit_code == 69
    assert list((tmp_path / "spark").iterdir()) == []


class TestOnTheCluster:
    """One after the other: each takes the cores there are."""

    pytestmark = on_the_cluster

    def test_more_memory_than_any_worker_has_is_told_within_the_time_given(self, spark_cluster, tmp_path):
        options = {"spark.executor.memory": "3g", "spark.scheduler.maxRegisteredResourcesWaitingTime": "3s"}
        with pytest.raises(TargetUnreachableError, match="gave no executor within 3s"):
            connect(spark_cluster.params(options=options), tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_functions_run_on_the_workers_and_their_errors_are_told(self, spark_cluster, tmp_path):
        # Workers get these with the job: they need not know this module.
        def processes(batch: pa.RecordBatch) -> pa.RecordBatch:
            told = [pa.array([value] * batch.num_rows, pa.int64()) for value in (os.getpid(), os.getppid())]
            return pa.record_batch({"key": batch["key"], "process": told[0], "parent": told[1]})

        def refusal(batch: pa.RecordBatch) -> pa.RecordBatch:
            raise ValueError("no such customer")

        engine = connect(spark_cluster.params(shared_folder=(tmp_path / "shared").as_uri()), tmp_path / "scratch")
        try:
            rows = engine.register("rows", pa.table({"key": pa.array(range(4000), pa.int64())}))
            schema = pa.schema([("key", pa.int64()), ("process", pa.int64()), ("parent", pa.int64())])
            mapped = engine.map_batches(rows, processes, schema, "processes")
            found = engine.collect(mapped, ["key"])
            assert found["key"].to_pylist() == list(range(4000))
            assert os.getpid() not in {*found["process"].to_pylist(), *found["parent"].to_pylist()}
            with pytest.raises(CreditbookError, match="no such customer"):
                engine.map_batches(rows, refusal, schema, "refused")
            # An explicit shared folder is all that the workers read, and it is empty again at the end.
            assert {path.name for path in (tmp_path / "shared").iterdir()} != set()
        finally:
            engine.close()
        assert list((tmp_path / "shared").iterdir()) == []
        assert list((tmp_path / "scratch").iterdir()) == []

    def test_a_worker_killed_in_the_middle_of_the_job_does_not_change_the_result(self, spark_cluster, tmp_path):
        tasks, rows_each = 8, 1000
        begun = tmp_path / "begun"
        begun.mkdir()

        def slowly(batch: pa.RecordBatch) -> pa.RecordBatch:
            # Each task says in which process it runs, then takes its time.
            with open(f"{begun}/{os.getpid()}-{time.monotonic_ns()}", "w"):  # noqa: PTH123
                time.sleep(1.5)
            return pa.record_batch({"key": batch["key"], "twice": pa.array([2 * k.as_py() for k in batch["key"]])})

        def kill_when_both_work() -> None:
            until = time.monotonic() + 120
            while len({path.name.split("-")[0] for path in begun.iterdir()}) < 2 and time.monotonic() < until:
                time.sleep(0.05)
            spark_cluster.kill_worker()
            begun_before.append(len(list(begun.iterdir())))

        begun_before: list[int] = []
        killer = threading.Thread(target=kill_when_both_work)
        # A file is a task.
        engine = connect(spark_cluster.params(options={"spark.sql.files.maxPartitionBytes": "16k"}), tmp_path / "spark")
        try:
            files = [
                engine.register("rows", pa.table({"key": pa.array(range(k * rows_each, (k + 1) * rows_each))}))
                for k in range(tasks)
            ]
            # What was kept before the loss is read after it.
            kept = engine.keep(ibis.union(*files).mutate(lambda t: (t.key % 3).name("third")), "kept")
            killer.start()
            schema = pa.schema([("key", pa.int64()), ("twice", pa.int64())])
            mapped = engine.map_batches(ibis.union(*files), slowly, schema, "slowly")
            joined = kept.inner_join(mapped, "key").select("third", "twice")
            sums = joined.group_by("third").agg(rows=joined.count(), twice=joined.twice.sum())
            found = engine.collect(sums, ["third"])
        finally:
            killer.join()
            engine.close()
            spark_cluster.add_worker()
        assert 2 <= begun_before[0] < tasks < len(list(begun.iterdir()))
        expected = [range(third, tasks * rows_each, 3) for third in range(3)]
        assert found.to_pylist() == [
            {"third": third, "rows": len(keys), "twice": 2 * sum(keys)} for third, keys in enumerate(expected)
        ]
