"""Ten features by hand in pandas: what a careful data scientist would write, group-bys per snapshot.

Right in both times, as the catalogue is: the revision known on the day, events up to the day, and what was open as it
was known then. What does not hang on the day is prepared once: identifiers and days as numbers, money in cents (an
item is settled at exactly zero). The definitions are the catalogue's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.history.day_numbers import NEVER, number_of
from pipeline.history.snapshots import months_before
from pipeline.tables.money import cents_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

NAMES = (
    "mean_days_late_12m",
    "paydex_12m",
    "worst_days_late_12m",
    "open_amount",
    "open_share_over_0_days_past_due",
    "oldest_days_past_due",
    "dso_12m",
    "order_count_3m",
    "invoice_count_12m",
    "billing_trend_12m",
)
_PAYDEX_DAYS = (-30, -20, 0, 15, 22, 30, 60, 90, 120, 177)
_PAYDEX_POINTS = (100, 90, 80, 70, 60, 50, 40, 30, 20, 1)
_MOST_DAYS = 90
_WITHOUT_ROWS = dict.fromkeys(
    ("open_amount", "open_share_over_0_days_past_due", "oldest_days_past_due", "order_count_3m", "invoice_count_12m"),
    0.0,
)


@dataclass(frozen=True)
class Prepared:
    """The ledger as frames of numbers; `customers` are the customers' ids, sorted, by their number."""

    customers: pd.Index
    invoices: pd.DataFrame
    payments: pd.DataFrame
    orders: pd.DataFrame


def ten_features(ledger: Path, days: Iterable[dt.date]) -> pd.DataFrame:
    """customer_id, as_of and NAMES for every customer on every day, sorted by day and customer."""
    prepared = prepare(ledger)
    return pd.concat([on_day(prepared, day) for day in days], ignore_index=True)


def prepare(ledger: Path) -> Prepared:
    """Reads the columns that the ten features need, and turns identifiers into numbers."""
    customers = pd.Index(_read(ledger, "customers", "customer_id")["customer_id"].unique()).sort_values()
    invoices = _read(
        ledger, "invoices", "invoice_id customer_id kind issued_on due_on amount amount_document written_off_on"
    )
    payments = _read(ledger, "payments", "payment_id invoice_id customer_id paid_on amount amount_document")
    orders = _read(ledger, "orders", "customer_id ordered_on")
    payments = payments[payments["invoice_id"].notna()].copy()
    documents = pd.Index(invoices["invoice_id"].unique())
    for frame in (invoices, payments, orders):
        frame["customer"] = customers.get_indexer(frame.pop("customer_id"))
    for frame in (invoices, payments):
        frame["invoice"] = documents.get_indexer(frame.pop("invoice_id"))
    invoices["is_credit"] = invoices.pop("kind") == "credit_note"
    payments["payment"] = pd.factorize(payments.pop("payment_id"))[0]
    # Only the few payments that touch a credit note can be clearings.
    credit_notes = invoices.loc[invoices["is_credit"], "invoice"]
    touching = payments.loc[payments["invoice"].isin(credit_notes), "payment"]
    payments["may_clear"] = payments["payment"].isin(touching)
    return Prepared(customers, invoices, payments, orders)


def on_day(prepared: Prepared, day: dt.date) -> pd.DataFrame:
    """The ten features of every customer as known on one day."""
    today = number_of(day)
    year, quarter = number_of(months_before(day, 12)), number_of(months_before(day, 3))
    items = _known(prepared.invoices, "issued_on", today)
    paid = _known(prepared.payments, "paid_on", today)
    orders = _known(prepared.orders, "ordered_on", today)
    parts = [
        _lateness(paid[paid["paid_on"] > year], items),
        _standing(paid, items, today),
        _billing(items[items["issued_on"] > year], quarter),
        orders[orders["ordered_on"] > quarter].groupby("customer").size().rename("order_count_3m"),
    ]
    found = pd.concat(parts, axis=1).reindex(range(len(prepared.customers))).fillna(_WITHOUT_ROWS)
    billed = found["billed"].where(found["billed"] > 0)
    found["dso_12m"] = found["open_amount"] * 365 / billed
    found.insert(0, "customer_id", prepared.customers)
    found.insert(1, "as_of", day)
    return found[["customer_id", "as_of", *NAMES]]


def _known(rows: pd.DataFrame, event_on: str, today: int) -> pd.DataFrame:
    """The revisions known on the day, of what had happened by then."""
    return rows[(rows["known_on"] <= today) & (rows["superseded_on"] > today) & (rows[event_on] <= today)]


def _lateness(paid: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Lateness of the money that came in: no clearings against credit notes, nothing that bounced."""
    rows = paid.merge(items[["invoice", "is_credit", "due_on"]], on="invoice")
    mixed = rows[rows["may_clear"]].groupby("payment").agg(paid=("amount", "sum"), credit=("is_credit", "any"))
    clearings = mixed.index[mixed["credit"] & (mixed["paid"] == 0)]
    rows = rows[~rows["is_credit"] & (rows["amount"] > 0) & ~rows["payment"].isin(clearings)]
    late = rows["paid_on"] - rows["due_on"]
    points = np.interp(late, _PAYDEX_DAYS, _PAYDEX_POINTS)
    counted = late.clip(upper=_MOST_DAYS) * rows["amount"]
    weighted = rows.assign(late=late, late_amount=counted, points=points * rows["amount"])
    sums = weighted.groupby("customer").agg(
        amount=("amount", "sum"), late=("late_amount", "sum"), points=("points", "sum"), worst=("late", "max")
    )
    return pd.DataFrame(
        {
            "mean_days_late_12m": sums["late"] / sums["amount"],
            "paydex_12m": sums["points"] / sums["amount"],
            "worst_days_late_12m": sums["worst"],
        }
    )


def _standing(paid: pd.DataFrame, items: pd.DataFrame, today: int) -> pd.DataFrame:
    """What is open on the day; the document's own currency decides whether it is."""
    settled = paid.groupby("invoice")[["amount", "amount_document"]].sum()
    owed = items[~items["is_credit"] & (items["written_off_on"] > today)]
    owed = owed.join(settled, on="invoice", rsuffix="_paid").fillna({"amount_paid": 0, "amount_document_paid": 0})
    owed = owed[owed["amount_document"] > owed["amount_document_paid"]]
    open_cents = (owed["amount"] - owed["amount_paid"]).clip(lower=1)
    days = (today - owed["due_on"]).clip(lower=0)
    sums = (
        pd.DataFrame({"customer": owed["customer"], "open": open_cents, "days": days})
        .assign(overdue=open_cents.where(days > 0, 0))
        .groupby("customer")
        .agg(open=("open", "sum"), overdue=("overdue", "sum"), oldest=("days", "max"))
    )
    return pd.DataFrame(
        {
            "open_amount": sums["open"] / 100,
            "open_share_over_0_days_past_due": sums["overdue"] / sums["open"],
            "oldest_days_past_due": sums["oldest"],
        }
    )


def _billing(items: pd.DataFrame, quarter: int) -> pd.DataFrame:
    """What was billed in the year, and in its last quarter."""
    charged = items["amount"].clip(lower=0)
    sums = (
        items.assign(charged=charged, recent=charged.where(items["issued_on"] > quarter, 0), count=~items["is_credit"])
        .groupby("customer")
        .agg(billed=("amount", "sum"), charged=("charged", "sum"), recent=("recent", "sum"), invoices=("count", "sum"))
    )
    return pd.DataFrame(
        {
            "billed": sums["billed"] / 100,
            "invoice_count_12m": sums["invoices"],
            "billing_trend_12m": sums["recent"] * 4 / sums["charged"].where(sums["charged"] > 0),
        }
    )


def _read(ledger: Path, name: str, columns: str) -> pd.DataFrame:
    rows = pq.read_table(ledger / f"{name}.parquet", columns=[*columns.split(), "known_on", "superseded_on"])
    return pd.DataFrame({column: _plain(rows[column]) for column in rows.column_names})


def _plain(column: pa.ChunkedArray) -> pd.Series:
    """Days since 1970 (NEVER for null), cents, or the texts as they are."""
    if pa.types.is_date(column.type):
        return pc.fill_null(column.cast(pa.int32()), NEVER).cast(pa.int64()).to_pandas()
    if pa.types.is_decimal(column.type):
        return pd.Series(cents_of(column))
    return column.to_pandas()
