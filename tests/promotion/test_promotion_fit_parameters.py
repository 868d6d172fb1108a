"""A candidate is registered with the parameters it was fitted with, whatever params.yaml says by then."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.flows import fit_parameters as kept_parameters
from pipeline.flows import registration
from pipeline.flows.fit_parameters import FITTED_WITH, fit_parameters
from pipeline.flows.fitted import _tell_method
from pipeline.flows.registration import _fitted_with
from pipeline.params import Params

FITTED = Params()
LATER = replace(FITTED, fit_scorecard=replace(FITTED.fit_scorecard, max_variables=3, pdo=40.0))


@pytest.fixture(autouse=True)
def ledger(monkeypatch):
    monkeypatch.setattr(kept_parameters, "label_of", lambda setting: SimpleNamespace(is_of_table=False))


def setting(params):
    return SimpleNamespace(params=params)


def candidate(kind, own):
    """A candidate as it is read back from its folder after a fit with FITTED."""
    details = json.loads(json.dumps({FITTED_WITH: fit_parameters(setting(FITTED), kind, own)}))
    return SimpleNamespace(model=SimpleNamespace(version=f"{kind}-1", kind=kind), details=details)


def test_the_parameters_of_the_fit_are_registered_and_the_difference_is_told(capsys):
    card = candidate("scorecard", FITTED.fit_scorecard)
    told = _fitted_with(setting(LATER), card)
    assert told == card.details[FITTED_WITH]
    assert told["params"]["fit_scorecard.max_variables"] == FITTED.fit_scorecard.max_variables != 3
    said = capsys.readouterr().err
    assert "scorecard-1 was fitted with 2 other parameter(s) than params.yaml has now" in said
    assert f"e.g. fit_scorecard.max_variables: {FITTED.fit_scorecard.max_variables}, now 3." in said
    assert told["sha256"] != fit_parameters(setting(LATER), "scorecard", LATER.fit_scorecard)["sha256"]


@pytest.mark.parametrize(("kind", "params"), [("scorecard", FITTED), ("booster", LATER)])
def test_where_nothing_differs_nothing_is_said_and_a_booster_has_no_parameter_of_the_card(kind, params, capsys):
    made = candidate(kind, getattr(FITTED, f"fit_{kind}"))
    told = _fitted_with(setting(params), made)
    assert {name.split(".")[0] for name in told["params"]} == {"label", "split", "calibration", f"fit_{kind}"}
    assert capsys.readouterr().err == ""


def test_a_candidate_that_kept_no_parameters_says_so_and_has_no_hash(capsys):
    card = candidate("scorecard", FITTED.fit_scorecard)
    card.details.clear()
    told = _fitted_with(setting(LATER), card)
    assert (told["params"]["fit_scorecard.max_variables"], told["sha256"]) == (3, "not kept")
    assert "its fit kept no parameters" in capsys.readouterr().err


def test_what_is_kept_goes_to_the_registry(monkeypatch, tmp_path):
    logged = []
    monkeypatch.setattr(registration, "registry_of", lambda setting: SimpleNamespace(log=logged.append))
    monkeypatch.setattr(registration, "answers", lambda model, sample: None)
    card = candidate("scorecard", FITTED.fit_scorecard)
    card.model.features = []
    given = SimpleNamespace(params=LATER, project=SimpleNamespace(models=tmp_path, validation=tmp_path))
    registration.register(
        given, {"champion": card}, metrics={}, lineage={"params_hash": "a"},
        rows=pd.DataFrame({"a": [1.0]}), validation={"models": {"champion": {}}},
    )  # fmt: skip
    (run,) = logged
    assert run.params["fit_scorecard.max_variables"] == FITTED.fit_scorecard.max_variables
    assert run.params["validate.bootstrap_rounds"] == LATER.validate.bootstrap_rounds
    assert run.tags["fit_params_hash"] == card.details[FITTED_WITH]["sha256"]
    assert set(run.lineage) == {"params_hash", "fit_params_hash"}


@pytest.mark.parametrize(("asked", "is_told"), [("isotonic", True), ("platt", False), ("auto", False)])
def test_a_calibration_that_cannot_take_the_method_that_is_set_says_so(asked, is_told, capsys):
    reason = "isotonic is set, but: 40 bad customers, 300 are needed"
    fitted = SimpleNamespace(
        model=SimpleNamespace(kind="scorecard"),
        details={"calibration": {"choice": {"method": "platt", "reason": reason}}},
    )
    _tell_method(setting(replace(FITTED, calibration=replace(FITTED.calibration, method=asked))), fitted)
    said = f"calibration of the scorecard: platt is used, not isotonic: {reason}\n"
    assert capsys.readouterr().out == (said if is_told else "")
