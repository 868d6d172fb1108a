"""What the laws do to a book: late knowledge, absurd figures, a shift of days, another scale, one more invoice."""

import datetime as dt
import statistics
from decimal import Decimal

import pyarrow as pa

from pipeline.tables.ledger import BY_NAME, TABLES

OPEN_END = dt.date(9999, 12, 31)
FOUR_YEARS = dt.timedelta(days=1461)
_EARLIER = ("founded_on", "customer_since", "due_on", "issued_on", "ordered_on", "paid_on", "opened_on", "occurred_on")
_ODD_TEXT = {"industry": "Z99", "group_id": "G9", "size_class": "odd", "outcome": "partial"}


def absurd(row, table, place):
    """The row with figures beyond belief: dates keep their order, the key stays."""
    odd = dict(row)
    for column in BY_NAME[table].canonical_schema:
        name = column.name
        if name in BY_NAME[table].key or name in ("customer_id", "currency", "known_on", "kind") or odd[name] is None:
            continue
        if pa.types.is_decimal(column.type):
            odd[name] = odd[name] * 977 + Decimal("0.01") * place
        elif pa.types.is_floating(column.type):
            odd[name] = odd[name] * 31 + 3
        elif pa.types.is_boolean(column.type):
            odd[name] = not odd[name]
        elif name in _ODD_TEXT:
            odd[name] = _ODD_TEXT[name]
        elif name in _EARLIER:
            odd[name] = odd[name] - dt.timedelta(days=45)
    return odd


def unique(book):
    """One row per key and `known_on`, the last one written: the ledger's contract."""
    for table in TABLES:
        key = (*table.key, "known_on")
        book[table.name] = list({tuple(row[name] for name in key): row for row in book[table.name]}.values())
    return book


def told_later(book, day):
    """Every row of every table revised beyond belief and doubled under a new key, all of it learned after the day."""
    twin = book.copy()
    for table in TABLES:
        for place, row in enumerate(book[table.name]):
            learned = {"known_on": max(row["known_on"], day) + dt.timedelta(days=1)}
            twin[table.name].append(absurd(row, table.name, place) | learned)
            if table.name not in ("customers", "fx_rates"):
                twin[table.name].append(absurd(row, table.name, place) | _new_key(row, table, day, place) | learned)
    return unique(twin)


def _new_key(row, table, day, place):
    first = table.key[0]
    if first in ("customer_id", "series"):
        return {table.key[1]: day - dt.timedelta(days=place)}
    return {first: f"new-{row[first]}"}


def announced(book, day):
    """A third of the rows once more, known by the day, of things that happen after it."""
    twin = book.copy()
    for name in ("invoices", "payments", "disputes", "orders", "events", "indicators", "contracts", "financials"):
        table = BY_NAME[name]
        for row in book[name][::3]:
            later = {table.event_on: day + dt.timedelta(days=9), "known_on": min(row["known_on"], day)}
            if name == "invoices":
                later |= {"due_on": day + dt.timedelta(days=20), "written_off_on": None}
            fresh = {} if table.event_on in table.key else {table.key[0]: f"fresh-{row[table.key[0]]}"}
            twin[name].append(row | later | fresh)
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
