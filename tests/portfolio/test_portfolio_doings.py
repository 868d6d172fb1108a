"""Alerts and their outcomes, limits, worklist, and the policy behind them, in cases a person can check."""

import dataclasses
import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from pipeline.score.portfolio.early_warning import alert_lives, alerts_of_the_day, early_warning, outcomes_of_alerts
from pipeline.score.portfolio.left_over import EarlierDay, days_of_lists, left_over
from pipeline.score.portfolio.limit_changes import limit_changes
from pipeline.score.portfolio.reviews import days_looked_at, reviews_of
from pipeline.score.portfolio.sections import Budget, Capacity, contradictions
from pipeline.score.portfolio.work_tables import WORKLIST_SCHEMA, csv_bytes, reviews_table, worklist_table
from pipeline.score.portfolio.worklist import allowed, cases_of, recovery_of, worklist

DAYS = [dt.date(2023, month, 28) for month in range(1, 13)] + [dt.date(2024, month, 28) for month in range(1, 5)]
RULES = ("over_limit", "orders_halved")


def alert(day, customer, state, opened, rule="over_limit"):
    return {"as_of": day, "customer_id": customer, "rule": rule, "severity": "act", "state": state, "opened_on": opened}


@pytest.fixture
def alerts():
    first, second, third = DAYS[:3]
    return pd.DataFrame(
        [
            alert(first, "A", "new", first), alert(second, "A", "open", first), alert(third, "A", "closed", first),
            alert(second, "B", "new", second), alert(third, "B", "open", second),
            alert(DAYS[-1], "C", "new", DAYS[-1], "orders_halved"),
        ]
    )  # fmt: skip


DEFAULTS = {"A": [dt.date(2023, 6, 1)], "B": [dt.date(2024, 4, 1)], "D": [dt.date(2023, 5, 1)]}


def books():
    return pd.DataFrame([{"as_of": day, "customer_id": name} for day in DAYS for name in "ABCD"])


def test_an_alert_lives_from_its_opening_to_the_run_that_closes_it(alerts):
    lives = alert_lives(alerts).set_index("customer_id")
    assert lives.loc["A", "closed_on"] == DAYS[2]
    assert pd.isna(lives.loc["B", "closed_on"])
    assert lives.loc["B", "seen_on"] == DAYS[2]
    outcomes = outcomes_of_alerts(alert_lives(alerts), DEFAULTS, RULES, DAYS[-1])
    # B's default came; C's alert is of the last run; A's closed after 59 days.
    assert outcomes[0] == {
        "rule": "over_limit", "opened": 2, "customers": 2, "still_open": 0, "closed": 1, "defaulted": 2,
        "days_open": 59.0,
    }  # fmt: skip
    assert (outcomes[1]["still_open"], outcomes[1]["days_open"]) == (1, None)


def test_a_hit_is_a_default_within_the_months_after_the_first_alert(alerts):
    found = early_warning(
        alert_lives(alerts), books(), DEFAULTS, RULES, as_of=DAYS[-1], months=12, fewest=2, confidence=0.95
    )
    rule = found["rules"][0]
    # A defaulted 124 days after its alert; B 14 months after, too late to count.
    assert (rule["hit_rate"]["hits"], rule["hit_rate"]["n"]) == (1, 2)
    assert rule["lead_days"] == {"n": 1, "quarter": 124.0, "median": 124.0, "three_quarters": 124.0}
    assert found["rules"][1]["hit_rate"]["value"] is None
    assert found["unripe"] == 1
    # Of A, B, C, D of the first run A and D defaulted within the year.
    assert (found["base_rate"]["hits"], found["base_rate"]["n"]) == (2, 4)
    # A was still told of in the third run but closed there; nobody was warned of in the run before the default.
    assert (found["caught"]["hits"], found["caught"]["n"]) == (0, 3)


def test_who_was_in_default_when_the_alert_opened_is_no_hit(alerts):
    at_risk = books()
    at_risk = at_risk[at_risk["customer_id"] != "A"]
    found = early_warning(
        alert_lives(alerts), at_risk, DEFAULTS, RULES, as_of=DAYS[-1], months=12, fewest=1, confidence=0.95
    )
    assert found["rules"][0]["hit_rate"]["n"] == 1


def test_without_an_old_run_nothing_is_said_of_warning(alerts):
    late = books()
    late = late[late["as_of"] == DAYS[-1]]
    found = early_warning(
        alert_lives(alerts), late, DEFAULTS, RULES, as_of=DAYS[-1], months=12, fewest=1, confidence=0.95
    )
    assert found["base_rate"] is None


def test_the_alerts_of_the_day_are_counted_by_state(alerts):
    of_day = alerts[alerts["as_of"] == DAYS[1]]
    assert alerts_of_the_day(of_day, RULES)[0] == {
        "rule": "over_limit", "severity": "act", "new": 1, "open": 1, "closed": 0, "customers": 2,
    }  # fmt: skip
    assert alerts_of_the_day(of_day, RULES)[1]["severity"] is None


def test_limits_are_compared_customer_by_customer():
    now = pd.DataFrame(
        {
            "customer_id": list("ABCD"),
            "limit_cents": [200.0, math.nan, 100.0, 50.0],
            "limit_action": ["raise", "keep", "hold", "keep"],
            "suggested_cents": [300.0, math.nan, 0.0, 50.0],
        }
    )
    was = pd.DataFrame({"customer_id": list("ABDE"), "limit_cents": [100.0, 70.0, 50.0, 10.0]})
    found = limit_changes(now, was, 2)
    assert {row["change"]: row["customers"] for row in found["changes"]} == {
        "raised": 1, "cut": 0, "new": 1, "removed": 2, "unchanged": 1,
    }  # fmt: skip
    assert found["largest"] == [
        {"customer_id": "A", "before": "1.00", "after": "2.00"},
        {"customer_id": "C", "before": None, "after": "1.00"},
    ]
    assert "changes" not in limit_changes(now, None, 2)


def claim(customer, cents, days, bucket, disputed=0):
    return {
        "customer_id": customer, "invoice_id": f"{customer}{days}", "cents": cents, "days_past_due": days,
        "bucket": bucket, "overdue_cents": cents if days > 0 else 0, "disputed_cents": disputed,
    }  # fmt: skip


def desk(customer, grade, segment, *, severity="none", collector="Anna", loss=0.0, alerts=0):
    return {
        "customer_id": customer, "grade": grade, "segment": segment, "severity": severity, "collector": collector,
        "loss_cents": loss, "alerts": alerts,
    }  # fmt: skip


@pytest.fixture
def owing():
    return pd.DataFrame(
        [
            claim("A", 100_000, 100, 4), claim("B", 80_000, 20, 1), claim("B", 10_000, 0, 0),
            claim("C", 90_000, 20, 1, disputed=90_000), claim("D", 500, 5, 1), claim("E", 20_000, 40, 2),
            claim("F", 50_000, 200, 4),
        ]
    )  # fmt: skip


@pytest.fixture
def customers():
    return pd.DataFrame(
        [
            desk("A", "D", "default"), desk("B", "G05", "medium", collector="Li"), desk("C", "G06", "medium"),
            desk("D", "G01", "low"), desk("E", None, None, collector=None), desk("F", "D", "default"),
            desk("G", "G03", "low", severity="watch", loss=900.0, alerts=1), desk("J", "G01", "low", loss=1.0),
            desk("H", "G07", "medium", severity="stop", loss=5.0, alerts=2),
            desk("I", "G07", "medium", severity="watch", loss=1000.0, alerts=3),
        ]
    )  # fmt: skip


def stands(customer, age, severity="watch", state="open"):
    return alert(DAYS[-1], customer, state, DAYS[-1] - dt.timedelta(days=age)) | {"severity": severity}


@pytest.fixture
def standing():
    return pd.DataFrame([stands("G", 0), stands("H", 0, "stop"), stands("I", 0), stands("J", 3, state="closed")])


def test_a_new_alert_comes_before_a_graver_one_that_has_stood_for_months(collections, owing, customers):
    tight = dataclasses.replace(collections, budget=Budget(Capacity(1, 2), {}), review_again_days=60)
    # H's stop alert has stood 30 days and waits; I's has stood 121, 120 fell into the week: once more. G's opened 6
    # days ago. J has an old stop alert and one of tonight: the new one tells where J stands.
    alerts = pd.DataFrame(
        [
            stands("H", 30, "stop"), stands("I", 121, "act"), stands("G", 6),
            stands("J", 90, "stop"), stands("J", 0, "act"),
        ]
    )  # fmt: skip
    found = reviews_of(customers, alerts, cases_of(owing, customers, tight), tight, as_of=DAYS[-1])
    told = found.set_index("customer_id")
    assert list(told.index) == ["J", "G", "I", "H"]
    assert told["state"].tolist() == ["new", "new", "open", "open"]
    assert told["is_due"].tolist() == [True, True, True, False]
    assert told["severity"].tolist() == ["act", "watch", "act", "stop"]
    assert told["is_in_budget"].tolist() == [True, True, False, False]


@pytest.fixture
def sixty(collections, owing, customers):
    case = dataclasses.replace(collections, review_again_days=60)
    return case, cases_of(owing, customers, case)


@pytest.mark.parametrize(
    ("age", "looked_at", "is_due"),
    [(6, 7, True), (7, 7, False), (59, 7, False), (60, 7, True), (66, 7, True), (67, 7, False), (120, 7, True),
     (30, 31, True), (31, 31, False), (62, 31, True), (92, 31, False)],
)  # fmt: skip
def test_an_alert_that_stands_comes_back_every_sixty_days(sixty, customers, age, looked_at, is_due):
    case, cases = sixty
    alerts = pd.DataFrame([stands("H", age, "stop")])
    found = reviews_of(customers, alerts, cases, case, as_of=DAYS[-1], looked_at=looked_at)
    assert found["is_due"].tolist() == found["is_in_budget"].tolist() == [is_due]


def test_a_list_is_for_a_week_or_for_what_came_since_the_run_before():
    day = dt.date(2024, 4, 28)
    assert days_looked_at(day, [day]) == days_looked_at(day, [day, dt.date(2024, 4, 27)]) == 7
    assert days_looked_at(day, [dt.date(2024, 2, 28), dt.date(2024, 3, 28), day]) == 31
    # The list before was made nine days ago: the run of yesterday made none.
    assert days_looked_at(day, [day - dt.timedelta(days=9), day - dt.timedelta(days=1)]) == 9


def test_an_alert_that_no_list_had_room_for_comes_before_older_ones_that_were_shown(collections, owing, customers):
    # One review a week. G and H opened on the 14th, I and J on the 21st; today, the 28th, nothing new.
    one = dataclasses.replace(collections, budget=Budget(Capacity(1, 1), {}), review_again_days=60)
    first, second, today = (DAYS[-1] - dt.timedelta(days=days) for days in (14, 7, 0))
    opened = {"G": (first, "watch"), "H": (first, "stop"), "I": (second, "watch"), "J": (second, "act")}

    def on(day):
        rows = [
            alert(day, name, "open", since) | {"severity": severity}
            for name, (since, severity) in opened.items()
            if since <= day
        ]
        return pd.DataFrame(rows)

    book = customers.assign(overdue_cents=0)
    lists = {day: EarlierDay(book, on(day)) for day in (first, second)}
    runs = [first, second, today]
    # H was told on the 14th, and G was not. On the 21st J was, graver than I, and both were new.
    left = left_over(lists, runs, one)
    assert left == {("G", "over_limit", first), ("I", "over_limit", second)}
    cases = cases_of(owing, customers, one)
    found = reviews_of(customers, on(today), cases, one, as_of=today, left=left)
    told = found.set_index("customer_id")
    # Of those left over I is the larger; H and J were told and wait for their sixty days.
    assert list(told.index) == ["I", "G", "H", "J"]
    assert told["is_due"].tolist() == told["is_left_over"].tolist() == [True, True, False, False]
    assert told["is_in_budget"].tolist() == [True, False, False, False]
    # Who was overdue on the 21st was no review then: what it was left over with before stays so.
    lists[second] = EarlierDay(book.assign(overdue_cents=np.where(book["customer_id"].isin(["G", "I"]), 10**6, 0)),
                               on(second))  # fmt: skip
    assert left_over(lists, runs, one) == {("G", "over_limit", first)}
    # What is closed is nobody's any more, and with room for all nothing is left over.
    lists[second] = EarlierDay(book, on(second).assign(state="closed"))
    assert left_over(lists, runs, one) == frozenset()
    assert left_over(lists, runs, collections) == frozenset()


def test_lists_are_a_week_apart_as_far_back_as_an_alert_has_not_come_back():
    nights = [DAYS[-1] - dt.timedelta(days=days) for days in range(40)]
    back = [(DAYS[-1] - day).days for day in days_of_lists(DAYS[-1], nights, 30)]
    assert back == [28, 21, 14, 7]
    assert days_of_lists(DAYS[-1], DAYS, 60) == [DAYS[-2]]
    assert days_of_lists(DAYS[-1], DAYS[-1:], 60) == []


def test_each_case_has_the_step_that_brings_in_most_after_its_cost(collections, owing, customers):
    found = cases_of(owing, customers, collections, {"F"}).set_index("customer_id")
    # B: call 800 × 0.42 − 15 = 321; notice 238; visit 150. A, 100 days, default: agency 1000 × 0.3 × 0.8 − 50 = 190.
    # C disputes all: 900 × 0.4 − 40 = 320. E has no segment: call 200 × 0.42 − 15 = 69. F is insolvent: 500 × 0.1 −
    # 100 = −50.
    assert found["step"].to_dict() == {"B": "call", "C": "dispute", "A": "agency", "E": "call", "F": "claim"}
    assert (found["recovery_cents"] / 100).to_dict() == {"B": 321.0, "C": 320.0, "A": 190.0, "E": 69.0, "F": -50.0}
    assert found["rank"].to_dict() == {"B": 1, "C": 2, "A": 3, "E": 4, "F": 5}


def test_a_collector_takes_its_best_cases_and_the_rest_is_counted(collections, owing, customers, standing):
    tight = dataclasses.replace(collections, budget=Budget(Capacity(1, 1), {"Li": Capacity(0, 0)}))
    cases = cases_of(owing, customers, tight, {"F"})
    # Anna takes C and not A; Li takes nothing; who has no collector is a desk of its own; F does not pay for itself.
    assert cases.set_index("customer_id")["is_in_budget"].to_dict() == {
        "B": False, "C": True, "A": False, "E": True, "F": False,
    }  # fmt: skip
    reviews = reviews_of(customers, standing, cases, tight, as_of=DAYS[-1])
    assert reviews["customer_id"].tolist() == ["H", "I", "G"]
    assert reviews["is_in_budget"].tolist() == [True, False, False]
    # Where nothing of H can be lost, the others come before it, though its alert is graver.
    idle = customers.assign(loss_cents=customers["loss_cents"].where(customers["customer_id"] != "H", 0))
    assert reviews_of(idle, standing, cases, tight, as_of=DAYS[-1])["customer_id"].tolist() == ["I", "G", "H"]
    told = worklist(owing, cases, reviews, tight, 2)
    assert [row["customer_id"] for row in told["rows"]] == ["B", "C"]
    assert (told["customers"], told["below_amount"], told["in_budget"], told["not_worth"]) == (5, 1, 2, 1)
    assert (told["overdue"], told["recovery"]) == ("3400.00", "900.00")
    by_name = {row["collector"]: row for row in told["collectors"]}
    assert (by_name["Anna"]["in_budget"], by_name["Anna"]["left_over"], by_name["Anna"]["recovery_left"]) == (
        1,
        2,
        "190.00",
    )
    assert sum(row["cases"] for row in told["collectors"]) == 5
    assert sum(row["reviews"] for row in told["collectors"]) == 3


def test_the_lists_for_other_systems_are_whole(collections, owing, customers, standing):
    cases = cases_of(owing, customers, collections)
    table = worklist_table(cases, collections, DAYS[-1])
    assert table.schema == WORKLIST_SCHEMA
    assert (table.num_rows, str(table["expected_recovery"][0])) == (5, "321.00")
    assert table["step_zh"][0].as_py() == "电话催收并约定付款日期"
    looked_into = reviews_table(reviews_of(customers, standing, cases, collections, as_of=DAYS[-1]), DAYS[-1])
    assert (looked_into.num_rows, looked_into["opened_on"][0].as_py()) == (3, DAYS[-1])
    assert looked_into.select(["alert_state", "alert_severity", "is_due"]).to_pylist()[0] == {
        "alert_state": "new", "alert_severity": "stop", "is_due": True,
    }  # fmt: skip
    nobody = reviews_of(customers, standing.head(0), cases, collections, as_of=DAYS[-1])
    assert reviews_table(nobody, DAYS[-1]).num_rows == 0
    empty = cases_of(owing.head(0), customers, collections)
    assert worklist_table(empty, collections, DAYS[-1]).num_rows == 0
    assert csv_bytes(worklist_table(empty, collections, DAYS[-1])).count(b"\n") == 1
    hostile = customers.assign(collector="=cmd|'/C calc'!A0")
    assert b"\"'=cmd" in csv_bytes(worklist_table(cases_of(owing, hostile, collections), collections, DAYS[-1]))


@pytest.mark.parametrize(
    ("days", "severity", "codes"),
    [
        (1, "none", {"notice"}), (4, "none", {"notice"}), (5, "none", {"notice", "call"}),
        (1, "act", {"notice", "call"}),
        (19, "none", {"notice", "call"}), (20, "none", {"notice", "call", "visit"}),
        (3, "stop", {"notice", "call", "visit", "letter"}), (60, "none", {"notice", "call", "visit", "letter"}),
        (61, "none", {"call", "visit", "letter", "lawyer"}),
        (91, "none", {"call", "visit", "letter", "lawyer", "agency"}),
        (181, "stop", {"lawyer", "agency"}),
    ],
)  # fmt: skip
def test_a_step_is_allowed_by_days_or_by_an_alert(collections, days, severity, codes):
    gravity = np.array([("none", "watch", "act", "stop").index(severity)])
    assert {step.code for step in collections.ladder if allowed(step, np.array([days]), gravity)[0]} == codes


def test_the_fee_comes_off_what_comes_in_and_the_cost_off_the_rest(collections):
    agency = collections.ladder[-1]
    # 10,000 × 0.5 × 0.8 − 50 of a high segment; nothing known counts as unrated: 10,000 × 0.55 × 0.8 − 50.
    found = recovery_of(agency, np.array([1_000_000.0, 1_000_000.0]), np.array(["high", None], dtype=object))
    assert (found / 100).tolist() == [3950.0, 4350.0]


def test_policies_that_cannot_be_are_named(provisions, collections):
    assert contradictions(provisions, collections) == []
    case = provisions.scenarios[0].cases[0]
    scenario = dataclasses.replace(provisions.scenarios[0], cases=(dataclasses.replace(case, weight=0.5, factor=-1.0),))
    wrong = dataclasses.replace(
        provisions, bucket_ends=(30, 0), outcome_months=40, fewest_customers=1, scenarios=(scenario,)
    )
    gap = dataclasses.replace(collections.ladder[0], until_days=3, cost=-1.0)
    budget = Budget(Capacity(-1, 0), {})
    ladder = dataclasses.replace(
        collections,
        ladder=(gap, *collections.ladder[1:]),
        disputed_share_from=2.0,
        budget=budget,
        review_again_days=0,
    )
    told = "\n".join(contradictions(wrong, ladder))
    for part in (
        "bucket_ends",
        "history_months",
        "fewest_customers",
        "weights",
        "factor: -1",
        "some day past due has no step",
        "collections.notice.cost",
        "budget.each.cases_per_week: -1",
        "disputed_share",
        "collections.review_again_days: 0 is below 1",
    ):
        assert part in told
    turned = dataclasses.replace(collections, ladder=collections.ladder[::-1])
    assert any("must rise from 1" in one for one in contradictions(provisions, turned))
    nobody = dataclasses.replace(collections, ladder=())
    assert any("must rise from 1" in one for one in contradictions(provisions, nobody))
