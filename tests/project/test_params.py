"""params.yaml: what it accepts, and how it refuses."""

import dataclasses
import datetime as dt
import json

import pytest
import yaml

from pipeline.errors import ParameterError
from pipeline.params import Params, as_dict
from pipeline.read_params import parse_params


def test_the_file_of_the_project_says_every_parameter_and_only_defaults(repository):
    text = (repository / "params.yaml").read_text(encoding="utf-8")
    assert parse_params(text) == Params()
    told = json.loads(json.dumps(as_dict(Params())))
    # A member of the booster's mean says only what it does otherwise.
    members = told["fit_booster"]["members"]
    told["fit_booster"]["members"] = [{name: v for name, v in each.items() if v is not None} for each in members]
    assert yaml.safe_load(text) == told


def test_every_breach_is_told_at_once():
    with pytest.raises(ParameterError) as refused:
        parse_params("lable: {}\nengine: {threads: two, cores: 4}\nsplit: 3\nlabel: {kind: late, days: 30.5}\n")
    told = str(refused.value)
    for part in ("5 breach(es)", "lable: unknown key", "engine.cores: unknown key", "engine.threads: expected a whole"):
        assert part in told
    assert "split: expected a section" in told
    assert "label.days: expected a whole number, found 30.5" in told
    assert refused.value.exit_code == 78


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("label: {window_months: 12, window_days: 90}", "exactly one of window_months and window_days"),
        ("label: {window_months: null}", "exactly one of window_months and window_days"),
        ("split: {train_share: 0.7}", "the three shares add up to 1.1"),
        ("fit_booster: {threads: 0}", "fit_booster.threads: 0 lies outside"),
        ("fit_booster: {row_share: 0.0}", "fit_booster.row_share: 0.0 lies outside 0.01 to 1"),
        ("fit_booster: {members: []}", "fit_booster.members: expected 1 to 100, found 0"),
        ("fit_booster: {members: [{}, {row_share: 2}]}", "fit_booster.members[1].row_share: 2.0 lies outside"),
        ("fit_booster: {members: [{l2: -2}]}", "fit_booster.members[0].l2: -2.0 lies outside 0 to 1e+09"),
        (
            "fit_booster: {trees: symmetric, max_depth: 13}",
            "fit_booster: a symmetric tree is 1 to 12 levels deep, max_depth is 13",
        ),
        (
            "fit_booster: {max_depth: -1, members: [{}, {trees: symmetric}]}",
            "members[1]: a symmetric tree is 1 to 12 levels",
        ),
        ("fit_booster: {noise: -1}", "fit_booster.noise: -1.0 lies outside 0 to 100"),
        ("fit_booster: {newton_steps: 0}", "fit_booster.newton_steps: 0 lies outside 1 to 100"),
        ("fit_booster: {members: [{cut: random}]}", "fit_booster.members[0].cut: unknown key"),
        ("fit_booster: {members: [{cuts: lucky}]}", "fit_booster.members[0].cuts: expected one of best, random"),
        ("ingest: {max_bad_share: {invoices: 2.0}}", "ingest.max_bad_share.invoices: 2.0 lies outside"),
        ("ingest: {max_bad_share: {invoices: many}}", "ingest.max_bad_share.invoices: expected a number"),
        ("fit_scorecard: {pdo: .inf}", "fit_scorecard.pdo: expected a number"),
        ("fit_scorecard: {pdo: 1" + "0" * 400 + "}", "fit_scorecard.pdo: expected a number"),
        ("fit_booster: {max_rounds: 0400}", "0400 would be read as 256; write the number you mean"),
        ("fit_scorecard: {pdo: 1:30}", "1:30 would be read as 90; write the number you mean"),
        ("engine: {threads: true}", "engine.threads: expected a whole number"),
        ("score: {as_of: 2025-13-45}", "a day or a number that does not exist"),
        ("engine: [", "is not YAML"),
        ("engine: {threads: 1}\nengine: {threads: 2}", "the key 'engine' stands twice"),
        ("score: {as_of: soon}", "score.as_of: expected a day such as 2025-12-31 or null, found 'soon'"),
        ("promotion: {time_zone: Europe/Berlim}", "promotion.time_zone: no zone 'Europe/Berlim'"),
        ("promotion: {refuse_from: low}", "promotion.refuse_from: expected one of medium, high"),
        ("just a text", "expected a section with the keys"),
        ("score: {wait_seconds: -1}", "score.wait_seconds: -1 lies outside 0 to 86400"),
        ("deliver: {postgres: {schema: Credit-Book}}", "deliver.postgres.schema: expected small letters"),
        ("deliver: {delta: {folder: 's3://lake/book'}}", "deliver.delta.folder: expected a folder"),
        ("deliver: {delta: {}}", "deliver.delta.folder: missing"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(text, part):
    with pytest.raises(ParameterError, match=r"params\.yaml") as refused:
        parse_params(text)
    assert part in str(refused.value)


@pytest.mark.parametrize("where", ["{postgres: '%s'}", "{postgres: {dsn_env: '%s'}}", "{postgres: {dsn_env: ['%s']}}"])
def test_a_connection_string_in_the_wrong_place_is_refused_and_not_repeated(where):
    with pytest.raises(ParameterError, match=r"deliver\.postgres") as refused:
        parse_params("deliver: " + where % "postgresql://scott:tiger7@vault/credit")
    assert "tiger7" not in str(refused.value)


def test_days_are_plain_dates_and_whole_numbers_serve_as_numbers():
    params = parse_params("score: {as_of: 2025-06-30}\nfit_scorecard: {pdo: 40}")
    assert params.score.as_of == dt.date(2025, 6, 30)
    assert isinstance(params.fit_scorecard.pdo, float)


def test_an_empty_file_is_all_defaults():
    assert parse_params("") == Params()


def test_parameters_cannot_be_changed_after_reading():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Params().engine.threads = 4  # type: ignore[misc]
