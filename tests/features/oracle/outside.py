"""What happens round the customer: group, industry, events, promises, ratings, indicators."""

import datetime as dt

from .arithmetic import in_months, less, share, total
from .trading import section


def outside(view, customer):
    return _peers(view, customer) | _events(view, customer) | _rating(view, customer) | _series(view, customer)


def sharing(view, customer, name, value):
    """The other customers known on the day for whom `value` is the same; nobody where it is null."""
    master = view.master(customer)
    own = value(master) if master else None
    return [] if own is None else [other for other in view.alike(name, value)[own] if other != customer]


def _peers(view, customer):
    group = sharing(view, customer, "group", lambda r: r["group_id"])
    industry = sharing(view, customer, "section", section)
    owed, sector = ([r for c in some for r in view.owed(c)] for some in (group, industry))
    debtors = [c for c in industry if view.owed(c)]
    late = {k: [r for c in industry for r in view.paid(c, k)] for k in (3, 12)}
    means = [share(sum(r["late"] * r["amount"] for r in rows), total(rows)) for rows in late.values()]
    failed = [r for c in group for r in view.recent("events", c, 24, "occurred_on") if r["kind"] == "insolvency"]
    return {
        "group_member_count": len(group) or None,
        "group_overdue_share": share(total(owed, "overdue"), total(owed, "open")),
        "group_share_over_90_days_past_due": share(_over_90(owed), total(owed, "open")),
        "group_insolvency_count_24m": len(failed) if group else None,
        "industry_overdue_share": share(total(sector, "overdue"), total(sector, "open")),
        "industry_share_over_90_days_past_due": share(sum(_over_90(view.owed(c)) > 0 for c in debtors), len(debtors)),
        "industry_days_late_change": less(*means),
    }


def _over_90(rows):
    return total((r for r in rows if r["dpd"] > 90), "open")


def _events(view, customer):
    def count(months, *kinds):
        return sum(r["kind"] in kinds for r in view.recent("events", customer, months, "occurred_on"))

    promises = [r for r in view.recent("events", customer, 12, "occurred_on") if r["kind"] == "promise_to_pay"]
    return {
        "litigation_count_12m": count(12, "litigation"),
        "litigation_count_24m": count(24, "litigation"),
        "lien_count_24m": count(24, "lien"),
        "payment_plan_count_12m": count(12, "payment_plan"),
        "contact_count_12m": count(12, "contact"),
        "master_change_count_12m": count(12, "address_change", "ownership_change"),
        "promise_count_12m": len(promises),
        "broken_promise_count_12m": sum(_is_broken(view, customer, r) for r in promises),
    }


def _promised_days(text, made):
    """Days to the day the text tells, as YYYY-MM-DD and within 90 days; else two weeks."""
    try:
        told = (dt.date.fromisoformat(text or "") - made).days
    except ValueError:
        return 14
    return told if 0 <= told <= 90 else 14


def _is_broken(view, customer, promise):
    """Not paid within three days of the promised day, which the text tells if it can, else two weeks on."""
    made = promise["occurred_on"]
    last = made + dt.timedelta(days=_promised_days(promise["text"], made) + 3)
    if last >= view.day:
        return False
    received = total(r for r in view.payments(customer) if made <= r["paid_on"] <= last)
    return received <= 0 or received < (promise["value"] or 0)


def _rating(view, customer):
    rows = view.recent("events", customer, 36, "occurred_on")
    rows = [r for r in rows if r["kind"] == "external_rating" and r["value"] is not None]
    rows.sort(key=lambda r: (r["occurred_on"], r["known_on"], r["event_id"]))
    earlier = [r for r in rows if r["occurred_on"] <= view.before(12)]
    last = rows[-1] if rows else None
    return {
        "external_rating": last["value"] if last else None,
        "external_rating_change_12m": last["value"] - earlier[-1]["value"] if earlier else None,
        "external_rating_age_months": in_months((view.day - last["occurred_on"]).days) if last else None,
    }


def _series(view, customer):
    master = view.master(customer)
    code = (master["industry"] or "").strip() if master else ""
    letter = section(master) if master else None
    now, before = _level(view, f"industry:{code}")
    if now is None:
        now, before = _level(view, f"industry:{letter}")
    pmi, pmi_before = _level(view, "macro:pmi")
    return {
        "industry_index_change_12m": share(less(now, before), before),
        "pmi": pmi,
        "pmi_change_12m": less(pmi, pmi_before),
    }


def _level(view, series):
    """The latest value published, and that of the latest period a year back; of 36 months."""
    rows = [r for r in view.rows("indicators") if r["series"] == series and r["period_on"] > view.before(36)]
    rows.sort(key=lambda r: r["period_on"])
    year_ago = [r for r in rows if r["period_on"] <= view.before(12)]
    return (rows[-1]["value"] if rows else None, year_ago[-1]["value"] if year_ago else None)
