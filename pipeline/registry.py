"""The only module that speaks MLflow: runs, registered versions, aliases, and the model as MLflow serves it."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import TargetUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

_PACKAGE = Path(__file__).parent
# What a served model imports; the versions are those of this environment.
_SERVING_NEEDS = ("numpy", "pandas", "pyarrow", "pyyaml", "lightgbm", "mlflow-skinny")


@dataclass(frozen=True)
class Run:
    """All that one fitted model leaves in MLflow. `sample` and `answers` are a few feature
    rows and what the model says of them: the signature."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    model_folder: Path
    pictures: Path
    sample: pd.DataFrame
    answers: pd.DataFrame
    model_code: Path


@dataclass(frozen=True)
class Registry:
    """One MLflow store, experiment and registered model."""

    tracking_uri: str
    experiment: str
    model_name: str
    artifacts: str | None

    def log(self, run: Run) -> str:
        """Logs the run and registers its model; gives back the registered version.

        A model version that is already registered (tag `model_version`) is not registered twice.
        Raises TargetUnreachableError when the store does not answer.
        """
        import mlflow

        with self._store():
            known = self.registered(run.tags["model_version"])
            with mlflow.start_run(run_name=run.name):
                mlflow.set_tags(dict(run.tags))
                mlflow.log_params(dict(run.params))
                mlflow.log_metrics(dict(run.metrics))
                mlflow.log_artifacts(str(run.pictures), artifact_path="explanation")
                info = self._log_model(run, register=known is None)
            return known or str(info.registered_model_version)

    def registered(self, model_version: str) -> str | None:
        """The registered version that holds this model version, or None."""
        import mlflow

        versions = mlflow.MlflowClient().search_model_versions(f"name = '{self.model_name}'")
        for version in versions:
            if version.tags.get("model_version") == model_version:
                return str(version.version)
        return None

    def mirror(self, aliases: Mapping[str, str]) -> None:
        """Sets the aliases to the registered versions, as models/*.json has decided."""
        import mlflow

        with self._store():
            client = mlflow.MlflowClient()
            for alias, version in sorted(aliases.items()):
                client.set_registered_model_alias(self.model_name, alias, version)

    def _log_model(self, run: Run, *, register: bool) -> Any:
        import mlflow

        with warnings.catch_warnings():
            # MLflow hints at type hints, an input example and null integers; the signature comes from real answers.
            warnings.simplefilter("ignore", UserWarning)
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(run.model_code),
                artifacts={"model": str(run.model_folder)},
                code_paths=[str(_PACKAGE)],
                signature=mlflow.models.infer_signature(run.sample, run.answers),
                pip_requirements=_requirements(),
                registered_model_name=self.model_name if register else None,
            )
        if register:
            mlflow.MlflowClient().set_model_version_tag(
                self.model_name, str(info.registered_model_version), "model_version", run.tags["model_version"]
            )
        return info

    @contextlib.contextmanager
    def _store(self) -> Iterator[None]:
        import mlflow
        from mlflow.exceptions import MlflowException

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        mlflow.set_tracking_uri(self.tracking_uri)
        try:
            if mlflow.get_experiment_by_name(self.experiment) is None:
                mlflow.create_experiment(self.experiment, artifact_location=self.artifacts)
            mlflow.set_experiment(self.experiment)
            yield
        except MlflowException as error:
            raise TargetUnreachableError(
                f"MLflow store {self.tracking_uri}: {error}; check MLFLOW_TRACKING_URI or registry.tracking_uri"
            ) from error


def open_registry(folder: Path, tracking_uri: str | None, experiment: str, model_name: str) -> Registry:
    """The store named by MLFLOW_TRACKING_URI, else by the parameter, else a SQLite file in `folder`."""
    named = os.environ.get("MLFLOW_TRACKING_URI") or tracking_uri
    if named:
        return Registry(named, experiment, model_name, artifacts=None)
    folder.mkdir(parents=True, exist_ok=True)
    artifacts = (folder / "artifacts").resolve().as_uri()
    return Registry(f"sqlite:///{(folder / 'mlflow.db').resolve()}", experiment, model_name, artifacts)


def serve(load: Callable[[Path], Any], predict: Callable[[Any, pd.DataFrame], pd.DataFrame]) -> None:
    """Makes the calling script a model for MLflow: `load` reads the model folder, `predict` takes feature rows."""
    import mlflow

    class Served(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        """A model folder behind MLflow's predict."""

        def load_context(self, context: Any) -> None:
            self.model = load(Path(context.artifacts["model"]))

        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
            return predict(self.model, model_input)

    mlflow.models.set_model(Served())


def _requirements() -> list[str]:
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in _SERVING_NEEDS]
