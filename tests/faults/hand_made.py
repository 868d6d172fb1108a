"""Ledgers of a few rows that a person can check, written as a supplier would hand them in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Rows = list[dict[str, Any]]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def customer(customer_id: str, since: str = "2022-01-01", **more: Any) -> dict[str, Any]:
    since_on = day(since)
    return {
        "customer_id": customer_id, "name": f"Firm {customer_id}", "customer_since": since_on, "known_on": since_on,
        **more,
    }  # fmt: skip


def invoice(invoice_id: str, customer_id: str, issued: str, due: str, amount: str = "1000.00", **more: Any) -> dict:
    return {
        "invoice_id": invoice_id, "customer_id": customer_id, "kind": "invoice", "issued_on": day(issued),
        "due_on": day(due), "amount": amount, "currency": "EUR", "known_on": day(issued), **more,
    }  # fmt: skip


def payment(payment_id: str, paid: dict[str, Any], on: str, **more: Any) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "invoice_id": paid["invoice_id"], "customer_id": paid["customer_id"],
        "paid_on": day(on), "amount": paid["amount"], "known_on": day(on), **more,
    }  # fmt: skip


def hand_in(folder: Path, tables: Mapping[str, Sequence[dict[str, Any]]]) -> Path:
    """Writes one Parquet file per table; what was there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(list(rows)), folder / f"{name}.parquet")
    return folder


def small_ledger(customers: int, open_since: str = "2025-09-01", prefix: str = "C") -> dict[str, Rows]:
    """Customers with one invoice each that was paid, and one that is open: 1,000.00 each, due after 30 days."""
    opened = day(open_since)
    names = [f"{prefix}{number:04d}" for number in range(customers)]
    paid = [invoice(f"{name}-1", name, "2025-01-10", "2025-02-09") for name in names]
    due = (opened + dt.timedelta(days=30)).isoformat()
    still_open = [invoice(f"{name}-2", name, open_since, due) for name in names]
    return {
        "customers": [customer(name) for name in names],
        "invoices": [*paid, *still_open],
        "payments": [payment(f"P-{one['invoice_id']}", one, "2025-02-12") for one in paid],
    }
