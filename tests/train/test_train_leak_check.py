"""The detector in the flow: it reads what the stages before told, prints, and refuses before anything is fitted."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from pipeline.datasets import Project, write_json
from pipeline.errors import UnfitForTrainingError
from pipeline.flows.leak_check import leak_check
from pipeline.flows.setting import Setting
from pipeline.params import LabelParams, LeakParams, Params
from pipeline.train.label import label_values
from pipeline.train.splits import mature_dates, timetable

LABEL = LabelParams()


@pytest.fixture
def check(small_economy, tmp_path):
    """Runs the check on the small economy, whose last snapshot is of 2021-08-31."""
    project = Project(tmp_path)
    write_json(label_values(LABEL), project.label)
    write_json(small_economy.catalogue, project.catalogue)
    table = timetable(mature_dates(small_economy.book), LABEL, Params().split)

    def run(extract_date, settings=LeakParams(), **columns):  # noqa: B008
        write_json({"extract_date": extract_date.isoformat()}, project.ledger / "manifest.json")
        setting = Setting(project, dataclasses.replace(Params(), leaks=settings))
        return leak_check(setting, small_economy.book.assign(**columns), table)

    return run


def test_a_clean_book_passes_and_is_told(check, capsys):
    report = check(dt.date(2022, 12, 31))
    assert report.findings == ()
    assert capsys.readouterr().out == "leaks: 12 columns checked, 0 refused, 0 warning(s), 0 accepted\n"


def test_the_extract_date_less_days_and_posting_lag_ends_the_outcomes(check, small_economy):
    # A year after 2021-08-31, 90 days of the label and 30 of posting: 2022-12-29 knows it all, the day before does not.
    assert small_economy.book["as_of"].max() == dt.date(2021, 8, 31)
    assert check(dt.date(2022, 12, 29)).findings == ()
    with pytest.raises(UnfitForTrainingError, match="events are known until 2022-08-30"):
        check(dt.date(2022, 12, 28))


def test_a_refusal_stops_the_fit_unless_somebody_takes_it_on_themselves(check, small_economy, capsys):
    leaking = small_economy.book["is_bad"] * 100.0
    with pytest.raises(UnfitForTrainingError, match="power, age_years: orders bad before good"):
        check(dt.date(2022, 12, 31), age_years=leaking)
    assert capsys.readouterr().out.startswith("leaks: 12 columns checked, 2 refused")
    accepted = LeakParams(accept={"age_years": "checked with the register"})
    assert [f.verdict for f in check(dt.date(2022, 12, 31), accepted, age_years=leaking).findings] == ["accepted"] * 2
    assert "(checked with the register)" in capsys.readouterr().out
