from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from pipeline.errors import ContractError, ParameterError
from pipeline.tables.intake import intake


def test_a_sound_ledger_is_taken_in_whole(small, hand_in, settings):
    result = intake(hand_in(small), None, settings)
    assert result.present == {"customers", "invoices", "payments"}
    assert result.breaches == ()
    assert result.quarantine == {}
    assert result.extract_date == dt.date(2024, 4, 30)
    assert [str(a) for a in result.tables["invoices"]["amount"].to_pylist()] == ["-20.00", "1000.00", "250.50", "80.00"]


def test_bad_rows_below_the_threshold_are_set_aside_with_source_and_reason(small, hand_in, lenient):
    small["invoices"] = small["invoices"].replace("80,EUR", "abc,EUR").replace("2024-04-09", "2023-04-09")
    result = intake(hand_in(small), None, lenient)
    assert result.tables["invoices"]["invoice_id"].to_pylist() == ["G-1", "R-1", "R-2"]
    (row,) = result.quarantine["invoices"].to_pylist()
    assert row["amount"] == "abc"
    assert (row["source_file"], row["source_row"]) == ("invoices.csv", 3)
    assert row["reason"] == "amount is text, not amounts; due_on is before issued_on"


def test_a_quarantined_customer_takes_its_invoices_and_their_payments_along(small, hand_in, lenient):
    small["customers"] = small["customers"].replace("001,Alder", "001,")
    result = intake(hand_in(small), None, lenient)
    assert result.tables["invoices"]["invoice_id"].to_pylist() == ["G-1", "R-3"]
    assert result.tables["payments"]["payment_id"].to_pylist() == ["P-3", "P-4"]
    assert result.quarantine["payments"]["payment_id"].to_pylist() == ["P-1", "P-2"]


def test_rows_handed_in_twice_stay_once(small, hand_in, lenient):
    small["payments"] += "P-1,R-1,001,2024-02-20,600.00,2024-02-21\n"
    result = intake(hand_in(small), None, lenient)
    assert result.tables["payments"].num_rows == 4
    assert result.quarantine["payments"]["source_row"].to_pylist() == [5]


def test_rows_that_contradict_each_other_are_all_set_aside_and_none_is_chosen(small, hand_in, lenient):
    small["payments"] += "P-1,R-1,001,2024-02-20,999.00,2024-02-21\n"
    result = intake(hand_in(small), None, lenient)
    assert "P-1" not in result.tables["payments"]["payment_id"].to_pylist()
    assert result.quarantine["payments"]["source_row"].to_pylist() == [1, 5]


def test_a_later_known_on_is_a_revision_and_both_versions_stay(small, hand_in, settings):
    small["payments"] += "P-1,R-1,001,2024-02-20,610.00,2024-02-25\n"
    result = intake(hand_in(small), None, settings)
    versions = [str(r["amount"]) for r in result.tables["payments"].to_pylist() if r["payment_id"] == "P-1"]
    assert versions == ["600.00", "610.00"]
    assert result.report["tables"]["payments"]["revisions"] == 1


def test_one_payment_may_clear_several_invoices(small, hand_in, settings):
    small["payments"] += "P-1,R-2,001,2024-02-20,10.00,2024-02-21\n"
    assert intake(hand_in(small), None, settings).tables["payments"].num_rows == 5


def test_a_threshold_is_a_share_of_the_tables_rows(small, hand_in, settings):
    small["invoices"] = small["invoices"].replace("80,EUR", "abc,EUR")
    small["payments"] = small["payments"].replace("R-3", "R-2")
    folder = hand_in(small)
    allowing = dataclasses.replace(settings, max_bad_share={"invoices": 0.25})
    assert intake(folder, None, allowing).tables["invoices"].num_rows == 3
    with pytest.raises(ContractError, match=r"invoices: 1 of 4 rows \(25\.0%\).*threshold of 24\.0%"):
        intake(folder, None, dataclasses.replace(settings, max_bad_share={"invoices": 0.24}))


def test_a_threshold_of_an_unknown_table_is_a_wrong_parameter(small, hand_in, settings):
    with pytest.raises(ParameterError, match=r"unknown table.*'invoice'"):
        intake(hand_in(small), None, dataclasses.replace(settings, max_bad_share={"invoice": 0.5}))


def test_a_declared_extract_date_makes_later_rows_breaches(small, hand_in, settings):
    early = dataclasses.replace(settings, extract_date=dt.date(2024, 4, 1))
    with pytest.raises(
        ContractError, match=r"payments.known_on: 1 of 4 rows are after the extract date, e.g. 2024-04-30"
    ):
        intake(hand_in(small), None, early)


def test_a_slip_of_a_century_does_not_move_the_extract_date(small, hand_in, lenient):
    header, first = small["customers"].splitlines()[:2]
    many = [header, *(first.replace("001", f"{i:03d}") for i in range(1, 200))]
    small["customers"] = "\n".join([*many, first.replace("001", "900").replace("-01,NA,2019", "-01,NA,2119"), ""])
    result = intake(hand_in(small), None, lenient)
    assert result.extract_date == dt.date(2024, 4, 30)
    assert result.quarantine["customers"]["customer_id"].to_pylist() == ["900"]


def test_what_is_not_handed_in_is_reported_with_its_cost(small, hand_in, settings):
    report = intake(hand_in(small), None, settings).report
    assert report["absent"]["orders"].startswith("no order features")
    assert report["tables"]["customers"]["columns_not_given"][0] == "tax_id"


def test_optional_references_resolve_where_the_table_is_handed_in(small, hand_in, lenient):
    small["invoices"] = small["invoices"].replace("known_on", "known_on,order_id").replace("-10\n", "-10,O-1\n")
    small["invoices"] = small["invoices"].replace("2024-03-20\n", "2024-03-20,\n")
    without = intake(hand_in(small), None, lenient)
    assert without.tables["invoices"].num_rows == 4
    small["orders"] = "order_id,customer_id,ordered_on,amount,known_on\nO-2,001,2024-01-01,5,2024-01-01\n"
    with_orders = intake(hand_in(small), None, lenient)
    assert with_orders.tables["invoices"]["invoice_id"].to_pylist() == ["G-1"]


def test_equal_content_has_an_equal_version_in_any_order_and_format(small, hand_in, settings, tmp_path):
    first = intake(hand_in(small), None, settings).data_version
    header, *rows = small["payments"].splitlines()
    (tmp_path / "source" / "payments.csv").unlink()
    folder = hand_in({"payments.csv.gz": "\n".join([header, *reversed(rows)]) + "\n"})
    assert intake(folder, None, settings).data_version == first
