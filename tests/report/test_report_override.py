"""A promotion against the gates stands on the first page for as long as the model is in force."""

from __future__ import annotations

import dataclasses

from pipeline.report.chapters.verdict import _override_words
from pipeline.report.model_report import render
from pipeline.report.words import words_in

RECORD = {
    "model_version": "scorecard-0123456789ab",
    "since": "2026-01-05",
    "promoted_by": "A. Meyer",
    "reason": "by override",
    "override": "<b>the new columns</b> end in March",
    "gates": [{"name": "gini_not_inferior", "light": "amber"}, {"name": "leaks", "light": "green"}],
}


def test_an_override_stands_on_the_first_page_with_who_when_why_and_the_gates(given):
    page = render(dataclasses.replace(given, in_force={"champion": RECORD}))
    first_page = page[: page.index("Who is in the book")]
    assert "In force against the gates" in first_page
    for part in ("scorecard-0123456789ab became champion on 2026-01-05", "A. Meyer", "(Gini not inferior)"):
        assert part in first_page
    assert "&lt;b&gt;the new columns&lt;/b&gt; end in March" in first_page


def test_an_override_in_force_again_by_a_rollback_names_the_decision_that_took_it(given):
    source = {"number": 3, "day": "2025-06-30", "by": "C. Wu"}
    page = render(dataclasses.replace(given, in_force={"champion": {**RECORD, "of_decision": source}}))
    told = "is champion again from 2026-01-05 on, put back by A. Meyer; decision 3 (2025-06-30, C. Wu) had promoted it"
    assert told in page
    chinese = words_in("zh")
    again = _override_words("champion", {**RECORD, "of_decision": {**source, "day": None, "by": None}}, chinese)
    assert "此前第3号决定（–，–）" in again


def test_without_an_override_nothing_is_said(given):
    told = render(dataclasses.replace(given, in_force={"champion": {**RECORD, "override": None}}))
    assert "In force against the gates" not in told
    assert "A. Meyer" not in told
