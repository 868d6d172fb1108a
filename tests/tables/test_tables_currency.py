from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ContractError
from pipeline.tables.contract import Kind
from pipeline.tables.currency import Rate, Rates
from pipeline.tables.intake import intake
from pipeline.tables.ledger import INVOICES, PAYMENTS
from pipeline.tables.money import cents_of, money_of, times
from pipeline.tables.rate_columns import NO_RATE, RateColumn, rate_column
from pipeline.tables.running_sums import posted

FX = """\
currency,rate_on,rate,known_on
USD,2024-01-08,0.90,2024-01-08
USD,2024-02-01,0.95,2024-02-01
USD,2024-02-01,0.96,2024-06-01
GBP,2024-01-01,1.20,2024-01-01
"""
INVOICE_HEADER = "invoice_id,customer_id,kind,issued_on,due_on,amount,currency,known_on\n"
PAYMENT_HEADER = "payment_id,invoice_id,customer_id,paid_on,amount,currency,known_on\n"


def _by(rows: pa.Table, key: str) -> dict[str, dict[str, object]]:
    return {row[key]: row for row in rows.to_pylist()}


def _ledger(small, hand_in, settings, invoices="", payments="", **more):
    files = {
        **small,
        "invoices": INVOICE_HEADER + (invoices or "R-1,001,invoice,2024-01-10,2024-02-09,10.01,USD,2024-01-10\n"),
        "payments": PAYMENT_HEADER + (payments or "P-1,R-1,001,2024-03-01,10.01,,2024-06-30\n"),
        "fx_rates": FX,
        **more,
    }
    return intake(hand_in(files), None, settings)


def test_an_invoice_is_converted_at_the_latest_rate_on_or_before_its_issue_rounded_half_to_even(
    small, hand_in, settings
):
    # 10.05 x 0.90 = 9.045 lies between 9.04 and 9.05: the even cent is 9.04.
    line = "R-1,001,invoice,2024-01-10,2024-02-09,10.05,USD,2024-01-10\n"
    row = _by(
        _ledger(small, hand_in, settings, line, "P-1,R-1,001,2024-03-01,1,,2024-06-30\n").tables["invoices"],
        "invoice_id",
    )["R-1"]
    assert (row["amount"], row["amount_document"], row["currency"]) == (Decimal("9.04"), Decimal("10.05"), "USD")


def test_a_rate_known_later_than_the_row_does_not_count(small, hand_in, settings):
    lines = (
        "R-1,001,invoice,2024-02-10,2024-03-09,100,USD,2024-02-10\n"
        "R-2,001,invoice,2024-02-10,2024-03-09,100,USD,2024-06-15\n"
    )
    rows = _by(_ledger(small, hand_in, settings, lines).tables["invoices"], "invoice_id")
    assert rows["R-1"]["amount"] == Decimal(95)
    assert rows["R-2"]["amount"] == Decimal(96)


def test_part_payments_round_so_that_a_settled_invoice_nets_to_zero_in_both_currencies(small, hand_in, settings):
    payments = (
        "P-1,R-1,001,2024-03-01,3.33,,2024-03-01\n"
        "P-2,R-1,001,2024-03-02,3.33,,2024-03-02\n"
        "P-3,R-1,001,2024-03-03,3.35,,2024-03-03\n"
    )
    result = _ledger(small, hand_in, settings, payments=payments)
    paid = result.tables["payments"].to_pylist()
    assert [row["amount"] for row in paid] == [Decimal("3.00"), Decimal("2.99"), Decimal("3.02")]
    assert sum(row["amount"] for row in paid) == result.tables["invoices"]["amount"][0].as_py() == Decimal("9.01")
    assert sum(row["amount_document"] for row in paid) == Decimal("10.01")


def test_a_payment_in_another_currency_is_crossed_at_the_rates_of_its_day(small, hand_in, settings):
    result = _ledger(small, hand_in, settings, payments="P-1,R-1,001,2024-03-01,9.51,EUR,2024-03-01\n")
    row = result.tables["payments"].to_pylist()[0]
    # 9.51 EUR / 0.95 = 10.01 USD, which settles the invoice.
    assert (row["amount_document"], row["currency"], row["amount"]) == (Decimal("10.01"), "USD", Decimal("9.01"))


def test_a_later_revision_of_a_payment_takes_the_place_of_the_first(small, hand_in, settings):
    payments = "P-1,R-1,001,2024-03-01,5.00,,2024-03-01\nP-1,R-1,001,2024-03-01,10.01,,2024-04-01\n"
    rows = _ledger(small, hand_in, settings, payments=payments).tables["payments"].to_pylist()
    assert [row["amount"] for row in rows] == [Decimal("4.50"), Decimal("9.01")]


def test_no_payment_depends_on_one_that_was_known_later(small, hand_in, settings):
    first = "P-2,R-1,001,2024-03-02,3.33,,2024-03-02\n"
    alone = _ledger(small, hand_in, settings, payments=first).tables["payments"].to_pylist()[0]
    both = _ledger(small, hand_in, settings, payments=first + "P-1,R-1,001,2024-03-01,3.33,,2024-05-01\n")
    assert _by(both.tables["payments"], "payment_id")["P-2"]["amount"] == alone["amount"]


def test_a_payment_known_before_its_invoice_takes_the_rate_of_its_own_day(small, hand_in, settings):
    invoice = "R-1,001,invoice,2024-02-10,2024-03-09,100,USD,2024-02-10\n"
    payments = "P-1,R-1,001,2024-01-15,50,,2024-01-15\nP-2,R-1,001,2024-03-01,50,,2024-03-01\n"
    rows = _by(_ledger(small, hand_in, settings, invoice, payments).tables["payments"], "payment_id")
    assert rows["P-1"]["amount"] == Decimal("45.00")
    # The invoice is 95.00; the second payment takes up what the first left.
    assert rows["P-2"]["amount"] == Decimal("50.00")


def test_a_dispute_is_in_the_currency_of_its_invoice(small, hand_in, settings):
    disputes = (
        "dispute_id,invoice_id,customer_id,opened_on,amount,known_on\n"
        "D-1,R-1,001,2024-02-01,5.00,2024-02-01\nD-2,R-1,001,2024-02-02,,2024-02-02\n"
    )
    rows = _by(_ledger(small, hand_in, settings, disputes=disputes).tables["disputes"], "dispute_id")
    assert (rows["D-1"]["amount"], rows["D-1"]["amount_document"]) == (Decimal("4.50"), Decimal("5.00"))
    assert rows["D-2"]["amount"] is None


def test_accounts_and_limits_are_converted_at_the_rate_of_their_day(small, hand_in, settings):
    financials = (
        "customer_id,period_end,period_months,currency,equity,revenue,known_on\n"
        "001,2024-01-31,12,GBP,1000.00,,2024-05-01\n"
    )
    limits = "customer_id,valid_from,limit_amount,currency,known_on\n001,2024-02-02,1000,USD,2024-02-02\n"
    result = _ledger(small, hand_in, settings, financials=financials, limits=limits)
    assert result.tables["financials"]["equity"].to_pylist() == [Decimal("1200.00")]
    assert result.tables["financials"]["revenue"].to_pylist() == [None]
    assert result.tables["limits"]["limit_amount"].to_pylist() == [Decimal("950.00")]


def test_a_day_before_the_first_rate_has_none(small, hand_in, lenient):
    line = "R-1,001,invoice,2024-01-07,2024-02-09,10,USD,2024-01-07\n"
    result = _ledger(small, hand_in, lenient, line)
    assert [(b.table, b.column) for b in result.breaches] == [("invoices", "currency"), ("payments", "invoice_id")]


def test_an_unallocated_payment_without_currency_is_refused_where_invoices_are_in_several(small, hand_in, lenient):
    lines = (
        "R-1,001,invoice,2024-01-10,2024-02-09,10,USD,2024-01-10\n"
        "R-2,001,invoice,2024-01-10,2024-02-09,10,EUR,2024-01-10\n"
    )
    payments = "P-1,,001,2024-03-01,3,,2024-03-01\nP-2,,001,2024-03-01,3,USD,2024-03-01\n"
    result = _ledger(small, hand_in, lenient, lines, payments)
    (row,) = result.tables["payments"].to_pylist()
    assert (row["payment_id"], row["amount"], row["currency"]) == ("P-2", Decimal("2.85"), "USD")


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6), st.integers(1, 10**6))
def test_rounding_is_half_to_even(cents, numerator, denominator):
    assert times(cents, numerator, denominator) == round(Fraction(cents * numerator, denominator))


def test_money_goes_to_cents_and_back_through_slices_and_nulls():
    values = [Decimal("1.23"), None, Decimal("-0.01"), Decimal("9999999999999999.99")]
    column = pa.array([Decimal(7), *values], Kind.MONEY.arrow).slice(1)
    assert cents_of(column).tolist() == [123, 0, -1, 999999999999999999]
    assert money_of(cents_of(column), column).to_pylist() == values


def test_every_table_with_a_base_amount_keeps_the_document_amount():
    assert "amount_document" in INVOICES.canonical_schema.names
    assert "amount_document" in PAYMENTS.canonical_schema.names
    assert Rate(9, 10).convert(1005) == 904


RATES = (Rate(9, 10), Rate(1, 3), Rate(10**17 + 1, 10**16), Rate(5, 2))


@given(st.lists(st.tuples(st.integers(-(10**14), 10**14), st.integers(-1, 3)), min_size=1))
def test_a_column_is_converted_as_its_rows_are_one_by_one(rows):
    cents, codes = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    found = RateColumn(codes, RATES).convert(cents)
    assert found.tolist() == [c if code == NO_RATE else RATES[code].convert(c) for c, code in rows]


def test_an_amount_too_large_for_the_base_currency_is_told_from_a_column_too():
    with pytest.raises(ContractError, match="more than 16 digits"):
        RateColumn(np.array([0]), (Rate(1000, 1),)).convert(np.array([10**15]))


def test_each_row_has_the_rate_of_its_currency_its_day_and_its_knowledge():
    told = pa.table({"currency": ["USD", "USD"], "rate_on": [10, 20], "rate": [0.9, 0.8], "known_on": [10, 25]})
    days = told.set_column(1, "rate_on", told["rate_on"].cast(pa.int32()).cast(pa.date32()))
    days = days.set_column(3, "known_on", told["known_on"].cast(pa.int32()).cast(pa.date32()))
    rates = Rates(days, "EUR")
    asked = [(1, 9, 99), (1, 20, 20), (1, 20, 25), (0, 5, 5), (2, 30, 30), (-1, 30, 30)]
    named, day, known = (np.array(column, dtype=np.int64) for column in zip(*asked, strict=True))
    found = rate_column(rates, ["EUR", "USD", None], named, day, known)
    told = [None if code == NO_RATE else found.rates[code] for code in found.codes]
    assert told == [None, Rate(9, 10), Rate(4, 5), Rate(1, 1), None, None]


ROWS = st.tuples(*(st.integers(0, n) for n in (2, 3, 4, 3)), st.integers(-500, 500), st.integers(0, 3))


@given(st.lists(ROWS, max_size=30))
def test_sums_of_all_invoices_at_once_are_those_of_each_row_by_row(rows):
    """The rows of a book in the order of knowledge; each takes the place of its payment's earlier revision."""
    books, payments, known, paid, cents, codes = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    ids = pa.array([f"P{9 - payment}" for payment in payments], pa.string())
    expected, state = [None] * len(rows), {}
    for at in sorted(range(len(rows)), key=lambda i: (known[i], paid[i], ids[i].as_py(), i)):
        valid, sums = state.setdefault(books[at], ({}, [0, 0]))
        before = valid.get(payments[at], (0, 0))
        sums[0] += int(cents[at]) - before[0]
        base = RATES[codes[at]].convert(sums[0]) - (sums[1] - before[1])
        sums[1] += base - before[1]
        valid[payments[at]], expected[at] = (int(cents[at]), base), base
    found = posted(cents, RateColumn(codes, RATES), books=books, payments=payments, days=(known, paid), ids=ids)
    assert found.tolist() == expected
