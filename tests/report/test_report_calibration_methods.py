"""The calibration chapter tells what each method lost on held-out customers, and which one was not tried and why."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.report.blocks import Table
from pipeline.report.chapters.calibration import calibration
from pipeline.report.words import words_in

CHOICE = {
    "method": "platt",
    "reason": "least log loss on held-out customers",
    "losses": {
        "beta": {"loss": 0.1994254, "gain": -0.0005632, "gain_error": 0.0007535},
        "platt": {"loss": 0.1988622, "gain": 0.0, "gain_error": 0.0},
    },
    "barred": {"isotonic": "28 bad customers, 300 are needed"},
}


def _table(given, choice, language):
    card = given.details["scorecard"]
    told = {**given.details, "scorecard": {**card, "calibration": {**card["calibration"], "choice": choice}}}
    words = words_in(language)
    caption = words("calibration.methods.caption")
    blocks = calibration(dataclasses.replace(given, details=told), words).blocks
    return next((block for block in blocks if isinstance(block, Table) and block.caption == caption), None)


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            [
                ["Scorecard (champion)", "Platt's line", "0.19886", "0.00000", "0.00000", "taken"],
                ["Scorecard (champion)", "Beta", "0.19943", "−0.00056", "0.00075", "not taken; the data do not decide"],
                ["Scorecard (champion)", "Isotonic", *"–––", "not tried: 28 bad customers, 300 are needed"],
            ],
        ),
        (
            "zh",
            [
                ["评分卡（冠军）", "Platt（逻辑）", "0.19886", "0.00000", "0.00000", "采用"],
                ["评分卡（冠军）", "Beta", "0.19943", "−0.00056", "0.00075", "未采用；数据无法判定优劣"],
                ["评分卡（冠军）", "保序回归", *"–––", "未尝试：坏客户28个，需要300个"],
            ],
        ),
    ],
)
def test_each_method_has_its_loss_or_the_reason_why_it_was_not_tried(given, language, says):
    rows = _table(given, CHOICE, language).rows
    assert [[cell.text for cell in row] for row in rows] == says


def test_a_method_that_was_set_by_hand_has_no_losses_to_tell(given):
    assert _table(given, {"method": "beta", "reason": "beta is set", "losses": {}, "barred": {}}, "en") is None


def test_a_method_is_called_worse_only_where_the_interval_of_the_difference_leaves_zero_out(given):
    # 0.00056 behind with a standard error of 0.00075 may be chance; with one of 0.0002 it is not.
    sure = {**CHOICE["losses"], "beta": {**CHOICE["losses"]["beta"], "gain_error": 0.0002}}
    assert _fates(given, CHOICE) == ["taken", "not taken; the data do not decide"]
    assert _fates(given, {**CHOICE, "losses": sure}) == ["taken", "not taken; the difference is beyond chance"]


def test_where_another_than_platts_line_was_taken_the_rest_is_held_against_that_one(given):
    near = {"loss": 0.1989, "gain": 0.0005, "gain_error": 0.0001, "behind": 0.0001, "behind_error": 0.0002}
    best = {"loss": 0.1988, "gain": 0.0006, "gain_error": 0.0001, "behind": 0.0, "behind_error": 0.0}
    choice = {"method": "isotonic", "reason": "", "losses": {"isotonic": best, "beta": near}, "barred": {}}
    assert _fates(given, choice)[1] == "not taken; the data do not decide"
    old = {name: {k: v for k, v in told.items() if "behind" not in k} for name, told in choice["losses"].items()}
    assert "was not measured" in _fates(given, {**choice, "losses": old})[1]


def _fates(given, choice):
    return [row[-1].text for row in _table(given, choice, "en").rows if not row[-1].text.startswith("not tried")]


@pytest.mark.parametrize(
    ("fit", "note"),
    [
        # 0.90 less and more 2.086 × 0.15 (20 degrees of freedom), or 1.960 × 0.15 of an earlier make.
        ({"slope_error": 0.15, "slope_degrees": 20.0}, "0.59 to 1.21"),
        ({"slope_error": 0.15}, "0.61 to 1.19"),
        ({}, ""),
    ],
)
def test_the_slope_of_the_data_has_its_interval_and_the_choice_says_that_it_goes_by_rule(given, fit, note):
    card = given.details["scorecard"]
    told = {**card["calibration"], "choice": CHOICE, "slope_of_data": 0.9, **fit}
    words = words_in("en")
    blocks = calibration(
        dataclasses.replace(given, details={**given.details, "scorecard": {**card, "calibration": told}}), words
    ).blocks
    table = next(b for b in blocks if isinstance(b, Table) and b.caption == words("calibration.fit_caption"))
    assert (table.rows[0][4].text, table.rows[0][4].note) == ("0.90", note)
    assert table.rows[0][2].note == "Taken by rule: at 95\u202f% the data do not decide between it and Beta."
