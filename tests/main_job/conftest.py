"""A small project run from nothing by the command a user types; the tests of this folder look at what it left."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from project_copy import Ran, copy_of_the_repository, creditbook

SMALL = {"customers": 500, "months": 60, "seed": 3}


@pytest.fixture(scope="session")
def ran(tmp_path_factory) -> Ran:
    project = copy_of_the_repository(tmp_path_factory.mktemp("main") / "project", ingest__demo=SMALL)
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return Ran(project, done.stdout)
