"""An engine, the definition in force, and the loops that the engine's answers are held against."""

import importlib.util
from pathlib import Path

import pytest

from pipeline.engine import connect_duckdb
from pipeline.history.definition import parse_definition


@pytest.fixture(scope="session")
def loops():
    spec = importlib.util.spec_from_file_location("loops", Path(__file__).parent / "loops.py")
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
