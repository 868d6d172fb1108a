"""What the report says of cards whose points people set or rounded, and of must-haves that are not in the card."""

from __future__ import annotations

import dataclasses
import json
import math
from html import unescape

from pipeline.report.blocks import Bullets, Facts, Table, Text
from pipeline.report.chapters.scorecard import scorecard
from pipeline.report.chapters.selection import selection
from pipeline.report.chapters.verdict import verdict
from pipeline.report.model_report import render
from pipeline.report.words import words_in
from pipeline.score.scorecard import Scorecard
from pipeline.train.whole_points import in_whole_points as rounded

WORDS = words_in("en")


def with_details(given, **changes):
    """The input with other details of the scorecard."""
    told = {**given.details["scorecard"], **changes}
    return dataclasses.replace(given, details={**given.details, "scorecard": told})


def expert(given):
    fates = [
        {"feature": c["feature"], "fate": "expert", "reason": f"why {c['feature']}", "step": i}
        for i, c in enumerate(given.scorecard["characteristics"], 1)
    ]
    level = {"rate": 0.0137, "source": "upper bound of 0 bad of 98"}
    told = {"valid_from": "2025-01-01", "owner": "credit committee", "sources": [], "level": level}
    samples = {"train": {"bad_customers": 2}}
    return with_details(given, basis="expert", expert=told, selection=fates, coefficients=[], samples=samples)


def test_an_expert_card_names_dates_owner_and_level_and_is_tested_by_the_outcomes_there_are(given):
    """The page shows a Gini with its interval: it does not say that there was nothing to test the points on."""
    lead = verdict(expert(given), WORDS).lead
    assert lead.startswith("This is an expert card: people set its points (dated 2025-01-01, credit committee).")
    assert "the 2 bad customer groups in training are fewer than" in lead
    assert "The mean PD is 1.4" in lead
    assert "upper bound of 0 bad of 98. No outcome set the points, but those there are test them" in lead
    assert lead.endswith(verdict(given, WORDS).lead)
    assert "Nothing is claimed" not in lead
    chinese = words_in("zh")
    told = verdict(expert(given), chinese).lead
    assert "未经拟合" in told
    assert told.endswith(verdict(given, chinese).lead)
    assert "不对其区分" not in told


def test_of_an_expert_card_nothing_is_claimed_where_too_little_happened_to_test_it(given):
    few = dataclasses.replace(expert(given), min_bad_customers=10**6)
    lead = verdict(few, WORDS).lead
    assert lead.endswith("Nothing is claimed about how well it tells risky customers from safe ones.")
    assert "Too little happened to judge the scorecard" in lead
    assert "test them" not in lead
    assert verdict(few, words_in("zh")).lead.endswith("本报告不对其区分高风险与低风险客户的能力作任何断言。")


def test_the_points_of_an_expert_card_stand_with_reasons_and_without_rates(given):
    tables = [b for b in scorecard(expert(given), WORDS).blocks if isinstance(b, Table)]
    points = next(t for t in tables if t.caption == WORDS("scorecard.points_caption"))
    assert [column.title for column in points.columns] == ["Bin", "Snapshots", "Share", "Points"]
    assert f"why {given.scorecard['characteristics'][0]['feature']}" in points.groups[0][1]
    assert all(t.caption != WORDS("scorecard.characteristics_caption") for t in tables)
    assert selection(expert(given), WORDS).lead.startswith("People chose the")


def test_the_cost_of_whole_points_is_told(given):
    loss = {
        "rows": 6000,
        "exact": {"gini": 0.61234, "log_loss": 0.1112223},
        "whole": {"gini": 0.61111, "log_loss": 0.1113334},
        "difference": {
            "gini": {"value": -0.00123, "low": -0.0042, "high": 0.0018},
            "log_loss": {"value": 0.0001111, "low": None, "high": None},
        },
        "confidence": 0.95,
        "largest_pd_change": 0.0123,
    }
    tables = [b for b in scorecard(with_details(given, whole_points=loss), WORDS).blocks if isinstance(b, Table)]
    table = next(t for t in tables if t.caption == "Whole points and what they cost")
    assert [[cell.text for cell in row][1:] for row in table.rows] == [
        ["0.6123", "0.111222"],
        ["0.6111", "0.111333"],
        ["−0.0012", "+0.000111"],
    ]
    assert [cell.note for cell in table.rows[2]] == ["", "−0.0042 to +0.0018", ""]
    assert "6,000 snapshots" in table.notes[0]
    assert "0.0123" in table.notes[0]


def in_whole_points(given):
    """The input with a card of whole points, whose calibration (slope 0.9) stands beside it."""
    card = Scorecard.from_json(json.dumps(given.scorecard))
    line = {"method": "platt", "knots": [[0.0, 0.3], [1.0, 1.2]], "folded": None}
    return dataclasses.replace(given, scorecard=json.loads(rounded(card).to_json()), scorecard_calibration=line)


def test_the_score_and_pd_of_whole_points_follow_from_the_calibration_that_stands_beside_them(given):
    """570 − 25 + 5 = 550 points; ln odds ln 30 − 50 · ln 2 / 20 = 1.6683, calibrated 0.3 + 0.9 · 1.6683 = 1.8015."""
    chapter = scorecard(in_whole_points(given), WORDS)
    raw = math.log(30) - 50 * math.log(2) / 20
    ln_odds = 0.3 + 0.9 * raw
    points = 600 + 20 / math.log(2) * (ln_odds - math.log(30))
    worked = next(b for b in chapter.blocks if isinstance(b, Table) and b.caption == "Points of this customer")
    assert [row[-1].text for row in worked.rows] == ["570", "−25", "5", "550"]
    before, after = (b.text for b in chapter.blocks if isinstance(b, Text) and "alibration" in b.text[:30])
    assert f"= {30 * 2 ** (-50 / 20):.4f}." in before
    assert f"ln odds {raw:.4f} into {ln_odds:.4f} (straight between 0 → 0.3; 1 → 1.2)" in after
    assert f"the PD that is used is {1 / (1 + math.exp(ln_odds)):.6f} (" in after
    assert after.endswith(f"= {points:.2f}, rounded {round(points)}.")
    assert round(points) == 554


def test_the_text_of_whole_points_does_not_call_their_sum_the_score(given):
    folded, whole = scorecard(given, WORDS), scorecard(in_whole_points(given), WORDS)
    assert folded.lead.endswith("the score of a customer is the sum of its points. Higher is safer.")
    assert "the calibration turns the sum of a customer's points into its PD and its score" in whole.lead
    assert "the sum of the points is not the score" in whole.blocks[0].text
    facts = dict(next(b for b in whole.blocks if isinstance(b, Facts)).pairs)
    assert facts["Start value"] == "570"
    assert facts["Scale"] == "600 points mean odds of 30 good customers to 1 bad one, before calibration"
    assert "From score to PD" not in facts
    assert facts["Calibration"].startswith("ln odds before → after it: 0 → 0.3; 1 → 1.2;")
    table = next(b for b in whole.blocks if isinstance(b, Table) and b.caption == "Points of every bin")
    assert "Points and start value are rounded to the nearest whole number." in table.notes[0]
    assert {row[-1].text for row in table.rows} == {"21", "−25", "0", "5", "−9"}
    chinese = scorecard(in_whole_points(given), words_in("zh"))
    assert "分值之和并不是评分" in chinese.blocks[0].text
    assert "校准" not in scorecard(given, words_in("zh")).lead


def test_a_must_have_that_is_not_in_the_card_stands_before_the_table(given):
    fates = [dict(f) for f in given.details["scorecard"]["selection"]]
    left = next(f for f in fates if f["fate"] != "selected")
    left.update(is_must_have=True, reason="must-have left out: null on every row")
    changed = with_details(given, selection=fates)
    first = selection(changed, WORDS).blocks[0]
    assert isinstance(first, Bullets)
    assert first.items[0].endswith("must-have left out: null on every row")
    assert "· must-have" in unescape(render(changed))
    assert isinstance(selection(given, WORDS).blocks[0], Table)
