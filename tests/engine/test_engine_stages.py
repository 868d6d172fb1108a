"""Whole stages on the cluster give what they give on DuckDB: label and build_features; a night does in tests/score."""

import shutil
import subprocess
import sys

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from sameness import assert_same

from pipeline.datasets import Project
from pipeline.features.catalog import FEATURES
from pipeline.flows.build_features import build_features
from pipeline.flows.label import label
from pipeline.flows.setting import open_setting
from pipeline.tables.canonical import conform
from pipeline.tables.content_hash import content_hash
from pipeline.tables.intake import Intake
from pipeline.tables.writing import write_canonical

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


@pytest.fixture(scope="module")
def projects(repository, books, spark, tmp_path_factory):
    """The same project twice, a ledger full of trouble in it: on DuckDB with every stage run, and on the cluster."""
    on_duckdb = tmp_path_factory.mktemp("projects") / "duckdb"
    shutil.copytree(repository / "policy", on_duckdb / "policy")
    told = yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))
    (on_duckdb / "params.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    _take_in(books.random_book(17, customers=16).arrow(), on_duckdb / "data" / "ledger")
    on_spark = on_duckdb.with_name("spark")
    shutil.copytree(on_duckdb, on_spark)
    params = spark.cluster.params()
    names = ("kind", "master", "memory_limit", "threads", "options")
    told["engine"] = {name: getattr(params, name) for name in names}
    # Some hundred plans, each run once over a few rows: to compile them would take longer than to run them.
    told["engine"]["options"] |= {"spark.sql.codegen.wholeStage": "false"}
    (on_spark / "params.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    for stage in (label, build_features):
        stage(open_setting(on_duckdb))
    return Project(on_duckdb), Project(on_spark)


def _take_in(book, folder):
    tables = {name: conform(name, rows) for name, rows in book.items()}
    extract_date = max(pc.max(rows["known_on"]).as_py() for rows in tables.values())
    write_canonical(Intake(tables, {}, (), {}, extract_date, "EUR", content_hash(tables), (), {}), folder)


def test_the_command_labels_on_the_cluster_and_prints_nothing_beside_its_own_lines(projects, spark_cluster):
    on_duckdb, on_spark = projects
    command = [sys.executable, "-m", "pipeline.cli", "stage", "label"]
    done = subprocess.run(command, cwd=on_spark.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "snapshots of" in done.stdout
    noise = [line for line in done.stderr.splitlines() if "WARN" in line or "ERROR" in line or "spark" in line.lower()]
    assert noise == []
    assert_same(pq.read_table(on_duckdb.snapshots), pq.read_table(on_spark.snapshots))
    assert list((on_spark.root / "data" / "spark").iterdir()) == []


@pytest.fixture
def in_the_shared_session(projects, spark, monkeypatch):
    """Stages of this process take the session that is open; the command above opens its own by its parameters."""
    engine = spark.engine()
    monkeypatch.setattr("pipeline.flows.setting.connect", lambda params, _: {"spark": engine}[params.kind])
    return projects


def test_the_whole_catalogue_and_the_positions_are_the_same_and_their_totals_are_kept(in_the_shared_session):
    on_duckdb, on_spark = in_the_shared_session
    shutil.copytree(on_duckdb.snapshots.parent, on_spark.snapshots.parent, dirs_exist_ok=True)
    build_features(open_setting(on_spark.root))
    known, stood = pq.read_table(on_spark.features), pq.read_table(on_spark.positions)
    assert known.column_names == ["customer_id", "as_of", *(feature.name for feature in FEATURES)]
    told = [name for name in known.column_names if known[name].null_count < known.num_rows]
    assert len(told) > 0.95 * len(FEATURES)
    assert_same(pq.read_table(on_duckdb.features), known)
    assert_same(pq.read_table(on_duckdb.positions), stood)
    asked = pq.read_table(on_spark.snapshots)
    assert known.num_rows == stood.num_rows == asked.num_rows
    assert pc.sum(stood["open_amount"]).as_py() > 0
