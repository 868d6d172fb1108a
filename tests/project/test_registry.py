"""Which MLflow store is used: the variable, then the parameter, then a file in the project."""

import pytest

from pipeline.registry import open_registry


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


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
