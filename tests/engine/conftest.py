"""The books of the other rooms, and tables held against each other."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def module_of(path):
    spec = importlib.util.spec_from_file_location(f"engine_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def books(repository):
    return module_of(repository / "tests" / "features" / "books.py")


@pytest.fixture
def duckdb(tmp_path):
    from pipeline.engine import connect_duckdb

    opened = connect_duckdb(2, "1GB", tmp_path / "duckdb")
    yield opened
    opened.close()
