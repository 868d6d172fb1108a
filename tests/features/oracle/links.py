"""Peers that defaulted, in the group, the industry, and behind one bank account, telephone or address."""

from .arithmetic import share, total, weighted
from .outside import sharing
from .trading import section

_MARKS = ("bank_account", "phone", "address")


def links(view, customer):
    group = sharing(view, customer, "group", lambda r: r["group_id"])
    industry = sharing(view, customer, "section", section)
    paid = [r for other in group for r in view.paid(other, 12)]
    active = [c for c in industry if _is_active(view, c)]
    found = {
        "group_default_count": sum(_has_defaulted(view, c) for c in group) if group else None,
        "group_mean_days_late_12m": weighted(paid, lambda r: r["late"], lambda r: r["amount"]),
        "industry_default_share": share(sum(_has_defaulted(view, c) for c in active), len(active)),
    }
    found["broken_plan_count_12m"] = _broken_plans(view, customer)
    found["industry_index_change_3m"] = _index_change(view, customer)
    return found | _marked(view, customer)


def _has_defaulted(view, customer):
    insolvent = [r for r in view.recent("events", customer, 24, "occurred_on") if r["kind"] == "insolvency"]
    lost = [r for r in view.of("invoices", customer) if r["written_off_on"] is not None]
    lost = [r for r in lost if r["written_off_on"] > view.before(12)]
    return bool(insolvent or lost or [r for r in view.owed(customer) if r["dpd"] > 90])


def _is_active(view, customer):
    billed = view.recent("invoices", customer, 12, "issued_on")
    return bool(view.owed(customer) or billed or _has_defaulted(view, customer))


def _plain(text):
    return "".join(letter for letter in text.upper() if letter not in " ,.;:/()+-")


def _marked(view, customer):
    found, linked = {}, None
    for mark in _MARKS:
        master = view.master(customer)
        own = _plain(master[mark]) if master and master[mark] else ""
        alike = view.alike(mark, lambda r, mark=mark: _plain(r[mark] or ""))
        others = [other for other in alike[own] if own and other != customer]
        found[f"shared_{mark}_count"] = len(others) if own else None
        if own:
            linked = (linked or 0) + sum(_has_defaulted(view, other) for other in others)
    return found | {"linked_default_count": linked}


def _broken_plans(view, customer):
    """Under which nothing came for 45 days while something is overdue."""
    plans = [r for r in view.recent("events", customer, 12, "occurred_on") if r["kind"] == "payment_plan"]
    paid = [r["paid_on"] for r in view.paid(customer, 12)]
    steps = [max([plan["occurred_on"], *paid]) for plan in plans]
    return sum((view.day - step).days > 45 for step in steps) if total(view.owed(customer), "overdue") > 0 else 0


def _index_change(view, customer):
    """Of the series of the customer's code where it has a value on the day, else of its section's."""
    master = view.master(customer)
    names = [(master["industry"] or "").strip(), section(master)] if master else []
    for name in names:
        rows = [r for r in view.rows("indicators") if r["series"] == f"industry:{name}"]
        rows = sorted((r for r in rows if r["period_on"] > view.before(36)), key=lambda r: r["period_on"])
        if rows:
            before = [r["value"] for r in rows if r["period_on"] <= view.before(3)]
            return share(rows[-1]["value"] - before[-1], before[-1]) if before else None
    return None
