"""The ten features by featuretools with cutoff times; runs in the environment of requirements/featuretools.txt.

    python featuretools_features.py LEDGER CUTOFFS OUT

Reads the Parquet files of a plain ledger (featuretools_peer.py) and CUTOFFS (customer_id, time), writes OUT and prints
seconds as JSON. No import of this project: pandas 3, which it needs, does not fit featuretools.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import ClassVar

import featuretools as ft
import numpy as np
import pandas as pd
from featuretools.entityset.relationship import RelationshipPath
from featuretools.feature_base import AggregationFeature
from featuretools.primitives import Count, DivideNumeric, Max, Sum, TransformPrimitive
from woodwork.column_schema import ColumnSchema
from woodwork.logical_types import Datetime, Double

# They warn of releases after their own and, at every date, that children do not extend the life of a customer.
warnings.filterwarnings("ignore")

_PAYDEX_DAYS = (-30, -20, 0, 15, 22, 30, 60, 90, 120, 177)
_PAYDEX_POINTS = (100, 90, 80, 70, 60, 50, 40, 30, 20, 1)
_MOST_DAYS = 90
_NUMERIC = ColumnSchema(semantic_tags={"numeric"})


class OpenCents(TransformPrimitive):
    """What is left of a document; 0 when it is settled or overpaid."""

    name = "open_cents"
    input_types: ClassVar = [_NUMERIC, _NUMERIC]
    return_type = ColumnSchema(logical_type=Double, semantic_tags={"numeric"})

    def get_function(self):
        """Amount less what was paid."""
        return lambda amount, paid: (amount - paid.fillna(0)).clip(lower=0)


class OverdueCents(TransformPrimitive):
    """What is left of a document that is past its due date at the cutoff."""

    name = "overdue_cents"
    input_types: ClassVar = [_NUMERIC, ColumnSchema(logical_type=Datetime)]
    return_type = ColumnSchema(logical_type=Double, semantic_tags={"numeric"})
    uses_calc_time = True

    def get_function(self):
        """The open amount where the due date lies before the cutoff."""
        return lambda left, due_on, time: left.where(due_on < time, 0.0)


class DaysPastDue(TransformPrimitive):
    """Days from the due date to the cutoff of what is open; null for the settled, 0 for what is not due."""

    name = "days_past_due"
    input_types: ClassVar = [_NUMERIC, ColumnSchema(logical_type=Datetime)]
    return_type = ColumnSchema(logical_type=Double, semantic_tags={"numeric"})
    uses_calc_time = True

    def get_function(self):
        """Whole days, not below 0."""
        return lambda left, due_on, time: (time - due_on).dt.days.clip(lower=0).where(left > 0).astype(float)


def entities(ledger: Path) -> ft.EntitySet:
    """Customers with orders, invoices and payments; each payment beside the lateness of its invoice, prepared once."""
    customers = pd.read_parquet(ledger / "customers.parquet", columns=["customer_id"]).drop_duplicates()
    orders = _dated(ledger, "orders", ["order_id", "customer_id", "ordered_on"])
    invoices = _dated(ledger, "invoices", ["invoice_id", "customer_id", "issued_on", "due_on", "amount"])
    payments = _dated(ledger, "payments", ["payment_id", "invoice_id", "customer_id", "paid_on", "amount"])
    payments = payments.merge(invoices[["invoice_id", "due_on"]], on="invoice_id")
    late = (payments["paid_on"] - payments.pop("due_on")).dt.days.astype(float)
    came_in = payments["amount"].clip(lower=0)
    payments = payments.assign(
        payment_row=np.arange(len(payments)),
        came_in=came_in,
        late=late.where(came_in > 0),
        late_cents=late.clip(upper=_MOST_DAYS) * came_in,
        points_cents=np.interp(late, _PAYDEX_DAYS, _PAYDEX_POINTS) * came_in,
    ).drop(columns="payment_id")
    made = ft.EntitySet("ledger")
    for name, rows, index, day in (
        ("customers", customers, "customer_id", None),
        ("orders", orders, "order_id", "ordered_on"),
        ("invoices", invoices, "invoice_id", "issued_on"),
        ("payments", payments, "payment_row", "paid_on"),
    ):
        # Told what identifiers are, or woodwork tries to read each as a day.
        texts = {column: "Unknown" for column in rows if column.endswith("_id")}
        made.add_dataframe(rows, name, index=index, time_index=day, logical_types=texts)
    for child in ("orders", "invoices", "payments"):
        made.add_relationship("customers", "customer_id", child, "customer_id")
    made.add_relationship("invoices", "invoice_id", "payments", "invoice_id")
    return made


def _dated(ledger: Path, name: str, columns: list[str]) -> pd.DataFrame:
    rows = pd.read_parquet(ledger / f"{name}.parquet", columns=columns)
    days = [column for column in columns if column.endswith("_on")]
    rows = rows.assign(**{day: pd.to_datetime(rows[day]) for day in days})
    if "amount" in columns:
        # In whole cents, exact as doubles: what is paid is then open by exactly nothing.
        rows["amount"] = (rows["amount"].astype(float) * 100).round()
    return rows


def matrix(made: ft.EntitySet, cutoffs: pd.DataFrame) -> pd.DataFrame:
    """The ten features: three calls, because a training window belongs to a call."""

    def of(child: str, column: str, primitive: type) -> AggregationFeature:
        """The aggregate of a customer's own rows (payments are reached by way of invoices too)."""
        (own,) = (r for r in made.relationships if (r.parent_name, r.child_name) == ("customers", child))
        base = ft.IdentityFeature(made[child].ww[column])
        return AggregationFeature(base, "customers", primitive, relationship_path=RelationshipPath([(False, own)]))

    came_in = of("payments", "came_in", Sum)
    billed = of("invoices", "amount", Sum)
    year = {
        "mean_days_late_12m": ft.Feature([of("payments", "late_cents", Sum), came_in], primitive=DivideNumeric),
        "paydex_12m": ft.Feature([of("payments", "points_cents", Sum), came_in], primitive=DivideNumeric),
        "worst_days_late_12m": of("payments", "late", Max),
        "invoice_count_12m": of("invoices", "invoice_id", Count),
        "billed_12m": billed,
    }
    quarter = {"order_count_3m": of("orders", "order_id", Count), "billed_3m": billed}
    paid = AggregationFeature(ft.IdentityFeature(made["payments"].ww["amount"]), "invoices", Sum)
    due_on = ft.IdentityFeature(made["invoices"].ww["due_on"])
    left = ft.Feature([ft.IdentityFeature(made["invoices"].ww["amount"]), paid], primitive=OpenCents)
    overdue = ft.Feature([left, due_on], primitive=OverdueCents)
    past_due = ft.Feature([left, due_on], primitive=DaysPastDue)
    now = {
        "open": AggregationFeature(left, "customers", Sum),
        "overdue": AggregationFeature(overdue, "customers", Sum),
        "oldest_days_past_due": AggregationFeature(past_due, "customers", Max),
    }
    parts = [
        _calculated(made, cutoffs, asked, window) for asked, window in ((year, "12 months"), (quarter, "3 months"))
    ]
    return _shares(pd.concat([*parts, _calculated(made, cutoffs, now, None)], axis=1))


def _calculated(made: ft.EntitySet, cutoffs: pd.DataFrame, asked: dict, window: str | None) -> pd.DataFrame:
    rows = ft.calculate_feature_matrix(
        list(asked.values()), made, cutoff_time=cutoffs, training_window=window, cutoff_time_in_index=True, n_jobs=1
    )
    rows.columns = list(asked)
    return pd.DataFrame(rows).sort_index()


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    billed = rows["billed_12m"].where(rows["billed_12m"] > 0)
    return rows.assign(
        open_amount=rows["open"] / 100,
        open_share_over_0_days_past_due=(rows["overdue"] / rows["open"].where(rows["open"] > 0)).fillna(0),
        oldest_days_past_due=rows["oldest_days_past_due"].fillna(0),
        dso_12m=rows["open"] * 365 / billed,
        billing_trend_12m=rows["billed_3m"] * 4 / billed,
    ).drop(columns=["open", "overdue", "billed_12m", "billed_3m"])


def main() -> None:
    """Calculates, writes and prints what it took. Reading and preparing the entities is told apart."""
    ledger, cutoffs, out = (Path(argument) for argument in sys.argv[1:4])
    started = time.monotonic()
    made = entities(ledger)
    prepared = time.monotonic()
    asked = pd.read_parquet(cutoffs)
    rows = matrix(made, asked.assign(time=pd.to_datetime(asked["time"])))
    calculated = time.monotonic()
    rows.reset_index().to_parquet(out)
    print(
        json.dumps(
            {
                "prepare_seconds": prepared - started,
                "seconds": calculated - prepared,
                "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                "versions": {"featuretools": ft.__version__, "pandas": pd.__version__},
            }
        )
    )


if __name__ == "__main__":
    main()
