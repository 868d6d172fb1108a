"""What every test may use: the repository, the real data beside it, and golden files with one way to rewrite them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.nodeid import NodeId
from hypothesis import settings

import pipeline  # noqa: F401  sets the environment before a library is imported

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
# Of `xdist_group`, in the order in which workers take them: the longest first, or one would end long after the rest.
LONGEST = (
    "main_job",
    "spark",
    "faults",
    "promotion",
    "own_table",
    "real_input",
    "truth",
    "own_table_real",
    "expert_card",
    "bad_input",
    "laws",
)

# Deadlines measure the machine; examples that are the same every time make a failure one that stays.
settings.register_profile("creditbook", deadline=None, derandomize=True)
settings.load_profile("creditbook")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long groups first, then the others with a slow test; all else stays in order and fills the gaps that they leave.

    Files with sessions of their own on the cluster come before the others of their group, which then share one.
    """
    alone = {item.path for item in items if "spark_cluster" in item.fixturenames}
    slow = {_group(item) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (_place(item), _group(item) not in slow, item.path not in alone))
    if config.getoption("loadgroup", default=False):
        for item in items:
            _tell_group(item)


def _group(item: pytest.Item) -> str:
    """What one worker runs as a whole: what the mark says, else the tests of a file, which share what it makes."""
    mark = item.get_closest_marker("xdist_group")
    return mark.args[0] if mark else item.nodeid.partition("::")[0]


def _place(item: pytest.Item) -> int:
    group = _group(item)
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)


def _tell_group(item: pytest.Item) -> None:
    """The scheduler takes as group what follows an @ in the name of a test.

    xdist 3.8 puts it where pytest no longer looks since 9.2, and groups nothing (issue 1386 of pytest-xdist).
    """
    if not item.nodeid.endswith(f"@{_group(item)}"):
        item._id = NodeId.parse(f"{item.nodeid}@{_group(item)}")


def module_of(path: Path):
    """A file of the tests as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _no_store_stays_named() -> Iterator[None]:
    """MLflow writes the store it was told into the environment, where the commands of later tests would find it."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    if before is not None:
        os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data beside the repository (../shared/data) is absent")
    return folder


@pytest.fixture(scope="session")
def chromium(repository: Path):
    """tests/chromium.py."""
    module = module_of(repository / "tests" / "chromium.py")
    if module.PROGRAM is None:
        pytest.skip("chromium is absent: no page is looked at in a browser")
    return module


@pytest.fixture(scope="session")
def postgres_server(repository: Path):
    """The socket's folder of a PostgreSQL server; user judge, database postgres."""
    module = module_of(repository / "tests" / "postgres.py")
    if module.why_not():
        pytest.skip(module.why_not())
    with module.server() as folder:
        yield folder


@pytest.fixture(scope="session")
def loops(repository: Path):
    """The loops that the engine's answers are held against: tests/history/loops.py."""
    return module_of(repository / "tests" / "history" / "loops.py")


@pytest.fixture(scope="session")
def definition(repository: Path):
    """The default definition in force."""
    from pipeline.history.definition import parse_definition

    return parse_definition((repository / "policy" / "default_definition.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def engine():
    """A small engine for one file of tests; suites that need another have their own of this name."""
    from pipeline.engine import connect_duckdb

    opened = connect_duckdb(1, "1GB")
    yield opened
    opened.close()


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


class Lent:
    """An engine for who would close it: it stays open for the next."""

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def close(self):
        """Leaves it open."""


class SparkForAll:
    """One standalone cluster, and on it one session that tests share: a new one starts its executors anew, cold."""

    def __init__(self, cluster, scratch):
        self.cluster, self._scratch, self._engine = cluster, scratch, None

    def engine(self):
        """The shared engine, opened when it is first asked for; it takes all cores."""
        from pipeline.engine import connect

        if self._engine is None:
            self._engine = connect(self.cluster.params(), self._scratch)
        return Lent(self._engine)

    def alone(self):
        """The cluster with all its cores free, for who opens a session of his own and closes it."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        return self.cluster


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """One cluster and one session for every test that needs Spark; mark them xdist_group("spark"): so it stays one."""
    module = module_of(REPOSITORY / "tests" / "engine" / "cluster.py")
    if module.why_not():
        pytest.skip(module.why_not())
    cluster = module.Cluster(tmp_path_factory.mktemp("cluster"))
    shared = SparkForAll(cluster, tmp_path_factory.mktemp("spark"))
    yield shared
    shared.alone().stop()


@pytest.fixture
def spark_cluster(spark):
    """The cluster for a test that opens sessions of its own."""
    return spark.alone()


@pytest.fixture
def spark_engine(spark):
    """The engine on the cluster that tests share."""
    return spark.engine()
