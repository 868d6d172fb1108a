"""`creditbook run` after somebody put another model in force: the day is scored again, and nothing is fitted."""

from __future__ import annotations

import json
import re
import shutil

import pyarrow.parquet as pq
import pytest
from project_copy import ONE_PAGE, change_params, creditbook, hashes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]


def _role(project, role="champion"):
    return json.loads((project / "models" / f"{role}.json").read_text(encoding="utf-8"))["model_version"]


def _run(project):
    """The stages that were repeated."""
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^\[\d/9\] (\w+)$", done.stdout, flags=re.MULTILINE)), done.stdout


def _copy(ran, project):
    """The project that ran; its report, written again below, in one language and format."""
    shutil.copytree(ran.root, project, symlinks=True)
    change_params(project, **ONE_PAGE)
    return project


def _book(project):
    return pq.read_table(project / "data" / "scored" / "latest" / "scored_book.parquet")


def test_a_promotion_and_a_rollback_are_noticed_by_the_next_run(ran, tmp_path):
    project = _copy(ran, tmp_path / "project")
    first, booster = _role(project), _role(project, "challenger")
    before = hashes(project / "data" / "scored" / "latest")
    told = ("--by", "Ann", "--reason", "a trial")
    moved = creditbook(project, "promote", booster, "--override", "to see it run", *told)
    assert moved.returncode == 0, moved.stdout + moved.stderr
    repeated, printed = _run(project)
    assert repeated == {"ingest", "score", "report", "monitor"}
    assert f"in force   champion {booster}" in printed
    assert set(_book(project)["model_version"].drop_null().to_pylist()) == {booster}
    page = (project / "models" / "report" / "model_report.html").read_text(encoding="utf-8")
    assert f"In force: {booster}, told of here as the challenger of {first}." in page
    assert _run(project)[0] == {"ingest"}
    assert creditbook(project, "rollback", *told).returncode == 0
    assert _run(project)[0] == {"ingest", "score", "report", "monitor"}
    assert hashes(project / "data" / "scored" / "latest") == before


def test_a_register_that_was_taken_away_is_written_again(ran, tmp_path):
    project = _copy(ran, tmp_path / "project")
    (project / "models" / "REGISTER.md").unlink()
    assert _run(project)[0] <= {"ingest", "score", "report", "monitor"}
    assert _role(project) in (project / "models" / "REGISTER.md").read_text(encoding="utf-8")
