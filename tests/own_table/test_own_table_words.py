"""Words that replace others, of a table or a candidate, stand for keys the report has and fill no other place."""

from __future__ import annotations

import string

import pytest

from pipeline.plain_yaml import read_yaml
from pipeline.report.words import words_in

FILES = ("table", "undated", "candidate")


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def replaced(kind, repository):
    path = repository / "pipeline" / "report" / "templates" / "replacing_words" / "en" / f"{kind}.yaml"

    def flat(section, before=""):
        for key, value in section.items():
            name = f"{before}{key}"
            yield from flat(value, f"{name}.") if isinstance(value, dict) else [name]

    return list(flat(read_yaml(path.read_text(encoding="utf-8"), path.name)))


@pytest.mark.parametrize("kind", FILES)
def test_every_replacing_word_replaces_one_and_fills_no_new_place(kind, repository):
    english, other = words_in("en"), words_in("en", kind)
    keys = replaced(kind, repository)
    assert len(keys) > 3
    for key in keys:
        assert english.has(key), key
        # The subtitle is told the name of the table as well.
        assert places(other.texts[key]) <= places(english.texts[key]) | {"table"}, key
    same = set(english.texts) - set(keys)
    assert all(other.texts[key] == english.texts[key] for key in same)


def test_no_word_for_a_table_speaks_of_month_ends_or_a_ledger_it_does_not_have(repository):
    words = words_in("en", *FILES)
    for kind in FILES:
        assert not [key for key in replaced(kind, repository) if "month end" in words.texts[key]]
