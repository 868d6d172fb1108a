"""The schedules of the runbook try again what waiting can mend, and nothing else."""

import configparser
import re
import subprocess
import sys
import textwrap
import types

import pytest

from pipeline import errors

WAITING_MENDS = {74, 75}
CODES = {error.exit_code for error in vars(errors).values() if isinstance(error, type)} | {2}


@pytest.fixture
def runbook(repository):
    return (repository / "docs" / "runbook.md").read_text(encoding="utf-8")


@pytest.fixture
def night(runbook, monkeypatch):
    """The task of the runbook, and how it was declared; `night.ends_with` is the code of the command it runs."""

    class GivenUpError(Exception):
        """Stands in for Airflow's exception of a task that is not tried again."""

    told = types.SimpleNamespace(ends_with=0, commands=[], failed=GivenUpError)

    def task(**declared):
        told.declared = declared
        return lambda function: function

    def run(command, **_):
        told.commands.append(command)
        return types.SimpleNamespace(returncode=told.ends_with, stdout="")

    def dag(**declared):
        told.planned = declared
        return lambda function: function

    modules = {"sdk": {"dag": dag, "task": task}, "sdk.exceptions": {"AirflowFailException": GivenUpError}}
    for name, names in {"airflow": {}, **{f"airflow.{name}": names for name, names in modules.items()}}.items():
        module = types.ModuleType(name)
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(subprocess, "run", run)
    (text,) = re.findall(r"^    import subprocess\n(?:(?:    .*)?\n)+", runbook, flags=re.MULTILINE)
    names: dict = {}
    exec(textwrap.dedent(text), names)
    told.task, told.commands_of_the_file = names["creditbook_night"], list(told.commands)
    return told


def test_airflow_tries_again_what_waiting_mends_and_nothing_else(night):
    assert night.declared["retries"] > 0
    night.task()
    # As cron and systemd do; the last line of the file calls the plan, and the plan the task.
    assert night.commands == 2 * [[".venv/bin/creditbook", "--log-format", "json", "run"]]
    assert len(night.commands_of_the_file) == 1
    given_up = set()
    for code in CODES | {1, -9}:
        night.ends_with = code
        with pytest.raises(Exception, match=f"creditbook ended with {code}: ") as raised:
            night.task()
        given_up |= {code} if isinstance(raised.value, night.failed) else set()
    assert CODES - given_up == WAITING_MENDS


def test_airflow_starts_the_night_when_cron_does_and_makes_up_for_none_it_missed(runbook, night):
    (at,) = re.findall(
        r"^    (\d+ \d+ \* \* \*)  cd /srv/creditbook && \.venv/bin/creditbook ", runbook, flags=re.MULTILINE
    )
    assert night.planned["schedule"] == at
    # The ledger has one extract date: nights that were missed would all score the same day, side by side.
    assert (night.planned["catchup"], night.planned["max_active_runs"]) == (False, 1)


def test_systemd_tries_again_what_waiting_mends_and_nothing_else(runbook):
    (told,) = re.findall(r"RestartPreventExitStatus=([\d ]+)", runbook)
    assert CODES - set(map(int, told.split())) == WAITING_MENDS


def test_systemd_gives_up_after_as_many_tries_as_airflow(runbook, night):
    (text,) = re.findall(r"^    \[Unit\]\n(?:(?:    .*)?\n)+", runbook, flags=re.MULTILINE)
    unit = configparser.ConfigParser()
    unit.read_string(textwrap.dedent(text))
    starts, hours = int(unit["Unit"]["StartLimitBurst"]), int(unit["Unit"]["StartLimitIntervalSec"].removesuffix("h"))
    wait = int(unit["Service"]["RestartSec"].removesuffix("min"))
    assert starts == night.declared["retries"] + 1
    # All starts fall into the interval, though each run takes two hours; the next night's does not.
    assert (starts - 1) * (wait + 120) < hours * 60 < 24 * 60
