"""One more invoice 90 days late never lowers a PD: judged on the two models that the main job fitted.

For every customer of the demo book, whether it ever bought or paid or not, beside no invoice at all, and with no column
held still but those of its peers. These leave the customer itself out, so its own invoice does not touch them; here
everybody is given one at once, and each is judged as if it were the only one. The same again with levels by size class,
which a book of this size is too small to earn.
"""

from __future__ import annotations

import datetime as dt
import statistics
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.engine import connect_duckdb
from pipeline.features import catalog
from pipeline.features.build import features
from pipeline.history.snapshots import spine
from pipeline.score.model_folder import read_role
from pipeline.score.segment_shifts import SegmentShifts, ShiftedBooster
from pipeline.tables.canonical import ledger_of, read_manifest
from pipeline.tables.ledger import BY_NAME
from pipeline.train.sample import Sample
from pipeline.train.segment_points import with_segment_points

OF_PEERS = ("group_", "industry_", "shared_", "linked_")
SEGMENT = "size_class"
# Days since the invoice fell due, and since it was paid; null stands open.
CASES = {
    "open 90 days past due": (90, None),
    "open 200 days past due": (200, None),
    "paid 90 days late, today": (90, 0),
    "paid 95 days late, a month ago": (125, 30),
    "paid 120 days late, half a year ago": (300, 180),
}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]


@pytest.fixture(scope="module")
def told(ran):
    """Of every customer its columns as it is and with the invoice of each case, those of its peers as they were."""
    folder = ran.root / "data" / "ledger"
    day = dt.date.fromisoformat(read_manifest(folder)["extract_date"])
    names = [path.stem for path in sorted(folder.glob("*.parquet"))]
    tables = {n: pq.read_table(folder / f"{n}.parquet").select(BY_NAME[n].canonical_schema.names) for n in names}
    usual = _usual_amounts(tables, day)
    roles = [read_role(ran.root / "models", role) for role in ("champion", "challenger")]
    wanted = sorted({name for model in roles for name in model.features} | {SEGMENT})
    found = {"as it is": _known(tables, day, usual, wanted)}
    peers = {name: found["as it is"][name] for name in wanted if name.startswith(OF_PEERS)}
    for case, (due, paid) in CASES.items():
        more = tables | _with_invoice(tables, usual, day - dt.timedelta(days=due))
        if paid is not None:
            more |= _with_payment(tables, usual, day - dt.timedelta(days=paid))
        found[case] = _known(more, day, usual, wanted).assign(**peers)
    return found


@pytest.fixture(scope="module", params=["champion", "challenger", "champion by segment", "challenger by segment"])
def model(ran, told, request):
    role, _, by_segment = request.param.partition(" ")
    model = read_role(ran.root / "models", role)
    return _with_levels(model, told["as it is"]) if by_segment else model


def _with_levels(model, rows):
    """The model with a level for each size class, as the training works them in."""
    classes = sorted(rows[SEGMENT].dropna().unique())
    assert len(classes) > 1
    shifts = {name: -0.6 + 1.2 * i / (len(classes) - 1) for i, name in enumerate(classes)}
    if model.kind == "booster":
        predictor = ShiftedBooster(model.predictor, SegmentShifts(SEGMENT, shifts, 0.0))
    else:
        nobody = np.array([None] * len(rows), dtype=object)
        predictor = with_segment_points(
            model.predictor, SEGMENT, shifts, Sample(rows, np.zeros(len(rows)), nobody, nobody)
        )
    known = {str(entry["name"]) for entry in model.catalogue}
    entries = [*model.catalogue, *(e for e in catalog.as_json() if e["name"] == SEGMENT and SEGMENT not in known)]
    levelled = replace(model, predictor=predictor, features=predictor.features, catalogue=entries)
    assert len(np.unique(np.round(levelled.log_odds(rows) - model.log_odds(rows), 9))) >= len(classes)
    return levelled


@pytest.mark.parametrize("case", CASES)
def test_one_more_invoice_90_days_late_lowers_no_pd(told, model, case):
    before, after = (model.pd(told[name]) for name in ("as it is", case))
    lower = np.flatnonzero(after < before)
    customers = told["as it is"]["customer_id"]
    assert [(customers[i], float(before[i]), float(after[i])) for i in lower] == []


def test_there_is_something_to_judge(told, model):
    before, after = (model.pd(told[name]) for name in ("as it is", "open 90 days past due"))
    assert len(before) == 500
    assert np.mean(after - before) > 0.01
    if model.kind == "booster":
        paid = model.pd(told["paid 95 days late, a month ago"])
        assert np.mean(paid > before) > 0.3


def _known(tables, day, usual, wanted):
    engine = connect_duckdb(1, "2GB")
    try:
        ledger = ledger_of(engine.register, tables)
        asked = pa.table({"customer_id": sorted(usual), "as_of": pa.array([day] * len(usual), pa.date32())})
        found = features(ledger, engine.register("asked", spine(asked)), engine.keep, wanted)
        return engine.collect(found, ["as_of", "customer_id"]).to_pandas()
    finally:
        engine.close()


def _usual_amounts(tables, day):
    """The median invoice of everybody; 500 of who has none yet."""
    amounts = {customer: [] for customer in tables["customers"]["customer_id"].to_pylist()}
    for row in tables["invoices"].select(["customer_id", "amount", "kind", "issued_on"]).to_pylist():
        if row["kind"] == "invoice" and row["issued_on"] <= day:
            amounts[row["customer_id"]].append(row["amount"])
    return {customer: statistics.median_high(some) if some else 500 for customer, some in amounts.items()}


def _with_invoice(tables, usual, due):
    issued = due - dt.timedelta(days=30)
    rows = [
        {"invoice_id": f"more-{customer}", "customer_id": customer, "kind": "invoice", "issued_on": issued,
         "due_on": due, "amount": amount, "amount_document": amount, "currency": "EUR", "known_on": issued}
        for customer, amount in usual.items()
    ]  # fmt: skip
    return {"invoices": pa.concat_tables([tables["invoices"], pa.Table.from_pylist(rows, tables["invoices"].schema)])}


def _with_payment(tables, usual, paid):
    rows = [
        {"payment_id": f"more-{customer}", "invoice_id": f"more-{customer}", "customer_id": customer, "paid_on": paid,
         "amount": amount, "amount_document": amount, "currency": "EUR", "known_on": paid}
        for customer, amount in usual.items()
    ]  # fmt: skip
    return {"payments": pa.concat_tables([tables["payments"], pa.Table.from_pylist(rows, tables["payments"].schema)])}
