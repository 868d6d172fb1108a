"""How much the customer orders and is billed against its own past, and what the customer master says of it."""

from .arithmetic import in_months, less, share, total, weighted


def trading(view, customer):
    return _orders(view, customer) | _billing(view, customer) | _master(view, customer)


def _orders(view, customer):
    orders = {k: view.recent("orders", customer, k, "ordered_on") for k in (3, 6, 12, 18)}
    placed = {k: total(r for r in rows if r["cancelled_on"] is None) for k, rows in orders.items()}
    days = sorted(r["ordered_on"] for r in orders[12])
    gap = None
    if len(days) >= 3:
        gap = share((view.day - days[-1]).days * (len(days) - 1), (days[-1] - days[0]).days)
    live = [r for r in orders[18] if r["cancelled_on"] is None and r["ordered_on"] <= view.before(12)]
    cancelled = [r for r in orders[12] if r["cancelled_on"] is not None]
    billed = total(view.recent("invoices", customer, 3, "issued_on"))
    return {
        "order_count_3m": len(orders[3]),
        "order_count_12m": len(orders[12]),
        "order_trend_12m": share(placed[3] * 4, placed[12]),
        "order_level_year_on_year_18m": share(placed[6], total(live)),
        "cancelled_order_share_12m": share(total(cancelled), total(orders[12])),
        "days_since_last_order": min(((view.day - r["ordered_on"]).days for r in orders[18]), default=None),
        "order_gap_over_habit_12m": gap,
        "book_to_bill_3m": share(placed[3], billed),
    }


def _billing(view, customer):
    rows = view.recent("invoices", customer, 12, "issued_on")
    bills = {k: view.recent("invoices", customer, k, "issued_on") for k in (3, 6, 12, 18)}
    bills = {k: [r for r in some if r["kind"] != "credit_note"] for k, some in bills.items()}
    year_before = [r for r in bills[18] if r["issued_on"] <= view.before(12)]
    nine_before = [r for r in bills[12] if r["issued_on"] <= view.before(3)]
    notes = total(r for r in rows if r["kind"] == "credit_note")
    return {
        "billed_amount_12m": total(rows),
        "invoice_count_12m": len(bills[12]),
        "billed_month_count_12m": len({(r["issued_on"].year, r["issued_on"].month) for r in bills[12]}),
        "billing_trend_12m": share(total(bills[3]) * 4, total(bills[12])),
        "billing_level_year_on_year_18m": share(total(bills[6]), total(year_before)),
        "credit_note_share_12m": share(-notes, total(bills[12])),
        "mean_terms_days_12m": _terms(bills[12]),
        "terms_change_12m": less(_terms(bills[3]), _terms(nine_before)),
        "days_since_last_invoice": min(((view.day - r["issued_on"]).days for r in bills[18]), default=None),
        "days_since_last_payment": min(((view.day - r["paid_on"]).days for r in view.paid(customer, 12)), default=None),
    }


def _terms(bills):
    return weighted(bills, lambda r: (r["due_on"] - r["issued_on"]).days, lambda r: r["amount"])


def _master(view, customer):
    row = view.master(customer)
    if row is None:
        names = ("tenure_months", "firm_age_years", "industry_section", "size_class", "is_natural_person")
        return dict.fromkeys(names)
    founded = row["founded_on"]
    person = row["is_natural_person"]
    return {
        "tenure_months": in_months(max((view.day - row["customer_since"]).days, 0)),
        "firm_age_years": None if founded is None else max((view.day - founded).days, 0) / 365.25,
        "industry_section": section(row),
        "size_class": (row["size_class"] or "").strip() or None,
        "is_natural_person": None if person is None else int(person),
    }


def section(master):
    """The letter of the industry's code; a code without its letter names no section."""
    letter = (master["industry"] or "").strip()[:1].upper()
    return letter if "A" <= letter <= "Z" else None
