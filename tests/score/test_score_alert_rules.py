"""The alert rules of policy: each bites where it should and not before, nonsense is refused, a part is as the whole."""

from __future__ import annotations

import datetime as dt
import functools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ParameterError
from pipeline.features.catalog import KINDS
from pipeline.score.alert_columns import KNOWN, Night, RatingSeen, day_looked_back_to
from pipeline.score.alert_judging import judged, notes_on_rules
from pipeline.score.alert_sections import LookBack
from pipeline.score.alerts import alerts_of, counts_by_customer
from pipeline.score.policy import SECTIONS, parse_policy, read_policy
from pipeline.score.rating import Rating

FOLDER = Path(__file__).parents[2] / "policy"
AS_OF, MONTH_BEFORE, BACK = dt.date(2025, 6, 30), dt.date(2025, 5, 30), dt.date(2025, 3, 31)

# What a column is where a case does not say otherwise: a customer about whom no rule has anything to say.
QUIET = {
    "position.open_amount": 1000.0, "position.overdue_amount": 0.0, "position.disputed_amount": 0.0,
    "position.limit_current": 50_000.0, "position.cover_amount": 0.0, "position.max_days_past_due": 0.0,
    "position.history_months": 60.0, "position.group_default_count": 0.0,
    "rating.pd": 0.01, "rating.grade": "G05", "rating.segment": "medium", "rating.status": "rated",
    "look_back.rating.pd": 0.01, "look_back.rating.grade": "G05",
    "feature.mean_days_late_with_overdue_3m": 5.0, "feature.mean_days_late_with_overdue_12m": 5.0,
    "feature.months_since_worst_days_late_12m": 6.0, "feature.bounced_payment_count_3m": 0.0,
    "feature.broken_promise_count_12m": 0.0, "feature.broken_plan_count_12m": 0.0,
    "feature.order_level_year_on_year_18m": 1.0, "feature.order_burst_while_overdue": math.nan,
    "feature.dispute_count_12m": 1.0, "feature.overdue_obligation_count_24m": 0.0, "feature.external_rating": 5.0,
    "feature.lien_count_24m": 0.0, "feature.litigation_count_12m": 1.0, "feature.accounts_age_months": 12.0,
    "feature.industry_default_share": 0.08, "feature.shared_bank_account_count": 0.0,
    "feature.shared_phone_count": 0.0, "feature.shared_address_count": 0.0, "feature.linked_default_count": 0.0,
    "month_before.position.overdue_amount": 0.0, "month_before.position.cover_amount": 0.0,
    "month_before.feature.worst_days_late_with_overdue_12m": 30.0,
    "month_before.feature.broken_promise_count_12m": 0.0, "month_before.feature.broken_plan_count_12m": 0.0,
    "month_before.feature.dispute_count_12m": 1.0, "month_before.feature.overdue_obligation_count_24m": 0.0,
    "month_before.feature.external_rating": 5.0, "month_before.feature.lien_count_24m": 0.0,
    "month_before.feature.litigation_count_12m": 1.0, "month_before.feature.industry_default_share": 0.08,
}  # fmt: skip


def frame(rows, place):
    names = [name for name in QUIET if name.rpartition(".")[0] == place]
    table = {name.rpartition(".")[2]: [row[name] for row in rows] for name in names}
    return pd.DataFrame({"customer_id": [f"C{at}" for at in range(len(rows))], **table})


def night_of(policy, *customers, without=()):
    """A night of customers that differ from QUIET as told; `without` names frames that are not there."""
    rows = [{**QUIET, **one} for one in customers]
    rating = frame(rows, "rating")
    empty = np.full(len(rows), None, dtype=object)
    told = Rating(
        rating["status"].to_numpy(object), rating["pd"].to_numpy(float), np.full(len(rows), 600.0),
        rating["grade"].to_numpy(object), rating["segment"].to_numpy(object), empty, empty, (),
    )  # fmt: skip
    parts = {
        "month_before": MONTH_BEFORE,
        "positions_before": frame(rows, "month_before.position"),
        "features_before": frame(rows, "month_before.feature"),
        "look_back": RatingSeen(BACK, frame(rows, "look_back.rating").assign(score=600.0)),
    }
    there = {name: part for name, part in parts.items() if name not in without}
    return Night(frame(rows, "position"), frame(rows, "feature"), told, policy.scale, AS_OF, **there)


def biting(policy, customer, name):
    return bool(judged(policy.alerts.rules[name], night_of(policy, customer)).where[0])


LATE = {"position.max_days_past_due": 15}
# rule, what bites, what is one step below it.
CASES = [
    ("over_limit", {"position.open_amount": 50_100.01}, {"position.open_amount": 50_100.0}),
    ("over_limit",
     {"position.open_amount": 100.01, "position.limit_current": 0.0}, {"position.limit_current": math.nan}),
    ("limit_nearly_used", {"position.open_amount": 40_000.0}, {"position.open_amount": 39_999.99}),
    ("limit_nearly_used", {"position.open_amount": 50_100.0}, {"position.open_amount": 50_100.01}),
    ("limit_nearly_used",
     {"position.open_amount": 10_000.0, "position.limit_current": 10_000.0},
     {"position.open_amount": 9_999.99, "position.limit_current": 10_000.0}),
    ("grade_down_two", {"rating.grade": "G07"}, {"rating.grade": "G06"}),
    ("grade_down_two", {"rating.grade": "D", "rating.status": "in_default"}, {"rating.grade": "G04"}),
    ("pd_doubled",
     {"rating.pd": 0.05, "look_back.rating.pd": 0.025}, {"rating.pd": 0.0499, "look_back.rating.pd": 0.01}),
    ("pd_doubled", {"rating.pd": 0.2, "look_back.rating.pd": 0.1}, {"rating.pd": 0.199, "look_back.rating.pd": 0.1}),
    ("overdue_growing",
     {"position.overdue_amount": 501.0, "position.max_days_past_due": 15},
     {"position.overdue_amount": 500.0, "position.max_days_past_due": 15}),
    ("overdue_growing",
     {"position.overdue_amount": 3000.0, "month_before.position.overdue_amount": 2000.0, **LATE},
     {"position.overdue_amount": 2999.0, "month_before.position.overdue_amount": 2000.0, **LATE}),
    ("overdue_growing",
     {"position.overdue_amount": 900.0, "position.max_days_past_due": 15},
     {"position.overdue_amount": 900.0, "position.max_days_past_due": 14}),
    ("payments_stretching",
     {"feature.mean_days_late_with_overdue_3m": 15.0}, {"feature.mean_days_late_with_overdue_3m": 14.9}),
    ("new_worst_delay",
     {"position.max_days_past_due": 31, "feature.months_since_worst_days_late_12m": 0.0},
     {"position.max_days_past_due": 30, "feature.months_since_worst_days_late_12m": 0.0}),
    ("new_worst_delay",
     {"position.max_days_past_due": 15, "feature.months_since_worst_days_late_12m": 0.0,
      "month_before.feature.worst_days_late_with_overdue_12m": 2.0},
     {"position.max_days_past_due": 14, "feature.months_since_worst_days_late_12m": 0.0,
      "month_before.feature.worst_days_late_with_overdue_12m": 2.0}),
    ("payment_bounced", {"feature.bounced_payment_count_3m": 2.0}, {"feature.bounced_payment_count_3m": 1.0}),
    ("broken_promise",
     {"feature.broken_promise_count_12m": 1.0},
     {"feature.broken_promise_count_12m": 1.0, "month_before.feature.broken_promise_count_12m": 1.0}),
    ("broken_promise", {"feature.broken_plan_count_12m": 1.0}, {}),
    ("orders_halved",
     {"feature.order_level_year_on_year_18m": 0.5, "position.open_amount": 20_000.0},
     {"feature.order_level_year_on_year_18m": 0.51, "position.open_amount": 20_000.0}),
    ("orders_halved",
     {"feature.order_level_year_on_year_18m": 0.1, "position.open_amount": 20_000.0},
     {"feature.order_level_year_on_year_18m": 0.1, "position.open_amount": 19_999.99}),
    ("order_burst_overdue",
     {"feature.order_burst_while_overdue": 3.0, "position.max_days_past_due": 10},
     {"feature.order_burst_while_overdue": 3.0, "position.max_days_past_due": 9}),
    ("order_burst_overdue",
     {"feature.order_burst_while_overdue": 3.0, "position.max_days_past_due": 10},
     {"feature.order_burst_while_overdue": 2.9, "position.max_days_past_due": 10}),
    ("dispute_burst", {"feature.dispute_count_12m": 3.0}, {"feature.dispute_count_12m": 2.0}),
    ("contract_breach", {"feature.overdue_obligation_count_24m": 1.0}, {}),
    ("outside_downgrade", {"feature.external_rating": 7.0}, {"feature.external_rating": 6.0}),
    ("outside_downgrade",
     {"feature.external_rating": 9.0},
     {"feature.external_rating": 9.0, "month_before.feature.external_rating": math.nan}),
    ("court_event", {"feature.litigation_count_12m": 2.0}, {"feature.litigation_count_12m": 1.0}),
    ("court_event", {"feature.lien_count_24m": 1.0}, {"month_before.feature.lien_count_24m": 1.0}),
    ("cover_cut",
     {"position.cover_amount": 5000.0, "month_before.position.cover_amount": 10_000.0},
     {"position.cover_amount": 5000.01, "month_before.position.cover_amount": 10_000.0}),
    ("cover_cut", {"month_before.position.cover_amount": 1.0}, {}),
    ("stale_accounts",
     {"feature.accounts_age_months": 18.0, "position.open_amount": 10_000.0},
     {"feature.accounts_age_months": 17.9, "position.open_amount": 10_000.0}),
    ("group_default", {"position.group_default_count": 1}, {"position.group_default_count": math.nan}),
    ("sector_default",
     {"feature.industry_default_share": 0.12, "month_before.feature.industry_default_share": 0.1},
     {"feature.industry_default_share": 0.119, "month_before.feature.industry_default_share": 0.1}),
    ("sector_default",
     {"feature.industry_default_share": 0.12, "rating.segment": "high"},
     {"feature.industry_default_share": 0.12, "rating.segment": "low"}),
    ("shared_identity",
     {"feature.shared_phone_count": 1.0, "position.history_months": 12},
     {"feature.shared_phone_count": 1.0, "position.history_months": 13}),
    ("shared_identity", {"feature.shared_bank_account_count": 1.0, "position.history_months": 0},
     {"position.history_months": 0}),
    ("shared_identity", {"feature.shared_address_count": 2.0, "position.history_months": 3},
     {"feature.shared_address_count": math.nan, "position.history_months": 3}),
    ("linked_default", {"feature.linked_default_count": 1.0}, {"feature.linked_default_count": 0.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "bites", "spares"), CASES)
def test_a_rule_bites_and_not_one_step_before(policy, name, bites, spares):
    assert biting(policy, bites, name)
    assert not biting(policy, spares, name)


def test_every_rule_has_a_case_and_spares_a_quiet_customer(policy):
    assert {name for name, _, _ in CASES} == set(policy.alerts.rules)
    night = night_of(policy, {})
    assert [name for name, rule in policy.alerts.rules.items() if judged(rule, night).where[0]] == []


@pytest.mark.parametrize(
    ("customer", "rule", "en", "zh"),
    [
        ({"feature.lien_count_24m": 1.0, "feature.litigation_count_12m": 2.0}, "court_event",
         "1 liens or seizures in 24 months, 0 on 2025-05-30", "近24个月有1次资产抵押或查封，2025-05-30时为0次"),
        ({"feature.litigation_count_12m": 2.0}, "court_event",
         "2 court cases in 12 months, 1 on 2025-05-30", "近12个月有2起诉讼，2025-05-30时为1起"),
        ({"rating.grade": "G08"}, "grade_down_two",
         "Grade G08 after G05 on 2025-03-31", "等级由2025-03-31的G05降至G08"),
        ({"feature.shared_phone_count": 2.0, "position.history_months": 1}, "shared_identity",
         "2 other customer(s) with the same telephone", "另有2个客户使用相同的电话"),
    ],
)  # fmt: skip
def test_the_evidence_tells_of_the_condition_that_holds(policy, customer, rule, en, zh):
    told = {row["rule"]: row for row in alerts_of(night_of(policy, customer), policy.alerts, None).to_pylist()}
    assert (told[rule]["evidence_en"], told[rule]["evidence_zh"]) == (en, zh)


def test_a_rule_is_for_the_statuses_it_names(policy):
    unrated = {"feature.bounced_payment_count_3m": 5.0, "position.open_amount": 99_000.0, "rating.status": "in_default"}
    told = alerts_of(night_of(policy, unrated), policy.alerts, None)["rule"].to_pylist()
    assert told == ["over_limit"]


def test_rules_without_their_columns_are_named_and_keep_their_alerts(policy):
    night = night_of(policy, {}, without=("look_back", "features_before"))
    notes = notes_on_rules(policy.alerts, night)
    assert [note.split(" was")[0] for note in notes] == [
        f"alerts: {name}" for name in (
            "grade_down_two", "pd_doubled", "new_worst_delay", "broken_promise", "dispute_burst", "contract_breach",
            "outside_downgrade", "court_event", "sector_default",
        )
    ]  # fmt: skip
    before = alerts_of(night_of(policy, {"feature.lien_count_24m": 1.0}), policy.alerts, None).to_pandas()
    told = alerts_of(night, policy.alerts, before).to_pylist()
    assert [(row["rule"], row["state"]) for row in told] == [("court_event", "open")]
    assert told[0]["evidence_en"] == "1 liens or seizures in 24 months, 0 on 2025-05-30"


@functools.cache
def house():
    return read_policy(FOLDER)


values = st.sampled_from([0.0, 1.0, 2.0, 15.0, 400.0, 60_000.0, math.nan])
customers = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(["G03", "G05", "G08", "D", None]) if name.endswith("grade") else values
            for name in QUIET
            if not name.endswith(("segment", "status"))
        },
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=10, deadline=None)
@given(customers, customers, st.integers(0, 8))
def test_a_part_of_the_customers_is_judged_as_the_whole_is(last_night, tonight, cut):
    policy = house()
    before = alerts_of(night_of(policy, *last_night), policy.alerts, None).to_pandas()
    opened = [AS_OF - dt.timedelta(days=7 * (at % 9)) for at in range(len(before))]
    before = before.assign(opened_on=pd.Series(opened, dtype=object))
    whole = alerts_of(night_of(policy, *tonight), policy.alerts, before)
    night, edge = night_of(policy, *tonight), f"C{cut}"
    rows = night.customers < edge
    parts = [
        alerts_of(part_of(night, rows), policy.alerts, before[before["customer_id"] < edge]),
        alerts_of(part_of(night, ~rows), policy.alerts, before[before["customer_id"] >= edge]),
    ]
    assert [row for part in parts for row in part.to_pylist()] == whole.to_pylist()
    counted = [counts_by_customer(part, night.customers[mine]) for part, mine in zip(parts, (rows, ~rows), strict=True)]
    count, gravest = counts_by_customer(whole, night.customers)
    assert np.concatenate([one[0] for one in counted]).tolist() == count.tolist()
    assert np.concatenate([one[1] for one in counted]).tolist() == gravest.tolist()


def part_of(night, rows):
    """The night of some of the customers; what is older stays whole, it is looked up by customer."""
    told = night.rating
    some = Rating(
        *(getattr(told, name)[rows] for name in ("status", "pd", "score", "grade", "segment", "model", "data_depth")),
        (),
    )
    return Night(
        night.positions[rows].reset_index(drop=True), night.features[rows].reset_index(drop=True), some, night.scale,
        night.as_of, night.month_before, night.positions_before, night.features_before, night.run_before,
        night.look_back,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ages", "expected"),
    [([], None), ([10, 89], 89), ([89, 90], 90), ([60, 95, 120], 95), ([136, 30], 30), ([136], None), ([135], 135)],
)
def test_the_run_looked_back_to_is_the_newest_that_is_old_enough(ages, expected):
    days = [AS_OF - dt.timedelta(days=age) for age in ages]
    found = day_looked_back_to(days, AS_OF, LookBack(90, 135))
    assert found == (None if expected is None else AS_OF - dt.timedelta(days=expected))


def spoiled(change):
    texts = {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in SECTIONS}
    raw = yaml.safe_load(texts["alerts"])
    change(raw["rules"])
    return {**texts, "alerts": yaml.safe_dump(raw, allow_unicode=True)}


def first(rules, name="over_limit"):
    return rules[name]["all_of"][0]


NONSENSE = {
    "there is no column 'feature.oders'; nearest": lambda r: first(r).update(look_at="feature.oders"),
    "there is no column 'position.password'": lambda r: first(r).update(look_at="position.password"),
    "there is no column 'month_before.rating.pd'": lambda r: first(r).update(above="month_before.rating.pd"),
    "give exactly one of": lambda r: first(r).update(below=3),
    "given none": lambda r: first(r).pop("above"),
    "unknown key": lambda r: first(r).update(abov=3),
    "expected a number or a text or null, found [1]": lambda r: first(r).update(above=[1]),
    "a text has no order": lambda r: first(r).update(look_at="position.country"),
    "one_of is for texts": lambda r: r["over_limit"].update(all_of=[{"look_at": "rating.pd", "one_of": ["x"]}]),
    "a grade is held against a grade": lambda r: first(r, "grade_down_two").update(at_least="look_back.rating.pd"),
    "whole notches": lambda r: first(r, "grade_down_two").update(plus=1.5),
    "times and plus go with another column": lambda r: first(r, "group_default").update(times=2),
    "has no condition": lambda r: r["over_limit"].update(all_of=[]),
    "takes no format": lambda r: r["grade_down_two"]["evidence"].update(en="{value:.0f}"),
    "{on} is not told of": lambda r: r["over_limit"]["evidence"].update(en="{on}"),
    "{value.__class__} is not told of": lambda r: r["over_limit"]["evidence"].update(zh="{value.__class__}"),
    "the format '>999999999'": lambda r: r["over_limit"]["evidence"].update(en="{value:>999999999}"),
    "evidence.en: ": lambda r: r["over_limit"]["evidence"].update(en="{value"),
    "{0} is not told of": lambda r: r["over_limit"]["evidence"].update(en="{0}"),
    "action.zh: is empty": lambda r: r["over_limit"]["action"].update(zh=" "),
    "open_days: -1 lies outside": lambda r: r["over_limit"].update(open_days=-1),
    "expected one of watch, act, stop": lambda r: r["over_limit"].update(severity="panic"),
    "expected one of rated": lambda r: r["over_limit"].update(applies_to=["nobody"]),
    "a rule is named in small letters": lambda r: r.update({"Über Limit": r.pop("over_limit")}),
}


@pytest.mark.parametrize("told", NONSENSE)
def test_nonsense_is_refused_with_its_place(told):
    with pytest.raises(ParameterError) as refused:
        parse_policy(spoiled(NONSENSE[told]), KINDS)
    assert told in str(refused.value)
    assert refused.value.exit_code == 78


def test_all_unknown_columns_are_told_at_once():
    def spoil(rules):
        first(rules).update(look_at="feature.no_such", above="position.nor_this")
        first(rules, "group_default").update(look_at="rating.neither")

    with pytest.raises(ParameterError, match=r"3 breach\(es\)"):
        parse_policy(spoiled(spoil), KINDS)


def test_a_rule_that_stands_twice_is_refused():
    texts = {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in SECTIONS}
    with pytest.raises(ParameterError, match="'over_limit' stands twice"):
        parse_policy({**texts, "alerts": texts["alerts"] + "\n  over_limit: {}\n"})


def test_the_committee_adds_a_rule_with_no_code(policy):
    def add(rules):
        rules["large_and_new"] = {
            "title": {"en": "Large and new", "zh": "新客户大额"}, "severity": "watch",
            "all_of": [
                {"look_at": "position.open_amount", "above": 500},
                {"look_at": "position.history_months", "below": 3},
            ],
            "evidence": {"en": "Owes {value:,.2f}", "zh": "欠款{value:,.2f}"}, "action": {"en": "Look", "zh": "查看"},
        }  # fmt: skip

    own = parse_policy(spoiled(add), KINDS)
    told = alerts_of(night_of(own, {"position.history_months": 2}), own.alerts, None).to_pylist()
    assert [(row["rule"], row["evidence_en"]) for row in told] == [("large_and_new", "Owes 1,000.00")]


def test_the_documented_columns_are_those_there_are():
    page = (FOLDER.parent / "docs" / "early-warning.md").read_text(encoding="utf-8")
    missing = [f"{place}.{name}" for place, columns in KNOWN.items() for name in columns if f"`{name}`" not in page]
    assert missing == []
