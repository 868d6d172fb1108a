"""The CAP beside the ROC: the same order, by share of all rows."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from pipeline.report.blocks import Chart
from pipeline.report.chapters.curves import curves
from pipeline.report.words import words_in
from pipeline.statistics.cap import cap_of_roc, cap_points
from pipeline.statistics.discrimination import roc_points

RISK, IS_BAD = [0.9, 0.8, 0.8, 0.4, 0.3, 0.1, 0.1, 0.05], [1, 0, 1, 0, 1, 0, 0, 0]


def test_the_profile_from_the_roc_is_that_from_the_rows():
    assert cap_of_roc(roc_points(RISK, IS_BAD), 3 / 8) == pytest.approx(cap_points(RISK, IS_BAD))


def charts_of(given, language: str) -> dict[str, Chart]:
    return {block.name: block for block in curves(given, words_in(language)) if isinstance(block, Chart)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_curves_are_drawn_with_what_they_say_in_words(given, language):
    # One in two is bad, and the riskiest three tenths of the rows hold three of five bads and no good one.
    points = pd.DataFrame(
        {"model": "champion", "role": "test", "false_alarm_rate": [0.0, 0.0, 0.5, 1.0], "hit_rate": [0, 0.6, 0.8, 1.0]}
    )
    samples = {**given.validation["samples"], "test": {**given.validation["samples"]["test"], "default_rate": 0.5}}
    case = dataclasses.replace(given, roc=points, validation={**given.validation, "samples": samples})
    found = charts_of(case, language)
    assert list(found) == ["roc", "cap"]
    told = found["cap"].wide.replace("\u202f", "")
    assert "10% → 0%" in told
    assert "30% → 60%" in told
    assert "50.0%" in told
    assert words_in(language)("discrimination.perfect") in found["cap"].wide
