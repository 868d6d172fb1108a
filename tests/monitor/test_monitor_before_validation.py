"""What monitoring left is read by the next validation: each gate with its light, or one grey line that says why not."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.datasets import Project
from pipeline.flows.monitored_before import monitored_before
from pipeline.train.committee_ground import Ledger
from pipeline.train.committee_monitored import Monitored, monitored_results


def ground(**ledger):
    return SimpleNamespace(ledger=Ledger(**ledger), label=SimpleNamespace(is_of_table=False), models={})


GATE = {"name": "level", "value": 2.4, "low": 1.9, "high": 3.1, "threshold": "1 within", "light": "red", "says": "31"}
SERVED = Monitored("ab12", "scorecard-1", "2025-12-31", "r1", (GATE, {**GATE, "name": "order", "light": "grey"}))


def test_each_gate_of_monitoring_is_a_result_with_the_light_it_had():
    level, order = monitored_results(ground(monitored=SERVED))
    assert (level.id, level.part, level.light, level.value, level.low) == ("monitored", "level", "red", 2.4, 1.9)
    assert level.details[0]["model_version"] == "scorecard-1"
    assert (level.why, order.light, order.why) == ("", "grey", "monitored_too_little")


def test_a_psi_of_monitoring_keeps_what_chance_reaches_and_of_an_earlier_run_it_is_not_known():
    psi = {**GATE, "name": "score_development", "value": 0.017, "low": None, "high": None, "noise": 0.04}
    new, old = monitored_results(ground(monitored=replace(SERVED, gates=(psi, GATE))))
    assert (new.against, old.against) == (0.04, None)


def test_without_monitoring_of_the_model_in_force_one_grey_result_says_why():
    for monitored, why in ((None, "not_monitored"), (replace(SERVED, why="other_model"), "other_model")):
        (found,) = monitored_results(ground(monitored=monitored))
        assert (found.light, found.why) == ("grey", why)


def test_the_model_that_was_watched_is_named_by_its_role_where_it_is_validated_again():
    own = ground(monitored=SERVED)
    own.models["champion"] = SimpleNamespace(version="scorecard-1")
    assert {one.model for one in monitored_results(own)} == {"champion"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose champion is in force and was monitored, one gate red."""
    project = Project(tmp_path)
    project.monitoring.mkdir(parents=True)
    told = {"model_version": "scorecard-1", "as_of": "2025-12-31", "run_id": "r1", "gates": [GATE], "drift": []}
    (project.monitoring / "monitoring.json").write_text(json.dumps(told), encoding="utf-8")
    project.models.mkdir()
    (project.models / "champion.json").write_text(json.dumps({"model_version": "scorecard-1"}), encoding="utf-8")
    return project


def test_a_red_gate_of_monitoring_is_red_in_the_next_validation(project):
    found = monitored_before(SimpleNamespace(project=project))
    assert found.sha256 == hashlib.sha256((project.monitoring / "monitoring.json").read_bytes()).hexdigest()
    (result,) = monitored_results(ground(monitored=found))
    assert (result.group, result.part, result.light) == ("monitoring", "level", "red")
    assert found.as_json()["run_id"] == "r1"


def test_what_was_told_of_a_model_that_is_no_longer_in_force_judges_nobody(project):
    (project.models / "champion.json").write_text(json.dumps({"model_version": "scorecard-2"}), encoding="utf-8")
    assert monitored_before(SimpleNamespace(project=project)).why == "other_model"


def test_a_project_that_was_never_monitored_has_nothing_to_read(tmp_path, project):
    assert monitored_before(SimpleNamespace(project=Project(tmp_path / "copy"))) is None
    (project.monitoring / "monitoring.json").write_text(json.dumps({"gates": [], "status": "no ledger"}))
    assert monitored_before(SimpleNamespace(project=project)) is None
