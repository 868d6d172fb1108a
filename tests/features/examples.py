"""A hand-made book in two times: each firm one thing that was known later than it happened, or otherwise at first."""

import datetime as dt
from decimal import Decimal

from pipeline.tables.ledger import TABLES


def day(month, number):
    return dt.date(2023, month, number)


DAYS = (day(6, 10), day(6, 15), day(6, 20), day(6, 25), day(6, 30), day(7, 9), day(7, 10), day(8, 10), day(8, 20))
START = dt.date(2023, 1, 1)


def history(books, *, revised):
    """The book; without `revised` no row is ever told a second time."""
    book = books.Book({table.name: [] for table in TABLES})
    for customer in ("corrected", "revealed", "restated", "posted late", "back-dated", "written off"):
        book.add("customers", customer_id=customer, name=customer, customer_since=START, known_on=START)

    def invoice(customer, **changes):
        row = {"invoice_id": customer, "customer_id": customer, "kind": "invoice", "issued_on": day(5, 1),
               "due_on": day(5, 31), "amount": Decimal(100), "currency": "EUR", "known_on": day(5, 1)}  # fmt: skip
        book.add("invoices", **(row | changes))

    def payment(customer, paid_on, known_on):
        row = {"payment_id": customer, "invoice_id": customer, "customer_id": customer, "amount": Decimal(100)}
        book.add("payments", **row, paid_on=paid_on, known_on=known_on)

    invoice("corrected")
    if revised:
        invoice("corrected", due_on=day(6, 30), known_on=day(7, 10))
    invoice("posted late")
    payment("posted late", day(6, 10), known_on=day(6, 25))
    invoice("back-dated")
    payment("back-dated", day(6, 5), known_on=day(6, 5))
    if revised:
        payment("back-dated", day(5, 30), known_on=day(6, 15))
    invoice("written off", written_off_on=day(8, 20))
    _revealed(book)
    _restated(book, revised=revised)
    return book


def _revealed(book):
    """Told on 1 June in one row each, with what became of it later in the same row."""
    on = {"customer_id": "revealed", "known_on": day(6, 1)}
    order = on | {"ordered_on": day(6, 1), "amount": Decimal(100)}
    book.add("orders", **order, order_id="O1")
    book.add("orders", **order, order_id="O2", cancelled_on=day(8, 20))
    row = {"issued_on": day(5, 1), "due_on": day(5, 31), "amount": Decimal(100), "currency": "EUR"}
    book.add("invoices", **on, **row, invoice_id="I", kind="invoice")
    book.add("disputes", **on, dispute_id="D", invoice_id="I", opened_on=day(6, 1), amount=Decimal(40),
             resolved_on=day(7, 10), outcome="rejected")  # fmt: skip
    book.add("contracts", **on, contract_id="K", signed_on=day(6, 1), starts_on=day(6, 1), amount=Decimal(1))
    book.add("obligations", **on, obligation_id="W", contract_id="K", due_on=day(6, 20), fulfilled_on=day(7, 10))


def _restated(book, *, revised):
    row = {"customer_id": "restated", "period_end": dt.date(2022, 12, 31), "period_months": 12, "currency": "EUR",
           "total_assets": Decimal(100), "equity": Decimal(40)}  # fmt: skip
    book.add("financials", **row, known_on=day(4, 30))
    if revised:
        book.add("financials", **(row | {"equity": Decimal(10)}), known_on=day(7, 10))
