"""The three real extracts, by their mappings. They stand beside the repository and are never copied into it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest

from pipeline.params import IngestParams
from pipeline.tables.intake import intake
from pipeline.tables.mapping import parse_mapping

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
DOLLAR = IngestParams(base_currency="USD")
FILES = {
    "highradius_open_items_20190831": "highradius",
    "highradius_open_invoices_2020": "highradius",
    "ibm_receivables": "ibm_receivables",
}


def _mapping(name: str):
    return parse_mapping((ROOT / "data" / "mappings" / f"{name}.yaml").read_text(encoding="utf-8"), name)


def _taken_in(name: str):
    if not (SHARED / FILES[name]).exists():
        pytest.skip(f"the extract {name} is not beside the repository")
    return intake(SHARED / FILES[name], _mapping(name), DOLLAR)


@pytest.mark.parametrize("name", FILES)
def test_every_mapping_is_sound_and_says_what_it_assumes(name):
    assert len(_mapping(name).assumptions) >= 5


def test_open_items_of_2019():
    result = _taken_in("highradius_open_items_20190831")
    assert {name: rows.num_rows for name, rows in result.tables.items()} == {
        "customers": 878,
        "invoices": 22605,
        "payments": 22605 - 251,
    }
    assert result.breaches == ()
    assert result.extract_date == dt.date(2019, 8, 31)
    invoices = result.tables["invoices"]
    assert pc.max(invoices["issued_on"]).as_py() == dt.date(2019, 8, 31)
    assert pc.sum(invoices["amount"]).as_py() > pc.sum(result.tables["payments"]["amount"]).as_py()


def test_issue_days_of_open_items_do_not_follow_from_their_clearing():
    result = _taken_in("highradius_open_items_20190831")
    terms = pc.days_between(result.tables["invoices"]["issued_on"], result.tables["invoices"]["due_on"])
    assert pc.min(terms).as_py() == 15
    assert pc.sum(pc.not_equal(terms, 15)).as_py() == 20


def test_open_invoices_of_2020():
    result = _taken_in("highradius_open_invoices_2020")
    assert result.report["tables"]["invoices"]["left_out_by_mapping"] == 747
    assert result.quarantine["invoices"].num_rows == 32
    assert result.tables["invoices"].num_rows == 9700 - 747 - 32
    assert result.tables["payments"].num_rows == 0
    assert result.tables["invoices"]["invoice_id"][0].as_py() == "1930534354"
    assert result.tables["customers"]["customer_id"][0].as_py() == "0100000222"


def test_ibm_receivables():
    result = _taken_in("ibm_receivables")
    assert {name: rows.num_rows for name, rows in result.tables.items()} == {
        "customers": 100,
        "invoices": 2466,
        "payments": 2466,
    }
    first = result.tables["invoices"].slice(0, 1).to_pylist()[0]
    assert (first["invoice_id"], first["issued_on"], first["amount"]) == (
        "0000611365",
        dt.date(2013, 1, 2),
        Decimal("55.94"),
    )
    # Payments bear their invoice's number, so both tables stand in the same order. 35.6 % are known to be late.
    late = pc.greater(result.tables["payments"]["paid_on"], result.tables["invoices"]["due_on"])
    assert pc.sum(late).as_py() == 877
