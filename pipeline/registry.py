"""The only module that speaks MLflow: runs, registered versions, their tags and aliases, the model as it is served."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.errors import DamagedModelError, MissingInputError, TargetUnreachableError, without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import pandas as pd

_PACKAGE = Path(__file__).parent
# What a served model imports; the versions are those of this environment.
# Where MLflow keeps whole paths in a SQLite store, by table.
_PLACES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
_LAST_VALIDATED = "last_validated"
_SERVING_NEEDS = ("numpy", "pandas", "pyarrow", "pyyaml", "lightgbm", "mlflow-skinny")


@dataclass(frozen=True)
class Run:
    """All that one fitted model leaves in MLflow. `sample` and `answers` are a few feature rows and what the model says
    of them: the signature. `tags` tell the lineage, on the run and on the version, and `lineage` names those of them
    that a later validation may find changed; `validation` is kept as JSON."""

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
    lineage: Collection[str] = ()


@dataclass(frozen=True)
class MonitoredRun:
    """What monitoring knows of one scoring run: plain numbers by name, and of the newest run all it told, as JSON."""

    run_id: str
    model_version: str
    as_of: str
    metrics: Mapping[str, float]
    told: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Version:
    """A registered version: MLflow's number, and the model folder's name that stands in its tags (null: none told)."""

    number: str
    model_version: str | None
    tags: Mapping[str, str]


def _version_of(found: Any) -> Version:
    """A registered version as MLflow tells it."""
    return Version(str(found.version), found.tags.get("model_version"), dict(found.tags))


@dataclass(frozen=True)
class Registry:
    """One MLflow store, experiment and registered model. `artifacts` and `database`: the embedded store's; null for one
    that is named, which is left as it is."""

    tracking_uri: str
    experiment: str
    model_name: str
    artifacts: str | None
    database: Path | None = None

    def log(self, run: Run) -> str:
        """Logs the run and registers its model; gives back the registered version.

        A model version that is already registered (tag `model_version`) is not registered twice, and the tags of its
        registration stay as they are: what it was validated with since then is told by tags `last_validated.…` and by
        the run. Raises TargetUnreachableError when the store does not answer.
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
                self._tag(known, {f"{_LAST_VALIDATED}.{name}": run.tags[name] for name in sorted(run.lineage)})
                return known
            # One call makes the version with its tags: a version that says nothing of its model cannot be left behind.
            made = mlflow.register_model(info.model_uri, self.model_name, tags=dict(run.tags))
            return str(made.version)

    def log_monitoring(self, runs: Sequence[MonitoredRun]) -> dict[str, str]:
        """Logs what monitoring measured of scoring runs; gives back MLflow's run by scoring run.

        The same scoring run logs into the same MLflow run again, and only what has changed. Raises
        TargetUnreachableError when the store does not answer.
        """
        with self._store():
            known = self._monitored()
            return {run.run_id: self._log_monitored(run, known.get(run.run_id)) for run in runs}

    def _monitored(self) -> dict[str, Any]:
        """MLflow's runs by the scoring run that they tell of."""
        import mlflow

        client, page = mlflow.MlflowClient(), None
        found: dict[str, Any] = {}
        where = [mlflow.get_experiment_by_name(self.experiment).experiment_id]
        while True:
            part = client.search_runs(where, "tags.monitored_run LIKE '%'", max_results=1000, page_token=page)
            for run in part:
                found.setdefault(run.data.tags["monitored_run"], run)
            page = part.token
            if not page:
                return found

    def _log_monitored(self, run: MonitoredRun, known: Any) -> str:
        import mlflow

        before = {} if known is None else known.data.metrics
        changed = {name: value for name, value in run.metrics.items() if before.get(name) != value}
        if known is not None and not changed and run.told is None:
            return str(known.info.run_id)
        name = f"monitor {run.as_of}"
        with mlflow.start_run(run_id=known.info.run_id if known else None, run_name=name) as kept:
            tags = {"as_of": run.as_of, "run_id": run.run_id, "model_version": run.model_version}
            mlflow.set_tags({**tags, "monitored_run": run.run_id})
            mlflow.log_metrics(changed)
            if run.told is not None:
                mlflow.log_dict(dict(run.told), "monitoring/monitoring.json")
            return str(kept.info.run_id)

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
            return _version_of(found)

    def holder(self, alias: str) -> Version | None:
        """The registered version that has the alias; null when none has."""
        import mlflow
        from mlflow.exceptions import MlflowException

        with self._store():
            try:
                found = mlflow.MlflowClient().get_model_version_by_alias(self.model_name, alias)
            except MlflowException as error:
                if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                    raise
                return None
            return _version_of(found)

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
                "due; delete this version in MLflow, then creditbook stage validate registers the model again if it is "
                "of the last fit"
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
        try:
            with _environment_kept():
                mlflow.set_tracking_uri(self.tracking_uri)
                if self.database is not None and self.artifacts is not None and self.database.is_file():
                    _bring_along(self.database, self.artifacts)
                if mlflow.get_experiment_by_name(self.experiment) is None:
                    mlflow.create_experiment(self.experiment, artifact_location=self.artifacts)
                mlflow.set_experiment(self.experiment)
                yield
        except (MlflowException, RequestException, SQLAlchemyError, sqlite3.Error) as error:
            told = f"MLflow store {self.tracking_uri}: {error}; check MLFLOW_TRACKING_URI or registry.tracking_uri"
            raise TargetUnreachableError(without_passwords(told)) from error


@contextlib.contextmanager
def _environment_kept() -> Iterator[None]:
    """MLflow writes the store and the experiment it is told into the environment, where the next project of this
    process would take them for what its user has set: both are as they were afterwards."""
    before = {name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID")}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


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
    """The store named by MLFLOW_TRACKING_URI, else by the parameter, else a SQLite file in `folder`.

    A SQLite file that came here with a copied or moved project is brought to speak of this folder at its first use.
    """
    named = os.environ.get("MLFLOW_TRACKING_URI") or tracking_uri
    if named:
        return Registry(named, experiment, model_name, artifacts=None)
    folder.mkdir(parents=True, exist_ok=True)
    artifacts = (folder / "artifacts").resolve().as_uri()
    database = (folder / "mlflow.db").resolve()
    return Registry(f"sqlite:///{database}", experiment, model_name, artifacts, database)


def _bring_along(database: Path, artifacts: str) -> None:
    """Puts this project's folder where the store names the one that it was copied or moved from: MLflow keeps whole
    paths, and would read and write there. All in one transaction; artifacts elsewhere (another ending) stay there."""
    with contextlib.closing(sqlite3.connect(database, timeout=60.0, isolation_level=None)) as store:
        if not _left_behind(store, artifacts):
            return
        store.execute("BEGIN IMMEDIATE")
        # Asked again: another process may have done it meanwhile.
        for before in _left_behind(store, artifacts):
            for table, columns in _PLACES.items():
                known = {row[1] for row in store.execute(f"PRAGMA table_info({table})")}
                for column in [name for name in columns if name in known]:
                    _replace_start(store, table, column, before, artifacts)
        store.execute("COMMIT")


def _left_behind(store: sqlite3.Connection, artifacts: str) -> list[str]:
    """Folders of artifacts, laid out as an embedded store's, that experiments name and that are not this one's."""
    if not store.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'experiments'").fetchone():
        return []
    ending = "/" + "/".join(artifacts.split("/")[-3:])
    named = store.execute("SELECT DISTINCT artifact_location FROM experiments ORDER BY 1").fetchall()
    return [at for (at,) in named if at and at != artifacts and at.startswith("file:") and at.endswith(ending)]


def _replace_start(store: sqlite3.Connection, table: str, column: str, before: str, now: str) -> None:
    store.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} = ? OR substr({column}, 1, ?) = ?",
        (now, len(before) + 1, before, len(before) + 1, f"{before}/"),
    )


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
