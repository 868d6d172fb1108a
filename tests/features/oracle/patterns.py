"""How the way of paying moves: slope and turn of lateness, what is paid first, round sums, month ends, silence."""

import datetime as dt
import itertools
from fractions import Fraction

from .arithmetic import in_months, less, share, total, weighted


def patterns(view, customer):
    year = view.paid(customer, 12)
    mean = weighted(year, _late, _amount)
    settled = [r["late"] for r in year if r["final"]]
    usual = [r for r in year if r["late"] <= 60]
    taken = sum((r["paid_on"] - r["item"]["issued_on"]).days * r["amount"] for r in year)
    agreed = sum((r["item"]["due_on"] - r["item"]["issued_on"]).days * r["amount"] for r in year)
    return {
        "share_paid_over_90_days_late_12m": share(total(r for r in year if r["late"] > 90), total(year)),
        "days_late_slope_12m": _slope(view, year),
        "days_late_acceleration_12m": _acceleration(view, year),
        "days_late_of_large_invoices_12m": less(mean, sum(settled) / len(settled) if settled else None),
        "terms_used_12m": share(taken, agreed),
        "round_payment_share_12m": share(sum(_is_round(r) for r in year), len(year)),
        "month_end_payment_share_12m": share(total(r for r in usual if _is_at_month_end(r["paid_on"])), total(usual)),
        "payment_gap_over_habit_12m": _gap(view, year),
        "paid_new_before_old_share_3m": _new_before_old(view, customer),
        **_since_delays(view, customer, year),
    }


def _late(row):
    return row["late"]


def _amount(row):
    return row["amount"]


def _slope(view, year):
    """Least squares by its textbook form, about the means: Σw(x−x̄)(y−ȳ) over Σw(x−x̄)²."""
    points = [(Fraction(r["amount"]), Fraction((r["paid_on"] - view.day).days), r["late"]) for r in year]
    weight = sum(w for w, _, _ in points)
    if len({x for _, x, _ in points}) < 2:
        return None
    at_x = sum(w * x for w, x, _ in points) / weight
    at_y = sum(w * y for w, _, y in points) / weight
    rise = sum(w * (x - at_x) * (y - at_y) for w, x, y in points)
    return float(rise / sum(w * (x - at_x) ** 2 for w, x, _ in points)) * 30.4375


def _acceleration(view, year):
    last = [r for r in year if r["paid_on"] > view.before(3)]
    before = [r for r in year if view.before(6) < r["paid_on"] <= view.before(3)]
    earlier = [r for r in year if r["paid_on"] <= view.before(6)]
    first, second, third = (weighted(rows, _late, _amount) for rows in (earlier, before, last))
    return less(less(third, second), less(second, first))


def _digits_and_zeros(amount):
    """How many digits an amount in cents has before its last zeros, and how many zeros these are."""
    digits = str(int(amount * 100))
    leading = digits.rstrip("0")
    return len(leading), len(digits) - len(leading)


def _is_round(row):
    digits, zeros = _digits_and_zeros(row["amount_document"])
    return digits <= 2 and zeros >= _digits_and_zeros(row["item"]["amount_document"])[1] + 2


def _is_at_month_end(day):
    return any((day + dt.timedelta(days=ahead)).day == 1 for ahead in range(1, 6))


def _gap(view, year):
    days = sorted({r["paid_on"] for r in year})
    if len(days) < 3:
        return None
    gaps = [(later - earlier).days for earlier, later in itertools.pairwise(days)]
    return (view.day - days[-1]).days / (sum(gaps) / len(gaps))


def _new_before_old(view, customer):
    recent = view.paid(customer, 3)
    overdue = [r["due_on"] for r in view.owed(customer) if r["dpd"]]
    if not overdue:
        return 0.0 if recent else None
    oldest = min(overdue)
    newer = [r for r in recent if r["item"]["due_on"] > oldest and r["paid_on"] > oldest]
    return share(total(newer), total(recent))


def _since_delays(view, customer, year):
    delays = [(r["late"], (view.day - r["paid_on"]).days) for r in year]
    delays += [(r["dpd"], 0) for r in view.owed(customer) if r["dpd"]]
    worst = max((late for late, _ in delays), default=0)
    return {
        "months_since_worst_days_late_12m": in_months(
            min((age for late, age in delays if late == worst), default=None) if worst > 0 else None
        ),
        "months_since_over_30_days_late_12m": min((in_months(age) for late, age in delays if late > 30), default=12),
    }
