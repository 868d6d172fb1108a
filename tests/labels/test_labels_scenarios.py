"""Every scenario of the default definition holds; each is a file that a committee can read."""

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import ParameterError
from pipeline.history.default_status import default_status
from pipeline.history.definition import parse_definition
from pipeline.labels.definition_document import definition_document
from pipeline.labels.outcomes import snapshot_outcomes
from pipeline.labels.scenarios import mini_ledger, parse_scenario
from pipeline.params import LabelParams
from pipeline.tables.canonical import ledger_of

FOLDER = Path(__file__).parent / "scenarios"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
REPOSITORY = FOLDER.parents[2]
DEFINITION = parse_definition((REPOSITORY / "policy" / "default_definition.yaml").read_text(encoding="utf-8"))


def scenario(name):
    return parse_scenario(name, (FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def status_of(engine, ledger, asked, definition=DEFINITION):
    rows = {"customer_id": [name for name, _ in asked], "as_of": pa.array([day for _, day in asked], pa.date32())}
    views = engine.register("views", pa.table(rows))
    found = default_status(ledger, views, definition, engine.keep).to_pyarrow().to_pylist()
    return {(row["customer_id"], row["as_of"]): row for row in found}


@pytest.fixture(scope="module")
def findings(engine):
    """Status and outcome of every (scenario, day) asked for; scenarios with one extract date share a ledger."""
    told = [scenario(name) for name in NAMES]
    status, outcome = {}, {}
    for extract_date in sorted({one.extract_date for one in told}):
        group = [one for one in told if one.extract_date == extract_date]
        ledger = ledger_of(engine.register, mini_ledger(group), "EUR", extract_date)
        asked = {(one.name, expected.as_of) for one in group for expected in one.expect if expected.status}
        status |= status_of(engine, ledger, sorted(asked)) if asked else {}
        days = [expected.as_of for one in group for expected in one.expect if expected.outcome]
        settings = LabelParams(first_snapshot=min(days), last_snapshot=max(days))
        rows = snapshot_outcomes(ledger, settings, DEFINITION, engine.keep).to_pyarrow().to_pylist()
        outcome |= {(row["customer_id"], row["as_of"]): row for row in rows}
    return status, outcome


@pytest.mark.parametrize("name", NAMES)
def test_scenario(findings, name):
    status, outcome = findings
    for expected in scenario(name).expect:
        if expected.status is not None:
            found = status[name, expected.as_of]
            assert ("default" if found["is_in_default"] else "performing") == expected.status, expected
            assert found["default_on"] == expected.default_on
            assert found["default_reason"] == expected.reason
        if expected.outcome is not None:
            found = outcome[name, expected.as_of]
            assert found["outcome"] == expected.outcome, expected
            assert found["event_on"] == expected.event_on
            assert found["is_bad"] == {"bad": 1, "good": 0}.get(expected.outcome)


def test_there_are_scenarios_for_every_outcome():
    expected = [one for name in NAMES for one in scenario(name).expect]
    assert len(NAMES) >= 18
    assert {one.outcome for one in expected if one.outcome} == {
        "good",
        "bad",
        "indeterminate",
        "immature",
        "left",
        "in_default",
    }
    assert {one.reason for one in expected if one.reason} == {"past_due", "insolvency", "write_off"}


def test_the_document_is_in_step_with_policy_and_scenarios(golden):
    golden("../docs/default-definition.md", definition_document(DEFINITION, [scenario(name) for name in NAMES]))


def test_a_scenario_with_unknown_and_missing_keys_is_told_with_all_of_them():
    with pytest.raises(ParameterError, match=r"(?s)4 breach.*en: missing.*zh: missing.*foo: unknown.*when") as raised:
        parse_scenario(
            "x", "{title: a, title_zh: b, extract_date: 2024-01-01, invoices: [], foo: 1, expect: [{when: 1}]}"
        )
    assert raised.value.exit_code == 78


def test_a_stricter_definition_moves_the_default_forward(engine):
    told = scenario("03_ninety_one_days")
    ledger = ledger_of(engine.register, mini_ledger([told]), "EUR", told.extract_date)
    strict = dataclasses.replace(DEFINITION, days=30)
    (row,) = status_of(engine, ledger, [(told.name, told.extract_date)], strict).values()
    assert str(row["default_on"]) == "2023-04-01"
