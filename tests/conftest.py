"""What every test may use: the repository, the real data beside it, and golden files with one way to rewrite them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

import pipeline  # noqa: F401  sets the environment before a library is imported

REPOSITORY = Path(__file__).resolve().parent.parent

# Deadlines measure the machine; examples that are the same every time make a failure one that stays.
settings.register_profile("creditbook", deadline=None, derandomize=True)
settings.load_profile("creditbook")


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data beside the repository (../shared/data) is absent")
    return folder


@pytest.fixture
def golden(repository: Path):
    """Compares a text with the golden file of that name under tests/; UPDATE_GOLDEN=1 rewrites it."""

    def compare(name: str, text: str) -> None:
        path = repository / "tests" / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; read the difference, then: make golden"

    return compare


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory):
    """One standalone cluster for every test that needs Spark; mark them xdist_group("spark"), so that it stays one."""
    spec = importlib.util.spec_from_file_location("cluster", REPOSITORY / "tests" / "engine" / "cluster.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.why_not():
        pytest.skip(module.why_not())
    cluster = module.Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def spark_engine(spark_cluster, tmp_path_factory):
    """An engine on the cluster; it takes all cores, so that a module has one at a time."""
    from pipeline.engine import connect

    opened = connect(spark_cluster.params(), tmp_path_factory.mktemp("spark"))
    yield opened
    opened.close()
