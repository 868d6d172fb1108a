"""Under the title stands who is in force; where the report tells of another model, it says so, there and everywhere."""

from __future__ import annotations

import dataclasses
import json
import re
from types import SimpleNamespace

import pytest

from pipeline.flows.role_history import Move, move
from pipeline.flows.summary import summary
from pipeline.report.chapters.changes import change_words
from pipeline.report.model_report import render
from pipeline.report.words import words_in

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


@pytest.mark.parametrize(
    ("language", "own", "other", "says"),
    [
        (
            "en",
            "Scorecard (candidate)",
            "(champion)",
            (
                "It would stand in the place of the scorecard scorecard-old, the champion in force.",
                "The champion in force is the scorecard scorecard-old;",
            ),
        ),
        (
            "zh",
            "评分卡（候选）",
            "（冠军）",
            ("若上线，本候选模型将取代现行冠军模型（评分卡scorecard-old）。", "现行冠军模型为评分卡scorecard-old；"),
        ),
    ],
)
def test_a_candidate_is_called_so_until_it_is_promoted(given, language, own, other, says):
    waiting = {"champion": {"model_version": "scorecard-old"}}
    page = render(dataclasses.replace(given, provenance=TOLD, in_force=waiting, language=language))
    assert own in page
    assert other not in page
    assert all(told in page for told in says)
    promoted = dataclasses.replace(given, provenance=TOLD, in_force={"champion": {"model_version": "scorecard-aaa"}})
    assert not promoted.is_candidate
    assert says[0] not in change_words(promoted, words_in(language, *promoted.other_words))


@pytest.mark.parametrize(("fitted", "title"), [("scorecard-new", "candidate"), ("scorecard-old", "champion")])
def test_the_summary_of_a_run_calls_a_candidate_so(fitted, title, tmp_path):
    project = SimpleNamespace(root=tmp_path, models=tmp_path / "models", validation=tmp_path, report=tmp_path / "page",
                              receipt=tmp_path / "receipt.json")  # fmt: skip
    (project.models / "scorecard-old").mkdir(parents=True)
    (project.models / "scorecard-old" / "manifest.json").write_text("{}")
    move(project.models, Move("champion", "scorecard-old", "first pair", "2025-12-31", "a", "b"))
    figures = {"gini": 0.6, "gini_low": 0.5, "gini_high": 0.7, "bad_customers": 40, "observed_over_expected": None}
    (tmp_path / "metrics.json").write_text(json.dumps({f"champion.test.{k}": v for k, v in figures.items()}))
    told = {"models": {"champion": {"version": fitted}}, "timetable": {"purge": "whole"}}
    (tmp_path / "validation.json").write_text(json.dumps(told))
    (tmp_path / "receipt.json").write_text(json.dumps({"status": "no ledger", "why": "a table"}))
    lines = summary(SimpleNamespace(project=project)).splitlines()
    assert f"  {title:<11}Gini 0.60 (0.50 to 0.70; 40 bad customers)" in lines
    assert "  in force   champion scorecard-old" in lines
