"""A catalogue says everything a table needs said, and what it says wrongly is told at once."""

from __future__ import annotations

import pytest
import yaml
from own_tables import CATALOGUE, REPOSITORY, catalogue, catalogue_text

from pipeline.errors import ParameterError
from pipeline.read_params import parse_params
from pipeline.tables.own_table_catalogue import parse_catalogue

CATALOGUES = sorted((REPOSITORY / "data" / "catalogues").glob("*.yaml"))


def told(**changes):
    with pytest.raises(ParameterError) as refused:
        catalogue(**changes)
    assert refused.value.exit_code == 78
    return str(refused.value)


def feature(**entry):
    return {"features": [{"column": "late", **entry}]}


def test_what_is_not_said_of_a_feature_is_made_from_its_column_and_title():
    feature = catalogue(features=[{"column": "Days Late 12M"}]).features[0]
    assert (feature.name, feature.risk, feature.holds) == ("days_late_12m", "either", "number")
    assert feature.en.format(value=3.25) == "Days Late 12M: 3.25"
    titled = catalogue(features=[{"column": "x", "title_en": "Debt", "title_zh": "债务", "unit": "EUR"}]).features[0]
    assert titled.en.format(value=12345.0) == "Debt: 12,345 EUR"
    assert titled.zh.format(value=1.0) == "债务：1 EUR"


def test_an_entry_for_many_columns_makes_one_feature_each():
    many = [{"column": "PAY{1..3}", "name": "paid_{n}", "title_en": "Paid {n} months ago", "risk": "falls"}]
    found = catalogue(features=many).features
    assert [(f.column, f.name, f.title_en) for f in found] == [
        (f"PAY{n}", f"paid_{n}", f"Paid {n} months ago") for n in (1, 2, 3)
    ]


def test_defaults_hold_for_every_number_and_an_entry_overrules_them():
    entries = [{"column": "a"}, {"column": "b", "risk": "rises", "special": []}, {"column": "c", "levels": {1: "x"}}]
    defaults = {"unit": "EUR", "special": [{"code": -7, "en": "none"}]}
    first, second, third = catalogue(defaults=defaults, features=entries).features
    assert [s.code for s in first.special] == [-7.0]
    assert (second.risk, second.special, second.unit) == ("rises", (), "EUR")
    assert (third.holds, third.special, third.levels) == ("category", (), {"1": "x"})


def test_whole_numbers_of_the_target_are_the_texts_of_the_file():
    target = {**yaml.safe_load(CATALOGUE)["target"], "bad": [1], "good": [0, 2]}
    assert catalogue(target=target).target.good == ("0", "2")


def test_every_breach_is_told_at_once_with_its_place():
    text = catalogue_text(
        colour="red",
        features=[{"column": "late", "risk": "up"}, {"name": "x"}],
        target={"column": "failed", "bad": [1.5], "good": ["0"], "title_en": "t", "title_zh": "t"},
    )
    with pytest.raises(ParameterError) as refused:
        parse_catalogue(text, "my.yaml")
    for part in (
        "my.yaml: 4 breach(es)",
        "colour: unknown key",
        "features[0].risk: expected one of rises, falls, either or null, found 'up'",
        "features[1].column: missing",
        "target.bad[0]: expected a text, found 1.5",
    ):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (feature(levels={1: "x"}, special=[{"code": 1, "en": "x"}]), "a category has no special codes"),
        (feature(holds="number", levels={1: "x"}), "`levels` are of a category"),
        (feature(holds="category", risk="rises"), "a category has no order"),
        (feature(special=[{"code": 1, "en": "x"}, {"code": 1.0, "en": "y"}]), "a special code stands twice"),
        (feature(name="is_bad"), "one of the training book's own"),
        (feature(name="Late!"), "must be small letters"),
        (feature(en="{price}"), "the sentence cannot be filled"),
        ({"features": []}, "features: name at least one"),
        ({"features": [{"column": "a"}, {"column": "A"}]}, "1 name(s) stand twice, e.g. 'a'"),
        ({"key": ["late"]}, "key[0]: 'late' is a feature as well"),
        ({"excluded": {"late": "why not"}}, "excluded.late: the column is used as well"),
        ({"excluded": {"clerk": " "}}, "excluded.clerk: tell the reason"),
        ({"window": {"months": 1, "days": 3}}, "window: set exactly one of months and days"),
        ({"window": {"days": 0}}, "window: must be at least 1"),
        ({"date": {"column": "d", "format": "%Y"}}, "date.format: expected year or a format with"),
        ({"file": {"encoding": "utf-9"}}, "no encoding is called 'utf-9'"),
        ({"file": {"delimiter": "||"}}, "file.delimiter: expected one character"),
        ({"file": {"header": ["a", "a"]}}, "file.header: 1 name(s) stand twice"),
        (
            {"target": {**yaml.safe_load(CATALOGUE)["target"], "rule": "last_row_of_entity"}},
            "last_row_of_entity needs entity and date",
        ),
        ({"target": {**yaml.safe_load(CATALOGUE)["target"], "good": ["1"]}}, "the value '1' stands in more than one"),
        ({"target": {**yaml.safe_load(CATALOGUE)["target"], "bad": []}}, "target.bad: name at least one value"),
    ],
)
def test_a_contradiction_is_told(changes, part):
    assert part in told(**changes)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_the_catalogues_of_the_repository_are_whole_in_both_languages(path):
    found = parse_catalogue(path.read_text(encoding="utf-8"), path.name)
    assert found.source
    assert found.licence
    for f in found.features:
        assert f.title_en != f.column, f"{f.column} has no title"
        assert f.title_zh != f.title_en, f"{f.column} has no Chinese title"
        assert all(s.zh for s in f.special), f.column


def test_the_catalogues_of_the_repository_are_there():
    assert [path.stem for path in CATALOGUES] == [
        "american_bankruptcy",
        "german_credit",
        "give_me_some_credit",
        "polish_bankruptcy_3year",
        "sba_case",
        "uci_credit_card",
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("ingest: {table: t.csv}", "ingest: set both table and catalogue, or neither"),
        ("ingest: {table: t.csv, catalogue: c.yaml, source: ledger}", "ingest.source: 'ledger' is of a ledger"),
        ("ingest: {table: t.csv, catalogue: c.yaml, mapping: m.yaml}", "ingest.mapping: 'm.yaml' is of a ledger"),
    ],
)
def test_a_table_and_a_ledger_at_once_are_refused(text, part):
    with pytest.raises(ParameterError, match=part.replace("(", r"\(")):
        parse_params(text)
