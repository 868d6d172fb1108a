"""Whole stages on the cluster give what they give on DuckDB: label, build_features and score, models on the workers."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from sameness import assert_same

from pipeline.datasets import Project
from pipeline.features.catalog import FEATURES, as_json
from pipeline.flows.build_features import build_features
from pipeline.flows.label import label
from pipeline.flows.score_day import score
from pipeline.flows.setting import open_setting
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.model import Model
from pipeline.score.model_folder import write_model, write_role
from pipeline.score.points import Scaling
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.tables.canonical import conform
from pipeline.tables.content_hash import content_hash
from pipeline.tables.intake import Intake
from pipeline.tables.writing import write_canonical

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]

READ = ("mean_days_late_12m", "overdue_item_share", "tenure_months", "industry_section")


@pytest.fixture(scope="module")
def projects(repository, books, spark, tmp_path_factory):
    """The same project twice, a ledger full of trouble in it: on DuckDB with every stage run, and on the cluster."""
    on_duckdb = tmp_path_factory.mktemp("projects") / "duckdb"
    shutil.copytree(repository / "policy", on_duckdb / "policy")
    told = yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))
    # A ledger made up by chance ends wherever its last row happens to lie.
    told["score"]["breakers"]["stale_days"] = {}
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
    _put_in_force(Project(on_duckdb))
    shutil.copytree(on_duckdb / "models", on_spark / "models")
    score(open_setting(on_duckdb))
    return Project(on_duckdb), Project(on_spark)


def _take_in(book, folder):
    tables = {name: conform(name, rows) for name, rows in book.items()}
    extract_date = max(pc.max(rows["known_on"]).as_py() for rows in tables.values())
    write_canonical(Intake(tables, {}, (), {}, extract_date, "EUR", content_hash(tables), (), {}), folder)


def _put_in_force(project):
    """A booster fitted on the spot: LightGBM is what workers must be able to run."""
    import lightgbm

    rows = pq.read_table(project.features).to_pandas()
    sections = tuple(sorted(rows["industry_section"].dropna().unique()))
    numbers = rows[list(READ)].assign(
        industry_section=rows["industry_section"].map({name: code for code, name in enumerate(sections)})
    )
    is_bad = np.random.default_rng(2).random(len(rows)) < rows["overdue_item_share"].fillna(0.1)
    data = lightgbm.Dataset(
        numbers.to_numpy(float), is_bad.astype(int), feature_name=list(READ), categorical_feature=["industry_section"]
    )
    settings = {"objective": "binary", "num_leaves": 5, "min_data_in_leaf": 10, "num_threads": 1, "verbose": -1}
    text = lightgbm.train({**settings, "seed": 1}, data, 15).model_to_string()
    model = Model(
        kind="booster",
        label={"kind": "default", "days": 90, "window_months": 12, "window_days": None},
        features=READ,
        catalogue=[entry for entry in as_json() if entry["name"] in READ],
        predictor=Booster.from_text(text, READ, {"industry_section": sections}),
        calibration=Calibration.line("platt", 0.1, 0.9),
        scaling=Scaling(20.0, 600.0, 30.0),
        thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3)),
        development={
            "default_rate": 0.03,
            "rows": 1000,
            "bads": 30,
            "score": {"splits": [2.0, 3.0], "counts": [300, 400, 300], "missing": 0},
            "features": {},
        },
        version="",
    )
    model = replace(model, catalogue=sorted(model.catalogue, key=lambda entry: READ.index(entry["name"])))
    version = write_model(project.models, model, rows.head(20))
    write_role(project.models, "champion", {"model_version": version, "since": "2025-01-01"})


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


def test_the_scored_book_is_the_same_with_the_models_applied_on_the_workers(in_the_shared_session):
    on_duckdb, on_spark = in_the_shared_session
    score(open_setting(on_spark.root))
    assert_same(pq.read_table(on_duckdb.night), pq.read_table(on_spark.night))
    both = (on_duckdb, on_spark)
    books = [pq.read_table(next((p.root / "data" / "scored" / "latest").glob("*.parquet"))) for p in both]
    assert_same(*books)
    receipts = [json.loads(p.receipt.read_text(encoding="utf-8")) for p in both]
    assert receipts[0]["counts"] == receipts[1]["counts"]
    assert receipts[0]["totals"] == receipts[1]["totals"]
    assert on_duckdb.root != on_spark.root
