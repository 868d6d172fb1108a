"""One more invoice more than 90 days late never lowers a PD: judged on the two models that the main job fitted.

An invoice is trade as well as lateness, and a customer that is billed more is a better one. So the law is held twice:
against the same invoice not yet due, which is the same trade; and against no invoice, with the columns that measure
trade held where they were. Customers are judged alone: what their peers owe stays as it was.
"""

from __future__ import annotations

import datetime as dt
import statistics

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.history.snapshots import spine
from pipeline.score.model_folder import read_role
from pipeline.tables.canonical import ledger_of, read_manifest
from pipeline.tables.ledger import BY_NAME

OF_PEERS = ("group_", "industry_", "shared_", "linked_")
TERMS = ("mean_terms_days_12m", "terms_change_12m")
TRADE = (
    *TERMS,
    *("billing_level_year_on_year_18m", "billing_level_same_quarter", "billing_trend_12m", "billed_month_count_12m"),
    *("billed_amount_12m", "invoice_count_12m", "days_since_last_invoice", "billing_to_cost_of_sales"),
    *("limit_in_months_of_billing", "book_to_bill_3m", "credit_note_share_12m", "disputed_to_billed_12m"),
    *("overdue_growth_3m", "open_growth_3m", "open_amount", "open_item_count", "largest_open_item_share"),
    *("open_credit_share", "best_possible_dso_12m"),
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(ran):
    """Of every customer billed in the last year: its columns as it is, with the invoice overdue, and not yet due."""
    folder = ran.root / "data" / "ledger"
    day = dt.date.fromisoformat(read_manifest(folder)["extract_date"])
    names = [path.stem for path in sorted(folder.glob("*.parquet"))]
    tables = {n: pq.read_table(folder / f"{n}.parquet").select(BY_NAME[n].canonical_schema.names) for n in names}
    usual = _usual_amounts(tables["invoices"], day)
    wanted = sorted(
        {name for role in ("champion", "challenger") for name in read_role(ran.root / "models", role).features}
    )
    as_it_is = _known(tables, day, usual, wanted)
    found = {"as it is": as_it_is}
    for name, due in (("overdue", day - dt.timedelta(days=95)), ("not yet due", day + dt.timedelta(days=40))):
        more = _with_invoice(tables["invoices"], usual, day - dt.timedelta(days=125), due)
        rows = _known(tables | {"invoices": more}, day, usual, wanted)
        peers = [column for column in wanted if column.startswith(OF_PEERS)]
        found[name] = rows.assign(**{column: as_it_is[column] for column in peers})
    return found


@pytest.fixture(scope="module", params=["champion", "challenger"])
def model(ran, request):
    return read_role(ran.root / "models", request.param)


def test_overdue_rather_than_not_yet_due_lowers_no_pd(told, model):
    overdue = _held(told["overdue"], told["not yet due"], TERMS)
    assert _lower(model, told["not yet due"], overdue) == []


def test_one_more_overdue_invoice_lowers_no_pd_but_by_the_trade_it_brings(told, model):
    assert _lower(model, told["as it is"], _held(told["overdue"], told["as it is"], TRADE)) == []


def test_one_more_overdue_invoice_seldom_lowers_a_pd_even_with_its_trade(told, model):
    lower = _lower(model, told["as it is"], told["overdue"])
    assert len(lower) <= 0.03 * len(told["as it is"]), f"{len(lower)} of {len(told['as it is'])}: {lower[:5]}"


def test_there_is_something_to_judge(told, model):
    before, after = (model.pd(told[name]) for name in ("as it is", "overdue"))
    assert len(before) > 200
    assert np.mean(after - before) > 0.01


def _lower(model, before, after):
    """(customer, PD before, PD after) of everybody whose PD fell."""
    pairs = zip(before["customer_id"], model.pd(before), model.pd(after), strict=True)
    return [(customer, float(old), float(new)) for customer, old, new in pairs if new < old - 1e-12]


def _held(rows, others, columns):
    return rows.assign(**{column: others[column] for column in columns if column in rows.columns})


def _known(tables, day, usual, wanted):
    engine = connect_duckdb(1, "2GB")
    try:
        ledger = ledger_of(engine.register, tables)
        asked = pa.table({"customer_id": sorted(usual), "as_of": pa.array([day] * len(usual), pa.date32())})
        found = features(ledger, engine.register("asked", spine(asked)), engine.keep, wanted)
        return engine.collect(found, ["as_of", "customer_id"]).to_pandas()
    finally:
        engine.close()


def _usual_amounts(invoices, day):
    """The median invoice of everybody billed in the year before the day."""
    recent = pc.and_(
        pc.greater(invoices["issued_on"], pa.scalar(day - dt.timedelta(days=365))),
        pc.equal(invoices["kind"], "invoice"),
    )
    amounts = {}
    for row in invoices.filter(recent).select(["customer_id", "amount"]).to_pylist():
        amounts.setdefault(row["customer_id"], []).append(row["amount"])
    return {customer: statistics.median_high(some) for customer, some in amounts.items()}


def _with_invoice(invoices, usual, issued, due):
    rows = [
        {"invoice_id": f"more-{customer}", "customer_id": customer, "kind": "invoice", "issued_on": issued,
         "due_on": due, "amount": amount, "amount_document": amount, "currency": "EUR", "known_on": issued}
        for customer, amount in usual.items()
    ]  # fmt: skip
    return pa.concat_tables([invoices, pa.Table.from_pylist(rows, invoices.schema)])
