"""How the customer pays."""

import itertools
import math

from .arithmetic import less, quantile, share, total, weighted

# Dun & Bradstreet: days beyond terms and points.
_PAYDEX = ((-30, 100), (-20, 90), (0, 80), (15, 70), (22, 60), (30, 50), (60, 40), (90, 30), (120, 20), (177, 1))


def paydex(late):
    if late <= -30:
        return 100.0
    for (first, high), (last, low) in itertools.pairwise(_PAYDEX):
        if late <= last:
            return high + (low - high) * (late - first) / (last - first)
    return 1.0


def paying(view, customer):
    paid = {k: view.paid(customer, k) for k in (3, 6, 12, 24)}
    year = paid[12]
    settled = {k: [r["late"] for r in rows if r["final"]] for k, rows in paid.items()}
    usual = {k: [late for late in some if late <= 60] for k, some in settled.items()}
    counted = {k: [min(late, 90) for late in some] for k, some in settled.items()}
    back = [r for r in view.payments(customer) if r["amount"] < 0]
    found = _means(view, paid)
    found |= {f"share_paid_over_{d}_days_late_12m": _late_share(year, d) for d in (0, 10, 30, 60)}
    found |= {f"share_paid_over_{d}_days_late_3m": _late_share(paid[3], d) for d in (10, 30)}
    for k in (3, 12):
        found[f"paydex_{k}m"] = share(sum(paydex(r["late"]) * float(r["amount"]) for r in paid[k]), total(paid[k]))
    found |= {
        "median_days_late_12m": quantile(counted[12], 0.5) if usual[12] else None,
        "range_of_days_late_12m": less(quantile(counted[12], 0.9), quantile(usual[12], 0.1)),
        "range_of_days_late_24m": less(quantile(counted[24], 0.9), quantile(usual[24], 0.1)),
        "days_late_over_own_best_24m": quantile(counted[6], 0.5) - quantile(usual[24], 0.1) if usual[6] else None,
        "share_paid_early_12m": share(total(r for r in year if r["late"] <= -5), total(year)),
        "worst_days_late_12m": max((r["late"] for r in year), default=None),
        "part_payment_share_12m": _part_share(year),
        "part_payment_share_24m": _part_share(paid[24]),
        "settled_invoice_count_12m": len(settled[12]),
        **{f"bounced_payment_count_{k}m": sum(r["paid_on"] > view.before(k) for r in back) for k in (3, 12, 24)},
    }
    return found | _with_overdue(view, customer, paid)


def _means(view, paid):
    year = paid[12]
    counted = {k: weighted(paid[k], lambda r: min(r["late"], 90), lambda r: r["amount"]) for k in (3, 6, 12)}
    mean = {k: weighted(paid[k], lambda r: r["late"], lambda r: r["amount"]) for k in (3, 12)}
    square = weighted(year, lambda r: r["late"] ** 2, lambda r: r["amount"])
    earlier = [r for r in year if r["paid_on"] <= view.before(3)]
    return {
        **{f"mean_days_late_{k}m": value for k, value in counted.items()},
        "spread_of_days_late_12m": None if square is None else math.sqrt(max(square - mean[12] ** 2, 0)),
        "days_late_change_12m": less(mean[3], weighted(earlier, lambda r: r["late"], lambda r: r["amount"])),
        "mean_days_to_pay_12m": weighted(
            year, lambda r: (r["paid_on"] - r["item"]["issued_on"]).days, lambda r: r["amount"]
        ),
    }


def _part_share(paid):
    """Parts over parts and what settled an invoice at most 60 days late."""
    parts = [r for r in paid if not r["final"]]
    return share(len(parts), len(parts) + sum(r["final"] and r["late"] <= 60 for r in paid))


def _late_share(paid, days):
    return share(total(r for r in paid if r["late"] > days), total(paid))


def _with_overdue(view, customer, paid):
    """Days late of what was paid beside days past due of what is overdue, and what is unpaid of what fell due."""
    overdue = [r for r in view.owed(customer) if r["dpd"]]
    unpaid = {r["invoice_id"]: r["overdue"] for r in overdue}
    found = {}
    for k in (3, 12):
        pairs = [(r["late"], r["amount"]) for r in paid[k]] + [(r["dpd"], r["open"]) for r in overdue]
        mean = share(sum(min(d, 90) * a for d, a in pairs), sum(a for _, a in pairs))
        found[f"mean_days_late_with_overdue_{k}m"] = mean if pairs else 0
    for k in (6, 12):
        days = [r["late"] for r in paid[k]] + [r["dpd"] for r in overdue]
        found[f"worst_days_late_with_overdue_{k}m"] = max(days, default=0)
    for k in (3, 6, 12):
        due = [r for r in view.of("invoices", customer) if r["amount"] > 0]
        due = [r for r in due if view.before(k) < r["due_on"] <= view.day]
        left = sum(unpaid.get(r["invoice_id"], 0) for r in due)
        found[f"unpaid_share_of_due_{k}m"] = share(left, total(due))
    return found
