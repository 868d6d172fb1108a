"""What the laws do to a book: late knowledge, absurd figures, a shift of days, another scale, one more invoice."""

import datetime as dt
import statistics
from decimal import Decimal

import pyarrow as pa

from pipeline.history.future_poison import absurd, announced_rows, late_rows, one_per_key
from pipeline.tables.ledger import BY_NAME, TABLES

OPEN_END = dt.date(9999, 12, 31)
FOUR_YEARS = dt.timedelta(days=1461)


def unique(book):
    """One row per key and `known_on`, the last one written: the ledger's contract."""
    for table in TABLES:
        book[table.name] = one_per_key(table.name, book[table.name])
    return book


def told_later(book, day):
    """Every row of every table revised beyond belief and doubled under a new key, all of it learned after the day."""
    twin = book.copy()
    for table in TABLES:
        twin[table.name] += late_rows(table.name, book[table.name], day)
    return unique(twin)


def announced(book, day):
    """A third of the rows once more, known by the day, of things that happen after it."""
    twin = book.copy()
    for table in TABLES:
        twin[table.name] += announced_rows(table.name, book[table.name], day)
    return unique(twin)


def with_odd(book, table):
    """Every row of one table beyond belief, known when it was."""
    twin = book.copy()
    twin[table] = [absurd(row, table, place) for place, row in enumerate(book[table])]
    return twin


def shifted(book, by=FOUR_YEARS):
    """Every date of every table later by so many days; open ends stay open."""
    twin = book.copy()
    for rows in twin.values():
        for row in rows:
            row.update({name: value + by for name, value in row.items() if _is_day(value)})
            if row.get("kind") == "promise_to_pay" and row["text"]:
                row["text"] = _later(row["text"], by)
    return twin


def _is_day(value):
    return isinstance(value, dt.date) and value != OPEN_END


def _later(text, by):
    try:
        return (dt.date.fromisoformat(text) + by).isoformat()
    except ValueError:
        return text


def scaled(book, factor):
    """Every amount in a currency of another scale."""
    twin = book.copy()
    for name, rows in twin.items():
        money = [column.name for column in BY_NAME[name].canonical_schema if pa.types.is_decimal(column.type)]
        for row in rows:
            row.update({column: row[column] * factor for column in money if row[column] is not None})
            if row.get("kind") == "promise_to_pay" and row["value"] is not None:
                row["value"] *= factor
    return twin


def with_split_payments(book):
    """Every other payment of an invoice made as two on the same day; were it all of them, plain means would stay."""
    twin = book.copy()
    twin["payments"] = []
    for row in book["payments"]:
        # By the number, so that all revisions of a payment are split alike.
        is_whole = sum(map(ord, row["payment_id"])) % 2 or row["payment_id"].startswith("X")
        if is_whole or row["invoice_id"] is None or row["amount"] < 1:
            twin["payments"].append(dict(row))
            continue
        part = (row["amount"] / 4).quantize(Decimal("0.01"))
        for suffix, amount in (("", part), ("-b", row["amount"] - part)):
            split = {"payment_id": f"{row['payment_id']}{suffix}", "amount": amount, "amount_document": amount}
            twin["payments"].append(row | split)
    return twin


def with_one_more_invoice(book, day, *, paid_late=None):
    """For every customer an invoice of its usual amount: due 95 days ago and open, or paid `paid_late` days late."""
    twin = book.copy()
    due = day - dt.timedelta(days=95 if paid_late is None else paid_late + 10)
    issued = due - dt.timedelta(days=30)
    for customer in sorted({row["customer_id"] for row in book["customers"]}):
        billed = [row for row in book["invoices"] if row["customer_id"] == customer and row["kind"] == "invoice"]
        known = [row["amount"] for row in billed if row["known_on"] <= day]
        amount = statistics.median_high(known) if known else Decimal(500)
        line = {"invoice_id": f"more-{customer}", "customer_id": customer}
        twin.add("invoices", **line, kind="invoice", issued_on=issued, due_on=due, amount=amount, currency="EUR",
                 known_on=issued)  # fmt: skip
        if paid_late is not None:
            on = due + dt.timedelta(days=paid_late)
            twin.add("payments", **line, payment_id=f"more-{customer}", paid_on=on, amount=amount, known_on=on)
    return twin


def truncated(book, day):
    """What was known by the day: the ledger as it was extracted then."""
    twin = book.copy()
    for table, rows in twin.items():
        twin[table] = [row for row in rows if row["known_on"] <= day]
    return twin


def same_but(found, expected, names):
    """Columns that differ in any row; both have the rows of the same customers and days."""
    other = {(row["customer_id"], row["as_of"]): row for row in expected}
    assert {(row["customer_id"], row["as_of"]) for row in found} == set(other)
    return {n for row in found for n in names if row[n] != other[row["customer_id"], row["as_of"]][n]}
