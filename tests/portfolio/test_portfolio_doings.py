"""Alerts and their outcomes, limits, worklist, and the policy behind them, in cases a person can check."""

import dataclasses
import datetime as dt
import math

import pandas as pd
import pytest

from pipeline.score.portfolio.early_warning import alert_lives, alerts_of_the_day, early_warning, outcomes_of_alerts
from pipeline.score.portfolio.limit_changes import limit_changes
from pipeline.score.portfolio.sections import contradictions
from pipeline.score.portfolio.worklist import step_for, worklist

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


def test_the_worklist_puts_the_largest_expected_recovery_first(collections):
    now = pd.DataFrame(
        [
            claim("A", 100_000, 100, 4), claim("B", 80_000, 20, 1), claim("B", 10_000, 0, 0),
            claim("C", 90_000, 20, 1, disputed=90_000), claim("D", 500, 5, 1), claim("E", 20_000, 40, 2),
        ]
    )  # fmt: skip
    book = pd.DataFrame(
        {
            "rating_status": ["in_default", "rated", "rated", "rated", "rated"],
            "grade": ["D", "G05", "G06", "G01", None],
        },
        index=list("ABCDE"),
    )
    found = worklist(now, book, [0.0, 0.1, 0.2, 0.5, 0.6], collections, 3)
    assert [(row["customer_id"], row["recovery"], row["step"]) for row in found["rows"]] == [
        ("C", "810.00", "dispute"), ("B", "720.00", "call"), ("A", "400.00", "claim"),
    ]  # fmt: skip
    assert (found["customers"], found["below_amount"], found["overdue"]) == (4, 1, "2900.00")
    assert {s["step"]: s["customers"] for s in found["steps"] if s["customers"]} == {
        "call": 1, "letter": 1, "dispute": 1, "claim": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("days", "code"), [(1, "reminder"), (14, "reminder"), (15, "call"), (31, "letter"), (400, "agency")]
)
def test_the_ladder_gives_the_last_step_whose_days_are_reached(collections, days, code):
    assert step_for(days, 0.0, False, collections).code == code


def test_policies_that_cannot_be_are_named(provisions, collections):
    assert contradictions(provisions, collections) == []
    case = provisions.scenarios[0].cases[0]
    scenario = dataclasses.replace(provisions.scenarios[0], cases=(dataclasses.replace(case, weight=0.5, factor=-1.0),))
    wrong = dataclasses.replace(
        provisions, bucket_ends=(30, 0), outcome_months=40, fewest_customers=1, scenarios=(scenario,)
    )
    ladder = dataclasses.replace(collections, ladder=collections.ladder[::-1], disputed_share_from=2.0)
    told = "\n".join(contradictions(wrong, ladder))
    for part in (
        "bucket_ends",
        "history_months",
        "fewest_customers",
        "weights",
        "factor: -1",
        "ladder",
        "disputed_share",
    ):
        assert part in told
