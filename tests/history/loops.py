"""A random book full of trouble, and the history of it told by plain loops, day by day, without an engine."""

# ruff: noqa: PLR0917  rows of a ledger are written in one order throughout
from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal

import pyarrow as pa

START = dt.date(2023, 1, 1)
KEYS = {
    "customers": ("customer_id",),
    "invoices": ("invoice_id",),
    "payments": ("payment_id", "invoice_id"),
    "disputes": ("dispute_id",),
    "orders": ("order_id",),
    "events": ("event_id",),
}
EVENT_ON = {
    "invoices": "issued_on",
    "payments": "paid_on",
    "disputes": "opened_on",
    "orders": "ordered_on",
    "events": "occurred_on",
}
RATE = Decimal("1.13")


def day(number):
    return START + dt.timedelta(days=number)


def money(number):
    return Decimal(number).quantize(Decimal("0.01"))


def random_book(seed, customers=40, span=500):
    """Rows by table; every revision in; `span` days from START."""
    rng = random.Random(seed)
    book = {name: [] for name in KEYS}
    for number in range(customers):
        _customer(rng, book, f"C{number:03d}", span)
    return book


def _customer(rng, book, customer, span):
    person = rng.random() < 0.2
    base = {"customer_id": customer, "name": customer, "customer_since": START, "known_on": START}
    group = f"G{rng.randrange(4)}" if rng.random() < 0.4 else None
    book["customers"].append({**base, "is_natural_person": person, "group_id": group})
    if rng.random() < 0.15:
        book["customers"].append({**base, "is_natural_person": not person, "group_id": group, "known_on": day(200)})
    scale = rng.choice([100, 400, 5000])
    if rng.random() < 0.15:
        # One who bought and paid once, early, and never came back.
        early = _row_of_invoice(rng, customer, f"{customer}-0", rng.randrange(0, 60), scale)
        book["invoices"].append(early)
        book["payments"].append(_payment(customer, customer, early["invoice_id"], 70, 70, early["amount_document"]))
        book["payments"][-1]["amount"] = early["amount"]
        return
    for index in range(rng.randrange(1, 9)):
        _invoice(rng, book, customer, f"{customer}-{index}", rng.randrange(0, span - 60), scale)
    if rng.random() < 0.5:
        when = rng.randrange(30, span)
        book["payments"].append(_payment(customer, f"{customer}-cash", None, when, when, money(3000)))
    if rng.random() < 0.1:
        when = rng.randrange(100, span)
        row = {"event_id": customer, "customer_id": customer, "kind": "insolvency", "occurred_on": day(when)}
        book["events"].append({**row, "known_on": day(when + rng.choice([0, 3, 40]))})
    if rng.random() < 0.3:
        when = rng.randrange(0, span)
        row = {"order_id": customer, "customer_id": customer, "ordered_on": day(when), "amount": money(70)}
        book["orders"].append({**row, "known_on": day(when)})


def _row_of_invoice(rng, customer, name, issued, scale):
    document = money(rng.randrange(20, 300) * scale) / 100
    is_foreign = rng.random() < 0.2
    return {
        "invoice_id": name,
        "customer_id": customer,
        "kind": rng.choice(["invoice"] * 5 + ["debit_note"]),
        "issued_on": day(issued),
        "due_on": day(issued + rng.choice([0, 10, 30])),
        "amount": money(document * RATE) if is_foreign else document,
        "currency": "USD" if is_foreign else "EUR",
        "written_off_on": None,
        "known_on": day(issued + rng.choice([0, 0, 0, 2, 35])),
        "amount_document": document,
    }


def _invoice(rng, book, customer, name, issued, scale):
    row = _row_of_invoice(rng, customer, name, issued, scale)
    book["invoices"].append(row)
    if rng.random() < 0.15:
        later = row["known_on"] + dt.timedelta(days=rng.randrange(1, 150))
        change = rng.choice(["due_on", "written_off_on", "amount"])
        revised = {**row, "known_on": later}
        if change == "due_on":
            revised["due_on"] = row["due_on"] + dt.timedelta(days=40)
        elif change == "written_off_on":
            revised["written_off_on"] = later + dt.timedelta(days=rng.choice([-20, 0, 30]))
            revised["written_off_on"] = max(revised["written_off_on"], row["issued_on"])
        else:
            revised["amount"], revised["amount_document"] = money(row["amount"] / 2), money(row["amount_document"] / 2)
        book["invoices"].append(revised)
    _payments(rng, book, row, (row["due_on"] - START).days)
    if rng.random() < 0.35:
        _disputes(rng, book, row, issued)


def _payment(customer, name, invoice, paid, known, document, rate=1):
    return {
        "payment_id": name,
        "invoice_id": invoice,
        "customer_id": customer,
        "paid_on": day(paid),
        "amount": money(document * rate),
        "known_on": day(known),
        "amount_document": document,
    }


def _payments(rng, book, invoice, due):
    document, name, customer = invoice["amount_document"], invoice["invoice_id"], invoice["customer_id"]
    rate = RATE if invoice["currency"] == "USD" else 1
    way = rng.choice(
        ["full", "full", "full", "late", "late", "partial", "bounce", "credit", "never", "over", "revised"]
    )
    paid = due + (rng.randrange(60, 200) if way in ("late", "bounce") else rng.randrange(-15, 60))
    known = paid + rng.choice([0, 0, 0, 1, 5, 50])
    rows = book["payments"]
    if way in ("full", "late", "bounce", "revised"):
        rows.append(_payment(customer, f"P{name}", name, paid, known, document, rate))
    if way == "revised":
        change = rng.choice([{"paid_on": day(paid + 100)}, {"amount": money(1), "amount_document": money(1)}])
        rows.append({**rows[-1], **change, "known_on": day(known + rng.randrange(20, 150))})
    if way == "bounce":
        back = paid + rng.randrange(1, 30)
        rows.append(_payment(customer, f"B{name}", name, back, back + rng.choice([0, 10]), -document, rate))
        if rng.random() < 0.5:
            rows.append(_payment(customer, f"Q{name}", name, back + 20, back + 20, document, rate))
    if way == "over":
        rows.append(_payment(customer, f"P{name}", name, paid, known, document + 5, rate))
    if way == "partial":
        part = money(document * rng.choice([20, 50, 97]) / 100)
        rows.append(_payment(customer, f"P{name}", name, paid, known, part, rate))
        if rng.random() < 0.4:
            rows.append(_payment(customer, f"Q{name}", name, paid + 40, paid + 40, document - part, rate))
    if way == "credit":
        note = {
            **invoice,
            "invoice_id": f"N{name}",
            "kind": "credit_note",
            "due_on": None,
            "amount": -invoice["amount"],
        }
        note |= {"amount_document": -document, "issued_on": day(paid), "known_on": day(paid)}
        book["invoices"].append(note)
        if rng.random() < 0.7:
            rows.append(_payment(customer, f"K{name}", name, paid + 5, paid + 5, document, rate))
            rows.append(_payment(customer, f"K{name}", f"N{name}", paid + 5, paid + 5, -document, rate))


def _disputes(rng, book, invoice, issued):
    for index in range(rng.choice([1, 1, 2, 3])):
        opened = issued + rng.randrange(0, 130)
        part = None if rng.random() < 0.3 else money(invoice["amount"] * rng.choice([20, 50, 90]) / 100)
        resolved = None if rng.random() < 0.3 else day(opened + rng.randrange(0, 120))
        row = {
            "dispute_id": f"{invoice['invoice_id']}-{index}",
            "invoice_id": invoice["invoice_id"],
            "customer_id": invoice["customer_id"],
            "opened_on": day(opened),
            "amount": part,
            "resolved_on": resolved,
            "outcome": None if resolved is None else rng.choice(["upheld", "rejected", "partial"]),
            "known_on": day(opened + rng.choice([0, 0, 4])),
            "amount_document": part,
        }
        if resolved is not None and rng.random() < 0.5:
            book["disputes"].append({**row, "resolved_on": None, "outcome": None})
            row = {**row, "known_on": max(resolved, row["known_on"] + dt.timedelta(days=1))}
        book["disputes"].append(row)


def tables_of(book):
    """The rows as Arrow tables; empty tables are left out."""
    return {name: pa.Table.from_pylist(rows) for name, rows in book.items() if rows}


def known(book, table, when, until=None):
    """The latest revision of each key known on `when`, dated not after `until` (`when` when null)."""
    latest = {}
    for row in sorted(book[table], key=lambda r: r["known_on"]):
        if row["known_on"] <= when:
            latest[tuple(row[k] for k in KEYS[table])] = row
    event_on = EVENT_ON.get(table)
    return [row for row in latest.values() if event_on is None or row[event_on] <= (until or when)]


def _open_at(invoice, payments, when):
    """Open amount in the document's currency and in the base currency."""
    paid = [p for p in payments if p["invoice_id"] == invoice["invoice_id"] and p["paid_on"] <= when]
    document = invoice["amount_document"] - sum(p["amount_document"] for p in paid)
    base = invoice["amount"] - sum(p["amount"] for p in paid)
    if invoice["kind"] == "credit_note":
        return (document, min(base, money(-1) / 100)) if document < 0 else (0, money(0))
    return (document, max(base, money(1) / 100)) if document > 0 else (0, money(0))


def _disputed(disputes, invoice_id, when, knowledge):
    total = money(0)
    for row in disputes:
        resolved = row["resolved_on"] if row["resolved_on"] and row["resolved_on"] <= knowledge else dt.date.max
        if row["invoice_id"] == invoice_id and row["opened_on"] <= when < resolved:
            total += row["amount"] if row["amount"] is not None else Decimal(10**13)
    return total


def _written_off(invoice, knowledge):
    told = invoice["written_off_on"]
    return told if told is not None and told <= knowledge else dt.date.max


def open_items(book, when, knowledge=None):
    """{invoice_id: (open, disputed, days past due, overdue)} as known on `knowledge` (`when` when null)."""
    knowledge = knowledge or when
    payments, disputes = known(book, "payments", knowledge, when), known(book, "disputes", knowledge, when)
    found = {}
    for invoice in known(book, "invoices", knowledge, when):
        document, base = _open_at(invoice, payments, when)
        if document == 0 or _written_off(invoice, knowledge) <= when:
            continue
        is_late = invoice["kind"] != "credit_note" and invoice["due_on"] is not None and invoice["due_on"] < when
        part = _disputed(disputes, invoice["invoice_id"], when, knowledge)
        found[invoice["invoice_id"]] = (
            base,
            max(min(part, base), money(0)),
            (when - invoice["due_on"]).days if is_late else 0,
            base if is_late else money(0),
        )
    return found


class _Item:
    """One invoice as known on a day, with a clock per layer cut at every amount that was ever disputed."""

    def __init__(self, invoice, payments, disputes, knowledge, first, last):
        self.invoice, self.payments, self.knowledge = invoice, payments, knowledge
        own = [d for d in disputes if d["invoice_id"] == invoice["invoice_id"]]
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)] if own else []
        self.disputed = {t: _disputed(own, invoice["invoice_id"], t, knowledge) for t in days}
        cuts = sorted({amount for amount in self.disputed.values() if amount > 0})
        self.layers = list(zip([money(0), *cuts], [*cuts, Decimal(10**16)], strict=True))
        self.clocks = [0] * len(self.layers)

    def step(self, today, days):
        """Ages the layers by one day; gives the counting amount and the open amount of the day."""
        disputed = self.disputed.get(today, money(0))
        if self.invoice["due_on"] is not None and today > self.invoice["due_on"]:
            for place, (_, upper) in enumerate(self.layers):
                self.clocks[place] += upper > disputed
        stands = self.invoice["issued_on"] <= today < _written_off(self.invoice, self.knowledge)
        base = _open_at(self.invoice, self.payments, today)[1] if stands else money(0)
        counting = money(0)
        for clock, (lower, upper) in zip(self.clocks, self.layers, strict=True):
            if clock >= days and upper > disputed:
                counting += max(money(0), min(upper, base) - lower)
        return counting, base


def defaults(book, customer, knowledge, definition):
    """[(first day, last day + 1 or None, reason)] of the customer's defaults as known on `knowledge`."""
    mine = {name: [row for row in rows if row["customer_id"] == customer] for name, rows in book.items()}
    person = any(row["is_natural_person"] for row in known(mine, "customers", knowledge))
    amounts = definition.absolute["EUR"]
    threshold = amounts.natural_person if person else amounts.company
    payments, disputes = known(mine, "payments", knowledge), known(mine, "disputes", knowledge)
    invoices = [row for row in known(mine, "invoices", knowledge) if row["kind"] != "credit_note"]
    insolvent = {row["occurred_on"] for row in known(mine, "events", knowledge)}
    own = defaultdict(list)
    for row in payments:
        own[row["invoice_id"]].append(row)
    items = [_Item(row, own[row["invoice_id"]], disputes, knowledge, START, knowledge) for row in invoices]
    losses = {}
    for row in invoices:
        if _written_off(row, knowledge) <= knowledge and row["issued_on"] <= row["written_off_on"]:
            losses[row["invoice_id"]] = (
                row["written_off_on"],
                _open_at(row, own[row["invoice_id"]], row["written_off_on"]),
            )
    found, since, end, reason = [], None, None, None
    today = START
    while today <= knowledge:
        steps = [item.step(today, definition.days) for item in items]
        counting, total = sum(s[0] for s in steps), sum(s[1] for s in steps)
        causes = []
        if today in insolvent:
            causes.append(("insolvency", dt.date.max))
        if any(when == today and amount[1] > definition.write_off_above for when, amount in losses.values()):
            causes.append(("write_off", today + dt.timedelta(days=definition.write_off_days)))
        if counting > threshold and counting * 10_000 > total * definition.relative_basis_points:
            causes.append(("past_due", today + dt.timedelta(days=1 + definition.probation_days)))
        if since is not None and today >= end:
            found.append((since, end, reason))
            since = None
        if causes and since is None:
            since, end, reason = today, dt.date.min, causes[0][0]
        if causes:
            end = max(end, *(until for _, until in causes))
        today += dt.timedelta(days=1)
    if since is not None:
        found.append((since, None, reason))
    return found


def in_book(book, customer, when, year_before, knowledge=None):
    """An open item on `when`, or an invoice, payment or order after `year_before`, as known on `knowledge`."""
    mine = {name: [row for row in rows if row["customer_id"] == customer] for name, rows in book.items()}
    recent = any(
        row[EVENT_ON[table]] > year_before
        for table in ("invoices", "payments", "orders")
        for row in known(mine, table, knowledge or when, when)
    )
    return recent or bool(open_items(mine, when, knowledge))


def lateness(book, customer, extract_date):
    """[(due day, days from it until the item stayed settled; None: it stands open)] in hindsight."""
    mine = {name: [row for row in rows if row["customer_id"] == customer] for name, rows in book.items()}
    payments, found = known(mine, "payments", extract_date), []
    for invoice in known(mine, "invoices", extract_date):
        if invoice["kind"] == "credit_note":
            continue
        span = (extract_date - invoice["issued_on"]).days
        days = [invoice["issued_on"] + dt.timedelta(days=n) for n in range(span + 1)]
        standing = [t for t in days if _open_at(invoice, payments, t)[0] > 0]
        if extract_date in standing:
            found.append((invoice["due_on"], None))
        else:
            settled = max(standing) + dt.timedelta(days=1) if standing else invoice["due_on"]
            found.append((invoice["due_on"], (settled - invoice["due_on"]).days))
    return found


def outcome(book, customer, as_of, window, extract_date, definition, later):
    """(outcome, event day) of kind default; `window` is (last day, the day a year before it), `later` the defaults
    as known at the extract date."""
    last, year_before = window
    now = [d for d in defaults(book, customer, as_of, definition) if d[1] is None]
    if now or any(since <= as_of and (until is None or until > as_of) for since, until, _ in later):
        return "in_default", None
    if last + dt.timedelta(days=120) > extract_date:
        return "immature", None
    begun = [since for since, _, _ in later if as_of < since <= last]
    if begun:
        return "bad", min(begun)
    if not in_book(book, customer, last, year_before, extract_date):
        return "left", None
    mine = {name: [row for row in rows if row["customer_id"] == customer] for name, rows in book.items()}
    person = any(row["is_natural_person"] for row in known(mine, "customers", extract_date))
    amounts = definition.absolute["EUR"]
    old = sum(told[0] for told in open_items(mine, last, extract_date).values() if told[2] >= definition.days)
    is_old = old > (amounts.natural_person if person else amounts.company)
    return ("indeterminate" if is_old else "good"), None
