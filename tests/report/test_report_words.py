"""The words stand in one folder per language, and every word asked for is there."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import pipeline.report.words
from pipeline.errors import ParameterError
from pipeline.report.words import _flat, languages, words_in

ROOM = Path(pipeline.report.__file__).parent


@pytest.fixture(scope="module")
def asked() -> set[str]:
    sources = [path for path in ROOM.rglob("*") if path.suffix in {".py", ".j2"} and path.name != "data_dictionary.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return {key for _, key in re.findall(r"""words\(\s*f?(["'])(.+?)\1\s*[,)]""", text)}


def test_every_key_asked_for_is_there(asked):
    words = words_in("en")
    plain = {key for key in asked if "{" not in key}
    assert len(plain) > 100
    assert not [key for key in sorted(plain) if not words.has(key)]


def test_every_family_of_keys_asked_for_is_there(asked):
    words = words_in("en")
    for key in sorted(k for k in asked if "{" in k):
        pattern = re.compile(re.escape(re.sub(r"\{[^}]*\}", "\0", key)).replace("\0", r"\w+"))
        assert [k for k in words.texts if pattern.fullmatch(k)], key


def test_no_text_is_empty_and_every_place_has_a_name():
    for key, text in words_in("en").texts.items():
        assert text, key
        assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(text)), key


def test_every_language_has_the_keys_and_places_of_english():
    english = {key: _places(text) for key, text in words_in("en").texts.items()}
    assert "en" in languages()
    for language in languages():
        assert {key: _places(text) for key, text in words_in(language).texts.items()} == english


@pytest.mark.parametrize(("language", "champion"), [("en", "champion"), ("zh", "冠军")])
def test_the_report_of_a_candidate_names_no_champion_but_the_one_in_force(language, champion):
    usual, replaced = words_in(language).texts, words_in(language, "candidate").texts
    as_usual = {key for key, text in usual.items() if champion in text.lower() and replaced[key] == text}
    assert as_usual == {
        "page.in_force",
        "page.candidate_told",
        "page.challenger_in_force",
        "provenance.champion_in_force",
        "role_name.champion",
    }


def test_a_key_told_in_two_files_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "templates" / "words" / "en"
    folder.mkdir(parents=True)
    (folder / "one.yaml").write_text("page: {title: One, kind: Kind}", encoding="utf-8")
    (folder / "two.yaml").write_text("page: {title: Two, other: Other}", encoding="utf-8")
    monkeypatch.setattr(pipeline.report.words, "_templates", lambda: tmp_path / "templates")
    words_in.cache_clear()
    with pytest.raises(ParameterError, match=r"1 key\(s\) of two\.yaml .* page\.title in one\.yaml"):
        words_in("en")
    words_in.cache_clear()


def test_a_line_broken_between_chinese_characters_is_joined_without_a_space():
    broken = _flat({"a": "客户的\n  违约率 PD\n  上升", "b": "two\n  lines"})
    assert broken == {"a": "客户的违约率 PD 上升", "b": "two lines"}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
