"""An independent label: the default definition in plain Python, day by day over one customer's open items."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipeline.tables.demo.book import DemoBook, demo_book

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

EXTRACT = dt.date(2025, 12, 31).toordinal()
Spell = tuple[int, int]


def days(rows: pa.Table, column: str) -> list[int | None]:
    """The column as ordinals of days."""
    return [None if d is None else d.toordinal() for d in rows[column].to_pylist()]


class Customer:
    """What one customer owed, paid and disputed; cents of the base currency; days are ordinals."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[int, int, int, int | None]] = {}
        self.payments: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.disputes: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
        self.insolvent_on: int | None = None
        self.threshold = 500.0

    def open_on(self, item: str, day: int) -> float:
        issued, _, amount, written_off = self.items[item]
        if issued > day or (written_off is not None and written_off <= day):
            return 0.0
        return max(amount - sum(a for d, a in self.payments[item] if d <= day), 0.0)

    def disputed_days(self, item: str, day: int) -> int:
        due = self.items[item][1]
        return sum(max(0, min(until, day) - max(since, due)) for since, until, _ in self.disputes[item])

    def counts_on(self, item: str, day: int) -> float:
        due = self.items[item][1]
        if day - due - self.disputed_days(item, day) < 90:
            return 0.0
        disputed = sum(a for since, until, a in self.disputes[item] if since <= day < until)
        return max(self.open_on(item, day) - disputed, 0.0)

    def is_breach(self, day: int) -> bool:
        counting = sum(self.counts_on(item, day) for item in self.items)
        total = sum(self.open_on(item, day) for item in self.items)
        return counting > self.threshold and counting > 0.01 * total

    def spells(self) -> list[Spell]:
        """First day and day after the last (probation included) of every default."""
        found: list[Spell] = []
        for begin, end in sorted([*self._breaches(), *self._losses()]):
            if found and begin < found[-1][1] + 90:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            else:
                found.append((begin, end))
        return [(b, e + 90) for b, e in sorted(found)]

    def _losses(self) -> list[Spell]:
        losses = [(w, w + 365) for _, _, _, w in self.items.values() if w is not None and w <= EXTRACT]
        return sorted(losses[:1] + ([(self.insolvent_on, 10**7)] if self.insolvent_on else []))

    def _breaches(self) -> list[Spell]:
        old = [i for i, (_, due, _, _) in self.items.items() if self.open_on(i, due + 90) > 0.0]
        checks = {self.items[i][1] + 90 + pause for i in old for pause in range(61) if pause == 0 or self.disputes[i]}
        checks |= {d for i in old for d, _ in self.payments[i]}
        checks |= {self.items[i][3] for i in old if self.items[i][3] is not None}  # type: ignore[misc]
        found: list[Spell] = []
        since = None
        for day in sorted(c for c in checks if c <= EXTRACT):
            breach = self.is_breach(day)
            if breach and since is None:
                since = day
            if not breach and since is not None:
                found.append((since, day))
                since = None
        return found if since is None else [*found, (since, 10**7)]


def customers_of(book: DemoBook) -> dict[str, Customer]:
    """Every customer with its items, payments, disputes and insolvency, told with all that is known at the extract."""
    found: dict[str, Customer] = defaultdict(Customer)
    people = book.tables["customers"].select(["customer_id", "is_natural_person"]).to_pylist()
    for row in people:
        found[row["customer_id"]].threshold = 100.0 if row["is_natural_person"] else 500.0
    fx = book.tables["fx_rates"]
    rate = dict(
        zip(zip(fx["currency"].to_pylist(), days(fx, "rate_on"), strict=True), fx["rate"].to_pylist(), strict=True)
    )
    invoices = book.tables["invoices"]
    unit: dict[str, float] = {}
    dates = (days(invoices, c) for c in ("issued_on", "due_on", "written_off_on"))
    texts = (invoices[c].to_pylist() for c in ("invoice_id", "customer_id", "kind", "amount", "currency"))
    for invoice, customer, kind, amount, currency, issued, due, written_off in zip(*texts, *dates, strict=True):
        unit[invoice] = 1.0 if currency == "EUR" else rate[(currency, issued)]
        if kind != "credit_note":
            found[customer].items[invoice] = (issued, due, float(amount) * unit[invoice], written_off)  # type: ignore[assignment]
    payments = book.tables["payments"]
    columns = (payments[c].to_pylist() for c in ("invoice_id", "customer_id", "amount"))
    for invoice, customer, amount, day in zip(*columns, days(payments, "paid_on"), strict=True):
        if invoice is not None:
            found[customer].payments[invoice].append((day, float(amount) * unit[invoice] + 1e-6))  # type: ignore[arg-type]
    _add_disputes(book, found, unit)
    events = book.tables["events"]
    for customer, kind, day in zip(
        events["customer_id"].to_pylist(), events["kind"].to_pylist(), days(events, "occurred_on"), strict=True
    ):
        if kind == "insolvency":
            found[customer].insolvent_on = day
    return found


def _add_disputes(book: DemoBook, found: dict[str, Customer], unit: dict[str, float]) -> None:
    disputes = book.tables["disputes"]
    columns = (disputes[c].to_pylist() for c in ("invoice_id", "customer_id", "amount"))
    for invoice, customer, amount, opened, resolved in zip(
        *columns, days(disputes, "opened_on"), days(disputes, "resolved_on"), strict=True
    ):
        part = 1e12 if amount is None else float(amount) * unit[invoice]
        found[customer].disputes[invoice].append((opened, resolved or 10**7, part))  # type: ignore[arg-type]


def spells_of(book: DemoBook) -> dict[str, list[Spell]]:
    """Every customer's defaults by the written definition."""
    return {customer: found.spells() for customer, found in customers_of(book).items()}


def outcomes(book: DemoBook, spells: dict[str, list[Spell]]) -> list[tuple[str, dt.date, float, bool]]:
    """(customer_id, as_of, true_pd, is_bad) for every mature row of the truth that is not in default by the label."""
    found = []
    truth = book.truth
    for customer, as_of, pd in zip(
        truth["customer_id"].to_pylist(), truth["as_of"].to_pylist(), truth["true_pd"].to_pylist(), strict=True
    ):
        if as_of.year >= 2025 and as_of != dt.date(2024, 12, 31):
            continue
        until = _year_after(as_of).toordinal()
        day = as_of.toordinal()
        if any(b <= day < e for b, e in spells[customer]):
            continue
        found.append((customer, as_of, pd, any(day < b <= until for b, _ in spells[customer])))
    return found


def _year_after(day: dt.date) -> dt.date:
    return dt.date(day.year + 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def columns(book: DemoBook, table: str, text: str, day: str) -> tuple[list[str], list[int | None]]:
    """A text column and a column of days of a table."""
    return book.tables[table][text].to_pylist(), days(book.tables[table], day)


def members(book: DemoBook) -> set[tuple[str, dt.date]]:
    """(customer_id, as_of) in the book: an open item, or an invoice, payment or order in the 12 months before."""
    events: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for table, event in (("invoices", "issued_on"), ("payments", "paid_on"), ("orders", "ordered_on")):
        rows = book.tables[table]
        for customer, day, known in zip(
            rows["customer_id"].to_pylist(), days(rows, event), days(rows, "known_on"), strict=True
        ):
            events[customer].append((day, known))  # type: ignore[arg-type]
    found = customers_of(book)
    ends = sorted(set(book.truth["as_of"].to_pylist()))
    return {(c, end) for end in ends for c in events if _is_member(events[c], found[c], end)}


def _is_member(events: list[tuple[int, int]], customer: Customer, end: dt.date) -> bool:
    day, before = end.toordinal(), _year_before(end).toordinal()
    if any(before < event <= day and known <= day for event, known in events):
        return True
    return any(customer.open_on(item, day) > 0.0 for item in customer.items)


def _year_before(day: dt.date) -> dt.date:
    return dt.date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


@pytest.fixture(scope="session")
def oracle() -> SimpleNamespace:
    """The independent label and what it is made of."""
    return SimpleNamespace(
        EXTRACT=EXTRACT,
        columns=columns,
        customers_of=customers_of,
        members=members,
        outcomes=outcomes,
        spells_of=spells_of,
    )


@pytest.fixture(scope="session")
def books() -> Callable[[int, int, int], DemoBook]:
    """Demo books, each made once."""
    made: dict[tuple[int, int, int], DemoBook] = {}

    def book(customers: int, months: int, seed: int) -> DemoBook:
        key = (customers, months, seed)
        if key not in made:
            made[key] = demo_book(*key)
        return made[key]

    return book
