"""Small random books of all fourteen tables, full of late knowledge and revisions, as plain rows."""

import datetime as dt
import random
from decimal import Decimal

import pyarrow as pa

from pipeline.tables.ledger import BY_NAME, TABLES

FIRST, LAST = dt.date(2021, 3, 1), dt.date(2024, 6, 30)


def day_between(draw, first, last):
    return first + dt.timedelta(days=draw.randrange(max((last - first).days, 1)))


def after(day, days):
    return day + dt.timedelta(days=days)


def money(draw, low, high):
    return Decimal(draw.randrange(low * 100, high * 100)) / 100


def cents(amount):
    return amount.quantize(Decimal("0.01"))


class Book(dict):
    """Rows per table; every row is a dict of the canonical columns."""

    def add(self, table, **values):
        row = {name: values.get(name) for name in BY_NAME[table].canonical_schema.names}
        if "amount_document" in row and row["amount_document"] is None:
            row["amount_document"] = row["amount"]
        self[table].append(row)
        return row

    def arrow(self):
        return {name: pa.Table.from_pylist(rows, BY_NAME[name].canonical_schema) for name, rows in self.items()}

    def copy(self):
        twin = Book()
        twin.update({name: [dict(row) for row in rows] for name, rows in self.items()})
        return twin


def random_book(seed, customers=20):
    draw = random.Random(seed)
    book = Book({table.name: [] for table in TABLES})
    for number in range(customers):
        customer = f"{number:04d}"
        _master(draw, book, customer)
        _trade(draw, book, customer)
        _accounts(draw, book, customer)
        _agreements(draw, book, customer)
        _events(draw, book, customer)
    _indicators(draw, book)
    book.add("fx_rates", currency="USD", rate_on=FIRST, rate=0.9, known_on=FIRST)
    return book


def _master(draw, book, customer):
    since = day_between(draw, dt.date(2010, 1, 1), FIRST)
    values = {
        "customer_id": customer,
        "name": f"Firm {customer}",
        "customer_since": since,
        "founded_on": draw.choice([None, after(since, -draw.randrange(9000))]),
        "industry": draw.choice(["C26", "C10", "G46", "4711", None]),
        "group_id": draw.choice([None, None, "G1", "G2"]),
        "is_natural_person": draw.choice([None, True, False]),
        "size_class": draw.choice([None, "small", "large"]),
    }
    values |= _marks(customer)
    book.add("customers", **values, known_on=since)
    if draw.random() < 0.3:
        book.add(
            "customers", **(values | {"group_id": "G1", "industry": "G46"}), known_on=day_between(draw, FIRST, LAST)
        )


def _marks(customer):
    """What a few customers share, written in several ways; a source of its own, so that the rest stays as drawn."""
    draw = random.Random(f"marks of {customer}")
    return {
        "tax_id": draw.choice([None, f"0{customer}"]),
        "region": draw.choice([None, "North"]),
        "country": draw.choice([None, "DE", ""]),
        "bank_account": draw.choice([None, f"DE{customer}", f"DE{customer}", "DE 12 34", "de1234", "DE99"]),
        "phone": draw.choice([None, "", f"+49 {customer}", "+49 30/12-34", "(+49)301234"]),
        "address": draw.choice([None, f"Lane {customer}", "1, High St.", "1 high st"]),
    }


def _trade(draw, book, customer):
    habit = draw.choice([-5, 0, 5, 30])
    for number in range(draw.randrange(4, 45)):
        ordered = day_between(draw, FIRST, LAST)
        order = f"O{customer}-{number}"
        cancelled = after(ordered, draw.randrange(40)) if draw.random() < 0.1 else None
        amount = money(draw, 50, 5000)
        book.add("orders", order_id=order, customer_id=customer, ordered_on=ordered, amount=amount,
                 cancelled_on=cancelled, known_on=after(ordered, draw.choice([0, 0, 3])))  # fmt: skip
        if cancelled is None:
            line = {"invoice": f"{customer}-{number}", "order": order, "issued": after(ordered, 5), "amount": amount}
            _invoice(draw, book, customer, **line, habit=habit)


def _invoice(draw, book, customer, *, invoice, order, issued, amount, habit):
    due = after(issued, draw.choice([14, 30, 60]))
    values = {"invoice_id": invoice, "customer_id": customer, "kind": draw.choice(["invoice"] * 9 + ["debit_note"]),
              "issued_on": issued, "due_on": due, "amount": amount, "currency": "EUR", "order_id": order}  # fmt: skip
    known = after(issued, draw.choice([0, 0, 10]))
    written_off = after(due, 200) if draw.random() < 0.03 else None
    book.add("invoices", **values, known_on=known, written_off_on=written_off)
    if draw.random() < 0.05:
        later = values | {"due_on": after(due, 20)}
        book.add("invoices", **later, known_on=after(known, 25), written_off_on=written_off)
    if draw.random() < 0.08:
        _dispute(draw, book, customer, invoice, due)
    left = amount
    if draw.random() < 0.1:
        left -= _credit(draw, book, customer, invoice=invoice, issued=issued, amount=amount)
    if draw.random() < 0.9:
        _payments(draw, book, customer, invoice=invoice, due=due, left=left, habit=habit)


def _dispute(draw, book, customer, invoice, due):
    opened = after(due, draw.randrange(-10, 20))
    resolved = after(opened, draw.randrange(5, 90)) if draw.random() < 0.8 else None
    book.add("disputes", dispute_id=f"D{invoice}", invoice_id=invoice, customer_id=customer, opened_on=opened,
             amount=draw.choice([None, Decimal("20.00")]), resolved_on=resolved,
             outcome=draw.choice(["upheld", "rejected"]) if resolved else None, known_on=opened)  # fmt: skip


def _credit(draw, book, customer, *, invoice, issued, amount):
    credited = cents(amount / 5)
    on = after(issued, 12)
    note = f"CN{invoice}"
    book.add("invoices", invoice_id=note, customer_id=customer, kind="credit_note", issued_on=on, amount=-credited,
             currency="EUR", known_on=on)  # fmt: skip
    if draw.random() < 0.7:
        cleared = after(on, draw.randrange(1, 30))
        for target, part in ((invoice, credited), (note, -credited)):
            book.add("payments", payment_id=f"X{invoice}", invoice_id=target, customer_id=customer, paid_on=cleared,
                     amount=part, known_on=cleared)  # fmt: skip
        return credited
    return Decimal(0)


def _payments(draw, book, customer, *, invoice, due, left, habit):
    paid_on = after(due, habit + int(draw.gauss(0, 8)))
    parts = [left]
    if draw.random() < 0.25:
        first = cents(left / 3)
        # Some pay what there is: a round sum.
        first = first - first % 100 if first > 100 and int(first) % 2 else first
        parts = [first, left - first]
    for place, part in enumerate(parts):
        on = after(paid_on, 12 * place)
        known = after(on, draw.choice([0, 0, 0, 2, 20]))
        payment = {"payment_id": f"P{invoice}-{place}", "invoice_id": invoice, "customer_id": customer}
        if draw.random() < 0.06:
            tried, back = after(on, -6), after(on, -3)
            book.add("payments", **(payment | {"payment_id": f"T{invoice}-{place}"}), paid_on=tried, amount=part,
                     known_on=tried)  # fmt: skip
            book.add("payments", **(payment | {"payment_id": f"B{invoice}-{place}"}), paid_on=back, amount=-part,
                     known_on=back)  # fmt: skip
        if draw.random() < 0.05:
            book.add("payments", **payment, paid_on=on, amount=cents(part / 2), known_on=known)
            known = after(known, 15)
        book.add("payments", **payment, paid_on=on, amount=part, known_on=known)
    if draw.random() < 0.03:
        book.add("payments", payment_id=f"U{invoice}", customer_id=customer, paid_on=paid_on, amount=Decimal("11.00"),
                 known_on=paid_on)  # fmt: skip


def _accounts(draw, book, customer):
    if draw.random() < 0.3:
        return
    for year in (2020, 2021, 2022, 2023):
        end = dt.date(year, 12, 31)
        total = money(draw, 100_000, 900_000)
        lines = {
            name: cents(total * Decimal(draw.randrange(5, 60)) / 100)
            for name in BY_NAME["financials"].canonical_schema.names
            if name not in ("customer_id", "period_end", "period_months", "audited", "currency", "known_on")
        }
        lines |= {"total_assets": total, "net_income": lines["net_income"] - cents(total / 4)}
        if draw.random() < 0.2:
            lines["interest_expense"] = draw.choice([None, Decimal(0)])
        known = after(end, draw.randrange(60, 300))
        values = {"customer_id": customer, "period_end": end, "audited": draw.choice([None, True, False]),
                  "currency": "EUR", "period_months": draw.choice([12, 12, 12, 6])}  # fmt: skip
        book.add("financials", **values, **lines, known_on=known)
        if draw.random() < 0.2:
            book.add("financials", **values, **(lines | {"equity": cents(total / 10)}), known_on=after(known, 60))


def _agreements(draw, book, customer):
    if draw.random() < 0.7:
        start = day_between(draw, FIRST, dt.date(2023, 6, 30))
        contract = f"K{customer}"
        book.add("contracts", contract_id=contract, customer_id=customer, signed_on=start, starts_on=start,
                 ends_on=draw.choice([None, after(start, 900)]), amount=money(draw, 1000, 9000),
                 deposit_amount=draw.choice([None, Decimal("100.00")]), known_on=start)  # fmt: skip
        for number in range(8):
            due = after(start, 60 * number + 30)
            done = after(due, draw.randrange(-10, 30)) if draw.random() < 0.8 else None
            book.add("obligations", obligation_id=f"{contract}-{number}", contract_id=contract, customer_id=customer,
                     due_on=due, fulfilled_on=done, known_on=start)  # fmt: skip
    for number in range(draw.randrange(4)):
        valid = day_between(draw, FIRST, LAST)
        book.add("limits", customer_id=customer, valid_from=valid, limit_amount=money(draw, 0, 9000), currency="EUR",
                 valid_to=draw.choice([None, after(valid, 400), dt.date(9999, 12, 31)]), known_on=valid)  # fmt: skip
        start = day_between(draw, FIRST, LAST)
        book.add("covers", cover_id=f"V{customer}-{number}", customer_id=customer, kind="insurance",
                 amount=money(draw, 100, 5000), covered_share=0.9, premium_rate=draw.choice([None, 0.004, 0.006]),
                 valid_from=start, valid_to=draw.choice([None, after(start, 365)]), known_on=start)  # fmt: skip
    book.add("overrides", override_id=f"R{customer}", customer_id=customer, kind="grade", from_value="3", to_value="4",
             reason="seen", made_by="A", valid_from=FIRST, known_on=FIRST)  # fmt: skip


def _events(draw, book, customer):
    kinds = ["litigation", "lien", "external_rating", "external_rating", "promise_to_pay", "contact", "insolvency",
             "address_change", "payment_plan"]  # fmt: skip
    for number in range(draw.randrange(12)):
        kind = draw.choice(kinds)
        on = day_between(draw, FIRST, LAST)
        value = {"external_rating": float(draw.randrange(1, 11)), "promise_to_pay": draw.choice([None, 250.0])}.get(
            kind
        )
        text = draw.choice([None, after(on, 9).isoformat(), "soon"]) if kind == "promise_to_pay" else None
        book.add("events", event_id=f"E{customer}-{number}", customer_id=customer, kind=kind, occurred_on=on,
                 value=value, text=text, known_on=after(on, draw.choice([0, 4])))  # fmt: skip


def _indicators(draw, book):
    for series in ("macro:pmi", "industry:C26", "industry:G"):
        for month in range(40):
            period = after(FIRST, 30 * month)
            value = round(draw.uniform(40, 60), 1)
            book.add("indicators", series=series, period_on=period, value=value, known_on=after(period, 20))
            if draw.random() < 0.2:
                book.add("indicators", series=series, period_on=period, value=value + 1, known_on=after(period, 50))
