"""What a command tells: lines for people, or JSON objects for machines; the same events either way."""

import datetime as dt
import json

import pytest

from pipeline.cli import _run
from pipeline.flows import log


@pytest.fixture
def as_json(monkeypatch):
    monkeypatch.setenv(log.FORMAT, "json")


def test_people_get_the_message_alone_and_warnings_on_standard_error(capsys):
    log.say("published", "published: out/latest", run_id="r1")
    log.warn("breaker_warning", "warning: exposure rose by 30 %", breaker="exposure")
    told = capsys.readouterr()
    assert told.out == "published: out/latest\n"
    assert told.err == "warning: exposure rose by 30 %\n"


def test_machines_get_one_object_a_line_with_the_facts_as_values(capsys, as_json):
    log.say("published", "\npublished:\n  客户 12\n", run_id="r1", as_of=dt.date(2025, 1, 31), rows=12)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    told = json.loads(line)
    at = dt.datetime.fromisoformat(told.pop("at"))
    assert at.utcoffset() == dt.timedelta(0)
    assert abs(dt.datetime.now(dt.UTC) - at) < dt.timedelta(minutes=1)
    assert told == {
        "level": "info", "event": "published", "message": "published:\n  客户 12", "run_id": "r1",
        "as_of": "2025-01-31", "rows": 12,
    }  # fmt: skip


def test_a_line_of_a_started_process_is_wrapped_once(capsys, as_json):
    log.passed_on('{"event": "labelled"}')
    log.passed_on("some library talks")
    inner, wrapped = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert inner == {"event": "labelled"}
    assert (wrapped["event"], wrapped["message"]) == ("output", "some library talks")


def test_a_failure_is_an_object_with_its_exit_code(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(log.FORMAT, "text")
    assert _run(["--log-format", "json", "verify", str(tmp_path / "nowhere")]) == 66
    told = json.loads(capsys.readouterr().err)
    assert (told["level"], told["event"], told["exit_code"]) == ("error", "failed", 66)
    assert "nowhere" in told["message"]


def test_a_wrong_use_is_an_object_too(capsys, as_json):
    assert _run(["score"]) == 2
    assert json.loads(capsys.readouterr().err)["exit_code"] == 2


def test_steps_that_are_entered_twice_add_up(monkeypatch):
    clock = iter([0.0, 1.0, 5.0, 7.5, 9.0, 9.25])
    monkeypatch.setattr(log.time, "monotonic", lambda: next(clock))
    steps = log.Steps()
    for name in ("features", "book", "features"):
        with steps.step(name):
            assert name
    assert steps.rounded() == {"features": 1.25, "book": 2.5}
