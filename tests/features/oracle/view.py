"""What was known on one day: the latest revisions, no event after the day, no fact revealed after it."""

from collections import defaultdict
from decimal import Decimal

from .arithmetic import months_before

KEYS = {
    "customers": ("customer_id",),
    "invoices": ("invoice_id",),
    "payments": ("payment_id", "invoice_id"),
    "disputes": ("dispute_id",),
    "orders": ("order_id",),
    "financials": ("customer_id", "period_end"),
    "contracts": ("contract_id",),
    "obligations": ("obligation_id",),
    "limits": ("customer_id", "valid_from"),
    "covers": ("cover_id",),
    "events": ("event_id",),
    "overrides": ("override_id",),
    "indicators": ("series", "period_on"),
    "fx_rates": ("currency", "rate_on"),
}
EVENT_ON = {
    "invoices": "issued_on",
    "payments": "paid_on",
    "disputes": "opened_on",
    "orders": "ordered_on",
    "financials": "period_end",
    "contracts": "signed_on",
    "events": "occurred_on",
    "indicators": "period_on",
    "fx_rates": "rate_on",
}
REVEALED = {
    "invoices": {"written_off_on": ("written_off_on",)},
    "disputes": {"resolved_on": ("resolved_on", "outcome")},
    "orders": {"cancelled_on": ("cancelled_on",)},
    "obligations": {"fulfilled_on": ("fulfilled_on",)},
}
CENT = Decimal("0.01")


def known(book, table, day):
    """Latest revision per key known by the day, facts revealed later cut, events after the day left out."""
    latest = {}
    for row in book.get(table, ()):
        key = tuple(row[name] for name in KEYS[table])
        if row["known_on"] <= day and (key not in latest or latest[key]["known_on"] < row["known_on"]):
            latest[key] = row
    rows = []
    for row in latest.values():
        told = dict(row)
        for revealed, hidden in REVEALED.get(table, {}).items():
            if row[revealed] is not None and row[revealed] > day:
                told |= dict.fromkeys(hidden)
        if table not in EVENT_ON or told[EVENT_ON[table]] <= day:
            rows.append(told)
    return rows


class View:
    """The book of one day; each table is cut once."""

    def __init__(self, book, day):
        self.book = book
        self.day = day
        self._seen = {}

    def _once(self, name, find):
        if name not in self._seen:
            self._seen[name] = find()
        return self._seen[name]

    def before(self, months):
        return self._once(months, lambda: months_before(self.day, months))

    def then(self, months):
        """The view of the day so many months earlier: what was known then."""
        return self._once(f"then {months}", lambda: View(self.book, self.before(months)))

    def rows(self, table):
        return self._once(table, lambda: known(self.book, table, self.day))

    def of(self, table, customer):
        return self._once(f"{table} by customer", lambda: by_customer(self.rows(table))).get(customer, [])

    def written(self, table, customer):
        """Every row of the customer that the book holds, whenever it was known."""
        return self._once(f"all {table}", lambda: by_customer(self.book.get(table, ()))).get(customer, [])

    def recent(self, table, customer, months, on):
        """The customer's rows dated in the window of so many months that ends on the day."""
        first = self.before(months)
        return [r for r in self.of(table, customer) if r[on] is not None and first < r[on] <= self.day]

    def alike(self, name, value):
        """The customers known on the day by a value of their master row; `name` names the question."""

        def gather():
            found = defaultdict(list)
            for row in self.rows("customers"):
                found[value(row)].append(row["customer_id"])
            return found

        return self._once(f"alike {name}", gather)

    def owed(self, customer):
        """Open invoices and debit notes with `open`, `dpd`, `overdue` and `disputed`."""
        return self._once("owed", lambda: by_customer(self._open("invoice"))).get(customer, [])

    def credits(self, customer):
        """Open credit notes; `open` below 0."""
        return self._once("credits", lambda: by_customer(self._open("credit_note"))).get(customer, [])

    def _open(self, sort):
        paid, paid_document, disputes = defaultdict(int), defaultdict(int), defaultdict(list)
        for row in self.rows("payments"):
            paid[row["invoice_id"]] += row["amount"]
            paid_document[row["invoice_id"]] += row["amount_document"]
        for row in self.rows("disputes"):
            if row["resolved_on"] is None:
                disputes[row["invoice_id"]].append(row["amount"])
        found = []
        for row in self.rows("invoices"):
            if (row["kind"] == "credit_note") != (sort == "credit_note") or row["written_off_on"] is not None:
                continue
            left = row["amount_document"] - paid_document[row["invoice_id"]]
            base = row["amount"] - paid[row["invoice_id"]]
            # The document's currency decides what is open; the converted amount may miss it by a cent.
            if sort == "credit_note" and left < 0:
                found.append(row | {"open": min(base, -CENT)})
            elif sort != "credit_note" and left > 0:
                found.append(self._standing(row, max(base, CENT), disputes[row["invoice_id"]]))
        return found

    def _standing(self, row, left, disputes):
        dpd = max((self.day - row["due_on"]).days, 0)
        disputed = left if None in disputes else min(sum(disputes), left)
        return row | {"open": left, "dpd": dpd, "overdue": left if dpd else 0, "disputed": disputed}

    def payments(self, customer):
        """Cash of the customer on its known items, with `late`, `final`, `item`; a negative amount came back."""
        return self._once("cash", self._cash).get(customer, [])

    def _cash(self):
        items = {row["invoice_id"]: row for row in self.rows("invoices")}
        rows = [row for row in self.rows("payments") if row["invoice_id"] in items]
        sums, on_notes, settled, last = defaultdict(int), set(), defaultdict(int), {}
        for row in rows:
            sums[row["payment_id"]] += row["amount"]
            settled[row["invoice_id"]] += row["amount_document"]
            if items[row["invoice_id"]]["kind"] == "credit_note":
                on_notes.add(row["payment_id"])
            if row["amount"] > 0:
                place = (row["paid_on"], row["payment_id"])
                last[row["invoice_id"]] = max(last.get(row["invoice_id"], place), place)
        found = []
        for row in rows:
            item = items[row["invoice_id"]]
            is_clearing = row["payment_id"] in on_notes and sums[row["payment_id"]] == 0
            if item["kind"] == "credit_note" or is_clearing:
                continue
            is_last = row["amount"] > 0 and last[row["invoice_id"]] == (row["paid_on"], row["payment_id"])
            final = is_last and settled[row["invoice_id"]] >= item["amount_document"]
            found.append(row | {"late": (row["paid_on"] - item["due_on"]).days, "final": final, "item": item})
        return by_customer(found)

    def paid(self, customer, months):
        """Payments of the window that brought money."""
        first = self.before(months)
        return [r for r in self.payments(customer) if r["amount"] > 0 and r["paid_on"] > first]

    def habit(self, customer):
        """Mean days late of what was paid at most 60 days late in 12 months, by amount; null when nothing was."""
        paid = [r for r in self.paid(customer, 12) if r["late"] <= 60]
        whole = sum(r["amount"] for r in paid)
        return float(sum(r["late"] * r["amount"] for r in paid) / whole) if paid else None

    def master(self, customer):
        rows = self.of("customers", customer)
        return rows[0] if rows else None


def by_customer(rows):
    found = defaultdict(list)
    for row in rows:
        found[row["customer_id"]].append(row)
    return found
