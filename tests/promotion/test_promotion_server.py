"""Registering, promoting and rolling back against a real `mlflow server` with a SQL store, on loopback."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import mlflow
import pytest
from promotable import run_stages

from pipeline.errors import PartlyDoneError, TargetUnreachableError
from pipeline.flows import promote_version
from pipeline.flows.promote_version import Asked, promote
from pipeline.flows.rollback import rollback

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("promotion"),
    # MLflow's own store and client warn about their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ASKED = Asked("champion", by="Ann", reason="the month's retrain", on=dt.date(2026, 1, 5))
_WAIT_SECONDS = 240


class Server:
    """One `mlflow server` on a free port of loopback: SQLite behind it, artifacts served by it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder / 'store.db'}", "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        log = (self.folder / "server.log").open("a", encoding="utf-8")
        with log:
            told = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            # A session of its own: the workers end with it.
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=told, start_new_session=True)
        deadline = time.monotonic() + _WAIT_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "server.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.2)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("mlflow_server"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def registered(made, server, tmp_path_factory):
    """The project with its candidates registered at the server: the strong and the booster, then the weak again."""
    project = made.copy(tmp_path_factory.mktemp("served") / "project")
    told = {"MLFLOW_TRACKING_URI": server.uri}
    run_stages(project.root, "validate", "fit_scorecard.max_variables=1", "fit_scorecard", "validate", **told)
    return project


@pytest.fixture
def project(registered, server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    copied = registered.copy(tmp_path / "project")
    # Every test begins with the first pair in force, in models/ and at the server.
    promote(copied.root, copied.weak, ASKED)
    return copied


def versions_at(server) -> dict[str, mlflow.entities.model_registry.ModelVersion]:
    found = mlflow.MlflowClient(server.uri).search_model_versions("name = 'creditbook-pd'")
    return {version.tags["model_version"]: version for version in found}


def champion_at(server) -> mlflow.entities.model_registry.ModelVersion:
    return mlflow.MlflowClient(server.uri).get_model_version_by_alias("creditbook-pd", "champion")


def test_candidates_are_registered_once_with_lineage_and_a_model_the_server_hands_out(registered, server):
    versions = versions_at(server)
    assert set(versions) == {registered.weak, registered.strong, registered.booster}
    for version in versions.values():
        assert {"data_version", "git_commit", "params_hash", "catalogue_hash", "lock_hash"} <= set(version.tags)
        assert mlflow.MlflowClient(server.uri).get_run(version.run_id).info.artifact_uri.startswith("mlflow-artifacts:")
    assert (server.folder / "artifacts").is_dir()


def test_promote_and_rollback_move_the_alias_and_say_who_and_why(project, server):
    promote(project.root, project.strong, ASKED)
    champion = champion_at(server)
    assert champion.tags["model_version"] == project.strong
    assert (champion.tags["champion.by"], champion.tags["champion.since"]) == ("Ann", "2026-01-05")
    assert champion.tags["champion.gates"] == "9 of 9 passed"
    rollback(project.root, Asked("champion", by="Bob", reason="complaints", on=dt.date(2026, 2, 1)))
    champion = champion_at(server)
    assert champion.tags["model_version"] == project.weak
    assert (champion.tags["champion.by"], champion.tags["champion.decision"]) == ("Bob", "rolled back")


def test_a_server_that_dies_in_the_middle_is_told_and_a_rerun_mirrors(project, server, monkeypatch):
    def move_and_pull_the_plug(models, made):
        moved(models, made)
        server.stop()

    moved = promote_version.move
    with monkeypatch.context() as patched:
        patched.setattr(promote_version, "move", move_and_pull_the_plug)
        with pytest.raises(PartlyDoneError, match=f"run creditbook promote {project.strong}") as part:
            promote(project.root, project.strong, ASKED)
    assert part.value.exit_code == 76
    assert project.role()["model_version"] == project.strong
    register = project.register
    with pytest.raises(TargetUnreachableError):
        promote(project.root, project.booster, ASKED)
    assert project.role()["model_version"] == project.strong
    server.start()
    assert champion_at(server).tags["model_version"] == project.weak
    promote(project.root, project.strong, ASKED)
    assert champion_at(server).tags["model_version"] == project.strong
    assert project.register == register
