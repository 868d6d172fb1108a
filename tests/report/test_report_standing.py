"""Under the title stands who is in force; where the report tells of another model, it says so."""

from __future__ import annotations

import dataclasses
import re

import pytest

from pipeline.report.model_report import render

TOLD = {"extract_date": "2025-12-31", "champion": "scorecard-aaa", "challenger": "booster-bbb"}


def _subtitle(given, in_force):
    page = render(dataclasses.replace(given, provenance=TOLD, in_force=in_force))
    return re.search(r'<p class="subtitle">(.*?)</p>', page)[1]


@pytest.mark.parametrize(
    ("champion", "expected"),
    [
        ("scorecard-aaa", "In force: scorecard-aaa."),
        (
            "scorecard-old",
            "In force: scorecard-old. This report tells of the candidate scorecard-aaa, which has not been",
        ),
        ("booster-bbb", "In force: booster-bbb, told of here as the challenger of scorecard-aaa."),
        (None, "No model is in force. This report tells of the candidate scorecard-aaa."),
    ],
)
def test_the_model_in_force_stands_under_the_title_and_the_candidate_beside_it(given, champion, expected):
    in_force = {} if champion is None else {"champion": {"model_version": champion}}
    assert expected in _subtitle(given, in_force)
