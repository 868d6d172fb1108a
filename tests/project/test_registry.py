"""Which MLflow store is used: the variable, the parameter, or a file in the project, which goes with the project."""

import contextlib
import dataclasses
import json
import os
import shutil
import sqlite3

import mlflow
import pandas as pd
import pytest
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from pipeline.registry import MonitoredRun, Registry, Run, _bring_along, open_registry

# MLflow's own store and client warn about their own future.
_KINDS = ("DeprecationWarning", "FutureWarning", "UserWarning", "ResourceWarning")


def of_mlflow(test):
    for kind in _KINDS:
        test = pytest.mark.filterwarnings(f"ignore::{kind}")(test)
    return test


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    # Empty and not gone: MLflow sets it, and it shall not stay for the tests that follow.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")


def test_the_variable_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    store = open_registry(tmp_path / "mlflow", "sqlite:///other.db", "credit", "pd")
    assert (store.tracking_uri, store.artifacts) == ("http://127.0.0.1:5000", None)
    assert not (tmp_path / "mlflow").exists()


def test_then_the_parameter_then_a_file_in_the_project(tmp_path):
    assert open_registry(tmp_path, "sqlite:///other.db", "credit", "pd").tracking_uri == "sqlite:///other.db"
    store = open_registry(tmp_path / "mlflow", None, "credit", "pd")
    assert store.tracking_uri == f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}"
    assert store.artifacts == (tmp_path / "mlflow" / "artifacts").as_uri()


@of_mlflow
def test_the_store_a_project_speaks_to_is_not_left_to_the_next_project_of_the_process(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    first, second = (open_registry(tmp_path / name, None, "credit", "pd") for name in ("first", "second"))
    first.log_monitoring([watched(3.0)])
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert os.environ["MLFLOW_EXPERIMENT_ID"] == "7"
    assert open_registry(tmp_path / "second", None, "credit", "pd") == second
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    second.log_monitoring([watched(4.0)])
    assert {"MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"}.isdisjoint(os.environ)


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def watched(customers, told=None, run_id="r1", **metrics):
    return MonitoredRun(run_id, "card-1", "2024-12-31", {"customers": customers, **metrics}, told)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A store with one run and its artifact, a registered version and a logged model that lie below it."""
    folder = tmp_path_factory.mktemp("first") / "models" / "mlflow"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")
        store = open_registry(folder, None, "credit", "pd")
        run = store.log_monitoring([watched(3.0, {"gates": []})])["r1"]
        client = mlflow.MlflowClient(store.tracking_uri)
        client.log_text(run, '{"here": "first"}', "m/artifacts/card/manifest.json")
        source = f"{client.get_run(run).info.artifact_uri}/m"
        client.create_registered_model(store.model_name)
        client.create_model_version(store.model_name, source, run, tags={"model_version": "card-1"})
        client.create_logged_model(client.get_run(run).info.experiment_id, name="card")
    return folder


@of_mlflow
def test_a_scoring_run_has_one_run_in_mlflow_and_a_new_point_only_where_a_number_changed(first):
    store = open_registry(first, None, "credit", "pd")
    both = [watched(3.0), watched(5.0, run_id="r2", level=1.1)]
    logged = store.log_monitoring(both)
    assert len(set(logged.values())) == 2
    assert store.log_monitoring(both) == logged
    assert store.log_monitoring([watched(5.0, run_id="r2", level=1.2, gini=0.6)]) == {"r2": logged["r2"]}
    client = mlflow.MlflowClient(store.tracking_uri)
    points = {
        (run, name): [point.value for point in client.get_metric_history(logged[run], name)]
        for run in ("r1", "r2") for name in ("customers", "level", "gini")
    }  # fmt: skip
    assert points == {
        ("r1", "customers"): [3.0], ("r1", "level"): [], ("r1", "gini"): [],
        ("r2", "customers"): [5.0], ("r2", "level"): [1.1, 1.2], ("r2", "gini"): [0.6],
    }  # fmt: skip


@of_mlflow
def test_who_holds_an_alias_is_told_with_the_tags_and_nobody_is_none(first, tmp_path):
    shutil.copytree(first, tmp_path / "copy" / "models" / "mlflow")
    store = open_registry(tmp_path / "copy" / "models" / "mlflow", None, "credit", "pd")
    assert dataclasses.replace(store, model_name="never registered").holder("champion") is None
    assert store.holder("champion") is None
    store.mirror({"champion": "1"}, {"1": {"champion.by": "Ann"}})
    found = store.holder("champion")
    assert (found.number, found.model_version, found.tags["champion.by"]) == ("1", "card-1", "Ann")
    assert store.holder("challenger") is None


@of_mlflow
def test_a_later_validation_leaves_the_lineage_of_the_registration_as_it_was(first, tmp_path, monkeypatch):
    shutil.copytree(first, tmp_path / "copy" / "models" / "mlflow")
    store = open_registry(tmp_path / "copy" / "models" / "mlflow", None, "credit", "pd")
    lineage = {"params_hash": "a", "policy_limits": "b"}
    store.mirror({"champion": "1"}, {"1": lineage})
    # The version stands already: its model is not registered again, so what would be served does not matter here.
    monkeypatch.setattr(Registry, "_log_model", lambda self, run: None)
    (tmp_path / "pictures").mkdir()
    tags = {"model_version": "card-1", "kind": "scorecard", "params_hash": "x", "policy_limits": "b"}
    run = Run(
        "card-1", {}, {}, tags, tmp_path, tmp_path / "pictures", pd.DataFrame(), pd.DataFrame(), tmp_path,
        lineage=("params_hash", "policy_limits"),
    )  # fmt: skip
    assert store.log(run) == "1"
    told = store.holder("champion").tags
    assert {name: told[name] for name in lineage} == lineage
    later = {"last_validated.params_hash": "x", "last_validated.policy_limits": "b"}
    assert set(told) - set(lineage) == {"model_version", *later}
    assert {name: told[name] for name in later} == later
    validated = mlflow.MlflowClient(store.tracking_uri).search_runs(
        [mlflow.MlflowClient(store.tracking_uri).get_experiment_by_name("credit").experiment_id],
        "tags.params_hash = 'x'",
    )
    assert len(validated) == 1


@of_mlflow
def test_a_copied_project_reads_and_writes_its_own_artifacts_and_leaves_the_first_as_it_was(first, tmp_path):
    second = tmp_path / "second place" / "models" / "mlflow"
    shutil.copytree(first, second)
    was = bytes_of(first)
    # One process remembers where the artifacts of a run lie; a copy is opened by another one.
    _artifact_repos_cache.clear()
    store = open_registry(second, None, "credit", "pd")
    store.log_monitoring([watched(4.0, {"gates": ["new"]})])
    assert bytes_of(first) == was
    (told,) = second.glob("artifacts/*/artifacts/monitoring/monitoring.json")
    assert json.loads(told.read_text(encoding="utf-8")) == {"gates": ["new"]}
    (manifest,) = second.glob("artifacts/*/artifacts/m/artifacts/card/manifest.json")
    manifest.write_text('{"here": "second"}', encoding="utf-8")
    assert '"second"' in (store.fetch_model("1", tmp_path / "got") / "manifest.json").read_text(encoding="utf-8")
    with contextlib.closing(sqlite3.connect(second / "mlflow.db")) as kept:
        every = "\n".join(kept.iterdump())
    assert first.as_uri() not in every
    for table in ("experiments", "runs", "logged_models", "model_versions"):
        lines = [line for line in every.splitlines() if line.startswith(f'INSERT INTO "{table}"')]
        assert second.as_uri() in "".join(lines), table


def test_artifacts_that_lie_elsewhere_on_purpose_stay_there(tmp_path):
    database, own = tmp_path / "mlflow.db", (tmp_path / "models" / "mlflow" / "artifacts").as_uri()
    kept = ["s3://bucket/models/mlflow/artifacts", "file:///share/artifacts", "/old/mlruns/0", own, None]
    with contextlib.closing(sqlite3.connect(database)) as store:
        _bring_along(database, own)
        store.execute("CREATE TABLE experiments (artifact_location TEXT)")
        store.execute("CREATE TABLE runs (artifact_uri TEXT)")
        store.executemany("INSERT INTO experiments VALUES (?)", [(at,) for at in kept])
        store.execute("INSERT INTO experiments VALUES ('file:///old/models/mlflow/artifacts')")
        runs = ["file:///old/models/mlflow/artifacts/a", "file:///old/models/mlflow/artifacts-too/b", "s3://bucket/c"]
        store.executemany("INSERT INTO runs VALUES (?)", [(at,) for at in runs])
        store.commit()
        _bring_along(database, own)
        assert [row[0] for row in store.execute("SELECT artifact_location FROM experiments")] == [*kept, own]
        assert [row[0] for row in store.execute("SELECT artifact_uri FROM runs")] == [f"{own}/a", *runs[1:]]
