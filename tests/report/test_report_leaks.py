"""The chapter of the leak detector: evidence, accepted reasons, and what could not be judged."""

from __future__ import annotations

import dataclasses

from pipeline.report.chapters.leaks import leaks
from pipeline.report.words import words_in
from pipeline.train.leaks import CHECKS, VERDICTS

WORDS = words_in("en")


def _chapter(given, **told):
    found = {**given.details["scorecard"]["leaks"], **told}
    return leaks(dataclasses.replace(given, details={"scorecard": {"leaks": found}}), WORDS)


def _texts(block):
    return [cell.text for row in block.rows for cell in row]


def test_every_check_and_verdict_has_words():
    assert [name for name in CHECKS if not WORDS.has(f"leak_check.{name}")] == []
    assert [name for name in VERDICTS if not WORDS.has(f"leak_verdict.{name}")] == []


def test_findings_are_told_with_evidence_examples_and_reasons(given, hostile):
    chapter = _chapter(given)
    assert "0 refused, 1 warning(s), 1 accepted" in chapter.lead
    findings, strongest = (block for block in chapter.blocks if block.kind == "table")
    first, second = findings.rows
    assert [cell.text for cell in first[:1]] == ["A value that only bads hold"]
    assert first[1].note == "industry"
    assert hostile[0] in first[2].text
    assert first[2].note == f"Such as {hostile[1]}"
    assert (first[3].text, first[3].note) == ("Warning", "leave it out")
    assert second[1].text == "the table as a whole"
    assert (second[3].text, second[3].note) == ("Accepted", "a state aid programme")
    assert _texts(strongest) == ["Days late, 12 months", "0.97", "–", "66\u202f%"]
    assert strongest.rows[0][1].note == "0.95 to 0.98"
    unjudged, idle = (block for block in chapter.blocks if block.kind == "bullets")
    assert unjudged.items == ("A label that never changes: every customer has one row",)
    assert idle.items == ("leaks.accept.gone meets no finding",)


def test_a_clean_table_and_a_fit_without_findings_are_told(given):
    clean = _chapter(given, findings=[], unjudged={}, idle=[])
    nothing, cannot = [b.text for b in clean.blocks if b.kind == "text"][-2:]
    assert nothing == "Nothing was found."
    assert cannot.startswith("What it cannot see: a leak that is no better than an honest feature")
    assert [b.text for b in _chapter(given).blocks if b.kind == "text"][-1] == cannot
    assert not [b for b in clean.blocks if b.kind == "bullets"]
    missing = leaks(dataclasses.replace(given, details={"scorecard": {}}), WORDS)
    assert missing.blocks[0].kind == "missing"
