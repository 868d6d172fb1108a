"""Which published runs monitoring measures: the newest one, and every earlier one of its model without a row."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.datasets import Project
from pipeline.flows import run_drift
from pipeline.flows.run_drift import drift_due, newest_run
from pipeline.night_params import MonitorParams

RECEIPT = {"as_of": "2024-10-31", "run_id": "c", "model_version": "card-1", "out": "data/scored"}


def run(day, name, version="card-1"):
    told = {"versions": {"model": {"version": version}}}
    return SimpleNamespace(as_of=dt.date.fromisoformat(day), folder=Path(name), manifest=told)


RUNS = [
    run("2023-12-31", "a"),
    run("2024-08-31", "old", "card-0"),
    run("2024-09-30", "b"),
    run("2024-10-31", "c"),
    run("2024-11-30", "d"),
]


@pytest.fixture
def setting(tmp_path):
    project = Project(tmp_path)
    (project.models / "card-1").mkdir(parents=True)
    project.monitoring.mkdir(parents=True)
    return SimpleNamespace(project=project, params=SimpleNamespace(monitor=MonitorParams()))


@pytest.fixture
def published(monkeypatch):
    """Runs are published as named; the ledger knows days up to the one given."""

    def there(runs, known="2024-12-31"):
        monkeypatch.setattr(run_drift, "published_runs", lambda _, until: [one for one in runs if one.as_of <= until])
        monkeypatch.setattr(run_drift, "read_manifest", lambda _: {"extract_date": known})

    return there


def due(setting, newest, monkeypatch, measured=()):
    """(run, days whose features were told anew, month, year) of each run that is measured."""
    history, asked = setting.project.monitoring / "history.parquet", []
    pq.write_table(pa.table({"run_id": pa.array(measured, pa.string())}), history)

    def told_anew(_setting, _model, runs):
        asked.append([one.folder.name for one in runs])
        return {one.as_of: one.folder.name for one in runs}

    monkeypatch.setattr(run_drift, "_features_of", told_anew)
    monkeypatch.setattr(run_drift, "_night", lambda _, run: f"night of {run and run.folder.name}")
    monkeypatch.setattr(run_drift, "watched_drift", lambda _model, now, month, year, _cuts: (now, month, year))
    found = list(drift_due(setting, None, newest, history))
    return [(told["run_id"], drift) for told, drift in found], asked


def test_a_run_published_by_the_command_after_the_stage_is_the_newest(setting, published):
    published(RUNS)
    found = newest_run(setting, RECEIPT)
    assert (found.told["run_id"], found.as_of, found.is_night) == ("d", dt.date(2024, 11, 30), False)
    assert [one.folder.name for one in found.own] == ["a", "b", "c", "d"]


def test_the_run_of_the_stage_is_the_newest_where_none_came_later_that_can_be_looked_at(setting, published):
    published(RUNS, known="2024-11-29")
    assert (newest_run(setting, RECEIPT).told["run_id"], newest_run(setting, RECEIPT).is_night) == ("c", True)
    published([*RUNS[:4], run("2024-11-30", "d", "gone")])
    assert newest_run(setting, RECEIPT).told["run_id"] == "c"
    published(RUNS[:3])
    found = newest_run(setting, RECEIPT)
    assert (found.told, [one.folder.name for one in found.runs]) == (
        {name: RECEIPT[name] for name in ("as_of", "run_id", "model_version")}, ["a", "old", "b"],
    )  # fmt: skip


def test_every_run_of_the_model_without_a_row_is_measured_once_and_the_newest_again(setting, published, monkeypatch):
    published(RUNS)
    newest = newest_run(setting, RECEIPT)
    found, asked = due(setting, newest, monkeypatch, measured=("b", "d", "x"))
    assert found == [("a", ("a", None, None)), ("c", ("c", "b", None)), ("d", ("d", "c", None))]
    assert asked == [["a"], ["b", "c"], ["c", "d"]]


def test_the_features_of_the_stage_are_not_told_anew_and_a_year_is_looked_back(setting, published, monkeypatch):
    runs = [run("2023-10-31", "y"), *RUNS[2:4]]
    published(runs)
    found, asked = due(setting, newest_run(setting, RECEIPT), monkeypatch, measured=("y", "b"))
    assert found == [("c", ("night of c", "b", "y"))]
    assert asked == [["b", "y"]]


def test_without_a_published_run_the_receipt_is_told_without_customers(setting, published, monkeypatch):
    published([])
    found, _ = due(setting, newest_run(setting, RECEIPT), monkeypatch)
    assert found == [("c", ("night of None", None, None))]


def test_nobody_is_rated_without_a_run(setting, monkeypatch):
    monkeypatch.setattr(
        run_drift, "read_table", lambda *_, **__: pa.Table.from_pandas(pd.DataFrame({"customer_id": ["C"]}))
    )
    assert run_drift._night(setting, None).empty
