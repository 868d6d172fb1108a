"""What the chapters say: the verdict in each case, missing parts told, and the card recomputed by hand."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import re
from html import unescape

import numpy as np
import pytest

from pipeline.report.blocks import Bullets, Facts, Missing, Table
from pipeline.report.chapters.bins import bins
from pipeline.report.chapters.booster import booster
from pipeline.report.chapters.calibration import calibration
from pipeline.report.chapters.discrimination import discrimination
from pipeline.report.chapters.grades import grades
from pipeline.report.chapters.label_words import label_words, settled_on
from pipeline.report.chapters.limits import limits
from pipeline.report.chapters.over_time import counts_by_day, timetable
from pipeline.report.chapters.parts import parts
from pipeline.report.chapters.population import population
from pipeline.report.chapters.scorecard import scorecard
from pipeline.report.chapters.selection import selection
from pipeline.report.chapters.verdict import verdict
from pipeline.report.model_report import render
from pipeline.report.words import words_in
from pipeline.score.scorecard import Bin, Characteristic, Scorecard
from pipeline.train.binning import Evidence

WORDS = words_in("en")


def changed(given, path: str, value):
    """The input with one entry of the validation replaced, named by a dotted path."""
    report = copy.deepcopy(given.validation)
    *outer, last = path.split(".")
    entry = report
    for name in outer:
        entry = entry[name]
    entry[last] = value
    return dataclasses.replace(given, validation=report)


def told(chapter, kind) -> list:
    return [block for block in chapter.blocks if isinstance(block, kind)]


def text_of(chapter) -> str:
    return repr(chapter)


def test_the_verdict_says_order_and_level_in_one_sentence(given):
    lead = verdict(given, WORDS).lead
    assert lead == (
        "The scorecard tells risky customers from safe ones, and what happened does not contradict the level of its "
        "forecasts."
    )


@pytest.mark.parametrize(
    ("measure", "interval", "says"),
    [
        ("gini", {"value": 0.1, "low": -0.1, "high": 0.3, "rounds": 500}, "has not been shown to tell"),
        ("observed_over_expected", {"value": 1.5, "low": 1.2, "high": 1.9, "rounds": 500}, "more customers turned bad"),
        (
            "observed_over_expected",
            {"value": 0.5, "low": 0.3, "high": 0.8, "rounds": 500},
            "fewer customers turned bad",
        ),
        ("observed_over_expected", None, "could not be measured"),
        ("bad_customers", 9, "Too little happened to judge the scorecard: 9 bad customers"),
        ("gini", {"value": 0.5, "low": None, "high": None, "rounds": 3}, "Too little happened"),
    ],
)
def test_the_verdict_changes_with_what_was_found(given, measure, interval, says):
    case = changed(given, f"models.champion.roles.test.{measure}", interval)
    assert says in verdict(case, WORDS).lead


def test_a_difference_whose_interval_holds_zero_is_undecided_and_said_so(given):
    bullets = told(verdict(given, WORDS), Bullets)
    undecided = next(b for b in bullets if b.title == "What is undecided")
    assert any("Booster (challenger) orders customers better than Scorecard (champion)" in t for t in undecided.items)
    shown = next(b for b in bullets if b.title == "What is shown")
    assert any("better than the rule" in t and "0.230" in t for t in shown.items)
    table = next(t for t in told(discrimination(given, WORDS), Table) if t.caption == "Is one better than the other")
    assert table.rows[0][-1].text == "undecided"
    assert table.rows[2][-1].text == "Scorecard (champion) is better"


def test_calibration_tests_stand_with_their_doubt(given):
    table = next(t for t in told(calibration(given, WORDS), Table) if t.caption.startswith("Tests of the calibration"))
    intercept, slope, at_large, error, z = table.rows[0][1:]
    assert (intercept.text, intercept.note) == ("−0.11", "−0.50 to 0.28")
    assert slope.note == "0.77 to 1.17"
    of_t = changed(given, "models.champion.roles.test.calibration_slope_low", 0.71)
    of_t = changed(of_t, "models.champion.roles.test.calibration_slope_high", 1.23)
    table = next(t for t in told(calibration(of_t, WORDS), Table) if t.caption.startswith("Tests of the calibration"))
    assert any(row[2].note == "0.71 to 1.23" for row in table.rows)
    assert at_large.note == "−0.14 to 0.18"
    assert "0.41%" in error.note.replace(" ", "").replace("\u202f", "")
    assert "0.083" in error.note
    assert (z.text, z.note) == ("0.77", "p 0.441")


def test_power_by_depth_stands_with_its_doubt_and_the_card_of_the_thin_pool(given):
    depth, industry = told(parts(given, WORDS), Table)
    assert [heading.split(" · ")[0] for _, heading in depth.groups] == [
        "A: ledger, accounts and outside data",
        "D: a thin file",
    ]
    assert "9,000 snapshots" in depth.groups[0][1].replace("\u202f", ",")
    assert depth.rows[0][1].note == "0.40 to 0.80"
    assert (depth.rows[0][2].text, depth.rows[0][2].note) == ("1.10", "0.70 to 1.50")
    assert [row[0].text for row in depth.rows[3:]][-1] == "Card of the thin pool"
    assert depth.rows[5][1].note == "too few bad or good customers to tell"
    assert all("thin pool" not in row[0].text for row in industry.rows)
    assert re.search(r"0\.31 \(.0\.04 to 0\.58\)", text_of(parts(given, WORDS)))


def test_the_card_of_the_thin_pool_tells_the_points_of_every_bin_and_what_a_reason_costs(given):
    bins_ = (
        Bin("young", "range", 0.0, -9.0, None, 10.0, count=20, bads=2),
        Bin("old", "range", 0.0, 4.0, 10.0, None, count=60, bads=2),
        Bin("no value", "missing", 0.0, 0.0),
    )
    mean = (20 * -9.0 + 60 * 4.0) / 80
    firm = Characteristic("mean_days_late_12m", 1.0, bins_, "falls", 0.1, mean)
    card = json.loads(Scorecard((firm,), 544.5, 20.0, 600.0, 30.0).to_json())
    table = told(parts(dataclasses.replace(given, thin_card=card), WORDS), Table)[-1]
    assert table.groups == ((0, "Days late, 12 months · mean 0.7500 points"),)
    assert [[cell.text for cell in row[1:4]] for row in table.rows] == [
        ["20", "2", "10.0\u202f%"],
        ["60", "2", "3.3\u202f%"],
        ["0", "0", "–"],
    ]
    assert [row[-1].text for row in table.rows] == ["−10", "3", "−1"]
    assert "begins with 544.5000 points" in table.notes[0]
    assert [row[3].note for row in table.rows] == ["2.1\u202f% to 28.4\u202f%", "", ""]
    assert "(90\u202f%, Jeffreys)" in table.notes[1]


@pytest.mark.parametrize(
    ("rows", "rate", "bound"),
    [
        # 80 groups, 4.44 % of 900 snapshots: Beta(4.06, 76.94) leaves 2.5 % below 1.41 % and above 10.7 %.
        (
            900,
            "4.44\u202f% (1.41\u202f% to 10.7\u202f%, 95\u202f%",
            "Mean PD of the pool, set to the upper bound of its bad rate",
        ),
        (0, "nobody is thin here", "upper bound of the bad rate of all rows"),
    ],
)
def test_the_pools_observed_rate_stands_beside_the_bound_its_pd_is_set_to(given, rows, rate, bound):
    card = given.details["scorecard"]
    pool = {**card["thin_file"]["pool"], "rows": rows}
    pool["default_rate"] = 40 / rows if rows else None
    details = {"scorecard": {**card, "thin_file": {**card["thin_file"], "pool": pool}}}
    pairs = told(parts(dataclasses.replace(given, details=details), WORDS), Facts)[0].pairs
    assert rate in pairs[1][1]
    assert bound in pairs[2][0]
    assert pairs[2][1] == "6.20\u202f% (one-sided 75\u202f% Jeffreys bound by customer group)"


def test_a_part_of_an_earlier_validation_tells_the_bare_ratio_of_its_level(given):
    bare = {"gini": None, "observed_over_expected": 1.02}
    part = {**given.validation["parts"]["industry"]["C"], "models": dict.fromkeys(("champion", "challenger"), bare)}
    row = told(parts(changed(given, "parts", {"industry": {"C": part}}), WORDS), Table)[0].rows[0]
    assert (row[2].text, row[2].note) == ("1.02", "no interval in the validation")


def test_without_parts_it_is_said(given):
    case = dataclasses.replace(given, validation={**given.validation, "parts": {}})
    assert "nothing is measured out of time" in text_of(parts(case, WORDS))


def test_bins_set_by_hand_stand_beside_the_solvers(given):
    table = next(t for t in told(bins(given, WORDS), Table) if t.caption == "Bins set by hand")
    assert [cell.text for cell in table.rows[0][1:]] == ["10; 30", "8.5", "0.400", "0.420"]
    assert [cell.note for cell in table.rows[0][3:]] == ["0.270 to 0.590", "0.280 to 0.610"]
    assert [cell.text for cell in table.rows[1][1:3]] == ["A, C; F", "could not be binned"]
    assert table.rows[0][1].note == (
        "9 bins, above max_bins 8; smallest bin 0.41\u202f% of the rows with a value, below min_bin_share 3\u202f%"
    )
    assert table.rows[1][1].note == ""
    assert "highest by construction" not in table.notes[0]


def test_a_cut_set_by_hand_is_the_number_of_the_file_and_the_solvers_has_six_digits(given):
    card = given.details["scorecard"]
    changed = [{**card["by_hand"][0], "set": [-1234567.25, 30.0], "solved": [1234567.25]}]
    case = dataclasses.replace(given, details={**given.details, "scorecard": {**card, "by_hand": changed}})
    table = next(t for t in told(bins(case, WORDS), Table) if t.caption == "Bins set by hand")
    assert [cell.text for cell in table.rows[0][1:3]] == ["−1234567.25; 30", "1.23457e+06"]


def test_information_values_and_bad_rates_of_bins_stand_with_their_intervals(given):
    characteristics, points = told(scorecard(given, WORDS), Table)[:2]
    by_name = {row[0].note: row for row in characteristics.rows}
    assert (by_name["mean_days_late_12m"][2].text, by_name["mean_days_late_12m"][2].note) == ("0.420", "0.280 to 0.610")
    assert "its interval by customer group (95\u202f%)" in characteristics.notes[0]
    rates = {row[0].text: row[4] for row in points.rows}
    assert (rates["below 10"].text, rates["below 10"].note) == ("1.1\u202f%", "0.2\u202f% to 6.1\u202f%")
    assert rates["10 or more"].note == ""
    log = told(selection(given, WORDS), Table)[0]
    assert (log.rows[0][2].text, log.rows[0][2].note) == ("0.420", "0.280 to 0.610")
    assert (log.rows[0][3].text, log.rows[0][3].note) == ("0.012", "chance to 0.031")
    assert log.rows[1][3].note == ""
    assert "exceeds with at most 1\u202f% probability" in log.notes[1]
    assert "That is a rule" in log.notes[2]


def test_what_a_test_does_not_show_is_not_called_nothing(given):
    card = given.details["scorecard"]
    quiet = [{**fate, "fate": "not_significant", "psi_noise": None} for fate in card["selection"][:1]]
    case = dataclasses.replace(given, details={**given.details, "scorecard": {**card, "selection": quiet}})
    log = told(selection(case, WORDS), Table)[0]
    assert log.groups == ((0, "Not shown to add anything (1)"),)
    assert [note.split()[0:2] for note in log.notes] == [["IV", "on"], ["A", "feature"]]


def test_a_bin_that_moved_or_turned_is_named_and_chance_stands_beside(given):
    table = next(t for t in told(bins(given, WORDS), Table) if t.caption.startswith("The card's bins in the earlier"))
    assert [row[-1].text for row in table.rows] == ["not contradicted", "rate moved", "order turned"]
    assert [start for start, _ in table.groups] == [0, 2]
    assert "Among 2 bins that held throughout, chance alone takes about 0.10 below p 0.05." in table.notes[0]
    assert "Among 1 step between bins of one risk chance alone turns about 0.05 at most." in table.notes[-1]
    assert table.rows[2][-1].note == "by 2.10 percentage points, p 0.004"
    assert "one-sided" in table.notes[-1]


def test_the_rates_of_both_halves_have_intervals_and_each_ratio_its_power(given):
    """(1.960 + 0.842) × 0.2 = 0.560, and e to that is 1.75; where only p below 0.01 counts, 1.98."""
    lines = told(bins(given, WORDS), Table)[-1]
    assert [cell.note for cell in lines.rows[0][3:5]] == ["0.20\u202f% to 0.80\u202f%", "0.40\u202f% to 1.20\u202f%"]
    assert [row[6].note for row in lines.rows] == ["shown from 1.75", "shown from 1.75", ""]
    assert "shown with 80\u202f% probability" in lines.notes[1]
    assert "(95\u202f%, Jeffreys)" in lines.notes[2]
    strict = told(bins(dataclasses.replace(given, significance=0.01), WORDS), Table)[-1]
    assert strict.rows[0][6].note == "shown from 1.98"


def test_bins_over_time_of_an_earlier_version_are_told_without_intervals_and_power(given):
    card = given.details["scorecard"]
    of_old = ("feature", "bin", "is_turned", "early_share", "late_share", "early_rate", "late_rate", "p_value")
    old = [{name: entry[name] for name in of_old} for entry in card["bin_stability"]]
    for entry, new in zip(old, card["bin_stability"], strict=True):
        entry["ratio"] = new["ratio"] and {name: new["ratio"][name] for name in ("value", "low", "high")}
    case = dataclasses.replace(given, details={"scorecard": {**card, "bin_stability": old}})
    lines = told(bins(case, WORDS), Table)[-1]
    assert {cell.note for row in lines.rows for cell in (row[3], row[4], row[6])} == {""}
    assert len(lines.notes) == 1
    assert lines.rows[2][-1].note == "order turned, not tested"


def test_an_order_is_called_turned_only_where_that_is_beyond_chance(given):
    """At 20 degrees t is 1.725 for p 0.05 and 0.860 for 80 %: 2.58 × 0.4 = 1.03 percentage points would have shown."""
    held, moved, turned = given.details["scorecard"]["bin_stability"]
    turn = {"against": 0.0034, "error": 0.004, "degrees": 20, "p_value": 0.203}
    unshown = (
        "order turned by 0.34 percentage points, not beyond chance: p 0.203; 1.03 percentage points would have been "
        "shown"
    )
    untold = {name: value for name, value in turned.items() if name != "turn"}
    for entry, reads, note in (
        ({**held, "is_turned": True, "turn": turn}, "not contradicted", unshown),
        ({**moved, "is_turned": True, "turn": turn}, "rate moved", unshown),
        ({**turned, "turn": turn}, "not measured", unshown),
        ({**moved, "is_turned": True, "turn": turned["turn"]}, "rate moved; order turned", "by 2.10"),
        # A fit of an earlier version, or a single bad customer.
        (untold, "not measured", "order turned, not tested"),
        ({**turned, "turn": {**turn, "p_value": None}}, "not measured", "order turned, not tested"),
    ):
        details = {**given.details["scorecard"], "bin_stability": [entry]}
        case = dataclasses.replace(given, details={**given.details, "scorecard": details})
        table = next(t for t in told(bins(case, WORDS), Table) if t.caption.startswith("The card's bins in"))
        assert table.rows[0][-1].text == reads
        assert table.rows[0][-1].note.startswith(note)


def test_chance_is_not_told_of_bins_of_which_none_was_tested(given):
    card = given.details["scorecard"]
    case = dataclasses.replace(given, details={"scorecard": {**card, "bin_stability": card["bin_stability"][2:]}})
    assert told(bins(case, WORDS), Table)[-1].notes[0] == WORDS("bins.time_note")
    many = dataclasses.replace(given, significance=0.6)
    assert "about 1.2 below" in told(bins(many, WORDS), Table)[-1].notes[0]


def test_a_rate_moved_only_where_its_interval_says_so_too(given):
    """The p-value and the interval may be of two levels: the stricter decides."""
    entry = given.details["scorecard"]["bin_stability"][1]
    for p, low, says in (
        (0.04, 0.97, "not contradicted"),
        (0.04, 1.01, "rate moved"),
        (0.06, 1.01, "not contradicted"),
    ):
        one = {**entry, "ratio": {"value": 1.66, "low": low, "high": 2.85}, "p_value": p}
        details = {**given.details["scorecard"], "bin_stability": [one]}
        case = dataclasses.replace(given, details={**given.details, "scorecard": details})
        table = next(
            t for t in told(bins(case, WORDS), Table) if t.caption.startswith("The card's bins in the earlier")
        )
        assert table.rows[0][-1].text == says


def test_without_bins_by_hand_or_dates_it_is_said(given):
    quiet = {**given.details["scorecard"], "by_hand": [], "bin_stability": []}
    case = dataclasses.replace(given, details={**given.details, "scorecard": quiet})
    assert "No bin was set by hand" in text_of(bins(case, WORDS))
    assert "no bin of the card was seen" in text_of(bins(case, WORDS))


def test_the_search_tells_its_best_trials_and_what_was_broken_off(given):
    table = next(t for t in told(booster(given, WORDS), Table) if "best trials" in t.caption)
    assert [row[0].text for row in table.rows] == ["1", "0"]
    assert table.rows[0][0].note == "chosen"
    assert [cell.text for cell in table.rows[0][1:]] == ["0.10500", "3.25", "8"]
    assert [row[1].note for row in table.rows] == ["−0.00500 (s.e. 0.00210) against trial 0", ""]
    assert "2 were drawn" in table.notes[0]
    assert "1 were broken off" in table.notes[0]
    assert "less by more than 1.5 times the standard error" in table.notes[1]


def test_the_trial_that_was_chosen_is_told_where_others_lost_less_by_luck(given):
    trials = [{"parameters": {"l2": 1.0}, "losses": [0.2 - i / 100], "is_pruned": False} for i in range(10)]
    details = {**given.details, "booster": {**given.details["booster"], "search": {"best": 0, "trials": trials}}}
    case = dataclasses.replace(given, details=details)
    table = next(t for t in told(booster(case, WORDS), Table) if "8 best trials" in t.caption)
    assert [row[0].text for row in table.rows] == ["9", "8", "7", "6", "5", "4", "3", "2", "0"]
    assert table.rows[-1][0].note == "chosen"
    # A fit of an earlier version does not say by which rule.
    assert len(table.notes) == 1


@pytest.mark.parametrize(
    ("low", "says"), [(0.01, "order customers better"), (-0.01, "cannot decide"), (None, "too little happened")]
)
def test_the_price_of_interactions_is_decided_by_its_interval(given, low, says):
    gain = {"value": 0.03, "low": low, "high": None if low is None else 0.05}
    told_of = {**given.details["booster"], "interactions": {**given.details["booster"]["interactions"]}}
    told_of["interactions"]["gini_gain"] = gain
    case = dataclasses.replace(given, details={**given.details, "booster": told_of})
    assert says in text_of(booster(case, WORDS))


def test_how_a_model_was_calibrated_is_told(given):
    table = next(t for t in told(calibration(given, WORDS), Table) if t.caption == "How each model was calibrated")
    assert [cell.text for cell in table.rows[0][1:]] == [
        "Beta",
        "gains 0.0004 a row over Platt's line, standard error 0.0001",
        "45",
        "0.91",
        "0.80",
        "0.60",
        "long-run rate 2.00\u202f%: insurer's study",
    ]


@pytest.mark.parametrize(("slope", "says"), [(1.6, "differ more than"), (0.5, "differ less than")])
def test_a_slope_that_is_shown_to_be_wrong_stands_in_the_verdict(given, slope, says):
    case = changed(given, "models.champion.roles.test.calibration_slope", slope)
    assert says in verdict(case, WORDS).lead
    shown = next(b for b in told(verdict(case, WORDS), Bullets) if b.title == "What is shown")
    assert any(says in text and f"{slope:.2f}" in text for text in shown.items)


def test_a_difference_against_the_champion_is_told_from_the_winners_side(given):
    case = changed(given, "differences.challenger - champion.test", {"value": -0.05, "low": -0.09, "high": -0.01})
    case = dataclasses.replace(case, comparison=None)
    shown = next(b for b in told(verdict(case, WORDS), Bullets) if b.title == "What is shown")
    assert (
        "Scorecard (champion) orders customers better than Booster (challenger): Gini higher by 0.050" in shown.items[0]
    )
    assert "0.010 to 0.090" in shown.items[0]


def test_an_interval_that_could_not_be_measured_says_how_many_rounds_there_were(given):
    lost = {"value": 0.5, "low": None, "high": None, "rounds": 17}
    chapter = discrimination(changed(given, "models.challenger.roles.test.gini", lost), WORDS)
    assert "no interval: 17 resamples held both bad and good, too few" in text_of(chapter)


def test_a_role_without_bads_tells_why_there_is_no_figure(given):
    empty = {**dict.fromkeys(given.validation["models"]["champion"]["roles"]["test"]), "rows": 80, "bads": 0}
    case = changed(given, "models.champion.roles.test", {**empty, "customers": 20, "bad_customers": 0, "mean_pd": 0.02})
    assert "none: no bad snapshot in this role" in text_of(discrimination(case, WORDS))
    assert "outcomes or forecasts do not vary" in text_of(calibration(case, WORDS))
    assert "Too little happened" in render(case)


def test_the_share_of_the_true_gini_has_its_interval_and_two_shares_are_not_compared_by_eye(given):
    table = told(discrimination(given, WORDS), Table)[-1]
    assert [(cell.text, cell.note) for cell in table.rows[0][2:5]] == [
        ("0.74", "0.68 to 0.80"),
        ("85\u202f%", "78\u202f% to 92\u202f%"),
        ("0.80", ""),
    ]
    assert table.notes[-1].endswith("their paired difference says: Test: undecided; Out of time: undecided.")
    first_page = text_of(verdict(given, WORDS)).replace("\\u202f", "")
    assert "reaches 85% (95% interval 78% to 92%) of the Gini of the true PD" in first_page


def test_a_share_of_the_true_gini_on_too_few_bad_customers_or_of_an_earlier_run_says_why_it_has_no_interval(given):
    bare = {"value": 0.85, "low": None, "high": None, "rounds": 0}
    few = changed(given, "truth.test.models.champion.gini_share_interval", bare)
    row = told(discrimination(few, WORDS), Table)[-1].rows[0]
    assert (row[3].text, row[3].note) == ("85\u202f%", "no interval: too few bad customers to tell")
    earlier = changed(given, "truth.test.gini_interval", None)
    row = told(discrimination(earlier, WORDS), Table)[-1].rows[0]
    assert (row[2].text, row[2].note) == ("0.74", "no interval in the validation")


def test_only_a_truth_with_an_interval_is_told_to_have_one(given):
    note = WORDS("discrimination.truth_interval_note", level="95\u202f%")
    assert note in told(discrimination(given, WORDS), Table)[-1].notes
    near = {"gini_share": 0.85}
    bare = {"gini": 0.74, "models": dict.fromkeys(("champion", "challenger"), near)}
    earlier = changed(given, "truth", dict.fromkeys(("test", "out_of_time"), bare))
    assert note not in told(discrimination(earlier, WORDS), Table)[-1].notes
    first_page = text_of(verdict(earlier, WORDS)).replace("\\u202f", "")
    assert (
        "reaches 85% (no interval in the validation) of the Gini of the true PD, which is 0.74 (no interval in the "
        "validation); only a demo book can tell."
    ) in first_page


def test_an_unknown_truth_is_told_not_left_blank(given):
    chapter = discrimination(changed(given, "truth", None), WORDS)
    assert any("demo book only" in m.text for m in told(chapter, Missing))
    assert "demo book" not in text_of(verdict(changed(given, "truth", None), WORDS))


def test_an_absent_naive_rule_names_the_columns_it_lacks(given):
    chapter = discrimination(given, WORDS)
    assert any("worst_days_late_with_overdue_6m" in m.text for m in told(chapter, Missing))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pictures": {}, "effects": None}, "The SHAP pictures are not shown"),
        ({"pictures": {"bar.png": b"no picture"}, "effects": None}, "the file is no PNG"),
        ({"book": None}, "no book had been scored"),
        ({"scorecard": None}, "there is no scorecard among the models"),
        ({"worked": None}, "no customer was handed in"),
        ({"roc": None}, "The ROC curve is not shown"),
        ({"provenance": {}}, "no versions or hashes were handed in"),
    ],
)
def test_a_missing_part_is_told_with_its_reason(given, change, says):
    assert says in unescape(render(dataclasses.replace(given, **change)))


def test_a_challenger_alone_missing_leaves_a_whole_report(given):
    report = {**given.validation, "models": {"champion": given.validation["models"]["champion"]}, "differences": {}}
    details = {"scorecard": given.details["scorecard"]}
    html = render(dataclasses.replace(given, validation=report, details=details, pictures={}, weights={}, effects=None))
    assert "there is no booster among the models" in html
    assert "only one model" in html


def test_points_follow_from_woe_and_coefficient_as_the_note_says(given):
    for characteristic in given.scorecard["characteristics"]:
        for b in characteristic["bins"]:
            assert b["points"] == pytest.approx(20 / math.log(2) * characteristic["coefficient"] * b["woe"])


def test_a_printed_weight_of_evidence_can_be_recomputed_from_the_printed_counts(given):
    # 1,000 snapshots of 40 bad ones, of 8 bad customers: half a bad customer is 2.5 snapshots.
    goods, bads = np.array([880.0, 80.0]), np.array([10.0, 30.0])
    woe = Evidence(40.0, 960.0, 0.5 * 40 / 8).woe(bads, goods)
    first, *others = given.scorecard["characteristics"]
    counted = zip(first["bins"][:2], woe, goods + bads, bads, strict=True)
    bins = [{**b, "woe": float(w), "count": int(n), "bads": int(d)} for b, w, n, d in counted] + first["bins"][2:]
    card = {**given.scorecard, "characteristics": [{**first, "bins": bins}, *others]}
    train = {"train": {"rows": 1000, "bads": 40, "customers": 100, "bad_customers": 8}}
    details = {**given.details, "scorecard": {**given.details["scorecard"], "samples": train}}
    case = dataclasses.replace(given, scorecard=card, details=details)
    table = next(t for t in told(scorecard(case, WORDS), Table) if t.caption == WORDS("scorecard.points_caption"))
    assert table.notes[1].endswith("= 2.5000.")
    for row in table.rows[:2]:
        count, bad = (float(row[at].text.replace(",", "")) for at in (1, 3))
        by_hand = math.log((count - bad + 2.5 * 960 / 40) / (bad + 2.5) * 40 / 960)
        assert float(row[5].text.replace("−", "-")) == pytest.approx(by_hand, abs=0.00006)


def test_the_worked_customer_can_be_recomputed_from_the_printed_figures(given):
    chapter = scorecard(given, WORDS)
    table = next(t for t in told(chapter, Table) if t.caption == "Points of this customer")
    points = [float(row[-1].text.replace("−", "-")) for row in table.rows]
    assert points[-1] == pytest.approx(sum(points[:-1]), abs=1e-9)
    odds = 30 * 2 ** ((points[-1] - 600) / 20)
    printed = re.search(r"= (0\.\d{6}) \(", text_of(chapter))
    assert printed is not None
    assert float(printed.group(1)) == pytest.approx(1 / (1 + odds), abs=2e-6)
    # 12.5 days late falls into "10 or more": 20 / ln 2 x 0.8 x -1.1.
    assert points[1] == pytest.approx(-25.3914, abs=1e-4)
    assert 'How sure its level is, "Are the forecasts right" tells' in chapter.blocks[-1].text


def test_a_broken_calibration_line_is_worked_out_in_words(given):
    line = {"method": "platt", "knots": [[0.0, 0.5], [2.0, 2.0], [4.0, 5.0]], "folded": None}
    chapter = scorecard(dataclasses.replace(given, scorecard_calibration=line), WORDS)
    assert "The calibration then turns ln odds" in text_of(chapter)


def test_selected_features_come_first_in_the_order_they_came_in(given):
    table = told(selection(given, WORDS), Table)[0]
    assert [row[0].note for row in table.rows][:2] == ["mean_days_late_12m", "industry"]
    assert table.rows[0][4].text == "< 0.001"
    assert table.groups[0] == (0, "In the scorecard (2)")


def test_money_is_summed_to_the_cent_and_null_limits_add_nothing(given):
    tables = told(limits(given, WORDS), Table)
    assert [cell.text for cell in tables[0].rows[-1]] == ["Total", "6", "6,001", "0", "7,407", "5"]
    by_action = {row[0].text: row[2].text for row in tables[1].rows}
    assert by_action["Keep"] == "5,000"
    caps = [row[0].text for row in tables[2].rows]
    assert "brand new cap" in caps
    assert caps[-2:] == ["No suggestion", "Total"]


def test_expected_loss_has_the_range_that_the_level_of_the_pds_leaves(given):
    # On the test rows 1.05 times as many turned bad as expected, 0.75 to 1.35. Of five customers with an expected loss
    # of 1,000 one is in default, whose loss stays: 1,000 + 4,000 × 0.75, and × 1.35.
    book = given.book.assign(expected_loss=[1000.0] * 5 + [None])
    text = text_of(limits(dataclasses.replace(given, book=book), WORDS))
    assert "Expected loss lies between 4,000 and 6,400 EUR if" in text
    assert "observed over expected of the Scorecard (champion) on" in text
    assert "the test rows, where 42 customer groups turned bad: 1.05 (95\\u202f% interval 0.75 to 1.35)" in text
    assert "LGD and how much of the unused limit" in text
    other = dataclasses.replace(given, book=book.assign(model_version="scorecard-other"))
    few = dataclasses.replace(given, book=book, min_bad_customers=43)
    for without, why in ((other, "a model that this report has not measured"), (few, "too few customers turned bad")):
        assert "No range of the expected loss: " in text_of(limits(without, WORDS))
        assert why in text_of(limits(without, WORDS))
    assert "预期损失在4,000与6,400 EUR之间" in text_of(limits(dataclasses.replace(given, book=book), words_in("zh")))


def test_a_book_rated_by_the_model_told_of_as_challenger_has_the_range_of_that_model(given):
    # 0.90 to 1.20 times as many as the challenger forecast turned bad: 1,000 + 4,000 × 0.90, and × 1.20.
    level = {"value": 1.05, "low": 0.90, "high": 1.20, "rounds": 500}
    case = changed(given, "models.challenger.roles.test.observed_over_expected", level)
    book = given.book.assign(expected_loss=[1000.0] * 5 + [None], model_version="booster-0123456789ab")
    text = text_of(limits(dataclasses.replace(case, book=book), WORDS))
    assert "lies between 4,600 and 5,800 EUR if" in text
    assert "of the Booster (challenger) on the test rows" in text
    later = changed(case, "models.challenger.roles.test.observed_over_expected", None)
    assert "on the out-of-time rows, where 160" in text_of(limits(dataclasses.replace(later, book=book), WORDS))
    untold = dataclasses.replace(case, book=book.assign(model_version=None))
    assert "of the expected loss" not in text_of(limits(untold, WORDS))


def test_what_each_grade_means_is_told_in_the_readers_language(given):
    table = told(limits(given, WORDS), Table)[-1]
    assert [cell.text for cell in table.rows[7]][:6] == ["G08", "Covered deliveries", "75,000", "30", "20\u202f%", "3"]
    assert [cell.text for cell in table.rows[-1]][:6] == ["D", "Collection", "–", "0", "100\u202f%", "–"]
    chinese = told(limits(given, words_in("zh")), Table)[-1]
    assert chinese.rows[0][1].text == "赊销"
    without = told(limits(dataclasses.replace(given, limit_policy={}), WORDS), Table)
    assert len(without) == len(told(limits(given, WORDS), Table)) - 1


def test_the_book_by_grade_counts_every_grade_of_the_scale(given):
    table = told(grades(given, WORDS), Table)[0]
    assert [row[0].text for row in table.rows][-1] == "D"
    assert [row[4].text for row in table.rows] == ["0", "1", "0", "0", "2", "0", "0", "1", "0", "0", "1"]


def test_outcomes_add_up_to_all_snapshots(given):
    tables = told(population(given, WORDS), Table)
    counted = [int(row[1].text.replace(",", "")) for row in tables[0].rows]
    assert sum(counted) == len(given.snapshots)
    by_day = counts_by_day(given.snapshots)
    assert int(by_day["bads"].sum()) == int((given.snapshots["outcome"] == "bad").sum())


def test_a_label_of_lateness_is_told_in_its_own_words(given):
    import datetime as dt

    late = {"kind": "late", "days": 30, "window_months": None, "window_days": 90}
    assert label_words(late, WORDS) == "an item 30 or more days late among those falling due within 90 days"
    assert settled_on(dt.date(2019, 4, 30), late) == dt.date(2019, 8, 28)
    assert settled_on(dt.date(2019, 11, 30), {"kind": "default", "window_months": 12}) == dt.date(2020, 11, 30)
    html = render(dataclasses.replace(given, label=late))
    assert "fell 30 or more days late within 90 days" in html
    assert "The label is lateness, not default" in html


@pytest.mark.parametrize(
    ("purge", "lead", "says"),
    [
        ("whole", "apart by customer and by time", "with a whole performance window (12 months) purged"),
        ("shortened", "as far as this history allows", "too short to purge a whole performance window"),
        ("none", "as far as this history allows", "Nothing of the performance window"),
        ("shared", "share their month ends", "No performance window (12 months) is purged before the test"),
    ],
)
def test_a_short_history_is_never_told_as_a_purged_one(given, purge, lead, says):
    case = changed(given, "timetable.purge", purge)
    chapter = timetable(case, WORDS)
    assert lead in chapter.lead
    assert says in text_of(chapter)
    assert ("at later dates;" in text_of(verdict(case, WORDS))) == (purge == "whole")


def test_dependence_pictures_follow_the_weights(given):
    png = given.pictures["bar.png"]
    pictures = {
        "dependence_industry.png": png,
        "dependence_mean_days_late_12m.png": png,
        "beeswarm.png": png,
        "bar.png": png,
    }
    chapter = booster(
        dataclasses.replace(
            given, effects=None, pictures=pictures, weights={"industry": 0.1, "mean_days_late_12m": 0.6}
        ),
        WORDS,
    )
    titles = [block.title for block in chapter.blocks if block.kind == "picture"]
    assert "most important first: Days late, 12 months, Industry" in chapter.blocks[0].alt
    assert titles[2].startswith("Days late, 12 months")
    assert titles[3].startswith("Industry")
