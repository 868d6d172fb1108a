"""The catalogue holds what it promises: names, words, directions, subjects, and a dictionary in step."""

import re

import pytest

from pipeline.features.catalog import FAMILIES, FEATURES, as_json, by_name, catalogue_hash
from pipeline.features.feature import Holds, Risk, Subject, Unit
from pipeline.report.data_dictionary import markdown
from pipeline.tables.ledger import BY_NAME

KEYS = {"name", "idea", "subject", "source", "columns", "months", "unit", "risk", "serves", "holds", "null_means",
        "null_means_zh", "title_en", "title_zh", "en", "zh", "doc"}  # fmt: skip
CHINESE = re.compile(r"[一-鿿]")


def test_at_least_150_columns_over_all_six_subjects():
    assert len(FEATURES) >= 150
    assert {feature.subject for feature in FEATURES} == set(Subject)
    assert len(Subject) == 6


def test_names_are_unique_and_end_in_their_window():
    names = [feature.name for feature in FEATURES]
    assert len(set(names)) == len(names)
    assert all(feature.name == f"{feature.idea}_{feature.months}m" for feature in FEATURES if feature.months)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_every_feature_speaks_both_languages():
    for feature in FEATURES:
        value = "C" if feature.holds is Holds.CATEGORY else 12.0
        for words in (feature.title_zh, feature.null_means_zh, feature.render(value, "zh"), feature.render(None, "zh")):
            assert CHINESE.search(words), feature.name
        for words in (feature.title_en, feature.null_means, feature.render(value, "en"), feature.render(None, "en")):
            assert words, feature.name
            assert not CHINESE.search(words), feature.name
            assert "{" not in words, feature.name
        assert "{value" in feature.en, feature.name
        assert "{value" in feature.zh, feature.name
        assert feature.doc.endswith("."), feature.name


def test_a_reason_carries_the_customers_own_number():
    assert by_name("mean_days_late_12m").render(23.4, "en") == "Paid 23 days late on average over 12 months"
    assert by_name("mean_days_late_12m").render(23.4, "zh") == "近12个月平均逾期23天付款"
    assert by_name("utilisation").render(float("nan"), "en") == "Utilisation of the limit: the customer has no limit"


def test_plain_values_for_the_model_folder_hold_every_key():
    assert all(set(entry) == KEYS for entry in as_json())
    assert [entry["name"] for entry in as_json()] == [feature.name for feature in FEATURES]
    assert re.fullmatch(r"[0-9a-f]{64}", catalogue_hash())


def test_sources_are_tables_of_the_ledger():
    assert all(set(feature.source) <= set(BY_NAME) and feature.source for feature in FEATURES)


ADVERSE = ("mean_days_late", "worst_days_late", "oldest_days_past_due", "utilisation", "litigation_count",
           "open_share_over_30_days_past_due", "external_rating")  # fmt: skip


@pytest.mark.parametrize("idea", ADVERSE)
def test_risk_rises_with_lateness_use_and_trouble(idea):
    assert {feature.risk for feature in FEATURES if feature.idea == idea} == {Risk.RISES}


@pytest.mark.parametrize("idea", ["paydex", "order_trend", "equity_ratio", "altman_z_double_prime", "tenure_months"])
def test_risk_falls_with_promptness_orders_and_strength(idea):
    assert {feature.risk for feature in FEATURES if feature.idea == idea} == {Risk.FALLS}


LATENESS = ("mean_days_late_with_overdue", "worst_days_late_with_overdue", "months_since_over_30_days_late",
            "overdue_item_share", "oldest_days_past_due", "mean_days_past_due",
            *(f"open_share_over_{days}_days_past_due" for days in (0, 30, 60, 90)))  # fmt: skip


def test_only_counts_money_and_lateness_of_nothing_have_a_value_without_rows():
    for family in FAMILIES:
        if family.without_rows is not None:
            assert family.unit in (Unit.COUNT, Unit.MONEY) or family.idea in LATENESS, family.idea
        if family.unit is Unit.COUNT and not family.relation.has_one_row:
            assert family.without_rows == 0.0, family.idea


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError, match="mean_days_lat"):
        by_name("mean_days_lat")


def test_definitions_divide_only_through_ratio(repository):
    for path in sorted((repository / "pipeline" / "features").glob("*.py")):
        if path.name in ("arithmetic.py", "feature.py", "published_accounts.py"):
            continue
        code = [line.split("#")[0] for line in path.read_text(encoding="utf-8").splitlines()]
        assert not [line for line in code if re.search(r"[\w)\]] / [\w(]", line)], path.name


def test_the_dictionary_is_in_step(repository):
    written = (repository / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == markdown(), "docs/features.md is out of step with the catalogue: run `creditbook docs`"
