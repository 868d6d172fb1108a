"""One project with models in force and a candidate; tests that change it take a copy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "own_table"))

from promotable import Promotable, made_project


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Promotable:
    return made_project(tmp_path_factory.mktemp("promotable"))


@pytest.fixture
def project(made, tmp_path, monkeypatch) -> Promotable:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return made.copy(tmp_path / "project")
