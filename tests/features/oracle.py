"""The same columns by plain loops over plain rows, one customer and one day at a time."""

import itertools
import math
from collections import defaultdict

from pipeline.history.snapshots import months_before
from pipeline.tables.ledger import BY_NAME


def known(book, table, day):
    """Latest revision per key known by the day, revealed facts of later days cut, events after the day left out."""
    contract = BY_NAME[table]
    latest = {}
    for row in book[table]:
        key = tuple(row[name] for name in contract.key)
        if row["known_on"] <= day and (key not in latest or latest[key]["known_on"] < row["known_on"]):
            latest[key] = row
    rows = []
    for row in latest.values():
        told = dict(row)
        for column in contract.columns:
            if column.is_revealed and row[column.name] is not None and row[column.name] > day:
                told |= dict.fromkeys((column.name, *column.reveals))
        if contract.event_on is None or told[contract.event_on] <= day:
            rows.append(told)
    return rows


def standing(book, day):
    """Open invoices and debit notes of everybody on the day: rows with `open`, `dpd`, `overdue`."""
    paid = defaultdict(int)
    for row in known(book, "payments", day):
        paid[row["invoice_id"]] += row["amount"]
    rows = []
    for row in known(book, "invoices", day):
        left = row["amount"] - paid[row["invoice_id"]]
        if row["kind"] == "credit_note" or left <= 0 or row["written_off_on"] is not None:
            continue
        dpd = max((day - row["due_on"]).days, 0)
        rows.append(row | {"open": left, "dpd": dpd, "overdue": left if dpd else 0})
    return rows


def paid_rows(book, customer, day):
    """Payments of the customer that brought money, with `late`, `final`, `age` months window test left to callers."""
    items = {row["invoice_id"]: row for row in known(book, "invoices", day) if row["customer_id"] == customer}
    payments = [r for r in known(book, "payments", day) if r["customer_id"] == customer and r["invoice_id"] in items]
    sums, notes, settled = defaultdict(int), set(), defaultdict(int)
    for row in payments:
        sums[row["payment_id"]] += row["amount"]
        settled[row["invoice_id"]] += row["amount"]
        if items[row["invoice_id"]]["kind"] == "credit_note":
            notes.add(row["payment_id"])
    rows = []
    for row in payments:
        item = items[row["invoice_id"]]
        if item["kind"] == "credit_note" or (row["payment_id"] in notes and sums[row["payment_id"]] == 0):
            continue
        rows.append(row | {"late": (row["paid_on"] - item["due_on"]).days, "item": item})
    last = {}
    for row in payments:
        if row["amount"] > 0:
            place = (row["paid_on"], row["payment_id"])
            last[row["invoice_id"]] = max(last.get(row["invoice_id"], place), place)
    for row in rows:
        is_last = last.get(row["invoice_id"]) == (row["paid_on"], row["payment_id"])
        row["final"] = is_last and row["amount"] > 0 and settled[row["invoice_id"]] >= row["item"]["amount"]
    return rows


def share(part, whole):
    return None if not whole or whole <= 0 else float(part) / float(whole)


def weighted(rows, value, weight):
    return share(sum(value(r) * weight(r) for r in rows), sum(weight(r) for r in rows))


def quantile(values, point):
    ordered = sorted(values)
    if not ordered:
        return None
    place = point * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def less(a, b):
    return None if a is None or b is None else a - b


def paydex(late):
    """Points by straight lines between D&B's steps."""
    steps = [(-30, 100), (-20, 90), (0, 80), (15, 70), (22, 60), (30, 50), (60, 40), (90, 30), (120, 20), (177, 1)]
    if late <= -30:
        return 100.0
    for (d0, p0), (d1, p1) in itertools.pairwise(steps):
        if late <= d1:
            return p0 + (p1 - p0) * (late - d0) / (d1 - d0)
    return 1.0


def columns(book, customer, day):
    """What the loops find: a dict of columns; a column that is missing is not told by the oracle."""
    found = {}
    found |= _payments(book, customer, day)
    found |= _open(book, customer, day)
    found |= _trade(book, customer, day)
    found |= _accounts(book, customer, day)
    found |= _agreements(book, customer, day)
    found |= _outside(book, customer, day)
    return found


def own(book, table, customer, day):
    return [row for row in known(book, table, day) if row["customer_id"] == customer]


def _payments(book, customer, day):
    every = paid_rows(book, customer, day)
    inside = {k: [r for r in every if r["paid_on"] > months_before(day, k)] for k in (3, 6, 12, 24)}
    paid = {k: [r for r in rows if r["amount"] > 0] for k, rows in inside.items()}
    overdue = [r for r in standing(book, day) if r["customer_id"] == customer and r["dpd"]]

    def mean(rows):
        return weighted(rows, lambda r: r["late"], lambda r: r["amount"])

    year = paid[12]
    average = mean(year)
    square = weighted(year, lambda r: r["late"] ** 2, lambda r: r["amount"])
    older = [r for r in year if r["paid_on"] <= months_before(day, 3)]
    final = {k: [r["late"] for r in rows if r["final"]] for k, rows in paid.items()}
    total = sum(r["amount"] for r in year)
    due = [r for r in own(book, "invoices", customer, day) if r["amount"] > 0]
    due = [r for r in due if months_before(day, 6) < r["due_on"] <= day]
    unpaid = {r["invoice_id"]: r["overdue"] for r in overdue}
    with_overdue = [(r["late"], r["amount"]) for r in year] + [(r["dpd"], r["open"]) for r in overdue]
    half = [r["late"] for r in paid[6]] + [r["dpd"] for r in overdue]
    return {
        **{f"mean_days_late_{k}m": mean(paid[k]) for k in (3, 6, 12)},
        "spread_of_days_late_12m": None if average is None else math.sqrt(max(square - average**2, 0)),
        "days_late_change_12m": less(mean(paid[3]), mean(older)),
        "median_days_late_12m": quantile(final[12], 0.5),
        "range_of_days_late_24m": less(quantile(final[24], 0.9), quantile(final[24], 0.1)),
        "days_late_over_own_best_24m": less(quantile(final[6], 0.5), quantile(final[24], 0.1)),
        "share_paid_over_0_days_late_12m": share(sum(r["amount"] for r in year if r["late"] > 0), total),
        "share_paid_over_30_days_late_12m": share(sum(r["amount"] for r in year if r["late"] > 30), total),
        "share_paid_early_12m": share(sum(r["amount"] for r in year if r["late"] <= -5), total),
        "paydex_12m": share(sum(paydex(r["late"]) * float(r["amount"]) for r in year), total),
        "worst_days_late_12m": max((r["late"] for r in year), default=None),
        "mean_days_to_pay_12m": weighted(
            year, lambda r: (r["paid_on"] - r["item"]["issued_on"]).days, lambda r: r["amount"]
        ),
        "part_payment_share_12m": share(sum(not r["final"] for r in year), len(year)),
        "settled_invoice_count_12m": sum(r["final"] for r in year),
        "bounced_payment_count_12m": sum(r["amount"] < 0 for r in inside[12]),
        "mean_days_late_with_overdue_12m": share(sum(d * a for d, a in with_overdue), sum(a for _, a in with_overdue)),
        "worst_days_late_with_overdue_6m": max(half, default=None),
        "unpaid_share_of_due_6m": share(
            sum(unpaid.get(r["invoice_id"], 0) for r in due), sum(r["amount"] for r in due)
        ),
        "days_since_last_payment": min(((day - r["paid_on"]).days for r in year), default=None),
    }


def _open(book, customer, day):
    rows = [r for r in standing(book, day) if r["customer_id"] == customer]
    before = [r for r in standing(book, months_before(day, 3)) if r["customer_id"] == customer]
    paid = [r for r in paid_rows(book, customer, day) if r["amount"] > 0 and r["paid_on"] > months_before(day, 12)]
    habit = weighted(paid, lambda r: r["late"], lambda r: r["amount"])
    usual = None if habit is None else max(habit, 0)
    total, overdue = sum(r["open"] for r in rows), sum(r["overdue"] for r in rows)
    billed = sum(r["amount"] for r in own(book, "invoices", customer, day) if r["issued_on"] > months_before(day, 12))
    oldest = max((r["dpd"] for r in rows), default=None)
    beyond = sum(r["open"] for r in rows if usual is not None and r["dpd"] > usual + 10)
    return {
        "open_amount": total,
        "open_item_count": len(rows),
        "overdue_item_count": sum(r["dpd"] > 0 for r in rows),
        "open_share_over_30_days_past_due": share(sum(r["open"] for r in rows if r["dpd"] > 30), total),
        "open_share_1_to_30_days_past_due": share(sum(r["open"] for r in rows if 0 < r["dpd"] <= 30), total),
        "oldest_days_past_due": oldest,
        "mean_days_past_due": share(sum(r["dpd"] * r["open"] for r in rows), total),
        "open_share_beyond_habit": None if usual is None else share(beyond, total),
        "oldest_days_past_due_over_habit": None if None in (usual, oldest) else max(oldest - usual, 0),
        "largest_open_item_share": share(max((r["open"] for r in rows), default=0), total),
        "dso_12m": share(total * 365, billed),
        "overdue_days_of_billing": share(overdue * 365, billed),
        "overdue_growth_3m": share(overdue - sum(r["overdue"] for r in before), billed),
    }


def _trade(book, customer, day):
    orders = [r for r in own(book, "orders", customer, day) if r["ordered_on"] > months_before(day, 18)]
    year = [r for r in orders if r["ordered_on"] > months_before(day, 12)]
    live = [r for r in orders if r["cancelled_on"] is None]

    def ordered(first, last=0):
        return sum(r["amount"] for r in live if months_before(day, first) < r["ordered_on"] <= months_before(day, last))

    invoices = [r for r in own(book, "invoices", customer, day) if r["issued_on"] > months_before(day, 12)]
    bills = [r for r in invoices if r["amount"] > 0]
    master = own(book, "customers", customer, day)
    dates = [r["ordered_on"] for r in year]
    gap = None
    if len(dates) >= 3 and max(dates) > min(dates):
        gap = (day - max(dates)).days * (len(dates) - 1) / (max(dates) - min(dates)).days
    industry = master[0]["industry"] if master else None
    return {
        "order_count_3m": sum(r["ordered_on"] > months_before(day, 3) for r in orders),
        "order_trend_12m": share(ordered(3) * 4, ordered(12)),
        "order_level_year_on_year_18m": share(ordered(6), ordered(18, 12)),
        "cancelled_order_share_12m": share(
            sum(r["amount"] for r in year if r["cancelled_on"]), sum(r["amount"] for r in year)
        ),
        "days_since_last_order": min(((day - r["ordered_on"]).days for r in orders), default=None),
        "order_gap_over_habit_12m": gap,
        "billed_amount_12m": sum(r["amount"] for r in invoices),
        "billed_month_count_12m": len({(r["issued_on"].year, r["issued_on"].month) for r in bills}),
        "credit_note_share_12m": share(
            -sum(r["amount"] for r in invoices if r["amount"] < 0), sum(r["amount"] for r in bills)
        ),
        "mean_terms_days_12m": weighted(bills, lambda r: (r["due_on"] - r["issued_on"]).days, lambda r: r["amount"]),
        "tenure_months": (day - master[0]["customer_since"]).days / 30.4375 if master else None,
        "industry_section": industry[0] if industry and industry[0].isalpha() else None,
        "size_class": master[0]["size_class"] if master else None,
    }


def _accounts(book, customer, day):
    known_accounts = [r for r in own(book, "financials", customer, day) if r["period_end"] > months_before(day, 36)]
    names = ("current_ratio", "equity_ratio", "interest_coverage", "net_margin", "receivable_days", "revenue_growth",
             "accounts_age_months", "altman_z_double_prime")  # fmt: skip
    if not known_accounts:
        return dict.fromkeys(names)
    last = max(known_accounts, key=lambda r: r["period_end"])
    before = [
        r for r in known_accounts
        if r["period_months"] == last["period_months"] and 350 <= (last["period_end"] - r["period_end"]).days <= 380
    ]  # fmt: skip
    assets = last["total_assets"]
    interest = last["interest_expense"]
    working = last["current_assets"] - last["current_liabilities"]
    year = 12 / last["period_months"]
    growth = share(last["revenue"] - before[0]["revenue"], before[0]["revenue"]) if before else None
    return {
        "current_ratio": share(last["current_assets"], last["current_liabilities"]),
        "equity_ratio": share(last["equity"], assets),
        "interest_coverage": share(last["ebit"], interest) if interest else None,
        "net_margin": share(last["net_income"], last["revenue"]),
        "receivable_days": share(float(last["receivables"]) * 365, float(last["revenue"]) * year),
        "revenue_growth": growth,
        "accounts_age_months": (day - last["period_end"]).days / 30.4375,
        "altman_z_double_prime": 6.56 * share(working, assets)
        + 3.26 * share(last["retained_earnings"], assets)
        + 6.72 * share(float(last["ebit"]) * year, assets)
        + 1.05 * share(last["equity"], last["total_liabilities"]),
    }


def _valid(rows, day):
    return [r for r in rows if r["valid_from"] <= day and (r["valid_to"] is None or r["valid_to"] >= day)]


def _agreements(book, customer, day):
    limits = own(book, "limits", customer, day)
    now = max(_valid(limits, day), key=lambda r: r["valid_from"], default=None)
    then = max(_valid(limits, months_before(day, 12)), key=lambda r: r["valid_from"], default=None)
    total = sum(r["open"] for r in standing(book, day) if r["customer_id"] == customer)
    covers = _valid(own(book, "covers", customer, day), day)
    duties = [r for r in own(book, "obligations", customer, day) if months_before(day, 12) < r["due_on"] <= day]
    late = [((r["fulfilled_on"] or day) - r["due_on"]).days for r in duties]
    disputes = [r for r in own(book, "disputes", customer, day) if r["opened_on"] > months_before(day, 12)]
    return {
        "utilisation": share(total, now["limit_amount"]) if now else None,
        "limit_change_12m": share(now["limit_amount"], then["limit_amount"]) if now and then else None,
        "cover_to_open": share(sum(r["amount"] for r in covers), total) if covers else None,
        "late_obligation_share_12m": share(sum(d > 0 for d in late), len(late)),
        "mean_obligation_days_late_12m": sum(late) / len(late) if late else None,
        "dispute_count_12m": len(disputes),
        "rejected_dispute_share_12m": share(
            sum(r["outcome"] == "rejected" for r in disputes), sum(r["resolved_on"] is not None for r in disputes)
        ),
    }


def _outside(book, customer, day):
    master = {r["customer_id"]: r for r in known(book, "customers", day)}
    group = master[customer]["group_id"] if customer in master else None
    others = {c for c, r in master.items() if group and r["group_id"] == group and c != customer}
    debts = [r for r in standing(book, day) if r["customer_id"] in others]
    events = own(book, "events", customer, day)
    ratings = [r for r in events if r["kind"] == "external_rating" and r["occurred_on"] > months_before(day, 36)]

    def order(row):
        return (row["occurred_on"], row["known_on"], row["event_id"])

    rating = max(ratings, key=order, default=None)
    old = [r for r in ratings if r["occurred_on"] <= months_before(day, 12)]
    earlier = max(old, key=order, default=None)
    pmi = [r for r in known(book, "indicators", day) if r["series"] == "macro:pmi"]
    pmi = [r for r in pmi if r["period_on"] > months_before(day, 36)]
    last = max(pmi, key=lambda r: r["period_on"], default=None)
    year_ago = max(
        (r for r in pmi if r["period_on"] <= months_before(day, 12)), key=lambda r: r["period_on"], default=None
    )
    return {
        "group_member_count": len(others) or None,
        "group_overdue_share": share(sum(r["overdue"] for r in debts), sum(r["open"] for r in debts)),
        "litigation_count_12m": sum(
            r["kind"] == "litigation" and r["occurred_on"] > months_before(day, 12) for r in events
        ),
        "external_rating": rating["value"] if rating else None,
        "external_rating_change_12m": rating["value"] - earlier["value"] if earlier else None,
        "pmi": last["value"] if last else None,
        "pmi_change_12m": last["value"] - year_ago["value"] if year_ago else None,
    }
