"""The benchmark of the reports counts the book it times and fails where a goal is missed."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from benchmarks.report_size import Measured, Size, counted, figures, grown, missed, refuse_other_size

REPORT = {"model_report.html": 0.7, "model_report.pdf": 2.0, "model_report_zh.html": 0.7, "model_report_zh.pdf": 2.1}
PAGES = {"portfolio.en.html": 0.2, "portfolio.zh.html": 0.2}
GOOD = Measured((38.0, 70.0, 41.0), 1.6, REPORT), Measured((4.0, 5.0, 6.0), 0.5, PAGES)


def test_the_size_is_that_of_the_files_and_another_one_is_refused(tmp_path):
    (tmp_path / "data/ledger").mkdir(parents=True)
    (tmp_path / "data/labels").mkdir()
    pd.DataFrame({"customer_id": ["A", "A", "B", "C"]}).to_parquet(tmp_path / "data/ledger/customers.parquet")
    days = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-02-29"])
    pd.DataFrame({"customer_id": ["A", "A", "B"], "as_of": days}).to_parquet(tmp_path / "data/labels/snapshots.parquet")
    found = counted(tmp_path)
    assert found == Size(customers=3, dates=2, rows=3)
    refuse_other_size(found, 3, 2)
    for customers, snapshots in ((3, 3), (4, 2)):
        with pytest.raises(SystemExit, match="3 customers and 2 snapshots where"):
            refuse_other_size(found, customers, snapshots)


def test_the_demo_book_gets_a_year_before_its_first_snapshot(tmp_path):
    (tmp_path / "params.yaml").write_text("ingest: {demo: {customers: 1, months: 1, seed: 7}}", encoding="utf-8")
    grown(tmp_path, 5000, 48)
    told = yaml.safe_load((tmp_path / "params.yaml").read_text(encoding="utf-8"))
    assert told["ingest"]["demo"] == {"customers": 5000, "months": 60, "seed": 7}


def test_both_reports_stand_in_the_table_with_the_median_of_their_runs():
    lines = {figure.name: (figure.measured, figure.held_against) for figure in figures(Size(5000, 48, 170_000), *GOOD)}
    told = lines["stage `report`, 5,000 customers × 48 snapshots (170,000 rows)"]
    assert told == ("41.0 s (38.0 to 70.0)", "under 60 s")
    assert lines["`creditbook portfolio`, the newest day of that book"] == ("5.0 s (4.0 to 6.0)", "")
    assert {"`model_report_zh.pdf`", "`portfolio.en.html`", "`portfolio.zh.html`"} <= set(lines)


@pytest.mark.parametrize(
    ("report", "portfolio", "says"),
    [
        (Measured((38.0, 70.0, 61.0), 1.6, REPORT), GOOD[1], "stage report: 61.0 s"),
        (Measured((38.0,), 2.01, REPORT), GOOD[1], "2.01 GiB"),
        (Measured((38.0,), 1.6, {**REPORT, "model_report.pdf": 5.2}), GOOD[1], "model_report.pdf: 5.2 MB"),
        (Measured((38.0,), 1.6, {"model_report.html": 0.7}), GOOD[1], "report: 1 files where 4"),
        (GOOD[0], Measured((4.0,), 0.5, {}), "portfolio: 0 files where 2"),
    ],
)
def test_a_goal_that_is_not_reached_is_named(report, portfolio, says):
    assert missed(*GOOD) == []
    (found,) = missed(report, portfolio)
    assert says in found
