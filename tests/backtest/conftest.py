"""A ledger of a few customers, made by hand, and what a replay of policies needs beside it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.history.point_in_time import customers_known, in_hindsight
from pipeline.history.position import positions
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import spine
from pipeline.labels.deliveries import defaults_begun, delivered_stretches
from pipeline.night_params import BacktestParams
from pipeline.score.backtest.backtest import Replay, Windows
from pipeline.score.backtest.items import items_of
from pipeline.score.backtest.limit_path import Seen
from pipeline.score.points import Scaling
from pipeline.score.policy import read_policy
from pipeline.score.position_columns import ordered_positions
from pipeline.score.rating import Answers
from pipeline.tables.canonical import ledger_of

MONTHS = [dt.date(2023, 1, 31), dt.date(2023, 2, 28), dt.date(2023, 3, 31)]
LAST = dt.date(2023, 4, 30)
EXTRACT = dt.date(2025, 12, 31)
BEGAN = dt.date(2022, 1, 10)


def day(month: int, number: int, year: int = 2023) -> dt.date:
    return dt.date(year, month, number)


def invoice(name: str, issued: dt.date, amount: int, paid: dt.date | None = None, **more: Any) -> dict[str, Any]:
    """An invoice over so many hundreds of the customer that its name begins with, and when it was paid in full."""
    row = {"invoice_id": name, "customer_id": name[0].upper(), "kind": "invoice", "issued_on": issued, "paid": paid}
    due = issued + dt.timedelta(days=60)
    return {**row, "due_on": due, "amount": Decimal(100 * amount), "currency": "EUR", "known_on": issued, **more}


# In hundreds: A owes 40, pays nothing new and is insolvent on 1 June. B pays all. C, of A's group, buys once.
INVOICES = [
    invoice("a0", day(1, 10), 40, day(2, 10)),
    invoice("a1", day(2, 5), 80),
    invoice("a2", day(2, 15), 50),
    invoice("a3", day(3, 5), 60),
    invoice("b1", day(2, 3), 90, day(3, 1)),
    invoice("b2", day(2, 10), 20, day(3, 1)),
    invoice("b3", day(4, 3), 70, day(5, 1)),
    invoice("c1", day(3, 10), 30, day(4, 10)),
]
EVENT = {"event_id": "E", "customer_id": "A", "kind": "insolvency", "occurred_on": day(6, 1), "known_on": day(6, 1)}


def tables(**more: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """The tables of the ledger; rows given by table name are added."""
    customers = [
        {"customer_id": c, "name": f"Firm {c}", "customer_since": BEGAN, "group_id": group, "known_on": BEGAN}
        for c, group in (("A", "G"), ("B", None), ("C", "G"))
    ]
    # Old paid invoices, so that nobody is a thin file.
    old = [
        invoice(f"{c}-old{n}", dt.date(2022, 1 + n, 15), 10, dt.date(2022, 1 + n, 28)) for c in "abc" for n in range(11)
    ]
    invoices = [*old, *INVOICES, *more.pop("invoices", [])]
    payments = [
        {
            "payment_id": f"p-{row['invoice_id']}", "invoice_id": row["invoice_id"], "customer_id": row["customer_id"],
            "paid_on": row["paid"], "amount": row["amount"], "known_on": row["paid"],
        }
        for row in invoices
        if row["paid"]
    ]  # fmt: skip
    limits = [
        {
            "customer_id": c, "valid_from": BEGAN, "limit_amount": Decimal(10_000), "currency": "EUR",
            "known_on": BEGAN, "valid_to": dt.date(9999, 12, 31), "approved_by": "board",
        }
        for c in "ABC"
    ]  # fmt: skip
    rows = {
        "customers": customers,
        "invoices": [{key: value for key, value in row.items() if key != "paid"} for row in invoices],
        "payments": payments,
        "limits": limits,
        "events": [EVENT],
    }
    return {name: pa.Table.from_pylist([*own, *more.pop(name, [])]) for name, own in rows.items()}


@pytest.fixture(scope="session")
def policy(repository):
    return read_policy(repository / "policy")


@dataclasses.dataclass(frozen=True)
class Past:
    """The months of the ledger as they were seen, the deliveries and what became of them."""

    seen: list[Seen]
    items: Any
    defaults: pa.Table

    def replay(self, policies, windows=None, cost_share=0.1, **settings):
        """The figures of the policies (by name, `current` first) and the standing of every month by policy."""
        params = BacktestParams(**{"rounds": 50, "min_bad_customers": 2, **settings})
        groups = {"A": "G", "B": "B", "C": "G"}
        replay = Replay(self.items, groups, policies, params, len(self.seen))
        for one in self.seen:
            replay.step(one)
        return replay.figures(self.defaults, windows or all_judged(), cost_share), replay.limits


def all_judged():
    ends = np.array([np.datetime64(dt.date(m.year + 1, m.month, 28), "D").astype(int) for m in MONTHS])
    return Windows(ends, np.ones(3, dtype=bool), np.zeros(3, dtype=bool))


@pytest.fixture(scope="module")
def past_of(engine, definition):
    """The past of a ledger with more rows by table."""

    def build(**more):
        ledger = ledger_of(engine.register, tables(**more), extract_date=EXTRACT)
        final = prepared(in_hindsight(ledger), engine.keep)
        rows = engine.collect(delivered_stretches(final, MONTHS[0], LAST), order_by=("invoice_id", "from_on"))
        begun = engine.collect(defaults_begun(ledger, definition, engine.keep), order_by=("customer_id", "started_on"))
        return Past(_seen(engine, ledger, definition), items_of(rows, MONTHS), begun)

    return build


def _seen(engine, ledger, definition) -> list[Seen]:
    """Positions of each month end, and a model that gives everybody one PD."""
    model = SimpleNamespace(kind="scorecard", scaling=Scaling(20.0, 600.0, 30.0))
    known = [
        rows.append_column("as_of", pa.array([as_of] * rows.num_rows, pa.date32()))
        for as_of in MONTHS
        for rows in [engine.collect(customers_known(ledger, as_of), order_by=("customer_id",))]
    ]
    days = engine.register("days", spine(pa.concat_tables(known)))
    stood = engine.collect(positions(ledger, days, definition, engine.keep), order_by=("as_of", "customer_id"))
    rows = stood.to_pandas()
    found = []
    for as_of in MONTHS:
        of_day = rows[rows["as_of"] == as_of]
        pd_ = np.full(len(of_day), 0.01)
        found.append(Seen(as_of, ordered_positions(of_day, as_of), Answers(pd_, pd_), model))
    return found
