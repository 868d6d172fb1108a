"""The traps of real tables that data/README.md names are found, and tables without a trap are left alone."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from pipeline.params import LabelParams, LeakParams, SplitParams
from pipeline.train.label import Label
from pipeline.train.leaks import find_leaks
from pipeline.train.splits import is_undated, mature_dates, timetable, undated_timetable

OF_TABLE = Label("target", None, None, None, "default", "违约", "defaulted")
NEXT_YEAR = Label("target", None, 12, None, "bankruptcy", "破产", "went bankrupt")
LATE = LabelParams("late", 30, None, 90)
BEST_EFFORT = SplitParams(purge="best_effort")


def examined(features, is_bad, label=OF_TABLE, customer=None, days=None):
    """The findings on a table whose every column is a feature; texts are categories."""
    features = features.reset_index(drop=True)
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    features = features.assign(**{n: features[n].astype(object).where(features[n].notna(), None) for n in texts})
    keys = [f"R-{i:06d}" for i in range(len(features))] if customer is None else list(customer)
    given = {"customer_id": keys, "group_key": keys, "as_of": days, "is_bad": np.asarray(is_bad, dtype=float)}
    book = pd.concat([pd.DataFrame(given), features], axis=1)
    catalogue = [{"name": n, "holds": "category" if n in texts else "number", "risk": "either"} for n in features]
    table = undated_timetable(label, BEST_EFFORT)
    if not is_undated(book):
        table = timetable(mature_dates(book), label, BEST_EFFORT)
    return find_leaks(book, catalogue, table, label, LeakParams())


def verdicts(report):
    return {(f.check, f.column): f.verdict for f in report.findings}


@pytest.fixture(scope="module")
def sba(real_data):
    rows = pd.read_csv(real_data / "sba_case" / "SBAcase.csv.gz", encoding="utf-8-sig")
    return rows.drop(columns=["Default", "MIS_Status", "Selected"]), rows["Default"]


@pytest.fixture(scope="module")
def firm_years(real_data):
    rows = pd.read_csv(real_data / "american_bankruptcy" / "firm_years_1999_2014.csv.gz")
    days = [dt.date(year, 12, 31) for year in rows["year"]]
    return rows, rows[[f"X{i}" for i in range(1, 19)]], days


def test_the_case_study_of_small_loans_is_refused_for_its_term_and_its_charge_offs(sba):
    report = examined(*sba)
    refused = {f.column for f in report.refused}
    assert refused == {"Term", "daysterm", "ChgOffDate", "ChgOffPrinGr"}
    found = verdicts(report)
    assert found["filled_after", "ChgOffDate"] == "refuse"
    assert found["identifier", "LoanNr_ChkDgt"] == "warn"
    assert found["identifier", "Name"] == "warn"
    term = next(f for f in report.findings if (f.check, f.column) == ("power", "Term"))
    assert term.numbers["overall"]["value"] == pytest.approx(0.977, abs=0.005)
    assert term.numbers["where_filled"]["value"] < 0.9


def test_the_case_study_without_its_leaks_is_accepted(sba):
    rows, is_bad = sba
    honest = rows.drop(columns=["Term", "daysterm", "xx", "ChgOffDate", "ChgOffPrinGr", "LoanNr_ChkDgt", "Name"])
    assert examined(honest, is_bad).findings == ()


def test_the_published_label_of_failed_firms_is_refused_and_their_last_year_is_not(firm_years):
    rows, features, days = firm_years
    failed = rows["status_label"] == "failed"
    report = examined(features, failed, NEXT_YEAR, rows["company_name"], days)
    assert verdicts(report) == {("constant_label", None): "refuse"}
    assert report.findings[0].numbers["share"] == 1.0
    assert report.findings[0].numbers["bad_customers"] > 500
    last = rows["year"] == rows.groupby("company_name")["year"].transform("max")
    assert examined(features, failed & last, NEXT_YEAR, rows["company_name"], days).refused == ()


def test_the_copies_in_the_ratios_of_polish_firms_are_found(real_data):
    rows = pd.read_csv(real_data / "polish_bankruptcy" / "3year.csv.gz")
    report = examined(rows.drop(columns="class"), rows["class"])
    assert verdicts(report) == {("identical_rows", None): "warn"}
    numbers = report.findings[0].numbers
    assert 30 <= numbers["twins"] <= 50
    assert numbers["by_chance"] <= 2
    assert "R-" in report.findings[0].examples[0]


@pytest.mark.parametrize("name", ["consumer", "cards"])
def test_honest_consumer_tables_are_left_alone(real_data, name):
    if name == "consumer":
        packed = zipfile.ZipFile(real_data / "give_me_some_credit" / "cs-training.csv.zip").read("cs-training.csv")
        rows = pd.read_csv(io.BytesIO(packed)).iloc[:, 1:]
        features, is_bad = rows.iloc[:, 1:], rows.iloc[:, 0]
    else:
        rows = pd.read_csv(real_data / "uci_credit_card" / "UCI_Credit_Card.csv.gz")
        features, is_bad = rows.iloc[:, 1:-1], rows.iloc[:, -1]
    assert examined(features, is_bad).findings == ()


def open_items(real_data, last):
    """Customers with an item due in the 90 days after a month end to `last`: bad where one stood 30 days or more."""
    items = pd.read_csv(real_data / "highradius" / "open_items_20190831.csv.gz", dtype={"cust_number": str})
    due, cleared = pd.to_datetime(items["due_date"]), pd.to_datetime(items["clear_date"])
    extract = pd.Timestamp("2019-08-31")
    is_late = (cleared.fillna(extract) - due).dt.days >= 30
    pieces = []
    for day in pd.date_range("2018-12-31", last, freq="ME"):
        ahead = (due > day) & (due <= day + pd.Timedelta(days=90))
        seen = pd.DataFrame({"customer": items["cust_number"], "is_bad": is_late, "amount": items["amount"]})[ahead]
        by_customer = seen.groupby("customer", as_index=False).agg({"is_bad": "max", "amount": "sum"})
        pieces.append(by_customer.assign(as_of=day.date()))
    return pd.concat(pieces, ignore_index=True)


def test_open_items_beyond_the_last_whole_window_are_told_as_truncated(real_data):
    rows = open_items(real_data, "2019-05-31")
    report = examined(rows[["amount"]], rows["is_bad"], LATE, rows["customer"], list(rows["as_of"]))
    assert verdicts(report) == {("truncated_window", None): "warn"}
    found = report.findings[0]
    assert (found.numbers["first"], found.numbers["dates"]) == ("2019-05-31", 1)
    assert found.numbers["rate"] == pytest.approx(0.059, abs=0.005)
    assert "end the table at 2019-04-30" in found.remedy
    whole = open_items(real_data, "2019-04-30")
    assert examined(whole[["amount"]], whole["is_bad"], LATE, whole["customer"], list(whole["as_of"])).findings == ()
