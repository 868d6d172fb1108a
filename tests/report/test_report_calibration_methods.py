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
                ["Scorecard (champion)", "Beta", "0.19943", "−0.00056", "0.00075", "not taken"],
                ["Scorecard (champion)", "Isotonic", *"–––", "not tried: 28 bad customers, 300 are needed"],
            ],
        ),
        (
            "zh",
            [
                ["评分卡（冠军）", "Platt（逻辑）", "0.19886", "0.00000", "0.00000", "采用"],
                ["评分卡（冠军）", "Beta", "0.19943", "−0.00056", "0.00075", "未采用"],
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
