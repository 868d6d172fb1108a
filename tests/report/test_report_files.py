"""Which files a run leaves: the languages and formats asked for, no other, and no Chinese PDF of empty boxes."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import pipeline.report.paper
from pipeline.errors import ParameterError
from pipeline.flows import tell
from pipeline.flows.committee_facts import bins_by_year, model_before
from pipeline.flows.report_files import publish_document, remove_others
from pipeline.params import ReportParams
from pipeline.read_params import parse_params
from pipeline.report.blocks import Chapter
from pipeline.report.document import Document
from pipeline.report.words import words_in
from pipeline.score.scorecard import Scorecard


def document(language: str) -> Document:
    return Document("Kind", "Title", "Subtitle", (Chapter("a", "First", ()),), words_in(language))


def test_the_formats_asked_for_are_written_and_nothing_else(tmp_path):
    written = publish_document(document("en"), tmp_path / "model_report", ("html", "pdf"))
    assert [path.name for path in written] == ["model_report.html", "model_report.pdf"]
    assert written[1].read_bytes().startswith(b"%PDF")
    (tmp_path / "model_report_zh.html").write_text("old", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("ours", encoding="utf-8")
    remove_others(tmp_path, written)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model_report.html", "model_report.pdf", "notes.txt"]


def test_a_chinese_pdf_without_a_font_is_left_out_and_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pipeline.report.paper, "chinese_font", lambda: None)
    written = publish_document(document("zh"), tmp_path / "model_report_zh", ("html", "pdf"))
    assert [path.name for path in written] == ["model_report_zh.html"]
    told = capsys.readouterr().err
    assert "model_report_zh.pdf is not written" in told
    assert "fonts-noto-cjk" in told


@pytest.mark.parametrize(
    ("text", "languages"),
    [("report: {language: en}", ("en",)), ("report: {language: [zh, en]}", ("zh", "en")), ("{}", ("en", "zh"))],
)
def test_one_language_is_a_list_of_one(text, languages):
    assert parse_params(text).report.language == languages


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("report: {language: fr}", r"report\.language: expected one of en, zh, found 'fr'"),
        ("report: {language: [en, fr]}", r"report\.language\[1\]: expected one of en, zh"),
        ("report: {language: []}", r"report\.language: name at least one"),
        ("report: {formats: [pdf, pdf]}", r"report\.formats: name at least one, and each once"),
        ("report: {customers: all}", r"report\.customers: expected one of ids, names"),
    ],
)
def test_what_is_no_language_or_format_is_refused(text, says):
    with pytest.raises(ParameterError, match=says):
        parse_params(text)


def test_both_languages_and_formats_are_the_rule():
    assert ReportParams() == ReportParams(("en", "zh"), ("html", "pdf"), "ids")


@pytest.mark.parametrize(
    ("record", "before"),
    [
        (None, None),
        ({"model_version": "new", "before": []}, None),
        ({"model_version": "new", "before": ["first", "old"]}, "old"),
        ({"model_version": "standing", "before": ["old"]}, "standing"),
    ],
)
def test_the_model_before_is_the_one_in_force_or_the_one_that_held_the_role_before(record, before, tmp_path):
    setting = SimpleNamespace(project=SimpleNamespace(models=tmp_path))
    found = model_before(setting, SimpleNamespace(version="new"), record)
    assert found.get("model_version") == before
    if before:
        # Nothing of it is kept here: told, and no comparison.
        assert found["why_none"] == "no_folder"
        assert found["comparison"] is None
        assert found["evidence"] is None


def test_what_a_model_was_made_from_is_read_from_its_own_evidence(monkeypatch):
    """What the validation tells names no policy; the evidence of the model does."""
    of_validation, of_model = {"data_version": "ab"}, {"data_version": "ab", "policy_bins": "44"}
    kept = {"new": SimpleNamespace(told={"lineage": of_model})}
    monkeypatch.setattr(tell, "read_evidence", lambda _project, version: kept.get(version))
    setting, told = SimpleNamespace(project=None), {"lineage": of_validation}
    assert tell._made_from(setting, "new", told) == of_model
    assert tell._made_from(setting, "without", told) == of_validation


def test_rows_of_the_book_are_counted_by_year_and_bin(given):
    card = Scorecard.from_json(json.dumps(given.scorecard))
    days = [dt.date(2020, 1, 31), dt.date(2020, 2, 29), dt.date(2021, 1, 31)]
    book = pd.DataFrame({"as_of": days, "mean_days_late_12m": [5.0, 50.0, np.nan], "industry": [None, "odd", None]})
    found = bins_by_year(book, SimpleNamespace(predictor=card))
    late = found[found["feature"] == "mean_days_late_12m"]
    assert late[["year", "bin", "rows"]].to_numpy().tolist() == [[2020, 0, 1], [2020, 1, 1], [2021, 2, 1]]
    assert bins_by_year(book.assign(as_of=None), SimpleNamespace(predictor=card)) is None
    assert bins_by_year(book, SimpleNamespace(predictor=None)) is None
