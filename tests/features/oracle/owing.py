"""What is owed on the day, how old it is, and how it stands against billing and habit."""

from .arithmetic import share, total


def owing(view, customer):
    rows = view.owed(customer)
    whole = total(rows, "open")
    found = {
        "open_amount": whole,
        "open_item_count": len(rows),
        "overdue_item_count": sum(r["dpd"] > 0 for r in rows),
        "overdue_item_share": share(sum(r["dpd"] > 0 for r in rows), len(rows)) if rows else 0,
        "open_share_1_to_30_days_past_due": share(total((r for r in rows if 0 < r["dpd"] <= 30), "open"), whole),
        "oldest_days_past_due": max((r["dpd"] for r in rows), default=0),
        "mean_days_past_due": share(sum(min(r["dpd"], 90) * r["open"] for r in rows), whole) if rows else 0,
        "largest_open_item_share": share(max((r["open"] for r in rows), default=None), whole),
        "open_credit_share": share(-total(view.credits(customer), "open"), whole),
    }
    for days in (0, 30, 60, 90):
        old = total((r for r in rows if r["dpd"] > days), "open")
        found[f"open_share_over_{days}_days_past_due"] = share(old, whole) if rows else 0
    return found | _against_habit(view, customer, rows) | _against_billing(view, customer, rows)


def _against_habit(view, customer, rows):
    habit = view.habit(customer)
    if habit is None:
        return {"open_share_beyond_habit": None, "oldest_days_past_due_over_habit": None}
    usual = max(habit, 0)
    return {
        "open_share_beyond_habit": share(
            total((r for r in rows if r["dpd"] > usual + 10), "open"), total(rows, "open")
        ),
        "oldest_days_past_due_over_habit": max(max((r["dpd"] for r in rows), default=0) - usual, 0),
    }


def _against_billing(view, customer, rows):
    """Against what was billed (less credit notes) and paid; three months ago is told as it was known then."""
    whole, overdue = total(rows, "open"), total(rows, "overdue")
    before = view.then(3).owed(customer)
    billed = {k: total(view.recent("invoices", customer, k, "issued_on")) for k in (3, 12)}
    soon = total((r for r in rows if (r["due_on"] - view.day).days <= 30), "open")
    return {
        "dso_3m": share(whole * 91, billed[3]),
        "dso_12m": share(whole * 365, billed[12]),
        "overdue_days_of_billing": share(overdue * 365, billed[12]),
        "overdue_growth_3m": share(overdue - total(before, "overdue"), billed[12]),
        "open_growth_3m": share(whole - total(before, "open"), billed[12]),
        "due_soon_in_months_of_payment": share(soon * 12, total(view.paid(customer, 12))),
        "paid_to_billed_3m": share(total(view.paid(customer, 3)), billed[3]),
    }
