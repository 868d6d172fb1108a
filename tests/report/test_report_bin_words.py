"""Bins in words: one minus sign, and codes as they stand."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pipeline.report.blocks import Table
from pipeline.report.chapters.bin_words import range_name
from pipeline.report.chapters.scorecard import scorecard
from pipeline.report.words import words_in


@pytest.mark.parametrize(
    ("label", "english", "chinese"),
    [
        ("below -0.024", "below −0.024", "低于−0.024"),
        ("-3 to below -1e-05", "−3 to below −1e−05", "−3至−1e−05以下"),
        ("A-1, C-26", "A-1, C-26", "A-1, C-26"),
    ],
)
def test_a_range_has_the_minus_sign_of_all_figures_and_a_code_keeps_its_hyphen(label, english, chinese):
    assert range_name(label, words_in("en")) == english
    assert range_name(label, words_in("zh")) == chinese


def test_the_printed_points_add_up_to_the_printed_sum(given):
    # Three parts of x.00004 are printed as x.0000: their exact sum would be printed as x.0001.
    card = json.loads(json.dumps(given.scorecard))
    card["intercept_points"] = 570.00004
    for characteristic in card["characteristics"]:
        for one in characteristic["bins"]:
            one["points"] = 10.00004
    chapter = scorecard(dataclasses.replace(given, scorecard=card), words_in("en"))
    caption = words_in("en")("scorecard.worked_caption")
    table = next(b for b in chapter.blocks if isinstance(b, Table) and b.caption == caption)
    assert [row[-1].text for row in table.rows] == ["570.0000", "10.0000", "10.0000", "590.0000"]
