"""What the report says of cards whose points people set or rounded, and of must-haves that are not in the card."""

from __future__ import annotations

import dataclasses
from html import unescape

from pipeline.report.blocks import Bullets, Table
from pipeline.report.chapters.scorecard import scorecard
from pipeline.report.chapters.selection import selection
from pipeline.report.chapters.verdict import verdict
from pipeline.report.model_report import render
from pipeline.report.words import words_in

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


def test_an_expert_card_makes_no_claim_in_the_verdict_and_names_dates_owner_and_level(given):
    lead = verdict(expert(given), WORDS).lead
    assert lead.startswith("This is an expert card: people set its points (dated 2025-01-01, credit committee)")
    assert "with 2 bad customer groups in training" in lead
    assert "The mean PD is 1.4" in lead
    assert lead.endswith("upper bound of 0 bad of 98.")
    assert "tells risky customers from safe ones, and" not in lead


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
        "largest_pd_change": 0.0123,
    }
    tables = [b for b in scorecard(with_details(given, whole_points=loss), WORDS).blocks if isinstance(b, Table)]
    table = next(t for t in tables if t.caption == "Whole points and what they cost")
    assert [[cell.text for cell in row][1:] for row in table.rows] == [["0.6123", "0.111222"], ["0.6111", "0.111333"]]
    assert "6,000 snapshots" in table.notes[0]
    assert "0.0123" in table.notes[0]


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
