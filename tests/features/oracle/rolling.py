"""What became of what stood open before, and on how many days it passed the limit."""

import datetime as dt

from .arithmetic import share, total
from .view import View


def rolling(view, customer):
    month, quarter = (_fate(view, customer, months) for months in (1, 3))
    rows = view.owed(customer)
    whole = total(rows, "open")
    current = whole - total(rows, "overdue")
    billed = total(view.recent("invoices", customer, 12, "issued_on"))
    return {
        "roll_rate_not_due_1m": _rate(month, lambda then: then == 0, lambda now: now > 0),
        "roll_rate_1_to_30_1m": _rate(month, lambda then: 1 <= then <= 30, lambda now: now > 30),
        "roll_rate_not_due_3m": _rate(quarter, lambda then: then == 0, lambda now: now > 0),
        "best_possible_dso_12m": share(current * 365, billed),
        "days_over_limit_share_12m": _over_limit(view, customer),
        "deposit_to_open": _deposits(view, customer, whole),
    }


def _fate(view, customer, months):
    """Of every item open then: days past due and amount then, and now (0 and 0 when it is no longer open)."""
    now = {r["invoice_id"]: r for r in view.owed(customer)}
    gone = {"dpd": 0, "open": 0}
    then = view.then(months).owed(customer)
    return [(r["dpd"], r["open"], now.get(r["invoice_id"], gone)) for r in then]


def _rate(fates, was_in, is_beyond):
    bucket = [(amount, now) for dpd, amount, now in fates if was_in(dpd)]
    return share(sum(min(a, now["open"]) for a, now in bucket if is_beyond(now["dpd"])), sum(a for a, _ in bucket))


def _deposits(view, customer, whole):
    rows = [r for r in view.of("contracts", customer) if r["starts_on"] <= view.day]
    rows = [r for r in rows if r["ends_on"] is None or r["ends_on"] >= view.day]
    return share(sum(r["deposit_amount"] or 0 for r in rows), whole) if rows else None


def _over_limit(view, customer):
    """Day by day, as known on each; nothing changes but on a day that some row names, so only those are looked at."""
    tables = ("invoices", "payments", "limits")
    book = {name: view.written(name, customer) for name in tables}
    if not book["limits"]:
        return None
    named = {v + dt.timedelta(days=ahead) for rows in book.values() for r in rows for v in r.values()
             if isinstance(v, dt.date) and v.year < 9999 for ahead in (0, 1)}  # fmt: skip
    first = view.before(12) + dt.timedelta(days=1)
    starts = sorted({first, *(d for d in named if first < d <= view.day)})
    ends = [*starts[1:], view.day + dt.timedelta(days=1)]
    limited = over = 0
    for start, end in zip(starts, ends, strict=True):
        then = View(book, start)
        valid = [r for r in then.rows("limits") if r["valid_from"] <= start]
        valid = [r for r in valid if r["valid_to"] is None or r["valid_to"] >= start]
        if valid:
            allowed = max(valid, key=lambda r: r["valid_from"])["limit_amount"]
            limited += (end - start).days
            over += (end - start).days * (total(then.owed(customer), "open") > allowed)
    return share(over, limited)
