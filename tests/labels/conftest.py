"""The loops of tests/history, an engine and the definition in force."""

import importlib.util

import pytest

from pipeline.engine import connect_duckdb
from pipeline.history.definition import parse_definition


@pytest.fixture(scope="session")
def loops(repository):
    spec = importlib.util.spec_from_file_location("loops", repository / "tests" / "history" / "loops.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def engine():
    opened = connect_duckdb(1, "1GB")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def definition(repository):
    return parse_definition((repository / "policy" / "default_definition.yaml").read_text(encoding="utf-8"))
