"""Small ledgers for hypothesis: stories of a few customers, told in simple parts on days that lie on the edges.

A part is one thing that happens: a sale with what comes of it, accounts, a contract, a limit, a cover, an event. Days
come from a pool of month ends, 29 February and the first and last days of the windows, so that ties are common.
"""

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

AS_OF = (dt.date(2024, 2, 29), dt.date(2023, 2, 28), dt.date(2024, 3, 31), dt.date(2024, 5, 30))
_RATE = {"EUR": Decimal(1), "USD": Decimal("0.87")}


def _edges(months_before):
    """Each day asked for and the starts of its windows, with the day before and the day after."""
    starts = [months_before(day, months) for day in AS_OF for months in (0, 3, 6, 12, 18, 24, 36)]
    return sorted({day + dt.timedelta(days=step) for day in starts for step in (-1, 0, 1)}, reverse=True)


def _after(day, days):
    return day + dt.timedelta(days=days)


def _cents(amount):
    return amount.quantize(Decimal("0.01"))


_AMOUNTS = st.sampled_from([Decimal(100), Decimal("0.01"), Decimal("33.33"), Decimal(5000)])
_POSTING = st.sampled_from([0, 1, 40, -5])
_LATE = st.sampled_from([0, 1, 12, 31, 95, -5, -30, 200])
_REVISED = st.sampled_from([None, None, 1, 30, 400])


class Stories:
    """The strategy: `ledgers(books, months_before)` draws a book of the canonical tables."""

    def __init__(self, books, months_before):
        self.days = st.sampled_from(_edges(months_before))
        self.as_of = AS_OF
        self.tables = books.TABLES
        self.new_book = lambda: books.Book({table.name: [] for table in books.TABLES})
        self.parts = (self._sale, self._sale, self._accounts, self._contract, self._allowance, self._event)

    def ledgers(self):
        return st.composite(self._ledger)()

    def _ledger(self, draw):
        book = self.new_book()
        for number in range(draw(st.integers(1, 8))):
            customer = f"C{number}"
            self._customer(draw, book, customer)
            for place, part in enumerate(draw(st.lists(st.sampled_from(self.parts), max_size=9))):
                part(draw, book, customer, f"{number}-{place}")
        for series, on in draw(st.lists(st.tuples(_SERIES, self.days), max_size=6)):
            known = _after(on, draw(_POSTING))
            row = {"series": series, "period_on": on, "value": draw(st.sampled_from([50.0, 0.0, 47.5]))}
            book.add("indicators", **row, known_on=known)
            self._revise(draw, book, "indicators", row, known, value=52.25)
        book.add("fx_rates", currency="USD", rate_on=dt.date(2019, 1, 1), rate=0.87, known_on=dt.date(2019, 1, 1))
        return self._unique(book)

    def _unique(self, book):
        """One row per key and `known_on`, the last one written: the ledger's contract."""
        for table in self.tables:
            key = (*table.key, "known_on")
            book[table.name] = list({tuple(row[name] for name in key): row for row in book[table.name]}.values())
        return book

    def _revise(self, draw, book, table, row, known, **changes):
        """Sometimes a later revision of the row."""
        later = draw(_REVISED)
        if later is not None:
            book.add(table, **(row | changes), known_on=_after(known, later))

    def _customer(self, draw, book, customer):
        since = draw(self.days)
        row = {"customer_id": customer, "name": customer, "customer_since": since, "founded_on": None}
        row |= {"industry": draw(_INDUSTRIES), "group_id": draw(_GROUPS)}
        row |= {"size_class": draw(st.sampled_from([None, "small", " "])), "is_natural_person": draw(_MAYBE)}
        book.add("customers", **row, known_on=since)
        revised = {"group_id": draw(_GROUPS), "industry": draw(_INDUSTRIES), "founded_on": draw(self.days)}
        self._revise(draw, book, "customers", row, since, **revised)

    def _sale(self, draw, book, customer, name):
        """An order, its invoice, and what comes of it."""
        issued, document, currency = draw(self.days), draw(_AMOUNTS), draw(st.sampled_from(["EUR", "USD"]))
        amount = max(_cents(document * _RATE[currency]), Decimal("0.01"))
        if draw(st.booleans()):
            cancelled = draw(st.sampled_from([None, issued, _after(issued, 40)]))
            row = {"order_id": f"O{name}", "customer_id": customer, "ordered_on": issued, "amount": amount}
            book.add("orders", **row, cancelled_on=cancelled, known_on=_after(issued, draw(_POSTING)))
        if draw(st.integers(0, 9)) == 9:
            return
        due = _after(issued, draw(st.sampled_from([30, 0, 60])))
        kind = draw(st.sampled_from(["invoice", "debit_note"]))
        row = {"invoice_id": f"I{name}", "customer_id": customer, "kind": kind, "issued_on": issued, "due_on": due,
               "amount": amount, "amount_document": document, "currency": currency}  # fmt: skip
        row["written_off_on"] = draw(st.sampled_from([None, None, None, _after(due, 31)]))
        known = _after(issued, draw(_POSTING))
        book.add("invoices", **row, known_on=known)
        self._revise(draw, book, "invoices", row, known, due_on=_after(due, 20))
        for place in range(draw(st.integers(0, 3))):
            self._payment(draw, book, row, f"{name}-{place}")
        if draw(st.integers(0, 3)) == 3:
            self._credit(draw, book, row, name)
        if draw(st.integers(0, 3)) == 3:
            self._dispute(draw, book, row, name)

    def _payment(self, draw, book, invoice, name):
        """A payment of all or a part; it may bounce, be posted late, or be known otherwise at first."""
        part = draw(st.sampled_from([Decimal(1), Decimal("0.4"), Decimal("1.1")]))
        document = max(_cents(invoice["amount_document"] * part), Decimal("0.01"))
        amount = max(_cents(document * _RATE[invoice["currency"]]), Decimal("0.01"))
        on = _after(invoice["due_on"], draw(_LATE))
        row = {"payment_id": f"P{name}", "invoice_id": invoice["invoice_id"], "customer_id": invoice["customer_id"],
               "paid_on": on, "amount": amount, "amount_document": document}  # fmt: skip
        fate = draw(st.sampled_from(["kept", "kept", "bounced", "unallocated", "corrected", "back-dated"]))
        known = _after(on, draw(_POSTING))
        if fate == "unallocated":
            row["invoice_id"] = None
        book.add("payments", **row, known_on=known)
        if fate == "bounced":
            back = row | {"payment_id": f"B{name}", "amount": -amount, "amount_document": -document}
            on = _after(on, draw(st.sampled_from([3, 0, 40])))
            book.add("payments", **(back | {"paid_on": on}), known_on=_after(on, draw(_POSTING)))
        if fate == "corrected":
            half = {"amount": max(_cents(amount / 2), Decimal("0.01"))}
            book.add("payments", **(row | half | {"amount_document": half["amount"]}), known_on=_after(known, 30))
        if fate == "back-dated":
            book.add("payments", **(row | {"paid_on": _after(on, -30)}), known_on=_after(known, 14))

    def _credit(self, draw, book, invoice, name):
        """A credit note for a fifth, applied to the invoice by one clearing or left open."""
        document = max(_cents(invoice["amount_document"] / 5), Decimal("0.01"))
        amount = max(_cents(document * _RATE[invoice["currency"]]), Decimal("0.01"))
        on = draw(self.days)
        note = {"invoice_id": f"N{name}", "customer_id": invoice["customer_id"], "kind": "credit_note"}
        note |= {"issued_on": on, "amount": -amount, "amount_document": -document, "currency": invoice["currency"]}
        book.add("invoices", **note, known_on=_after(on, draw(_POSTING)))
        if draw(st.booleans()):
            cleared = _after(on, draw(st.sampled_from([0, 20])))
            for target, sign in ((invoice, 1), (note, -1)):
                row = {"payment_id": f"X{name}", "invoice_id": target["invoice_id"], "paid_on": cleared}
                row |= {"amount": amount * sign, "amount_document": document * sign}
                book.add("payments", **row, customer_id=note["customer_id"], known_on=cleared)

    def _dispute(self, draw, book, invoice, name):
        opened = draw(self.days)
        row = {"dispute_id": f"D{name}", "invoice_id": invoice["invoice_id"], "customer_id": invoice["customer_id"]}
        row |= {"opened_on": opened, "amount": draw(st.sampled_from([None, Decimal(20), Decimal(9000)]))}
        resolved = draw(st.sampled_from([None, opened, _after(opened, 45)]))
        outcome = draw(st.sampled_from(["rejected", "upheld"])) if resolved else None
        known = _after(opened, draw(_POSTING))
        book.add("disputes", **row, known_on=known, resolved_on=resolved, outcome=outcome)
        self._revise(draw, book, "disputes", row, known, resolved_on=_after(opened, 60), outcome="partial")

    def _accounts(self, draw, book, customer, name):
        end = dt.date(draw(st.sampled_from([2022, 2021, 2023, 2020])), draw(st.sampled_from([12, 3])), 31)
        lines = ("total_assets", "current_assets", "cash", "inventory", "receivables", "total_liabilities",
                 "current_liabilities", "short_term_debt", "long_term_debt", "equity", "retained_earnings", "revenue",
                 "cost_of_sales", "ebit", "interest_expense", "net_income", "operating_cash_flow")  # fmt: skip
        row = {"customer_id": customer, "period_end": end, "currency": "EUR", "audited": draw(_MAYBE)}
        row |= {"period_months": draw(st.sampled_from([12, 6, 9, 0])), **{line: draw(_LINE) for line in lines}}
        known = _after(end, draw(st.sampled_from([60, 0, 300])))
        book.add("financials", **row, known_on=known)
        self._revise(draw, book, "financials", row, known, equity=draw(_LINE), revenue=draw(_LINE))

    def _contract(self, draw, book, customer, name):
        start = draw(self.days)
        row = {"contract_id": f"K{name}", "customer_id": customer, "signed_on": start, "amount": draw(_AMOUNTS)}
        row |= {"starts_on": _after(start, draw(st.sampled_from([0, 10]))), "deposit_amount": draw(_DEPOSITS)}
        row["ends_on"] = draw(st.sampled_from([None, dt.date(9999, 12, 31), _after(start, 366)]))
        book.add("contracts", **row, known_on=_after(start, draw(_POSTING)))
        due = draw(self.days)
        done = draw(st.sampled_from([None, due, _after(due, 9), _after(due, -9)]))
        duty = {"obligation_id": f"W{name}", "contract_id": f"K{name}", "customer_id": customer, "due_on": due}
        book.add("obligations", **duty, known_on=start)
        if done:
            book.add("obligations", **duty, fulfilled_on=done, known_on=_after(max(done, start), 1))

    def _allowance(self, draw, book, customer, name):
        """A limit or a cover."""
        start = draw(self.days)
        end = draw(st.sampled_from([None, dt.date(9999, 12, 31), _after(start, 365)]))
        row = {"customer_id": customer, "valid_from": start, "valid_to": end}
        known = _after(start, draw(_POSTING))
        if draw(st.booleans()):
            row |= {"limit_amount": draw(st.sampled_from([Decimal(500), Decimal(0)])), "currency": "EUR"}
            book.add("limits", **row, known_on=known)
            self._revise(draw, book, "limits", row, known, limit_amount=Decimal(250))
            return
        kind = draw(st.sampled_from(["insurance", "guarantee", "collateral", "factoring"]))
        row |= {"cover_id": f"V{name}", "kind": kind, "amount": draw(st.sampled_from([Decimal(300), Decimal(0)]))}
        row["premium_rate"] = draw(st.sampled_from([None, 0.004]))
        book.add("covers", **row, known_on=known)
        self._revise(draw, book, "covers", row, known, amount=Decimal(150))

    def _event(self, draw, book, customer, name):
        kind, on = draw(_KINDS), draw(self.days)
        row = {"event_id": f"E{name}", "customer_id": customer, "kind": kind, "occurred_on": on}
        if kind == "external_rating":
            row["value"] = draw(st.sampled_from([None, 3.0, 7.0]))
        if kind == "promise_to_pay":
            row["value"] = draw(st.sampled_from([None, 50.0]))
            row["text"] = draw(st.sampled_from([None, "soon", _after(on, 30).isoformat(), _after(on, 99).isoformat()]))
        known = _after(on, draw(_POSTING))
        book.add("events", **row, known_on=known)
        self._revise(draw, book, "events", row, known, occurred_on=_after(on, 1))


_SERIES = st.sampled_from(["macro:pmi", "industry:C26", "industry:C", "industry:G"])
_INDUSTRIES = st.sampled_from([None, "C26", "C10", " g46", "4711", ""])
_GROUPS = st.sampled_from([None, "G1", "G2"])
_MAYBE = st.sampled_from([None, True, False])
_LINE = st.sampled_from([Decimal(1000), Decimal(250), Decimal("33.33"), None, Decimal(0), Decimal(-400)])
_DEPOSITS = st.sampled_from([None, Decimal(10)])
_KINDS = st.sampled_from(["external_rating", "promise_to_pay", "litigation", "lien", "insolvency", "address_change",
                          "payment_plan", "contact"])  # fmt: skip
