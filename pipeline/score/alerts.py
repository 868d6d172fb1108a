"""Alerts of the night: rules from policy that bite, and the life of an alert from new over open to closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.score.position_columns import money, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from pipeline.score.policy import Policy
    from pipeline.score.policy_sections import AlertRules, GradeDownRule, OverdueGrowingRule
    from pipeline.score.rating import Rating

SEVERITIES = ("none", "watch", "act", "stop")
STATES = ("new", "open", "closed")
ALERT_SCHEMA = pa.schema(
    [
        pa.field("as_of", pa.date32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("customer_id", "rule", "severity", "state")),
        pa.field("opened_on", pa.date32(), nullable=False),
        *(
            pa.field(name, pa.string(), nullable=False)
            for name in ("evidence_en", "evidence_zh", "action_en", "action_zh")
        ),
    ]
)


@dataclass(frozen=True)
class Bites:
    """Where a rule bites, with the customer's own value and what it is held against."""

    where: npt.NDArray[np.bool_]
    value: npt.NDArray[Any]
    reference: npt.NDArray[Any]


@dataclass(frozen=True)
class Night:
    """What the rules look at. `features` is aligned to the positions; `positions_before` is a month older, or null;
    `grade_before` is the grade of the previous run, None where it had none; null without a run before."""

    positions: pd.DataFrame
    positions_before: pd.DataFrame | None
    features: pd.DataFrame
    rating: Rating
    grade_before: npt.NDArray[np.object_] | None
    as_of: dt.date


def alerts_of(night: Night, policy: Policy, before: pd.DataFrame | None) -> pa.Table:
    """Alerts new, open and closed tonight, ordered by customer and rule; `before` holds the previous run's alerts.

    A rule that cannot be judged tonight (no run before, no positions of a month ago, no such feature) keeps its open
    alerts open. A closed alert is told once, with the evidence it last had.
    """
    rules = policy.alerts.rules
    running = _running(before)
    rows: list[dict[str, Any]] = []
    for name, bites in _judged(night, policy):
        rule = getattr(rules, name)
        kept = {customer: row for (customer, of_rule), row in running.items() if of_rule == name}
        fresh = {} if bites is None else _told(night, bites, rule.evidence)
        still = kept.keys() - fresh.keys()
        stays = still if bites is None else {c for c in still if _stays(kept[c], name, rules, night.as_of)}
        common = {"rule": name, "severity": rule.severity, "action_en": rule.action.en, "action_zh": rule.action.zh}
        for customer, evidence in fresh.items():
            opened = kept[customer]["opened_on"] if customer in kept else night.as_of
            state = "open" if customer in kept else "new"
            rows.append({**common, **evidence, "customer_id": customer, "state": state, "opened_on": opened})
        for customer in still:
            state = "open" if customer in stays else "closed"
            old = {key: kept[customer][key] for key in ("evidence_en", "evidence_zh", "opened_on")}
            rows.append({**common, **old, "customer_id": customer, "state": state})
    rows.sort(key=lambda row: (row["customer_id"], row["rule"]))
    return pa.Table.from_pylist([{"as_of": night.as_of, **row} for row in rows], schema=ALERT_SCHEMA)


def counts_by_customer(
    alerts: pa.Table, customers: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    """Alerts new or open, and the gravest severity among them ("none" without any), per customer."""
    count: dict[str, int] = {}
    gravest: dict[str, int] = {}
    columns = (alerts[name].to_pylist() for name in ("customer_id", "severity", "state"))
    for customer, severity, state in zip(*columns, strict=True):
        if state != "closed":
            count[customer] = count.get(customer, 0) + 1
            gravest[customer] = max(gravest.get(customer, 0), SEVERITIES.index(severity))
    return (
        np.array([count.get(c, 0) for c in customers], dtype=np.int64),
        np.array([SEVERITIES[gravest.get(c, 0)] for c in customers], dtype=object),
    )


def _running(before: pd.DataFrame | None) -> dict[tuple[str, str], dict[str, Any]]:
    if before is None:
        return {}
    rows: Iterable[dict[Any, Any]] = before[before["state"] != "closed"].to_dict("records")
    return {(row["customer_id"], row["rule"]): row for row in rows}


def _judged(night: Night, policy: Policy) -> list[tuple[str, Bites | None]]:
    rules = policy.alerts.rules
    return [
        ("over_limit", _over_limit(night, rules)),
        ("grade_down_two", _grade_down(night, policy, rules.grade_down_two)),
        ("overdue_growing", _overdue_growing(night, rules.overdue_growing)),
        ("orders_halved", _orders_halved(night, rules)),
        ("group_default", _group_default(night, rules)),
    ]


def _over_limit(night: Night, rules: AlertRules) -> Bites:
    balance, limit = money(night.positions["open_amount"]), money(night.positions["limit_current"])
    rule = rules.over_limit
    excess = balance - limit
    where = (excess > rule.amount_above) & (excess > rule.share_above * limit)
    return Bites(where, balance, limit)


def _grade_down(night: Night, policy: Policy, rule: GradeDownRule) -> Bites | None:
    if night.grade_before is None:
        return None
    down = policy.scale.position(night.rating.grade) - policy.scale.position(night.grade_before)
    return Bites(down >= rule.notches_from, night.rating.grade, night.grade_before)


def _overdue_growing(night: Night, rule: OverdueGrowingRule) -> Bites | None:
    if night.positions_before is None:
        return None
    earlier = night.positions_before.set_index("customer_id")["overdue_amount"]
    before = np.nan_to_num(money(earlier.reindex(night.positions["customer_id"])))
    now = money(night.positions["overdue_amount"])
    return Bites((now >= rule.times_from * before) & (now - before > rule.amount_above), now, before)


def _orders_halved(night: Night, rules: AlertRules) -> Bites | None:
    rule = rules.orders_halved
    if rule.feature not in night.features.columns:
        return None
    ratio = number(night.features[rule.feature])
    return Bites(ratio <= rule.at_most, ratio, np.full(len(ratio), rule.at_most))


def _group_default(night: Night, rules: AlertRules) -> Bites:
    others = np.nan_to_num(number(night.positions["group_default_count"]))
    is_in_book = night.rating.status != "not_rated"
    return Bites(is_in_book & (others >= rules.group_default.defaults_from), others, others)


def _told(night: Night, bites: Bites, evidence: Any) -> dict[str, Mapping[str, Any]]:
    customers = text(night.positions["customer_id"])
    told: dict[str, Mapping[str, Any]] = {}
    for row in np.flatnonzero(bites.where):
        words = {"value": bites.value[row], "reference": bites.reference[row]}
        told[customers[row]] = {
            "evidence_en": evidence.en.format(**words),
            "evidence_zh": evidence.zh.format(**words),
        }
    return told


def _stays(alert: Mapping[str, Any], name: str, rules: AlertRules, as_of: dt.date) -> bool:
    """A fall between two runs is over the next night; its alert stays until somebody can have looked."""
    if name != "grade_down_two":
        return False
    opened = pd.Timestamp(alert["opened_on"]).date()
    return as_of - opened < dt.timedelta(days=rules.grade_down_two.open_days)
