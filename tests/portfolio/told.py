"""The figures of a portfolio as score/portfolio tells them, from a small random ledger and made-up runs."""

import datetime as dt
import math
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.history.snapshots import months_before
from pipeline.night_params import PortfolioParams
from pipeline.score.columns import BOOK_SCHEMA
from pipeline.score.policy import read_policy
from pipeline.score.policy_sections import Wording
from pipeline.score.portfolio.portfolio import House, Receivables, Runs, portfolio

GRADES = (*tuple(f"G{number:02d}" for number in range(1, 11)), "D")
RULES = ("over_limit", "grade_down_two", "overdue_growing", "orders_halved", "group_default")
ACTIONS = ("keep", "raise", "cut", "refer")
SETTINGS = PortfolioParams(rounds=50, top=5, worklist=5, fewest_customers=5)


def scored(names, items, day, turn):
    """A scored book of the day: every ninth customer in default, grades that move with `turn`."""
    owed = items[(items["as_of"] == day) & ~items["is_credit"]].groupby("customer_id")["cents"].sum()
    rows = []
    for at, name in enumerate(names):
        grade = (at + turn * (at % 3 == 0)) % 10
        is_default = at % 9 == 0
        row = dict.fromkeys(BOOK_SCHEMA.names)
        cents = int(owed.get(name, 0))
        pd_12m = 1.0 if is_default else min(0.0007 * 2**grade, 0.36)
        row |= {
            "as_of": day, "model_version": "scorecard-0123456789ab", "policy_version": "policy-0", "customer_id": name,
            "name": f"<b>{name}</b>", "rating_status": "in_default" if is_default else "rated", "pd": pd_12m,
            "grade": "D" if is_default else GRADES[grade],
            "segment": "default" if is_default else "low" if grade < 4 else "medium" if grade < 7 else "high",
            "data_depth": "A", "open_amount": money(cents), "overdue_amount": money(0), "max_days_past_due": 0,
            "ead": money(cents), "lgd": 0.65 if is_default else 0.4,
            "expected_loss": money(round(cents * pd_12m * (0.65 if is_default else 0.4))),
            "limit_current": None if at % 5 == 0 else money(100_000 + 1000 * turn * (at % 4)),
            "limit_suggested": money(120_000), "limit_action": "hold" if is_default else ACTIONS[at % 4],
            "change_driver": "none", "alert_count": at % 3, "alert_severity": ("none", "watch", "act")[at % 3],
        }  # fmt: skip
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=BOOK_SCHEMA)


def money(cents):
    from decimal import Decimal

    return Decimal(cents) / 100


def alerts_of(names, days):
    """Those of the first three days run their course; on the last day two of three customers have one that stands."""
    states, last = ("new", "open", "closed"), days[-1]
    standing = [
        {
            "as_of": last, "customer_id": name, "rule": RULES[0], "severity": ("none", "watch", "act")[at % 3],
            "state": "new" if at % 3 == 1 else "open",
            "opened_on": last if at % 3 == 1 else last - dt.timedelta(days=60 + at),
        }
        for at, name in enumerate(names)
        if at % 3
    ]  # fmt: skip
    course = [
        {
            "as_of": day, "customer_id": name, "rule": RULES[at % len(RULES)], "severity": "act",
            "state": states[min(place, 2)], "opened_on": days[0],
        }
        for place, day in enumerate(days[:3])
        for at, name in enumerate(names)
    ]  # fmt: skip
    return pd.DataFrame(course if len(days) <= 3 else course + standing)


def figures_of(ledger, days, policies, *, without=()):
    """All figures; `without` names what is not there: `before` (no run before), `history`, `level`, `label`,
    `policy` (of the run)."""
    provisions, collections = policies
    items = ledger["items"]
    names = sorted(set(items["customer_id"]))
    days = days[-1:] if "history" in without else days
    label = {"kind": "late", "days": 30} if "label" in without else {"kind": "default", "days": 90, "window_months": 12}
    told = {
        "as_of": days[-1].isoformat(), "run_id": "0123456789abcdef", "model_version": "scorecard-0123456789ab",
        "policy_version": "policy-0", "data_version": "f" * 64, "base_currency": "EUR", "label": label,
        "runs": len(days), "first_run": days[0].isoformat(),
    }  # fmt: skip
    before_on = None if "before" in without or "history" in without else days[-2]
    was = None if before_on is None else before_on.isoformat()
    told["before"] = {"compared_on": was, "lies_on": was, "is_overtaken": False}
    runs = Runs(
        told,
        days[-1],
        scored(names, items, days[-1], 0),
        before_on,
        None if before_on is None else scored(names, items, before_on, 1),
        alerts_of(names, days),
        pd.DataFrame([{"as_of": day, "customer_id": name} for day in days for name in names]),
        None if "policy" in without else read_policy(Path(__file__).parents[2] / "policy"),
    )
    billed = {}
    for row in ledger["billed"]:
        billed[row["as_of"]] = billed.get(row["as_of"], 0) + int(row["billed_3m"] * 100)
    lost = {row["invoice_id"]: row["lost_on"] for row in ledger["lost"]}
    off = {row["invoice_id"]: row["written_off_on"] for row in ledger["lost"] if row["written_off_on"]}
    starts = {day: months_before(day, 3) for day in days}
    begun = {name: [days[0] + dt.timedelta(days=200)] for name in names[::7]}
    held = Receivables(items, days, lost, off, billed, starts, begun, "f" * 64)
    master = pd.DataFrame(
        {
            "customer_id": names,
            "group_id": ["G1" if at % 4 == 0 else None for at in range(len(names))],
            "industry": [("C26", "<script>", "سوق", None)[at % 4] for at in range(len(names))],
            "region": ["🦊 & 'Söhne'"] * len(names),
            "country": ["NA"] * len(names),
            "collector": [("Anna <b>", "李", None)[at % 3] for at in range(len(names))],
        }
    )
    titles = {name: Wording(f"Title of {name}", f"规则{at}") for at, name in enumerate(RULES)}
    house = House(provisions, collections, GRADES, titles, 0.65, SETTINGS)
    level = None if "level" in without else {
        "value": 1.1, "low": 0.8, "high": 1.4, "sample": "test", "bad_customers": 40
    }  # fmt: skip
    found = portfolio(runs, held, master, house, level)
    assert not any(isinstance(one, float) and math.isnan(one) for one in found["expected_loss"].values())
    found["alerts"]["measured"] = None if "history" in without else measured_rules_of(days)
    found["monitoring"] = None if "history" in without else watched(days)
    return found


def measured_rules_of(days):
    """What warnings.json holds: a rule measured, one with too few customers, one never judged."""
    rate = {"hits": 9, "n": 40, "groups": 35, "value": 0.225, "low": 0.1, "high": 0.4}
    few = {"hits": 1, "n": 4, "groups": 4, "value": None, "low": None, "high": None}
    whole = {"days_judged": 12, "opened": 40, "lead": {"n": 9, "value": 60.0, "low": 30.0, "high": 90.0}}
    names = ("precision", "base", "lift", "recall", "reach", "load", "standing")
    rules = [
        {"why_not": None, **whole, **dict.fromkeys(names, rate)},
        {"why_not": None, **whole, "lead": None, **dict.fromkeys(names, few), "load": rate, "standing": rate},
        {"why_not": "hypothetical"},
    ]
    named = [{"rule": r, "en": f"Title of {r}", "zh": f"规则{at}", "severity": "act"} for at, r in enumerate(RULES[:3])]
    return {
        "first": days[0].isoformat(), "last": days[-1].isoformat(), "until": days[-1].isoformat(), "months": 12,
        "fewest": 30, "rules": [name | rule for name, rule in zip(named, rules, strict=True)],
        "all": {**rules[0], "warned": rate, "rules": 2, "first_judged": days[0].isoformat()},
    }  # fmt: skip


def watched(days):
    """What monitoring kept: half of the runs matured."""
    rows = []
    for at, day in enumerate(days):
        is_known = at < len(days) // 2
        came = {"known": 90, "bads": 9, "known_expected": 8.5, "level": 1.06, "level_low": 0.5, "level_high": 1.9,
                "p_too_low": 0.4, "gini": 0.6, "gini_low": 0.4, "gini_high": 0.8}  # fmt: skip
        rows.append({
            "as_of": day.isoformat(), "customers": 100, "expected": 9.4, "expected_low": 4.0, "expected_high": 15.0,
            "expected_gini": 0.65, "expected_gini_low": 0.51, "expected_gini_high": 0.79,
            "is_after_fit": None if at == 0 else at > 2,
            **(came if is_known else dict.fromkeys(came)),
        })  # fmt: skip
    drift = [
        {"as_of": days[-1].isoformat(), "against": against, "psi": 0.03, "noise": 0.05, "light": "green"}
        for against in ("development", "month")
    ]
    gate = {"name": "level", "value": 1.06, "low": 0.5, "high": 1.9, "threshold": "", "light": "green", "says": ""}
    level = {"value": 1.05, "low": 0.7, "high": 1.5}
    return {
        "drift": drift, "performance": rows,
        "gates": [
            gate, {**gate, "name": "order", "against": 0.59, "p_value": 0.412},
            {**gate, "name": "inputs_year", "value": None, "light": "grey"},
            {**gate, "name": "score_development", "value": 0.017, "low": None, "high": None, "noise": 0.04},
        ],
        "matured": {"cohorts": 4, "not_overlapping": [days[0].isoformat()], "level": level},
        "fitted_until": days[2].isoformat(),
    }  # fmt: skip
