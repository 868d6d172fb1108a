"""Alerts of the published runs: what became of them, how often a default followed, and how long before it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.history.snapshots import months_before
from pipeline.score.portfolio.amounts import share
from pipeline.statistics.proportions import jeffreys_interval

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

_KEY = ["customer_id", "rule", "opened_on"]


def alert_lives(alerts: pd.DataFrame) -> pd.DataFrame:
    """One row per alert of all runs: customer_id, rule, opened_on, severity, seen_on (the last run that told of it),
    closed_on (null: no run told of its end).

    `alerts` are the alerts of the published runs, one below the other (as_of, customer_id, rule, severity, state,
    opened_on). An alert is one customer, rule and day of opening.
    """
    if not len(alerts):
        return pd.DataFrame(columns=[*_KEY, "severity", "seen_on", "closed_on"])
    ordered = alerts.sort_values(["as_of", *_KEY])
    closed = ordered[ordered["state"] == "closed"].groupby(_KEY)["as_of"].min().rename("closed_on")
    lives = ordered.groupby(_KEY).agg(severity=("severity", "last"), seen_on=("as_of", "max"))
    return lives.join(closed).reset_index().astype({"closed_on": object})


def alerts_of_the_day(alerts: pd.DataFrame, rules: Sequence[str]) -> list[dict[str, Any]]:
    """By rule: new, open and closed alerts of one run, and customers with one that is new or open."""
    rows = []
    for rule in rules:
        part = alerts[alerts["rule"] == rule]
        states = part["state"].value_counts()
        standing = part[part["state"] != "closed"]
        rows.append(
            {
                "rule": rule,
                "severity": None if not len(part) else str(part["severity"].iloc[0]),
                **{state: int(states.get(state, 0)) for state in ("new", "open", "closed")},
                "customers": int(standing["customer_id"].nunique()),
            }
        )
    return rows


def outcomes_of_alerts(
    lives: pd.DataFrame, default_days: Mapping[str, Sequence[dt.date]], rules: Sequence[str], as_of: dt.date
) -> list[dict[str, Any]]:
    """By rule, of all alerts the runs opened: still open, closed, and how many were followed by a default so far.

    `default_days`: the first days of each customer's defaults up to `as_of`, in order. `days_open`: the median days
    from opening to closing, over those that closed.
    """
    rows = []
    for rule in rules:
        part = lives[lives["rule"] == rule]
        is_closed = part["closed_on"].notna()
        defaulted = [
            _first_after(default_days.get(customer, ()), opened) is not None
            for customer, opened in zip(part["customer_id"], part["opened_on"], strict=True)
        ]
        lasted = [(b - a).days for a, b in zip(part["opened_on"][is_closed], part["closed_on"][is_closed], strict=True)]
        rows.append(
            {
                "rule": rule,
                "opened": len(part),
                "customers": int(part["customer_id"].nunique()),
                "still_open": int((~is_closed & (part["seen_on"] == as_of)).sum()),
                "closed": int(is_closed.sum()),
                "defaulted": int(sum(defaulted)),
                "days_open": float(np.median(lasted)) if lasted else None,
            }
        )
    return rows


def early_warning(
    lives: pd.DataFrame,
    books: pd.DataFrame,
    default_days: Mapping[str, Sequence[dt.date]],
    rules: Sequence[str],
    *,
    as_of: dt.date,
    months: int,
    fewest: int,
    confidence: float,
) -> dict[str, Any]:
    """Hit rate and lead time of alerts whose `months` are over, and the share of defaults an alert came before.

    `books`: as_of and customer_id of who was scored and not in default in each run. An alert hits when its customer
    defaults in `opened_on` < day <= `opened_on` + months; only the first alert of a customer and rule counts, and none
    of who was in default when it opened. `base_rate`: the same for all customers of the first run, alert or not. A
    default is warned of when an alert was open in the run before it. Rates of fewer than `fewest` customers are null.
    Intervals: Jeffreys, each customer once.
    """
    days = sorted(set(books["as_of"]))
    if not days:
        return {"runs": 0}
    first_opened = _first_alerts(lives, books)
    is_ripe = [months_before(day, -months) <= as_of for day in first_opened["opened_on"]]
    ripe = first_opened[np.array(is_ripe, dtype=bool)]
    by_rule = []
    for rule in rules:
        part = ripe[ripe["rule"] == rule]
        leads = _leads(part, default_days, months)
        hits = _rate(len(leads), len(part), fewest, confidence)
        by_rule.append({"rule": rule, "hit_rate": hits, "lead_days": _quartiles(leads)})
    base = _base(books, days, default_days, months, as_of)
    warned, defaults = _warned(lives, books, days, default_days)
    return {
        "runs": len(days),
        "first_run": days[0].isoformat(),
        "last_run": days[-1].isoformat(),
        "months": months,
        "confidence": confidence,
        "fewest": fewest,
        "rules": by_rule,
        "base_rate": None if base is None else _rate(*base, fewest, confidence),
        "base_run": None if base is None else days[0].isoformat(),
        "unripe": len(first_opened) - len(ripe),
        "caught": _rate(warned, defaults, fewest, confidence),
    }


def _first_alerts(lives: pd.DataFrame, books: pd.DataFrame) -> pd.DataFrame:
    """The first alert of each customer and rule, of those scored and not in default on the day it opened."""
    at_risk = lives.merge(
        books.rename(columns={"as_of": "opened_on"})[["opened_on", "customer_id"]], on=["opened_on", "customer_id"]
    )
    return at_risk.sort_values(["opened_on", "rule"]).drop_duplicates(["customer_id", "rule"])


def _leads(ripe: pd.DataFrame, default_days: Mapping[str, Sequence[dt.date]], months: int) -> list[int]:
    found = []
    for customer, opened in zip(ripe["customer_id"], ripe["opened_on"], strict=True):
        began = _first_after(default_days.get(customer, ()), opened)
        if began is not None and began <= months_before(opened, -months):
            found.append((began - opened).days)
    return found


def _base(
    books: pd.DataFrame,
    days: Sequence[dt.date],
    default_days: Mapping[str, Sequence[dt.date]],
    months: int,
    as_of: dt.date,
) -> tuple[int, int] | None:
    end = months_before(days[0], -months)
    if end > as_of:
        return None
    customers = books.loc[books["as_of"] == days[0], "customer_id"]
    begun = [_first_after(default_days.get(customer, ()), days[0]) for customer in customers]
    return sum(day is not None and day <= end for day in begun), len(customers)


def _warned(
    lives: pd.DataFrame,
    books: pd.DataFrame,
    days: Sequence[dt.date],
    default_days: Mapping[str, Sequence[dt.date]],
) -> tuple[int, int]:
    """First defaults between runs of customers at risk in the run before, and those with an alert open in that run."""
    at_risk = {day: set(books.loc[books["as_of"] == day, "customer_id"]) for day in days}
    spans: dict[str, list[tuple[dt.date, dt.date, object]]] = {}
    for row in lives.to_dict("records"):
        spans.setdefault(row["customer_id"], []).append((row["opened_on"], row["seen_on"], row["closed_on"]))
    warned = defaults = 0
    for customer, begun in default_days.items():
        for day in begun:
            runs = [run for run in days if run < day]
            if not runs or customer not in at_risk[runs[-1]]:
                continue
            defaults += 1
            warned += any(
                opened <= runs[-1] <= seen and closed != runs[-1] for opened, seen, closed in spans.get(customer, ())
            )
            break
    return warned, defaults


def _first_after(days: Sequence[dt.date], after: dt.date) -> dt.date | None:
    return next((day for day in days if day > after), None)


def _rate(hits: int, n: int, fewest: int, confidence: float) -> dict[str, Any]:
    if n < fewest:
        return {"hits": hits, "n": n, "value": None, "low": None, "high": None}
    low, high = jeffreys_interval(hits, n, confidence)
    return {"hits": hits, "n": n, "value": share(hits, n), "low": low, "high": high}


def _quartiles(days: Sequence[int]) -> dict[str, Any] | None:
    if not days:
        return None
    low, median, high = np.percentile(days, [25, 50, 75])
    return {"n": len(days), "quarter": float(low), "median": float(median), "three_quarters": float(high)}
