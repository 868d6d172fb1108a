"""Bins as a file: written by a fit, read again as they stand, edited by hand, refused where they cannot hold."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.datasets import Project
from pipeline.errors import ParameterError
from pipeline.flows.fit_booster import fit_booster as fit_booster_of
from pipeline.flows.fit_scorecard import fit_scorecard as fit_scorecard_of
from pipeline.flows.setting import Setting
from pipeline.params import LabelParams, ScorecardParams, SplitParams
from pipeline.read_params import parse_params
from pipeline.score.scorecard import Bin, Characteristic
from pipeline.statistics.proportions import jeffreys_interval
from pipeline.train.binning import Binning, fit_bins
from pipeline.train.bins_file import Cuts, bins_text, cuts_of, parse_bins
from pipeline.train.bins_over_time import bin_stability
from pipeline.train.sample import Sample, samples
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import mature_dates, timetable

PARAMS = ScorecardParams()


@pytest.fixture(scope="module")
def train(small_economy):
    book = small_economy.book.assign(invoices_due_12m_count=5, history_months=20)
    table = timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    return samples(book, table)["train"]


@pytest.fixture(scope="module")
def catalogue(small_economy):
    return small_economy.catalogue


@pytest.fixture(scope="module")
def binning(train, catalogue):
    return fit_bins(train, catalogue, PARAMS)


def test_what_a_fit_wrote_is_read_as_it_stands_and_gives_the_same_bins(binning, train, catalogue):
    text = bins_text(binning)
    cuts = parse_bins(text, "bins.yaml", catalogue)
    assert cuts == {name: cuts_of(c) for name, c in binning.characteristics.items()}
    again = fit_bins(train, catalogue, PARAMS, cuts)
    assert again.characteristics == binning.characteristics
    assert again.by_hand == ()


def test_what_could_not_be_binned_stands_in_the_file_with_its_reason(binning):
    text = bins_text(binning)
    assert "# always_null: not binned, null on every row" in text
    assert "always_null" not in yaml.safe_load(text)


def test_a_bin_set_by_hand_is_named_by_the_number_that_was_written(train, catalogue):
    """More than six digits stand there, where the solver's bins have four."""
    rows = train.rows.assign(overdue_share=1e7 * train.rows["overdue_share"])
    scaled = dataclasses.replace(train, rows=rows)
    solved = fit_bins(scaled, catalogue, PARAMS).characteristics["overdue_share"]
    first = solved.splits[0]
    assert (first, solved.bins[0].label) == (int(first), f"below {first:g}")
    found = fit_bins(scaled, catalogue, PARAMS, {"overdue_share": Cuts(splits=(first + 0.25,))})
    names = [b.label for b in found.characteristics["overdue_share"].bins if b.kind == "range"]
    assert names == [f"below {int(first)}.25", f"{int(first)}.25 or more"]
    assert first > 1e5


def test_an_edited_split_is_taken_refitted_and_told_with_its_price(binning, train, catalogue):
    solved = binning.characteristics["overdue_share"]
    middle = solved.splits[len(solved.splits) // 2]
    found = fit_bins(train, catalogue, PARAMS, {"overdue_share": Cuts(splits=(middle,))})
    bins = [b for b in found.characteristics["overdue_share"].bins if b.kind == "range"]
    assert [b.upper for b in bins] == [middle, None]
    values = train.rows["overdue_share"].to_numpy(dtype=float)
    assert bins[0].count == int((values < middle).sum())
    assert bins[0].bads == int(train.is_bad[values < middle].sum())
    told = found.by_hand[0].as_json()
    assert (told["feature"], told["set"], told["solved"]) == ("overdue_share", [middle], list(solved.splits))
    assert told["iv"] < told["iv_solved"] == pytest.approx(solved.iv)
    for name in ("iv", "iv_solved"):
        assert told[f"{name}_low"] < told[name] < told[f"{name}_high"]


def test_the_edit_reaches_the_card_and_its_story(binning, train, catalogue):
    fit = fit_scorecard(train, catalogue, PARAMS, 1)
    name = next(c.feature for c in fit.scorecard.characteristics if not c.holds_categories and len(c.splits) > 1)
    cut = Cuts(splits=binning.characteristics[name].splits[:1])
    edited = fit_scorecard(train, catalogue, PARAMS, 1, {name: cut})
    assert [told["feature"] for told in edited.as_json()["by_hand"]] == [name]
    assert edited.binning.characteristics[name].splits == cut.splits


def test_groups_by_hand_leave_what_they_do_not_name_to_any_other(train, catalogue):
    found = fit_bins(train, catalogue, PARAMS, {"industry": Cuts(groups=(("A", "C"), ("F",)))})
    bins = {b.label: b for b in found.characteristics["industry"].bins}
    texts = train.rows["industry"]
    assert bins["A, C"].count == int(texts.isin(["A", "C"]).sum())
    assert bins["any other"].count == int((texts.notna() & ~texts.isin(["A", "C", "F"])).sum())


def test_bins_against_the_direction_or_without_rows_are_refused_all_at_once(train, catalogue):
    # The catalogue says that a larger share is riskier; told the other way round every step is against it.
    turned = [{**f, "risk": "falls"} if f["name"] == "overdue_share" else f for f in catalogue]
    cuts = {"overdue_share": Cuts(splits=(0.05, 0.3)), "equity_ratio": Cuts(splits=(-1e9,))}
    with pytest.raises(ParameterError) as told:
        fit_bins(train, turned, PARAMS, cuts)
    assert "the risk turns against its direction (falls)" in str(told.value)
    assert "equity_ratio: no row falls to 'below -1e+09'" in str(told.value)


def test_bins_that_this_book_cannot_fill_are_refused_by_name_and_never_left_out(train, catalogue):
    """Categories nobody has, a cut with a single row above it, a column of nulls, one for people and one ruled out."""
    top = float(np.sort(train.rows["equity_ratio"].dropna().to_numpy(dtype=float))[-1])
    cuts = {
        "industry": Cuts(groups=(("F41", "F42"), ("ZZZ",))),
        "equity_ratio": Cuts(splits=(top,)),
        "always_null": Cuts(splits=(10.0,)),
        "overdue_share": Cuts(splits=(0.1,)),
        "mean_days_late_12m": Cuts(splits=(10.0,)),
    }
    served = [{**f, "serves": "people"} if f["name"] == "overdue_share" else f for f in catalogue]
    settings = dataclasses.replace(PARAMS, never_use=("mean_days_late_12m",))
    with pytest.raises(ParameterError) as told:
        fit_scorecard(train, served, settings, 1, cuts)
    for part in (
        "breach(es) in the bins of 5 feature(s), none was taken",
        "industry: no row falls to 'F41, F42'",
        "industry: no row falls to 'ZZZ'",
        f"equity_ratio: '{top!r} or more' holds too few customers to be weighed (",
        f" good customers; {PARAMS.min_bads_per_bin} bad and {PARAMS.min_goods_per_bin} good customers are needed",
        "always_null: no cut can bin it in this book (null on every row)",
        "overdue_share: it is never binned (serves people alone",
        "mean_days_late_12m: it is never binned (on the list fit_scorecard.never_use)",
        "take the feature out of the file, and fit again",
    ):
        assert part in str(told.value), part


def test_a_thin_range_by_hand_is_told_in_customers_and_turns_no_direction():
    """3 bad and 60 good customers in the middle, each with two snapshots: too few bads, so neutral, and only that."""
    x = np.repeat([0.0, 1.0, 2.0], [1000, 126, 400])
    y = np.concatenate([np.repeat([0.0, 1.0], [900, 100]), np.repeat([0.0, 1.0], [120, 6]), np.repeat([0.0, 1.0], 200)])
    names = np.array([f"c{i // 2:04d}" for i in range(len(x))], dtype=object)
    day = np.array([dt.date(2020, 1, 31)] * len(x), dtype=object)
    sample = Sample(pd.DataFrame({"customer_id": names, "x": x}), y, names, day)
    feature = {"name": "x", "idea": "x", "risk": "rises", "holds": "number", "title_en": "x"}
    with pytest.raises(ParameterError) as told:
        fit_bins(sample, [feature], PARAMS, {"x": Cuts(splits=(1.0, 2.0))})
    assert "1 breach(es)" in str(told.value)
    assert "x: '1 to below 2' holds too few customers to be weighed (3 bad and 60 good customers; 5 bad" in str(
        told.value
    )


def test_bins_by_hand_that_break_the_limits_of_the_solver_are_marked(train, catalogue):
    """Three ranges where two are allowed, the smallest of them below 40 % of the rows."""
    splits = (0.05, 0.3)
    asked = [f for f in catalogue if f["name"] == "overdue_share"]
    strict = dataclasses.replace(PARAMS, max_bins=2, min_bin_share=0.4)
    found = fit_bins(train, asked, strict, {"overdue_share": Cuts(splits=splits)})
    values = train.rows["overdue_share"].dropna().to_numpy(dtype=float)
    counts = np.bincount(np.searchsorted(splits, values, side="right"))
    beyond = found.by_hand[0].as_json()["beyond"]
    smallest = pytest.approx(counts.min() / len(values))
    assert beyond == {"bins": 3, "max_bins": 2, "smallest_share": smallest, "min_bin_share": 0.4}
    assert fit_bins(train, asked, PARAMS, {"overdue_share": Cuts(splits=splits)}).by_hand[0].beyond == {}


def test_bins_by_hand_that_tell_nobody_apart_are_refused(train, catalogue):
    """A constant, and groups of which none has as many bad customers as are asked for."""
    rows = train.rows.assign(equity_ratio=1.0)
    cuts = {"equity_ratio": Cuts(splits=(10.0,)), "industry": Cuts(groups=(("A", "C"), ("F",)))}
    asked = [f for f in catalogue if f["name"] in cuts]
    settings = dataclasses.replace(PARAMS, min_bads_per_bin=100_000)
    with pytest.raises(ParameterError) as told:
        fit_bins(dataclasses.replace(train, rows=rows), asked, settings, cuts)
    assert "industry: all its bins would weigh the same ('A, C' " in str(told.value)
    assert "equity_ratio: no row falls to '10 or more'" in str(told.value)
    assert f"equity_ratio: all {len(rows):,} snapshots fall to 'below 10', none is told apart" in str(told.value)


def test_a_group_by_hand_too_small_to_be_weighed_is_neutral_and_its_fate_says_so(train, catalogue):
    rows = train.rows.copy()
    rows.loc[rows.index[:3], "industry"] = "Q"
    found = fit_bins(
        dataclasses.replace(train, rows=rows), catalogue, PARAMS, {"industry": Cuts(groups=(("Q",), ("A", "C")))}
    )
    assert {b.label: b.woe for b in found.characteristics["industry"].bins}["Q"] == 0.0
    assert "3 rows of the group Q hold too few bads or goods: neutral (WoE 0)" in found.remarks["industry"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no_such: {splits: [1]}", "no_such: no feature of the catalogue has this name"),
        ("overdue_share: {splits: [2, 1]}", r"overdue_share.splits: the splits must rise, found \[2, 1\]"),
        ("overdue_share: {splits: [1, 1]}", "the splits must rise"),
        ("overdue_share: {splits: [a]}", "expected numbers, found 'a'"),
        ("overdue_share: {splits: [.inf]}", "expected numbers, found inf"),
        ("overdue_share: {splits: [nan]}", "expected numbers, found 'nan'"),
        ("overdue_share: {splits: [010, 20]}", "010 would be read as 8; write the number you mean"),
        ("overdue_share: {splits: [1:30]}", "1:30 would be read as 90"),
        ("overdue_share: {splits: [1" + "0" * 400 + "]}", r"expected numbers, found 10{59}… \(401 signs\)"),
        ("overdue_share: {splits: [9007199254740992, 9007199254740993]}", "the splits must rise"),
        ("overdue_share: {groups: [[A]]}", "overdue_share: expected splits with a list"),
        ("industry: {groups: [[A, B], [B]]}", "stand in two groups, e.g. 'B'"),
        ("industry: {groups: [[yes]]}", "quote what looks like a number or yes/no"),
        ("industry: {groups: [[A]], splits: [1]}", "expected groups with a list, and nothing else"),
        ("[1, 2]", "expected features with their bins, found list"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(text, says, catalogue):
    with pytest.raises(ParameterError, match=says):
        parse_bins(text, "policy/bins.yaml", catalogue)


@pytest.mark.parametrize("power", [-320, -9, -5, -4, 0, 5, 6, 15, 16, 22, 307])
def test_a_split_of_any_size_is_read_as_it_was_written(power, catalogue):
    """YAML takes 2e+06, an exponent without a dot, for a text."""
    split = 2.5 * 10.0**power
    bins = (Bin("low", "range", 0, 0, None, split), Bin("high", "range", 0, 0, split), Bin("no value", "missing", 0, 0))
    binning = Binning({"overdue_share": Characteristic("overdue_share", 1.0, bins, "rises", 0.1, 0.0)}, {}, {})
    text = bins_text(binning)
    assert "e" not in text.split("splits: [")[1].split("]")[0]
    assert parse_bins(text, "bins.yaml", catalogue) == {"overdue_share": Cuts(splits=(split,))}


def test_numbers_that_yaml_takes_for_texts_are_read(catalogue):
    told = parse_bins("overdue_share: {splits: [-1e-3, 0x10, 1_000, 2e+06, '3e6']}", "policy/bins.yaml", catalogue)
    assert told == {"overdue_share": Cuts(splits=(-0.001, 16.0, 1000.0, 2e6, 3e6))}


def test_the_file_that_is_handed_out_sets_nothing_and_takes_an_entry_below_its_words(catalogue, pytestconfig):
    text = (pytestconfig.rootpath / "policy" / "bins.yaml").read_text(encoding="utf-8")
    assert parse_bins(text, "policy/bins.yaml", catalogue) == {}
    entry = "overdue_share:\n  splits: [0.1]\n"
    assert parse_bins(text + entry, "policy/bins.yaml", catalogue) == {"overdue_share": Cuts(splits=(0.1,))}


@pytest.mark.parametrize("fit", [fit_scorecard_of, fit_booster_of])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"overdue_share: {splits: [2, 1]}", "the splits must rise"),
        (
            "# 分箱\noverdue_share: {splits: [1]}".encode("gbk"),
            r"bins\.yaml: byte 3 is no text in UTF-8 \(it may be GBK",
        ),
    ],
)
def test_a_fault_of_the_file_is_told_before_the_book_is_read(fit, content, says, tmp_path, catalogue):
    """There is no book here at all: to read it would be another error."""
    project = Project(tmp_path)
    for path, written in ((project.catalogue, json.dumps(catalogue).encode()), (project.bins, content)):
        path.parent.mkdir(parents=True)
        path.write_bytes(written)
    with pytest.raises(ParameterError, match=says):
        fit(Setting(project, parse_params("", "params.yaml")))


def test_stability_counts_both_halves_and_sees_a_rate_that_moved(binning, train):
    told = bin_stability(train, [binning.characteristics["overdue_share"]])
    dates = np.unique(train.days)
    late = train.days >= dates[len(dates) // 2]
    assert sum(entry["early_rows"] for entry in told) == int((~late).sum())
    assert sum(entry["late_share"] for entry in told) == pytest.approx(1.0)
    values = train.rows["overdue_share"].to_numpy(dtype=float)
    first = binning.characteristics["overdue_share"].splits[0]
    assert told[0]["late_rate"] == pytest.approx(train.is_bad[late & (values < first)].mean())
    worse = dataclasses.replace(train, is_bad=np.where(late & (values < first), 1.0, train.is_bad))
    moved = bin_stability(worse, [binning.characteristics["overdue_share"]])
    assert moved[0]["p_value"] < 0.001
    assert moved[0]["ratio"]["low"] > 2
    assert moved[1]["is_turned"]
    assert not told[1]["is_turned"] or told[1]["late_rate"] < told[0]["late_rate"]


def test_the_test_of_a_bin_over_time_is_that_of_the_interval_beside_it():
    """12 of 500 early and 80 of 2,000 late: ln(0.04025 / 0.025) = 0.476, its error √(0.075 + 0.0119) = 0.295, z 1.62.

    The difference of the rates, 0.016 of 0.0081, would say p 0.049 beside an interval from 0.90 on.
    """
    is_bad = np.repeat([1.0, 0.0, 1.0, 0.0], [12, 488, 80, 1920])
    days = np.repeat(np.array([dt.date(2020, 1, 31), dt.date(2021, 1, 31)], dtype=object), [500, 2000])
    names = np.array([f"c{i:04d}" for i in range(2500)], dtype=object)
    sample = Sample(pd.DataFrame({"customer_id": names, "x": np.ones(2500)}), is_bad, names, days)
    bins = (Bin("any value", "range", 0.0, 0.0), Bin("no value", "missing", 0.0, 0.0))
    one = Characteristic("x", 1.0, bins, "rises", 0.0, 0.0)
    (told,) = bin_stability(sample, [one])
    assert (told["ratio"]["low"], told["ratio"]["high"]) == pytest.approx((0.90, 2.87), abs=0.01)
    assert told["p_value"] == pytest.approx(0.106, abs=0.001)
    assert told["ratio"]["error"] == pytest.approx(0.295, abs=0.001)
    assert (told["early_low"], told["early_high"]) == pytest.approx(jeffreys_interval(12, 500))
    assert (told["late_low"], told["late_high"]) == pytest.approx(jeffreys_interval(80, 2000))
    # At the level of its own p-value the interval ends at 1.
    (edge,) = bin_stability(sample, [one], 1.0 - told["p_value"])
    assert edge["ratio"]["low"] == pytest.approx(1.0, abs=1e-9)


LOW_AND_HIGH = (
    Bin("low", "range", 0.0, 0.0, None, 1.5),
    Bin("high", "range", 0.0, 0.0, 1.5, None),
    Bin("no value", "missing", 0.0, 0.0),
)


@pytest.mark.parametrize(
    ("late_bads", "risk", "is_turned", "p"),
    [((8, 2), "rises", True, 0.042), ((8, 2), "falls", False, 0.958), ((3, 0), "rises", True, 0.112)],
)
def test_an_order_that_the_later_half_turns_is_tested_by_customer(late_bads, risk, is_turned, p):
    """8 and 2 bads of 100: 0.06 / √(0.00095 × 200 / 199) = 1.94, Student's t with 9 degrees; Fisher's exact test of
    3 and 0 says 0.123. Three months of the same customers are the same evidence."""
    told = {}
    for months in (1, 3):
        bads = [(2, 100), (4, 100), *((n, 100) for n in late_bads)]
        outcome = np.concatenate([np.repeat([1.0, 0.0], [n, rows - n]) for n, rows in bads])
        x = np.tile(np.repeat([1.0, 2.0], 100), 2)
        days = np.repeat(np.array([dt.date(2020, 1, 31), dt.date(2021, 1, 31)], dtype=object), 200)
        names = np.array([f"c{i:04d}" for i in range(400)], dtype=object)
        rows = pd.DataFrame({"customer_id": np.tile(names, months), "x": np.tile(x, months)})
        sample = Sample(rows, np.tile(outcome, months), np.tile(names, months), np.tile(days, months))
        lowest, highest = bin_stability(sample, [Characteristic("x", 1.0, LOW_AND_HIGH, risk, 0.0, 0.0)])
        assert lowest["turn"] is None
        assert highest["is_turned"] is is_turned
        told[months] = highest["turn"]
    assert told[1]["p_value"] == pytest.approx(p, abs=0.001)
    assert told[3] == pytest.approx(told[1])
    assert abs(told[1]["against"]) == pytest.approx((late_bads[0] - late_bads[1]) / 100)


def test_a_single_bad_customer_turns_nothing_that_is_tested():
    names = np.array(["a", "b", "c", "d"], dtype=object)
    days = np.array([dt.date(2020, 1, 31), *[dt.date(2021, 1, 31)] * 3], dtype=object)
    rows = pd.DataFrame({"customer_id": names, "x": [1.0, 1.0, 2.0, 2.0]})
    sample = Sample(rows, np.array([0.0, 1.0, 0.0, 0.0]), names, days)
    _, highest = bin_stability(sample, [Characteristic("x", 1.0, LOW_AND_HIGH, "rises", 0.0, 0.0)])
    assert highest["is_turned"]
    assert highest["turn"]["p_value"] is None
    _, either = bin_stability(sample, [Characteristic("x", 1.0, LOW_AND_HIGH, "either", 0.0, 0.0)])
    assert (either["is_turned"], either["turn"]) == (False, None)


def test_rows_without_dates_have_no_halves(binning, train):
    undated = dataclasses.replace(train, days=np.array([None] * len(train.is_bad), dtype=object))
    assert bin_stability(undated, list(binning.characteristics.values())) == []
