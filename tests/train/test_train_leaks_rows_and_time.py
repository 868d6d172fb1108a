"""Leaks of whole rows and of labels: copies across the split, labels that never change, windows the data's end cuts."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.params import LabelParams, LeakParams, SplitParams
from pipeline.train.label import Label
from pipeline.train.leaks import find_leaks
from pipeline.train.splits import Timetable, mature_dates, timetable, undated_timetable

SETTINGS = LeakParams()
YEAR = LabelParams()
QUARTER = LabelParams("late", 30, None, 90)
OF_TABLE = Label("target", None, None, None, "bankruptcy", "破产", "went bankrupt")


def entry(name):
    return {"name": name, "idea": name, "holds": "number", "risk": "either", "title_en": name}


def wide_table(rows=3000, columns=12, seed=1):
    """One row per customer, continuous features without power, one row in ten bad."""
    rng = np.random.default_rng(seed)
    names = [f"x{i:02d}" for i in range(columns)]
    keys = [f"R-{i:05d}" for i in range(rows)]
    frame = pd.DataFrame(rng.normal(size=(rows, columns)), columns=names)
    frame = frame.assign(customer_id=keys, group_key=keys, as_of=None, is_bad=(np.arange(rows) % 10 == 0).astype(float))
    return frame, [entry(name) for name in names]


def panel(dates, customers=600, rate=0.08, seed=1):
    """Every customer at every date, each row bad with the rate of its date, customers leaning to good or to bad."""
    rng = np.random.default_rng(seed)
    days = [day.date() for day in pd.date_range("2018-01-31", periods=dates, freq="ME")]
    lean = np.exp(0.5 * rng.normal(size=customers)) / np.exp(0.125)
    rates = np.broadcast_to(rate, dates)[:, None] * lean[None, :]
    names = [f"C-{i:04d}" for i in range(customers)]
    return pd.DataFrame(
        {
            "customer_id": np.tile(names, dates),
            "group_key": np.tile(names, dates),
            "as_of": np.repeat(np.array(days, dtype=object), customers),
            "is_bad": (rng.random(rates.shape) < rates).astype(float).ravel(),
            "x": rng.normal(size=dates * customers),
        }
    )


def found_in(book, label, catalogue=None, **told):
    undated = book["as_of"].isna().all()
    best_effort = SplitParams(purge="best_effort")
    table = undated_timetable(label, best_effort) if undated else timetable(mature_dates(book), label, best_effort)
    return find_leaks(book, catalogue or [entry("x")], table, label, SETTINGS, **told)


def only(report, check):
    found = [f for f in report.findings if f.check == check]
    assert len(found) == len(report.findings) == 1
    return found[0]


def test_copied_rows_across_the_split_are_counted_with_their_labels():
    frame, catalogue = wide_table()
    held = undated_timetable(OF_TABLE, SplitParams()).role(frame) != "train"
    assert found_in(frame, OF_TABLE, catalogue).findings == ()
    targets, sources = np.flatnonzero(held)[:40], np.flatnonzero(~held)[:40]
    names = [f["name"] for f in catalogue]
    frame.loc[targets, names] = frame.loc[sources, names].to_numpy()
    finding = only(found_in(frame, OF_TABLE, catalogue), "identical_rows")
    assert finding.verdict == "warn"
    assert finding.numbers["twins"] == 40
    assert finding.numbers["held_out"] == held.sum()
    assert finding.numbers["by_chance"] == 0
    differing = (frame["is_bad"].to_numpy()[targets] != frame["is_bad"].to_numpy()[sources]).sum()
    assert finding.numbers["opposite"] == differing > 0
    assert finding.examples[0] == f"R-{targets[0]:05d} = R-{sources[0]:05d}"
    assert f"40 of {held.sum():,} held-out rows" in finding.told


def test_many_copies_refuse():
    frame, catalogue = wide_table()
    held = undated_timetable(OF_TABLE, SplitParams()).role(frame) != "train"
    targets, sources = np.flatnonzero(held)[:100], np.flatnonzero(~held)[:100]
    names = [f["name"] for f in catalogue]
    frame.loc[targets, names] = frame.loc[sources, names].to_numpy()
    assert only(found_in(frame, OF_TABLE, catalogue), "identical_rows").verdict == "refuse"


def test_coarse_features_agree_by_chance_and_are_no_copies():
    frame, catalogue = wide_table(rows=4000, columns=8)
    names = [f["name"] for f in catalogue]
    frame[names] = np.clip(np.round(frame[names]), -1, 1)
    train = undated_timetable(OF_TABLE, SplitParams()).role(frame) == "train"
    rows = frame[names].apply(tuple, axis=1)
    assert rows[~train].isin(set(rows[train])).mean() > 0.2
    assert found_in(frame, OF_TABLE, catalogue).findings == ()


def test_rows_with_hardly_a_value_are_no_copies():
    frame, catalogue = wide_table()
    names = [f["name"] for f in catalogue]
    frame.loc[frame.index % 3 == 0, names] = np.nan
    frame.loc[frame.index % 3 == 1, names[2:]] = 0.0
    frame.loc[frame.index % 3 == 1, names[:2]] = 1.0
    assert "identical_rows" not in {f.check for f in found_in(frame, OF_TABLE, catalogue).findings}


def test_a_market_index_of_the_day_does_not_hide_a_copy():
    book = panel(30, 300)
    values = np.random.default_rng(2).normal(size=(len(book), 10))
    names = [f"x{i}" for i in range(10)]
    book = book.assign(**dict(zip(names, values.T, strict=True)), is_bad=(np.arange(len(book)) % 11 == 0).astype(float))
    role = timetable(mature_dates(book), QUARTER, SplitParams()).role(book).to_numpy()
    targets, sources = np.flatnonzero(role == "test")[:30], np.flatnonzero(role == "train")[:30]
    book.loc[targets, names] = book.loc[sources, names].to_numpy()
    index = book.groupby("as_of").ngroup() * 1.5
    catalogue = [entry(name) for name in (*names, "index")]
    finding = only(found_in(book.assign(index=index), QUARTER, catalogue), "identical_rows")
    assert finding.numbers["twins"] == 30


class Broken(Timetable):
    """A split that forgets that customers belong together."""

    def group_role(self, groups):
        return pd.Series(np.where(np.arange(len(groups)) < 300, "train", "test"), index=groups.index)


def test_customers_on_both_sides_of_the_split_are_refused():
    frame, catalogue = wide_table(rows=600)
    frame = frame.assign(customer_id=[f"R-{i % 300:05d}" for i in range(600)])
    frame = frame.assign(group_key=frame["customer_id"], as_of=dt.date(2020, 12, 31))
    frame.loc[frame.index < 300, "as_of"] = dt.date(2019, 12, 31)
    days = (dt.date(2019, 12, 31), dt.date(2020, 12, 31))
    broken = Broken("12 months", (0.6, 0.2, 0.2), 1, train=days, test=days)
    report = find_leaks(frame, catalogue, broken, YEAR, SETTINGS)
    refused = [f for f in report.findings if f.check == "overlap"]
    assert [f.verdict for f in refused] == ["refuse", "refuse"]
    assert {f.numbers["key"] for f in refused} == {"customer_id", "group_key"}
    assert refused[0].examples[0].startswith("R-0")


def test_a_label_that_marks_the_customer_for_ever_is_refused(small_economy):
    book = small_economy.book
    ever = book.groupby("customer_id")["is_bad"].transform("max")
    table = timetable(mature_dates(book), YEAR, SplitParams())
    honest = find_leaks(book, small_economy.catalogue, table, YEAR, SETTINGS)
    assert honest.findings == ()
    report = find_leaks(book.assign(is_bad=ever), small_economy.catalogue, table, YEAR, SETTINGS)
    finding = next(f for f in report.findings if f.check == "constant_label")
    assert finding.verdict == "refuse"
    span = book.groupby("customer_id")["as_of"].agg(["min", "max"]).loc[book.loc[ever == 1, "customer_id"].unique()]
    long = (pd.to_datetime(span["max"]) >= pd.to_datetime(span["min"]) + pd.DateOffset(months=12)).sum()
    assert finding.numbers["bad_customers"] == finding.numbers["constant"] == long > 50
    assert finding.examples[0] in set(book.loc[ever == 1, "customer_id"])


def test_a_label_that_half_the_bad_customers_hold_for_ever_warns():
    book = panel(30, 200, rate=0.0)
    number = book["customer_id"].str[2:].astype(int)
    late = book["as_of"].map(lambda day: day >= dt.date(2019, 12, 31))
    book = book.assign(is_bad=((number < 30) | ((number < 50) & late)).astype(float))
    report = found_in(book, YEAR)
    finding = next(f for f in report.findings if f.check == "constant_label")
    assert (finding.verdict, finding.numbers["constant"], finding.numbers["bad_customers"]) == ("warn", 30, 50)


def test_a_constant_label_is_judged_without_a_window_by_three_dates():
    book = panel(4, 300, rate=0.0)
    book = book.assign(is_bad=(book["customer_id"] < "C-0040").astype(float))
    report = found_in(book, OF_TABLE)
    finding = next(f for f in report.findings if f.check == "constant_label")
    assert (finding.verdict, finding.numbers["constant"]) == ("refuse", 40)
    assert "none is told: 3 dates or more" in finding.told
    two = book[book["as_of"] < dt.date(2018, 3, 1)].reset_index(drop=True)
    assert "constant_label" not in {f.check for f in found_in(two, OF_TABLE).findings}


def test_outcomes_whose_window_outlasts_the_data_are_refused_with_their_dates():
    book = panel(24)
    last = book["as_of"].max()
    assert found_in(book, QUARTER, known_until=last + dt.timedelta(days=120)).findings == ()
    report = found_in(book, QUARTER, known_until=last + dt.timedelta(days=119))
    finding = only(report, "truncated_window")
    assert finding.verdict == "refuse"
    assert (finding.numbers["rows"], finding.numbers["dates"]) == (600, 1)
    assert "end the table at 2019-11-30" in finding.remedy
    assert finding.examples[0] == f"C-0000 on {last}"


@pytest.mark.parametrize("seed", range(5))
def test_a_rate_that_stays_or_drifts_is_left_alone(seed):
    for rate in (np.full(36, 0.08), np.linspace(0.10, 0.05, 36), 0.07 + 0.03 * np.sin(np.arange(36) / 3)):
        assert found_in(panel(36, rate=rate, seed=seed), YEAR).findings == ()


def test_a_year_of_windows_cut_by_the_data_end_is_refused():
    seen = np.minimum(1.0, (np.arange(36, 0, -1) - 0.5) / 12)
    finding = only(found_in(panel(36, rate=0.08 * seen), YEAR), "truncated_window")
    assert finding.verdict == "refuse"
    assert finding.numbers["high"] <= 0.5
    assert finding.numbers["dates"] <= 3
    assert finding.numbers["rate"] < 0.02
    assert finding.numbers["rate_before"] > 0.04
    assert finding.numbers["first"] in finding.told


def test_a_last_date_cut_by_a_third_warns():
    rate = np.array([0.12, 0.11, 0.12, 0.115, 0.06])
    finding = only(found_in(panel(5, 1500, rate=rate), QUARTER), "truncated_window")
    assert (finding.verdict, finding.numbers["dates"]) == ("warn", 1)
    assert finding.numbers["ratio"] == pytest.approx(0.55, abs=0.12)
    assert finding.numbers["rows_ratio"] == 1.0
    assert "end the table at 2018-04-30" in finding.remedy


def test_a_rate_that_rises_while_rows_vanish_warns_and_a_mere_rise_does_not():
    assert found_in(panel(23, rate=np.append(np.full(22, 0.06), 0.25), seed=3), QUARTER).findings == ()
    book = panel(23, rate=0.06, seed=3)
    is_last = book["as_of"] == book["as_of"].max()
    settled = book[~is_last | (book["is_bad"] == 1) | (book.index % 5 == 0)].reset_index(drop=True)
    finding = only(found_in(settled, QUARTER), "truncated_window")
    assert finding.verdict == "warn"
    assert finding.numbers["rows_ratio"] == pytest.approx(0.06 + 0.94 / 5, abs=0.02)
    assert "the bad rate rises to" in finding.told


def test_rows_without_outcome_at_the_end_are_counted():
    seen = np.minimum(1.0, (np.arange(36, 0, -1) - 0.5) / 12)
    book = panel(36, rate=0.08 * seen)
    last = book["as_of"] == book["as_of"].max()
    opened = book.assign(is_bad=book["is_bad"].where(~last | (book.index % 2 == 0)))
    finding = only(found_in(opened, YEAR), "truncated_window")
    assert finding.numbers["without_outcome"] == int(opened["is_bad"].isna().sum()) == 300


def test_a_table_without_dates_tells_what_could_not_be_judged():
    frame, catalogue = wide_table()
    report = found_in(frame, OF_TABLE, catalogue)
    assert report.unjudged == {
        "truncated_window": "the table has 0 date(s) with an outcome, 3 are needed",
        "constant_label": "every customer has one row",
    }
    assert found_in(frame, OF_TABLE, catalogue[:3]).unjudged["identical_rows"].startswith("3 columns are too few")
