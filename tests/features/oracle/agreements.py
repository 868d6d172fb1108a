"""Contracts and obligations kept, disputes raised, limits used and covers held."""

import datetime as dt

from .arithmetic import in_months, share, total

OPEN_END = dt.date(9999, 12, 31)
SECURING = ("insurance", "guarantee", "collateral")


def agreements(view, customer):
    found = _contracts(view, customer) | _obligations(view, customer) | _disputes(view, customer)
    return found | _limits(view, customer) | _covers(view, customer)


def _contracts(view, customer):
    rows = [r for r in view.of("contracts", customer) if r["starts_on"] <= view.day]
    rows = [r for r in rows if r["ends_on"] is None or r["ends_on"] >= view.day]
    left = [(r["ends_on"] - view.day).days for r in rows if r["ends_on"] not in (None, OPEN_END)]
    deposits = sum(r["deposit_amount"] or 0 for r in rows)
    return {
        "contract_count": len(rows),
        "contract_months_left": in_months(max(left, default=None)),
        "deposit_share": share(deposits, total(rows)),
    }


def _obligations(view, customer):
    due = {k: view.recent("obligations", customer, k, "due_on") for k in (12, 24)}
    late = [((r["fulfilled_on"] or view.day) - r["due_on"]).days for r in due[12]]
    waiting = [r for r in due[24] if r["fulfilled_on"] is None and r["due_on"] < view.day]
    return {
        "late_obligation_share_12m": share(sum(d > 0 for d in late), len(late)),
        "mean_obligation_days_late_12m": share(sum(late), len(late)),
        "overdue_obligation_count_24m": len(waiting),
    }


def _disputes(view, customer):
    rows = view.recent("disputes", customer, 12, "opened_on")
    settled = [r for r in rows if r["resolved_on"] is not None]
    days = [((r["resolved_on"] or view.day) - r["opened_on"]).days for r in rows]
    owed = view.owed(customer)
    return {
        "dispute_count_12m": len(rows),
        "rejected_dispute_share_12m": share(sum(r["outcome"] == "rejected" for r in settled), len(settled)),
        "mean_dispute_days_12m": share(sum(days), len(days)),
        "disputed_open_share": share(total(owed, "disputed"), total(owed, "open")),
    }


def valid(rows, day):
    return [r for r in rows if r["valid_from"] <= day and (r["valid_to"] is None or r["valid_to"] >= day)]


def _limits(view, customer):
    rows = view.of("limits", customer)
    now, before = (
        max(valid(rows, day), key=lambda r: r["valid_from"], default=None) for day in (view.day, view.before(12))
    )
    limit = now["limit_amount"] if now else None
    owed, earlier = view.owed(customer), view.then(3).owed(customer)
    billed = total(view.recent("invoices", customer, 12, "issued_on"))
    return {
        "utilisation": share(total(owed, "open"), limit),
        "overdue_to_limit": share(total(owed, "overdue"), limit),
        "utilisation_change_3m": share(total(owed, "open") - total(earlier, "open"), limit),
        "limit_change_12m": share(limit, before["limit_amount"] if before else None),
        "limit_age_months": in_months((view.day - now["valid_from"]).days) if now else None,
        "limit_in_months_of_billing": share(None if limit is None else limit * 12, billed),
    }


def _covers(view, customer):
    rows = view.of("covers", customer)
    every = valid(rows, view.day)
    now, before = ([r for r in valid(rows, d) if r["kind"] in SECURING] for d in (view.day, view.before(12)))
    rates = [r["premium_rate"] for r in every if r["premium_rate"] is not None]
    return {
        "cover_to_open": share(total(now) if now else None, total(view.owed(customer), "open")),
        "cover_change_12m": share(total(now), total(before) if before else None),
        "premium_rate": max(rates, default=None),
    }
