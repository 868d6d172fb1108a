"""What the main job leaves in MLflow."""

import json

import mlflow
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.score.model_folder import read_role

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("main_job"),
    # MLflow's own store and client warn about their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def client(ran):
    mlflow.set_tracking_uri(f"sqlite:///{ran.root / 'models' / 'mlflow' / 'mlflow.db'}")
    return mlflow.MlflowClient()


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_the_alias_mirrors_the_version_in_force(ran, client, role):
    in_force = json.loads((ran.root / "models" / f"{role}.json").read_text(encoding="utf-8"))
    version = client.get_model_version_by_alias("creditbook-pd", role)
    assert version.tags["model_version"] == in_force["model_version"]
    assert "first pair" in in_force["reason"]


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_a_run_has_parameters_metrics_lineage_and_pictures(ran, client, role):
    version = client.get_model_version_by_alias("creditbook-pd", role)
    run = client.get_run(version.run_id)
    assert {"data_version", "code_version", "catalogue_hash", "model_version"} <= set(run.data.tags)
    assert run.data.params["label.window_months"] == "12"
    metrics = json.loads((ran.root / "models" / "validation" / "metrics.json").read_text(encoding="utf-8"))
    assert run.data.metrics["test.gini"] == metrics[f"{role}.test.gini"]
    names = {entry.path for entry in client.list_artifacts(version.run_id, "explanation")}
    assert {"explanation/bar.png", "explanation/beeswarm.png"} <= names
    assert any("dependence" in name for name in names)


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_the_served_model_answers_as_the_model_folder_does(ran, client, role):
    model = read_role(ran.root / "models", role)
    rows = pq.read_table(ran.root / "data" / "features" / "training.parquet").to_pandas()
    rows = rows[list(model.features)].head(50).reset_index(drop=True)
    served = mlflow.pyfunc.load_model(f"models:/creditbook-pd@{role}")
    assert served.metadata.signature is not None
    answers = served.predict(rows)
    np.testing.assert_allclose(answers["pd"], model.pd(rows), rtol=0, atol=1e-12)
    assert answers["score"].tolist() == model.score(rows).tolist()
