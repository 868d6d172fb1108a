"""The only module that speaks MLflow: runs, registered versions, their tags and aliases, the model as it is served."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.errors import DamagedModelError, MissingInputError, TargetUnreachableError, without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

_PACKAGE = Path(__file__).parent
# What a served model imports; the versions are those of this environment.
_SERVING_NEEDS = ("numpy", "pandas", "pyarrow", "pyyaml", "lightgbm", "mlflow-skinny")


@dataclass(frozen=True)
class Run:
    """All that one fitted model leaves in MLflow. `sample` and `answers` are a few feature rows and what the model says
    of them: the signature. `tags` tell the lineage, on the run and on the version; `validation` is kept as JSON."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    model_folder: Path
    pictures: Path
    sample: pd.DataFrame
    answers: pd.DataFrame
    model_code: Path
    validation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """A registered version: MLflow's number, and the model folder's name that stands in its tags (null: none told)."""

    number: str
    model_version: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Registry:
    """One MLflow store, experiment and registered model."""

    tracking_uri: str
    experiment: str
    model_name: str
    artifacts: str | None

    def log(self, run: Run) -> str:
        """Logs the run and registers its model; gives back the registered version.

        A model version that is already registered (tag `model_version`) is not registered twice; its tags are renewed.
        Raises TargetUnreachableError when the store does not answer.
        """
        import mlflow

        with self._store():
            known = self._registered(run.tags["model_version"])
            with mlflow.start_run(run_name=run.name):
                mlflow.set_tags(dict(run.tags))
                mlflow.log_params(dict(run.params))
                mlflow.log_metrics(dict(run.metrics))
                mlflow.log_artifacts(str(run.pictures), artifact_path="explanation")
                mlflow.log_dict(dict(run.validation), "validation/validation.json")
                info = self._log_model(run)
            if known is not None:
                self._tag(known, run.tags)
                return known
            # One call makes the version with its tags: a version that says nothing of its model cannot be left behind.
            made = mlflow.register_model(info.model_uri, self.model_name, tags=dict(run.tags))
            return str(made.version)

    def log_monitoring(
        self, run_id: str, metrics: Mapping[str, float], tags: Mapping[str, str], told: Mapping[str, Any]
    ) -> str:
        """Logs what monitoring measured of a scoring run; gives back MLflow's run. The same scoring run logs into the
        same MLflow run again. Raises TargetUnreachableError when the store does not answer."""
        import mlflow

        with self._store():
            known = mlflow.MlflowClient().search_runs(
                [mlflow.get_experiment_by_name(self.experiment).experiment_id],
                f"tags.monitored_run = '{run_id}'",
                max_results=1,
            )
            name = f"monitor {tags.get('as_of', run_id)}"
            with mlflow.start_run(run_id=known[0].info.run_id if known else None, run_name=name) as run:
                mlflow.set_tags({**tags, "monitored_run": run_id})
                mlflow.log_metrics(dict(metrics))
                mlflow.log_dict(dict(told), "monitoring/monitoring.json")
                return str(run.info.run_id)

    def registered(self, model_version: str) -> str | None:
        """The registered version that holds this model version, or None."""
        with self._store():
            return self._registered(model_version)

    def version(self, number: str) -> Version:
        """A registered version by MLflow's number. Raises MissingInputError when there is none."""
        import mlflow
        from mlflow.exceptions import MlflowException

        with self._store():
            try:
                found = mlflow.MlflowClient().get_model_version(self.model_name, number)
            except MlflowException as error:
                if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                    raise
                raise MissingInputError(
                    f"{self.model_name}: MLflow holds no version {number!r}; name one that `creditbook run` registered"
                ) from error
            return Version(str(found.version), found.tags.get("model_version"), dict(found.tags))

    def fetch_model(self, number: str, folder: Path) -> Path:
        """The model folder of a registered version, downloaded below `folder`; nothing of it is loaded."""
        import mlflow

        with self._store():
            uri = f"models:/{self.model_name}/{number}"
            got = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
        manifests = sorted(got.glob("artifacts/*/manifest.json"))
        if len(manifests) != 1:
            raise DamagedModelError(
                f"{self.model_name} version {number}: MLflow's copy holds {len(manifests)} model folders where one is "
                "due; register the model again"
            )
        return manifests[0].parent

    def mirror(self, aliases: Mapping[str, str], tags: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Sets the aliases to the registered versions, as models/*.json has decided, and tags of versions by number."""
        import mlflow

        with self._store():
            for number, told in sorted((tags or {}).items()):
                self._tag(number, told)
            client = mlflow.MlflowClient()
            for alias, number in sorted(aliases.items()):
                client.set_registered_model_alias(self.model_name, alias, number)

    def _registered(self, model_version: str) -> str | None:
        import mlflow

        for version in mlflow.MlflowClient().search_model_versions(f"name = '{self.model_name}'"):
            if version.tags.get("model_version") == model_version:
                return str(version.version)
        return None

    def _tag(self, number: str, tags: Mapping[str, str]) -> None:
        import mlflow

        client = mlflow.MlflowClient()
        for name, value in sorted(tags.items()):
            client.set_model_version_tag(self.model_name, number, name, value)

    def _log_model(self, run: Run) -> Any:
        import mlflow

        with _without_hints():
            return mlflow.pyfunc.log_model(
                name="model",
                python_model=str(run.model_code),
                artifacts={"model": str(run.model_folder)},
                code_paths=[str(_PACKAGE)],
                signature=mlflow.models.infer_signature(run.sample, run.answers),
                pip_requirements=_requirements(),
            )

    @contextlib.contextmanager
    def _store(self) -> Iterator[None]:
        import mlflow
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        mlflow.set_tracking_uri(self.tracking_uri)
        try:
            if mlflow.get_experiment_by_name(self.experiment) is None:
                mlflow.create_experiment(self.experiment, artifact_location=self.artifacts)
            mlflow.set_experiment(self.experiment)
            yield
        except (MlflowException, RequestException, SQLAlchemyError) as error:
            told = f"MLflow store {self.tracking_uri}: {error}; check MLFLOW_TRACKING_URI or registry.tracking_uri"
            raise TargetUnreachableError(without_passwords(told)) from error


@contextlib.contextmanager
def _without_hints() -> Iterator[None]:
    """Keeps MLflow's advice off the terminal: on type hints, an input example and null integers, while the signature
    comes from real answers. It sets filters of its own, so that a filter set here would not hold."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(  # noqa: PLR0917 - the signature of warnings.showwarning
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, UserWarning):
                shown(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


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
