"""Policy files are dated, sourced and refused as a whole when a key is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.errors import MissingInputError, ParameterError
from pipeline.score.policy import SECTIONS, parse_policy, read_policy

FOLDER = Path(__file__).parents[2] / "policy"


def texts():
    return {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in SECTIONS}


def changed(name, change):
    raw = yaml.safe_load(texts()[name])
    change(raw)
    return {**texts(), name: yaml.safe_dump(raw, allow_unicode=True)}


def test_every_file_is_dated_and_names_its_sources(policy):
    for section in (policy.limits, policy.loss, policy.alerts, policy.thin_file, policy.terms):
        assert section.valid_from.year >= 2018
        assert section.sources


def test_the_scale_has_ten_grades_that_double_and_a_grade_for_default(policy):
    assert len(policy.scale.names) == 10
    assert policy.scale.names_with_default[-1] == "D"
    uppers = [g.upper for g in policy.scale.grades[:-1]]
    assert np.allclose(np.divide(uppers[1:], uppers[:-1]), 2.0)


def test_a_pd_on_a_boundary_belongs_to_the_worse_grade(policy):
    assert policy.scale.grade([0.0, 0.000999, 0.001, 0.0639, 0.064, 0.999, np.nan]).tolist() == [
        "G01", "G01", "G02", "G07", "G08", "G10", None,
    ]  # fmt: skip
    assert policy.scale.segment(["G04", "G05", "G07", "G08", "D", None]).tolist() == [
        "low", "medium", "medium", "high", "default", None,
    ]  # fmt: skip


def test_representative_pds_fall_into_their_own_grade(policy):
    for name, pd_ in policy.scale.midpoints.items():
        assert name == "D" or policy.scale.grade([pd_])[0] == name


def test_the_version_follows_the_meaning_not_the_comments(policy):
    commented = {**texts(), "limits": "# another remark\n" + texts()["limits"]}
    assert parse_policy(commented).version == policy.version
    dearer = changed("limits", lambda raw: raw["need"].update(headroom=1.6))
    assert parse_policy(dearer).version != policy.version


def test_a_policy_can_be_read_again_from_the_text_it_carries(policy):
    assert parse_policy(policy.texts) == policy


def test_unknown_missing_and_wrong_keys_are_told_all_at_once():
    def spoil(raw):
        raw["headroon"] = 2
        raw["need"]["headroom"] = "much"
        del raw["equity"]
        raw["grades"]["G99"] = raw["grades"].pop("G10")

    with pytest.raises(ParameterError) as refused:
        parse_policy(changed("limits", spoil))
    told = str(refused.value)
    assert "limits.headroon: unknown key" in told
    assert "limits.need.headroom: expected a number, found 'much'" in told
    assert "limits.equity: missing" in told
    assert refused.value.exit_code == 78


def test_contradictions_between_files_are_told():
    with pytest.raises(
        ParameterError, match=r"limits.grades.G10: missing(.|\n)*thin_file.best_grade|thin_file.best_grade"
    ):
        parse_policy({**changed("thin_file", lambda raw: raw.update(best_grade="A1"))})
    with pytest.raises(ParameterError, match="bounds must rise and end with null"):
        parse_policy(changed("limits", lambda raw: raw["approval"].pop()))
    with pytest.raises(ParameterError, match=r"limits\.grades\.G10: missing"):
        parse_policy(changed("limits", lambda raw: raw["grades"].pop("G10")))


def test_figures_that_cannot_be_are_told_with_their_place():
    def spoil(raw):
        raw["purchases"]["share"] = 1.5
        raw["step"]["up_at_least"] = -1
        raw["grades"]["G03"]["strategy"] = "hope"
        raw["strategies"]["pray"] = raw["strategies"]["cover"]
        del raw["texts"]["group"]

    with pytest.raises(ParameterError) as refused:
        parse_policy(changed("limits", spoil))
    for told in (
        "limits.purchases.share: 1.5 lies outside 0 to 1",
        "limits.step.up_at_least: -1 lies below 0",
        "limits.grades.G03.strategy: 'hope' is none of limits.strategies",
        "limits.strategies.pray: no grade has it",
        "limits.texts.group: missing",
        "5 breach(es)",
    ):
        assert told in str(refused.value)


def test_terms_that_cannot_be_are_told_with_their_place():
    def spoil(raw):
        raw["countries"]["China"] = raw["countries"].pop("CN")
        raw["countries"]["China"][1]["agreed_days"] = 20
        raw["countries"]["China"][0]["buyer_sizes"] = []
        raw["countries"]["FR"] = []

    with pytest.raises(ParameterError) as refused:
        parse_policy(changed("terms", spoil))
    for told in (
        "terms.countries.China: no ISO 3166 code of two letters",
        "terms.countries.China[1].agreed_days: 20 are fewer than the 30 without an agreement",
        "terms.countries.China[0].buyer_sizes: empty",
        "terms.countries.FR: no rule",
    ):
        assert told in str(refused.value)
    with pytest.raises(ParameterError, match=r"terms\.supplier_size: expected one of micro, small, medium, large"):
        parse_policy(changed("terms", lambda raw: raw.update(supplier_size="tiny")))


def test_exposure_figures_that_cannot_be_are_told():
    with pytest.raises(ParameterError, match=r"unused_limit_share: 2 lies outside(.|\n)*committed_orders_days: 0 lies"):
        parse_policy(changed("lgd_ead", lambda raw: raw.update(unused_limit_share=2, committed_orders_days=0)))


def test_a_scale_that_does_not_rise_is_refused():
    with pytest.raises(ParameterError, match="is not above"):
        parse_policy(changed("master_scale", lambda raw: raw["grades"][3].update(pd_below=0.001)))


def test_a_missing_policy_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"6 policy file\(s\) missing: master_scale.yaml"):
        read_policy(tmp_path)
