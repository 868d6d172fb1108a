"""The same season a year before, orders while money is owed, losses borne before, and how much is known at all."""

from .arithmetic import in_months, share, total

_STATED = ("tax_id", "founded_on", "industry", "region", "country", "size_class", "bank_account", "phone", "address")


def depth(view, customer):
    placed = [r for r in view.of("orders", customer) if r["cancelled_on"] is None]
    bills = [r for r in view.of("invoices", customer) if r["amount"] > 0]
    last_month = total(_between(view, placed, "ordered_on", 1, 0))
    before = total(_between(view, placed, "ordered_on", 12, 1))
    is_overdue = any(r["dpd"] for r in view.owed(customer))
    lost = [r for r in view.of("invoices", customer) if r["written_off_on"] is not None]
    return {
        "order_level_same_quarter": _against_year_before(view, placed, "ordered_on"),
        "billing_level_same_quarter": _against_year_before(view, bills, "issued_on"),
        "order_burst_while_overdue": share(last_month * 11, before) if is_overdue else None,
        "write_off_count_24m": sum(r["written_off_on"] > view.before(24) for r in lost),
        "history_months": _history(view, customer),
        "told_subject_share": _told(view, customer) / 5,
        "master_data_share": _filled(view.master(customer)),
        **_disputes(view, customer),
    }


def _disputes(view, customer):
    """An amount that the dispute does not tell is the whole invoice."""
    rows = view.recent("disputes", customer, 12, "opened_on")
    settled = [r for r in rows if r["resolved_on"] is not None]
    invoices = {r["invoice_id"]: r["amount"] for r in view.of("invoices", customer)}
    amounts = [invoices.get(r["invoice_id"]) if r["amount"] is None else r["amount"] for r in rows]
    amounts = [amount for amount in amounts if amount is not None]
    billed = total(view.recent("invoices", customer, 12, "issued_on"))
    return {
        "upheld_dispute_share_12m": share(sum(r["outcome"] == "upheld" for r in settled), len(settled)),
        "disputed_to_billed_12m": share(sum(amounts), billed) if amounts else None,
    }


def _between(view, rows, on, first, last):
    return [r for r in rows if view.before(first) < r[on] <= (view.before(last) if last else view.day)]


def _against_year_before(view, rows, on):
    return share(total(_between(view, rows, on, 3, 0)), total(_between(view, rows, on, 15, 12)))


def _history(view, customer):
    """From the first day on which somebody who looked would have seen an invoice."""
    seen = [max(r["known_on"], r["issued_on"]) for r in view.written("invoices", customer)]
    seen = [day for day in seen if day <= view.day]
    return in_months((view.day - min(seen)).days) if seen else None


def _told(view, customer):
    ordered = [r for r in view.recent("orders", customer, 12, "ordered_on") if r["cancelled_on"] is None]
    ratings = [r for r in view.recent("events", customer, 36, "occurred_on") if r["kind"] == "external_rating"]
    limits = [r for r in view.of("limits", customer) if _is_valid(r, "valid_from", "valid_to", view.day)]
    contracts = [r for r in view.of("contracts", customer) if _is_valid(r, "starts_on", "ends_on", view.day)]
    accounts = view.recent("financials", customer, 36, "period_end")
    return sum(map(bool, (ordered, accounts, limits, contracts, [r for r in ratings if r["value"] is not None])))


def _is_valid(row, first, last, day):
    return row[first] <= day and (row[last] is None or row[last] >= day)


def _filled(master):
    if master is None:
        return None
    return sum(master[name] is not None and str(master[name]).strip() != "" for name in _STATED) / len(_STATED)
