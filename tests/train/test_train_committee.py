"""The validation tests on books of known truth: right, wrong, too small, leaking; each light can turn."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.sizes_book import SCALE, simulated
from benchmarks.sizes_stability import Inputs, shuffled, unmoved_grades
from benchmarks.sizes_tenures import Design
from pipeline.params import Bounds, ValidateParams
from pipeline.statistics.calibration import calibration_line
from pipeline.statistics.delong import delong
from pipeline.statistics.proportions import jeffreys_p_value
from pipeline.train.committee_benchmark import benchmark_results, marginal_light
from pipeline.train.committee_calibration import calibration_results
from pipeline.train.committee_discrimination import discrimination_results
from pipeline.train.committee_ground import Ground, Ledger, cohorts_of, development_sample
from pipeline.train.committee_process import process_results
from pipeline.train.committee_ratings import is_new, moments
from pipeline.train.committee_result import Result, of_p_value, of_value, unless_blind
from pipeline.train.committee_stability import stability_results
from pipeline.train.label import Label
from pipeline.train.sample import Sample, samples
from pipeline.train.splits import Timetable, mature_dates, settled_on, timetable

MIDDLING = Design("middling", 1500, 0.035)
LARGE = Design("large", 4000, 0.035)
SMALL = Design("small", 120, 0.02)
YEAR = Label("default", 90, 12, None)


@pytest.fixture(scope="module")
def right() -> Ground:
    return simulated(MIDDLING, 4)


def named(results, test: str, basis: str = "cohort") -> Result:
    return next(one for one in results if one.id == test and one.basis == basis)


def test_lights_turn_at_their_bounds():
    bounds = Bounds(0.05, 0.01)
    assert [of_p_value(p, bounds) for p in (0.2, 0.05, 0.03, 0.009, None, float("nan"))] == [
        *("green", "green", "amber", "red", "grey", "grey"),
    ]
    assert [of_value(v, Bounds(0.1, 0.2)) for v in (0.1, 0.15, 0.3, None)] == ["green", "amber", "red", "grey"]
    assert unless_blind("green", True) == ("grey", "blind")
    assert unless_blind("red", True) == ("red", "")


def test_cohorts_hold_unseen_customers_once_and_their_windows_do_not_overlap(make_economy):
    economy = make_economy(300, 44, 3)
    days = mature_dates(economy.book)
    table = Timetable(
        "12 months", (0.6, 0.2, 0.2), 1, train=tuple(days[:8]), calibration=tuple(days[20:24]), test=tuple(days[36:])
    )
    whole = samples(economy.book, table)["all"]
    found = cohorts_of(whole, table, YEAR)
    assert found[0].day == max(table.test)
    for later, earlier in itertools.pairwise(found):
        assert settled_on(earlier.day, YEAR) <= later.day
    role = dict(zip(whole.rows["customer_id"], table.group_role(pd.Series(whole.clusters)), strict=True))
    for cohort in found:
        customers = cohort.sample.rows["customer_id"]
        assert customers.is_unique
        roles = {role[one] for one in customers}
        if cohort.day < min(table.calibration):
            assert roles == {"test"}
        elif cohort.day < min(table.test):
            assert roles == {"test", "train"}
        else:
            assert roles == {"test", "train", "calibration"}
    young = development_sample(whole, table)
    assert set(young.days) == {max(table.train)}
    assert {role[one] for one in young.rows["customer_id"]} == {"test", "calibration"}


def test_rows_without_dates_are_one_cohort_of_the_test_customers(make_economy):
    book = make_economy(200, 20, 3).book.drop_duplicates("customer_id").assign(as_of=None)
    table = Timetable("no length told", (0.6, 0.2, 0.2), 1, purge="undated")
    parts = samples(book, table)
    found = cohorts_of(parts["all"], table, YEAR)
    assert [one.day for one in found] == [None]
    assert len(found[0].sample.is_bad) == len(parts["test"].is_bad)
    assert len(development_sample(parts["all"], table).is_bad) == len(parts["calibration"].is_bad)


def test_a_right_book_is_not_contradicted_and_figures_are_those_of_the_statistics(right):
    results = [*discrimination_results(right), *calibration_results(right)]
    assert "red" not in {one.light for one in results}
    newest = right.newest.sample
    pd_ = right.models["champion"].pd(newest.rows)
    total = named(results, "jeffreys_total")
    below = jeffreys_p_value(pd_.mean(), newest.is_bad.sum(), len(pd_))
    assert total.p_value == pytest.approx(2 * min(below, 1 - below))
    assert total.against == pytest.approx(pd_.mean())
    order = named(results, "auc")
    assert order.value == pytest.approx(delong(pd_, newest.is_bad).value)
    assert order.rows == len(newest.is_bad)
    assert order.is_independent
    order_of = (pd_[newest.is_bad == 0], pd_[newest.is_bad == 1])
    assert order.p_value == pytest.approx(stats.brunnermunzel(*order_of, alternative="less").pvalue)
    line = calibration_line(pd_, newest.is_bad)
    slope, wide = named(results, "slope"), stats.t.ppf(0.975, line.slope_degrees) * line.slope_error
    assert slope.p_value == pytest.approx(2 * stats.t.sf(abs(line.slope - 1) / line.slope_error, line.slope_degrees))
    assert (slope.low, slope.high) == pytest.approx((line.slope - wide, line.slope + wide))
    assert named(results, "auc", "panel").is_independent is None


def test_grades_add_up_and_tell_their_exact_size(right):
    found = named(calibration_results(right), "jeffreys_grades")
    newest = right.newest.sample
    assert [one["grade"] for one in found.details] == list(SCALE.names)
    assert sum(one["rows"] for one in found.details) == len(newest.is_bad)
    assert sum(one["bads"] for one in found.details) == newest.is_bad.sum()
    grade = next(one for one in found.details if one["rows"] > 100)
    n, mean = grade["rows"], grade["mean_pd"]
    chance = [stats.binom.pmf(d, n, mean) for d in range(n + 1) if jeffreys_p_value(mean, d, n) < 0.05]
    assert grade["size"] == pytest.approx(sum(chance))
    assert found.p_value == pytest.approx(min(one["p_holm"] for one in found.details if one["rows"]))


@pytest.mark.parametrize(("test", "basis", "key"), [("jeffreys_grades", "cohort", "grade"), ("years", "years", "day")])
def test_what_is_shown_is_of_the_part_that_shows_most_at_the_level_that_all_share(right, test, basis, key):
    found = named(calibration_results(right), test, basis)
    judged = [one for one in found.details if one["p_holm"] is not None]
    assert len(judged) > 1
    keenest = next(one for one in judged if one[key] == found.shown_part)
    assert found.shown == keenest["shown_holm"] == min(one["shown_holm"] for one in judged)
    # Each part alone would be tested at the whole level, and so shows more.
    assert all(one["shown_holm"] >= one["shown"] for one in judged)
    assert found.is_blind == (found.shown > found.blind_above == 2.0)


@pytest.mark.parametrize("test", ["jeffreys_grades", "binomial_grades"])
def test_a_grade_without_a_bad_is_never_the_worst(right, test):
    newest = right.newest.sample
    good = int(np.flatnonzero(newest.is_bad == 0)[0])
    rows = newest.rows.assign(pd=np.where(np.arange(len(newest.is_bad)) == good, 0.0003, 0.03))
    ground = replace(right, cohorts=(replace(right.newest, sample=replace(newest, rows=rows)), *right.cohorts[1:]))
    found = named(calibration_results(ground), test)
    best = found.details[0]
    assert (best["rows"], best["bads"], best["p_value"]) == (1, 0, 1.0)
    # One bad of one customer is rejected, and comes as often as the PD says.
    assert best["size"] == pytest.approx(0.0003)
    assert found.part == "G05"


def test_defaults_thrice_the_forecast_turn_every_test_of_level_red():
    results = list(calibration_results(simulated(MIDDLING, 4, factor=3.0)))
    for test in ("jeffreys_total", "jeffreys_grades", "hosmer_lemeshow", "spiegelhalter", "level", "years"):
        basis = "years" if test == "years" else "cohort"
        assert named(results, test, basis).light == "red", test
    assert named(results, "level", "panel").light == "red"
    assert named(results, "long_run", "years").value > 2


def test_lost_order_turns_the_tests_of_a_fall_red_and_no_order_at_all_is_red():
    fallen = list(discrimination_results(simulated(LARGE, 4, blur=4.0)))
    for test, basis in (("auc_fall_ecb", "cohort"), ("auc_fall", "cohort"), ("auc_fall", "panel")):
        assert named(fallen, test, basis).light == "red", (test, basis)
    none = list(discrimination_results(simulated(LARGE, 6, is_shuffled=True)))
    assert named(none, "auc").light == "red"


def test_order_that_ten_bads_could_not_show_is_grey_and_order_the_wrong_way_round_is_red(right):
    """Ten bads and 300 goods of middling order: the bads stand at even steps among the goods, so the AUC is as told."""

    def told(centre: float, bads: int, goods: int) -> Result:
        ranks = np.clip(np.linspace(centre - 0.3, centre + 0.3, bads), 0.001, 0.999)
        pd_ = np.concatenate([ranks, (np.arange(goods) + 0.5) / goods]) * 0.1
        n = bads + goods
        sample = replace(
            right.newest.sample,
            rows=pd.DataFrame({"customer_id": np.arange(n), "pd": pd_}),
            is_bad=np.repeat([1.0, 0.0], [bads, goods]),
            clusters=np.arange(n).astype(object),
            days=np.repeat(right.newest.day, n),
        )
        ground = replace(right, cohorts=(replace(right.newest, sample=sample), *right.cohorts[1:]))
        return named(discrimination_results(ground), "auc")

    few, many, wrong = told(0.55, 10, 300), told(0.5, 400, 12000), told(0.2, 10, 300)
    assert few.value == pytest.approx(0.55, abs=0.01)
    assert (few.light, few.why, few.is_blind) == ("grey", "blind", True)
    assert (many.light, many.why, many.is_blind) == ("red", "", False)
    assert wrong.high < 0.5
    assert (wrong.light, wrong.is_blind) == ("red", True)
    assert told(0.8, 10, 300).light == "green"


def test_a_small_book_is_grey_and_says_why():
    results = [*discrimination_results(simulated(SMALL, 1)), *calibration_results(simulated(SMALL, 1))]
    cohort = [one for one in results if one.basis == "cohort"]
    assert {one.light for one in cohort} == {"grey"}
    assert {one.why for one in cohort} == {"too_few"}
    assert named(results, "long_run", "years").why == "too_few_years"


def test_a_test_that_could_have_shown_nothing_is_grey_and_blind(right):
    keen = replace(right.settings.tests, blind_auc=0.5, blind_level=100.0, blind_slope=10.0)
    dull = replace(right.settings.tests, blind_auc=0.001, blind_level=1.0001, blind_slope=0.001)
    for tests, lights in ((keen, {"green", "amber"}), (dull, {"grey", "amber"})):
        ground = replace(right, settings=replace(right.settings, tests=tests))
        found = [one for one in calibration_results(ground) if one.id in {"slope", "level", "spiegelhalter"}]
        assert {one.light for one in found} <= lights
        assert all(one.is_blind == (tests is dull) for one in found)


def test_each_part_stands_against_the_rest_and_the_smallest_raised_p_decides(right):
    found = named(discrimination_results(right), "auc_by_part")
    assert {one["part"] for one in found.details} == {"north", "south", "east", "west"}
    judged = [one for one in found.details if one["p_value"] is not None]
    assert found.p_value == min(one["p_holm"] for one in judged)
    assert all(one["p_holm"] >= one["p_value"] for one in judged)
    assert sum(one["rows"] for one in found.details) == len(right.newest.sample.is_bad)
    cut = replace(right, groups={"segment": right.groups["part"]})
    assert named(discrimination_results(cut), "auc_by_part").why == "cut_short"


def test_an_auc_at_development_and_that_of_the_other_parts_are_estimates_with_interval_and_counts(right):
    results, young = list(discrimination_results(right)), right.development
    early = delong(right.models["champion"].pd(young.rows), young.is_bad)
    for test in ("auc_fall_ecb", "auc_fall"):
        found = named(results, test)
        assert found.against == pytest.approx(early.value)
        assert found.against_of["low"] < found.against < found.against_of["high"]
        assert (found.against_of["low"], found.against_of["high"]) == pytest.approx(early.interval(0.95))
        counts = [found.against_of[name] for name in ("rows", "customers", "bads")]
        assert counts == [len(young.is_bad), young.customers, young.bad_customers]
    assert named(results, "auc_fall", "panel").against_of["bads"] == young.bad_customers
    by_part = named(results, "auc_by_part")
    told = next(one for one in by_part.details if one["part"] == by_part.shown_part)
    assert by_part.against_of == told["against_of"]
    assert told["rows"] + told["against_of"]["rows"] == len(right.newest.sample.is_bad)
    assert named(results, "auc").against_of == {}


def test_what_a_part_would_have_shown_is_of_the_part_whose_auc_is_told_at_the_level_that_all_share(right):
    found = named(discrimination_results(right), "auc_by_part")
    judged = [one for one in found.details if one["p_value"] is not None]
    assert len(judged) > 1
    worst = min(judged, key=lambda one: one["p_value"])
    assert (found.shown_part, found.value, found.shown) == (worst["part"], worst["value"], worst["shown_holm"])
    for one in judged:
        # One-sided at 5 % alone, at 5 % divided by the parts together; 80 % power is 0.842 standard errors.
        assert one["shown"] == pytest.approx((1.6449 + 0.8416) * one["error"], rel=1e-3)
        assert one["shown_holm"] == pytest.approx(
            (stats.norm.isf(0.05 / len(judged)) + 0.8416) * one["error"], rel=1e-3
        )
    # A bound that the keenest part keeps and the one that is told does not: told as nothing shown.
    keenest = min(one["shown_holm"] for one in judged)
    assert keenest < found.shown
    between = replace(right.settings.tests, blind_auc=(keenest + found.shown) / 2)
    dull = replace(right, settings=replace(right.settings, tests=between))
    assert (named(discrimination_results(dull), "auc_by_part").light, found.blind_above) == ("grey", 0.10)


def test_of_two_parts_the_one_with_too_few_bad_customers_is_named(right):
    newest, is_in = right.newest.sample, right.in_newest()
    # Firms are all but the first bad customer of the newest cohort: the rest holds one bad.
    person = np.full(len(is_in), "firm", dtype=object)
    person[np.flatnonzero(is_in)[np.flatnonzero(newest.is_bad == 1)[0]]] = "person"
    found = named(discrimination_results(replace(right, groups={"person": person})), "auc_by_part")
    assert {one["part"]: one["too_few"] for one in found.details} == {"firm": "rest", "person": "part"}
    parts = named(discrimination_results(right), "auc_by_part").details
    assert all(one["too_few"] is None for one in parts if one["p_value"] is not None)


def test_results_are_plain_and_the_same_twice(right):
    first, second = ([one.as_json() for one in calibration_results(right)] for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)
    assert all(set(one) == set(first[0]) for one in first)


def test_unmoved_grades_pass_and_an_upturned_book_does_not():
    design = Design("book", 800, 0.05)
    ground = simulated(design, 1)
    assert "red" not in {one.light for one in unmoved_grades(ground, design, 1)}
    customers = np.arange(800)
    grade = np.array(SCALE.names, dtype=object)[customers % 9]
    still = pd.DataFrame({"customer_id": customers, "grade": grade})
    drawn = pd.DataFrame({"customer_id": customers, "grade": np.random.default_rng(1).permutation(grade)})
    piled = still.assign(grade="G05")
    ledger = Ledger(ratings={"two_years_before": still, "year_before": drawn, "now": still, "development": still})
    moved = {one.id: one for one in stability_results(replace(ground, ledger=ledger))}
    assert (moved["concentration"].light, moved["concentration"].why) == ("grey", "no_power")
    assert moved["concentration"].value == pytest.approx(0, abs=0.01)
    ledger = Ledger(ratings={**ledger.ratings, "now": piled})
    moved = {one.id: one for one in stability_results(replace(ground, ledger=ledger))}
    assert moved["mobility_upper"].light in {"amber", "red"}
    assert moved["neighbours"].light == "red"
    assert moved["concentration"].value == pytest.approx(1)


def test_few_moves_that_could_not_show_a_doubling_are_grey_and_no_order_found_is_not_green():
    ground = simulated(SMALL, 1)

    def told(copies: int) -> dict[str, Result]:
        # In either year one of ten goes one grade down of four, one goes all four: mobility (1 + 4) / (4 + 4).
        moved = ["G06", "G09", *["G05"] * 8] * copies
        first = pd.DataFrame({"customer_id": np.arange(10 * copies), "grade": "G05"})
        third = first.assign(grade=["G06", "G09", "G06", "G09", *["G05"] * 6] * copies)
        books = {"two_years_before": first, "year_before": first.assign(grade=moved), "now": third}
        return {one.id: one for one in stability_results(replace(ground, ledger=Ledger(ratings=books)))}

    few, many = told(1), told(200)
    assert (few["mobility_upper"].light, few["mobility_upper"].is_blind) == ("grey", True)
    assert few["mobility_upper"].against == pytest.approx(5 / 8)
    assert few["mobility_lower"].why == "no_power"
    assert (many["mobility_upper"].light, many["mobility_upper"].is_blind) == ("green", False)
    assert (few["neighbours"].light, few["neighbours"].why) == ("grey", "no_power")


@pytest.mark.parametrize(
    ("high", "shown", "light"),
    [(0.1, 0.05, "green"), (0.1, 0.3, "grey"), (0.1, None, "grey"), (-0.01, 0.3, "amber")],
)
def test_a_group_whose_harm_would_not_have_shown_is_grey(high, shown, light):
    details = [{"high": 0.2, "shown": 0.04}, {"high": high, "shown": shown}]
    assert marginal_light(details, 0.2)[0] == light


def test_migration_is_counted_by_customer_and_default_left_out():
    ground = simulated(SMALL, 1)
    before = pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "grade": ["G01", "G01", "G03", None]})
    now = pd.DataFrame({"customer_id": ["d", "c", "b", "a"], "grade": ["G01", "D", "G02", "G01"]})
    ledger = Ledger(ratings={"year_before": before, "now": now})
    found = next(one for one in stability_results(replace(ground, ledger=ledger)) if one.id == "mobility_upper")
    assert found.rows == 2
    assert found.why == "no_year_before"
    assert found.details[0] == {"grade": "G01", **{name: int(name in {"G01", "G02"}) for name in SCALE.names}}


def ratings(**changes) -> pd.DataFrame:
    told = {"status": "rated", "grade": "G03", "is_overridden": False, "has_open": True, "accounts_age_months": 12.0}
    frame = pd.DataFrame({name: [value] * 100 for name, value in told.items()})
    for name, values in changes.items():
        frame[name] = values + [told[name]] * (100 - len(values))
    return frame


def process(ground: Ground, **ledger) -> dict[str, Result]:
    return {one.id: one for one in process_results(replace(ground, ledger=Ledger(**ledger)))}


def bare(right: Ground) -> Ground:
    parts = {**right.parts, **dict.fromkeys(("train", "calibration"), right.panel.part(right.panel.is_bad > 1))}
    return replace(right, models={}, parts={**parts, "test": right.panel})


def test_shares_of_data_and_process_turn_at_their_bounds(right):
    ground = bare(right)
    calm = process(ground, ratings={"now": ratings()}, outcomes={"good": 990, "bad": 10, "immature": 500})
    assert {calm[name].light for name in ("unrated", "outdated", "overridden", "technical")} == {"green"}
    loud = process(
        ground,
        ratings={"now": ratings(grade=[None] * 10, is_overridden=[True] * 30, accounts_age_months=[60.0] * 25)},
        intake={"invoices": {"rows": 100, "quarantined": 9}, "payments": {"rows": 100, "quarantined": 1}},
        outcomes={"good": 900, "bad": 20, "indeterminate": 80},
    )
    assert (loud["unrated"].light, loud["unrated"].value) == ("amber", 0.1)
    assert (loud["outdated"].light, loud["overridden"].light) == ("amber", "red")
    # Exact for 10 of 100 (Clopper and Pearson): 4.90 % to 17.62 %; without a hit the end is 1 - 0.025^(1/100).
    assert (loud["unrated"].low, loud["unrated"].high) == pytest.approx((0.0490, 0.1762), abs=1e-4)
    assert (calm["overridden"].low, calm["overridden"].high) == pytest.approx((0.0, 1 - 0.025**0.01))
    assert all(loud[name].low is None for name in ("quarantined", "technical"))
    assert (loud["quarantined"].light, loud["quarantined"].part) == ("red", "invoices")
    assert (loud["technical"].light, loud["technical"].value) == ("red", 0.08)


def test_leaks_and_overlap_are_told(right):
    ground = replace(bare(right), leaks={"champion": {"findings": [], "unjudged": {}, "columns": 4}})
    assert {process(ground)[name].light for name in ("leaks", "truncated_window", "overlap")} == {"green"}
    cut = {"check": "truncated_window", "verdict": "warn", "column": None}
    warned = replace(ground, leaks={"champion": {"findings": [cut], "unjudged": {}, "columns": 4}})
    assert {process(warned)[name].light for name in ("leaks", "truncated_window")} == {"amber"}
    unjudged = replace(ground, leaks={"champion": {"findings": [], "unjudged": {"truncated_window": "no dates"}}})
    assert process(unjudged)["truncated_window"].light == "grey"
    shared = replace(ground, parts={**ground.parts, "train": right.panel})
    assert process(shared)["overlap"].light == "red"


def test_shuffled_labels_show_nothing_unless_customers_stand_on_both_sides():
    grounds = [simulated(MIDDLING, seed) for seed in (2, 3)]
    clean = shuffled(*grounds, 1)
    assert clean.light == "green"
    assert clean.value == pytest.approx(0.5, abs=0.05)
    rows = grounds[0].panel.rows
    rng = np.random.default_rng(1)
    # Forty features that say nothing but who the customer is.
    codes = grounds[0].panel.codes
    names = tuple(f"mark_{i}" for i in range(40))
    marks = pd.DataFrame(rng.normal(size=(codes.max() + 1, 40))[codes], columns=list(names), index=rows.index)
    both = replace(grounds[0].panel, rows=pd.concat([rows, marks], axis=1))
    parts = {**grounds[0].parts, "train": both, "test": both, "calibration": both.part(both.is_bad > 1)}
    from pipeline.train.committee_process import shuffled_labels

    leaking = shuffled_labels(Inputs(features=names), replace(grounds[0], parts=parts))
    assert leaking.light == "red"


def rivals(ground: Ground, told: dict, pair: str = "champion - rule") -> dict[str, Result]:
    report = {"differences": {pair: {"out_of_time": told}}}
    without_champion = replace(ground, report=report, models={})
    return {one.part: one for one in benchmark_results(without_champion)}


@pytest.mark.parametrize(
    ("ends", "rule", "challenger"),
    [
        ((0.02, 0.18), ("green", ""), ("amber", "")),
        ((-0.3, -0.1), ("red", ""), ("green", "")),
        ((-0.02, 0.12), ("amber", "undecided"), ("green", "not_better")),
        ((-0.4, 0.6), ("grey", "blind"), ("grey", "blind")),
    ],
)
def test_a_rival_is_beaten_beats_or_leaves_it_open_and_then_says_so(right, ends, rule, challenger):
    told = {"value": sum(ends) / 2, "low": ends[0], "high": ends[1], "rounds": 500}
    for pair, part, says in (("champion - rule", "rule", rule), ("challenger - champion", "champion", challenger)):
        found = rivals(right, told, pair)[part]
        assert (found.light, found.why) == says


def test_a_rival_that_was_not_measured_is_grey(right):
    assert rivals(right, None)["rule"].why == "too_few"


def test_moments_are_the_same_month_of_the_years_before():
    days = [day.date() for day in pd.date_range("2021-01-31", periods=40, freq="ME")]
    found = moments(days, days[5])
    assert found == {
        "now": dt.date(2024, 4, 30),
        "year_before": dt.date(2023, 4, 30),
        "two_years_before": dt.date(2022, 4, 30),
        "development": dt.date(2021, 6, 30),
    }
    assert set(moments(days[:6], days[3])) == {"now", "development"}
    assert moments([], None) == {}


def test_customers_are_new_below_their_months_of_history():
    assert is_new(pd.DataFrame({"history_months": [3, 24, None]}), 24).tolist() == ["new", "old", None]


def test_the_timetable_of_the_economy_gives_cohorts(make_economy):
    book = make_economy(300, 44, 2).book
    from pipeline.params import LabelParams, SplitParams

    table = timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    found = cohorts_of(samples(book, table)["all"], table, YEAR)
    assert isinstance(found[0].sample, Sample)
    assert len(found) >= 3
    assert ValidateParams().tests.min_years == 3


@dataclass(frozen=True)
class Developed:
    """Stands for a model of one feature, developed on some rows of the book."""

    development: dict
    features: tuple[str, ...] = ("x",)
    catalogue_by_name: dict = field(default_factory=lambda: {"x": {"subject": "accounts", "source": ["financials"]}})

    def pd(self, rows: pd.DataFrame) -> np.ndarray:
        return rows["pd"].to_numpy(dtype=float)


def test_the_chance_level_of_drift_goes_by_customer_where_the_rows_of_development_are_known():
    # Twelve months of 40 customers that never change, against 40 others: 40 witnesses on either side, not 480.
    customers, months = 40, 12
    x = np.tile(np.repeat([0.0, 1.0], customers // 2), months)
    rows = pd.DataFrame({"customer_id": np.tile(np.arange(customers), months), "x": x, "pd": np.where(x > 0, 0.1, 0.2)})
    names = np.array([f"a{one}" for one in rows["customer_id"]], dtype=object)
    train = Sample(rows, np.zeros(len(rows)), names, np.array([dt.date(2020, 1, 31)] * len(rows), dtype=object))
    now = rows.iloc[:customers].reset_index(drop=True)
    counts = {"splits": [0.5], "counts": [240, 240], "missing": 0}
    score = {**counts, "splits": [1.8]}
    developed = Developed({"rows": len(rows), "score": score, "features": {"x": counts}})
    ground = replace(simulated(SMALL, 1), now=now, now_clusters=np.array([f"b{i}" for i in range(40)], dtype=object),
                     parts={"train": train}, models={"champion": developed})  # fmt: skip
    by_customer = {one.id: one for one in stability_results(ground)}
    # One degree of freedom: the 99 % point of chi-square is 6.635.
    assert by_customer["psi"].against == pytest.approx(6.635 * (1 / 40 + 1 / 40), rel=0.02)
    assert by_customer["csi"].against == pytest.approx(by_customer["psi"].against)
    elsewhere = replace(ground, models={"champion": Developed({**developed.development, "rows": 1})})
    by_row = next(one for one in stability_results(elsewhere) if one.id == "psi")
    # 480 rows, and 40 groups less one: the variance of a sample.
    assert by_row.against == pytest.approx(6.635 * (1 / 480 + 1 / 39), rel=0.001)
    assert by_customer["psi"].shown > by_row.shown


@pytest.mark.parametrize(
    ("source", "light", "why", "has_chance"),
    [("financials", "amber", "", True), ("indicators", "grey", "no_own_feature", False)],
)
def test_a_moved_input_is_amber_at_most_in_its_row_too_and_a_shared_one_has_no_chance_level(
    source, light, why, has_chance
):
    # All 40 customers stand in the upper bin now, where half of them stood at development.
    now = pd.DataFrame({"customer_id": np.arange(40), "x": 1.0, "pd": 0.1})
    counts = {"splits": [0.5], "counts": [240, 240], "missing": 0}
    development = {"rows": 480, "score": {**counts, "splits": [1.8]}, "features": {"x": counts}}
    moved = Developed(development, catalogue_by_name={"x": {"subject": "accounts", "source": [source]}})
    ground = replace(simulated(SMALL, 1), now=now, models={"champion": moved})
    found = {one.id: one for one in stability_results(ground)}
    assert found["psi"].light == "red"
    assert (found["csi"].light, found["csi"].why) == (light, why)
    (row,) = found["csi"].details
    assert row["light"] == "amber"
    assert row["psi"] > 0.25
    assert (row["noise"] is not None) == has_chance == (not row["is_shared"])
