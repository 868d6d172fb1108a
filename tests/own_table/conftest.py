"""A made table with special codes, fitted once with and once without dates; the tests of this folder look at it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "main_job"))

from own_tables import Fitted, catalogue, fitted, made_rows, taken

DATED = {
    "key": None,
    "entity": "id",
    "date": {"column": "year", "format": "year"},
    "window": {"months": 12},
}


@pytest.fixture(scope="session")
def undated(tmp_path_factory) -> Fitted:
    folder = tmp_path_factory.mktemp("undated")
    return fitted(taken(made_rows(), catalogue(), folder), folder)


@pytest.fixture(scope="session")
def dated(tmp_path_factory) -> Fitted:
    folder = tmp_path_factory.mktemp("dated")
    return fitted(taken(made_rows(6000, years=10), catalogue(**DATED), folder), folder)
