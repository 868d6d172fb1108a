"""Which published run is read: of the day, the one nearest a month before; and what is said where there is none."""

import datetime as dt
import hashlib
import json
import shutil
import types

import pytest

from pipeline.errors import DamagedRunError, MissingInputError
from pipeline.flows.published_runs import nearest, published_runs, run_of
from pipeline.flows.run_before import overtaken_by, run_before, warn_of_overtaken
from pipeline.report.chapters.verdict_basis import level_of
from pipeline.score.alert_sections import LookBack
from pipeline.score.run_check import run_id_of

NAMES = ("alerts.parquet", "changes.parquet", "limit_trace.parquet", "scored_book.csv", "scored_book.parquet")


def publish(out, day, previous=None):
    """A run folder with a manifest that holds, and its links; the files say nothing."""
    inputs = {"as_of": day}
    folder = out / ".runs" / run_id_of(inputs)
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    files = {name: {"bytes": len(name), "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in NAMES}
    manifest = {"previous": previous, "as_of": day, "inputs": inputs, "run_id": folder.name, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (out / f"as_of={day}").symlink_to(f".runs/{folder.name}")
    (out / "latest").unlink(missing_ok=True)
    (out / "latest").symlink_to(f".runs/{folder.name}")
    return folder


@pytest.fixture
def out(tmp_path):
    for day in ("2025-10-30", "2025-11-28", "2025-12-31"):
        publish(tmp_path, day)
    return tmp_path


def test_the_latest_run_or_that_of_a_day_is_read(out):
    assert run_of(out, None).as_of == dt.date(2025, 12, 31)
    assert run_of(out, dt.date(2025, 10, 30)).manifest["as_of"] == "2025-10-30"


def test_a_day_without_a_run_is_told_with_the_days_that_have_one(out, tmp_path):
    with pytest.raises(MissingInputError, match="published are 2025-10-30 to 2025-12-31; run creditbook score"):
        run_of(out, dt.date(2025, 1, 31))
    with pytest.raises(MissingInputError, match="no day is; run creditbook score"):
        run_of(tmp_path / "nothing", None)


def test_the_run_nearest_a_month_before_stands_for_it_up_to_ten_days_off(out):
    runs = published_runs(out, dt.date(2025, 12, 31))
    assert [run.as_of.isoformat() for run in runs] == ["2025-10-30", "2025-11-28", "2025-12-31"]
    assert nearest(runs, dt.date(2025, 11, 30), dt.date(2025, 12, 31)).as_of == dt.date(2025, 11, 28)
    assert nearest(runs, dt.date(2025, 9, 15), dt.date(2025, 10, 30)) is None
    # The run itself never stands for the one before.
    assert nearest(runs, dt.date(2025, 12, 30), dt.date(2025, 12, 31)) is None
    assert published_runs(out, dt.date(2025, 10, 29)) == []


def test_a_damaged_run_is_refused_by_name(out):
    (run_of(out, None).folder / "scored_book.csv").write_text("other", encoding="utf-8")
    with pytest.raises(DamagedRunError, match=r"the run is damaged .*scored_book\.csv"):
        run_of(out, None)
    with pytest.raises(DamagedRunError, match="publish its day again"):
        published_runs(out, dt.date(2025, 12, 31))


def test_a_run_back_filled_before_another_is_told_as_not_compared_with(tmp_path, capsys):
    """December was compared with October; November came later. January was compared with December."""
    october = publish(tmp_path, "2025-10-31")
    december = publish(tmp_path, "2025-12-31", {"as_of": "2025-10-31", "run_id": october.name})
    last = dt.date(2026, 1, 31)
    whole = {"compared_on": "2025-10-31", "lies_on": "2025-10-31", "is_overtaken": False}
    assert run_before(published_runs(tmp_path, last)) == whole
    warn_of_overtaken("2025-12-31", whole)
    assert capsys.readouterr().err == ""
    publish(tmp_path, "2025-11-30")
    overtaken = {"compared_on": "2025-10-31", "lies_on": "2025-11-30", "is_overtaken": True}
    assert run_before(published_runs(tmp_path, dt.date(2025, 12, 31))) == overtaken
    warn_of_overtaken("2025-12-31", overtaken)
    assert "compared with another run, of 2025-10-31" in capsys.readouterr().err
    publish(tmp_path, "2026-01-31", {"as_of": "2025-12-31", "run_id": december.name})
    assert not run_before(published_runs(tmp_path, last))["is_overtaken"]


def test_a_run_whose_predecessor_is_no_longer_kept_is_still_compared_with_it(tmp_path):
    """December was compared with November, which is gone; October is older and no better."""
    publish(tmp_path, "2025-10-31")
    publish(tmp_path, "2025-12-31", {"as_of": "2025-11-30", "run_id": "gone"})
    found = run_before(published_runs(tmp_path, dt.date(2025, 12, 31)))
    assert found == {"compared_on": "2025-11-30", "lies_on": "2025-10-31", "is_overtaken": False}


def test_a_single_run_has_none_before_it_until_one_is_back_filled(tmp_path):
    publish(tmp_path, "2025-12-31")
    alone = run_before(published_runs(tmp_path, dt.date(2025, 12, 31)))
    assert alone == {"compared_on": None, "lies_on": None, "is_overtaken": False}
    publish(tmp_path, "2025-11-30")
    found = run_before(published_runs(tmp_path, dt.date(2025, 12, 31)))
    assert found == {"compared_on": None, "lies_on": "2025-11-30", "is_overtaken": True}


def validation(**rate):
    """Of a champion: 26 bad customers of the test rows, and what the tests say of its rate on the one-year cohort."""
    level = {"value": 0.99, "low": 0.64, "high": 1.35}
    measured = {"version": "v1", "roles": {"test": {"observed_over_expected": level, "bad_customers": 26}}}
    told = {"id": "jeffreys_total", "model": "champion", "basis": "cohort", "part": "", "bads": 97, "against": 0.05}
    return {"models": {"champion": measured}, "tests": [{**told, "basis": "panel", "value": 0.5}, {**told, **rate}]}


def test_the_level_is_that_of_the_cohort_and_of_the_test_rows_without_one():
    """6 % defaulted in the cohort (5 to 7.5) where 5 % was expected: 1.2 times as many (1 to 1.5)."""
    found = level_of(validation(value=0.06, low=0.05, high=0.075), "v1")
    ends = [found.pop(name) for name in ("value", "low", "high")]
    assert ends == pytest.approx([1.2, 1.0, 1.5])
    assert found == {"sample": "cohort", "bad_customers": 97}
    of_test = {"value": 0.99, "low": 0.64, "high": 1.35, "sample": "test", "bad_customers": 26}
    assert level_of(validation(value=None), "v1") == of_test
    assert level_of(validation(value=0.06, low=None, high=None), "v1") == of_test
    assert level_of({**validation(value=0.06), "tests": None}, "v1") == of_test
    assert level_of(validation(value=0.06, low=0.05, high=0.075), "v2") is None


def test_runs_made_without_the_one_just_scored_are_named_and_those_it_changes_nothing_for_are_not(tmp_path):
    """Runs of the 28th from June to December, each made with the one before; September is scored another time."""
    days, before = [dt.date(2025, month, 28) for month in range(6, 13)], None
    for day in days:
        folder = publish(tmp_path, day.isoformat(), before)
        before = {"as_of": day.isoformat(), "run_id": folder.name}
    rules = types.SimpleNamespace(looks_back=False, look_back=LookBack(90, 135))
    september, october, december = days[3], days[4], days[6]
    assert overtaken_by(tmp_path, [september], rules) == []
    link = tmp_path / f"as_of={september}"
    shutil.copytree(link.resolve(), tmp_path / ".runs" / "another")
    link.unlink()
    link.symlink_to(".runs/another")
    assert overtaken_by(tmp_path, [september], rules) == [october]
    assert overtaken_by(tmp_path, [september, october], rules) == []
    # December looks back 91 days, to September; November 92, to August.
    rules.looks_back = True
    assert overtaken_by(tmp_path, [september], rules) == [october, december]
    (run_of(tmp_path, october).folder / "manifest.json").write_text("{", encoding="utf-8")
    assert overtaken_by(tmp_path, [september], rules) == [december]
