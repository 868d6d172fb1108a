"""The chapter on calibration tells which segments have a level of their own, what it was drawn by, and why not."""

from __future__ import annotations

import dataclasses

from pipeline.report.model_report import render

LEVELS = [
    {
        "segment": "micro",
        "rows": 900,
        "bads": 80,
        "bad_customers": 44,
        "own": -0.6931471805599453,
        "weight": 0.5,
        "shift": -0.4,
    },
    {
        "segment": "large",
        "rows": 300,
        "bads": 4,
        "bad_customers": 3,
        "own": None,
        "weight": None,
        "shift": None,
    },
]


def _page(given, segments):
    details = {
        kind: {**told, "calibration": {**(told.get("calibration") or {}), "segments": segments}}
        for kind, told in given.details.items()
    }
    return render(dataclasses.replace(given, details=details))


def test_the_odds_of_each_segment_stand_against_the_whole(given):
    told = {"feature": "size_class", "reason": "gains 0.01 a row", "levels": LEVELS, "gain": 0.01, "gain_error": 0.002}
    page = _page(given, told)
    part = page[page.index("A level of its own by") :]
    row = part[part.index("micro") : part.index("large")]
    # Twice the odds of default observed; half of it in log odds is kept: the square root of two.
    assert "2.00" in row
    assert "1.41" in row
    assert "that of the whole" in part[part.index("large") :]
    assert "gains 0.01 a row." in part


def test_without_segments_it_is_said_why(given):
    page = _page(given, {"feature": None, "reason": "calibration.segment_by is null", "levels": []})
    assert "one level for all customers (calibration.segment_by is null)" in page
    assert "A level of its own by" not in page
