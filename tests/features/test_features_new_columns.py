"""Columns told by cases with numbers that a person can check; one customer per case, all in one ledger."""

import datetime as dt
from decimal import Decimal

import pytest

from pipeline.tables.ledger import TABLES

DAY = dt.date(2023, 9, 30)


def ago(days):
    return DAY - dt.timedelta(days=days)


class Stories:
    """Writes the cases into a book; every row is known on the day it happens."""

    def __init__(self, books):
        self.book = books.Book({table.name: [] for table in TABLES})
        self._number = 0

    def customer(self, name, **master):
        values = {"name": name, "customer_since": ago(2000), **master}
        self.book.add("customers", customer_id=name, **values, known_on=ago(2000))
        return name

    def invoice(self, customer, due, amount, paid=None, *, issued=None, part=None, **values):
        """An invoice due so many days ago (below 0: still to come) with 30 days' terms, paid so many days ago."""
        self._number += 1
        name, on = f"I{self._number}", ago(due + 30 if issued is None else issued)
        money = Decimal(amount)
        self.book.add("invoices", invoice_id=name, customer_id=customer, kind="invoice", issued_on=on,
                      due_on=ago(due), amount=money, currency="EUR", known_on=on, **values)  # fmt: skip
        if paid is not None:
            self.book.add("payments", payment_id=f"P{name}", invoice_id=name, customer_id=customer, paid_on=ago(paid),
                          amount=Decimal(part or amount), known_on=ago(paid))  # fmt: skip
        return name

    def event(self, customer, kind, days):
        self._number += 1
        self.book.add("events", event_id=f"E{self._number}", customer_id=customer, kind=kind, occurred_on=ago(days),
                      known_on=ago(days))  # fmt: skip

    def limit(self, customer, days, amount):
        self.book.add("limits", customer_id=customer, valid_from=ago(days), limit_amount=Decimal(amount),
                      currency="EUR", known_on=ago(days))  # fmt: skip

    def order(self, customer, days, amount):
        self._number += 1
        self.book.add("orders", order_id=f"O{self._number}", customer_id=customer, ordered_on=ago(days),
                      amount=Decimal(amount), known_on=ago(days))  # fmt: skip


def _payers(told):
    slow = told.customer("slow")  # 0, 10 and 30 days late, 90, 60 and 30 days ago
    for due, paid in ((90, 90), (70, 60), (60, 30)):
        told.invoice(slow, due, "100.00", paid)
    round_sums = told.customer("round")
    told.invoice(round_sums, 90, "1483.20", 80, part="1000.00")  # a round sum for a crooked amount
    told.invoice(round_sums, 60, "2000.00", 50)  # in full
    told.invoice(round_sums, 60, "1483.20", 50, part="1480.00")  # three digits are no round sum
    told.invoice(round_sums, 60, "5200.00", 50, part="5000.00")  # as round as what it pays, but for one zero
    big = told.customer("big late")  # 900 paid 40 days late, 100 and 100 in time
    for due, amount, paid in ((60, "900.00", 20), (60, "100.00", 60), (50, "100.00", 50)):
        told.invoice(big, due, amount, paid)
    skips = told.customer("skips")  # the oldest stays overdue since 70 days
    told.invoice(skips, 70, "500.00")
    told.invoice(skips, 40, "300.00", 30)  # newer, paid since
    told.invoice(skips, 75, "100.00", 20)  # older, paid since
    told.invoice(skips, 60, "600.00", 80)  # newer, but paid before the oldest fell due
    ends = told.customer("month end")
    told.invoice(ends, 30, "300.00", (DAY - dt.date(2023, 8, 27)).days)  # the fifth last day of August
    told.invoice(ends, 30, "700.00", (DAY - dt.date(2023, 8, 26)).days)


def _debtors(told):
    rolls = told.customer("rolls")  # since_1m is 2023-08-30, 31 days ago; since_3m 2023-06-30, 92 days ago
    told.invoice(rolls, 51, "100.00")  # 20 past due then, 51 today
    told.invoice(rolls, 56, "300.00", 10)  # 25 past due then, paid since
    told.invoice(rolls, 20, "200.00", issued=200)  # not due then, overdue today
    told.invoice(rolls, -10, "600.00", issued=200)  # not due then or today
    over = told.customer("over limit")
    told.limit(over, 100, "500.00")  # so 101 days with a limit, the day itself among them
    told.invoice(over, 60, "400.00", issued=90)
    told.invoice(over, 40, "200.00", 20, issued=50)  # 600 open from 50 days ago up to 21 days ago
    burst = told.customer("burst")
    told.invoice(burst, 5, "100.00")
    told.order(burst, 100, "110.00")
    told.order(burst, 10, "90.00")
    calm = told.customer("calm")  # orders as much, and owes nothing
    told.order(calm, 100, "110.00")
    told.order(calm, 10, "90.00")


def _neighbours(told):
    told.customer("first", bank_account="DE12 3400", phone="+49 30/1", address="Lane 1")
    told.customer("second", bank_account="de123400", phone="0", address="Lane 2")
    told.customer("third", bank_account="DE99", phone="(+49)301", address="")
    told.invoice("second", 91, "10.00")
    plan = told.customer("plan")
    told.event(plan, "payment_plan", 100)
    told.invoice(plan, 200, "100.00", 46, part="10.00")
    keeps = told.customer("keeps plan")
    told.event(keeps, "payment_plan", 100)
    told.invoice(keeps, 200, "100.00", 45, part="10.00")


def _firms(told):
    told.customer("sound")
    lines = {"total_assets": 1000, "current_assets": 500, "total_liabilities": 400, "current_liabilities": 250}
    flows = {"revenue": 2000, "net_income": 100, "operating_cash_flow": 80}
    for year, changed in ((2021, {"net_income": -50}), (2022, {})):
        values = {name: Decimal(amount) for name, amount in (lines | flows | changed).items()}
        told.book.add("financials", customer_id="sound", period_end=dt.date(year, 12, 31), period_months=12,
                      currency="EUR", known_on=dt.date(year + 1, 5, 1), **values)  # fmt: skip


@pytest.fixture(scope="module")
def told(books, build):
    stories = Stories(books)
    for write in (_payers, _debtors, _neighbours, _firms):
        write(stories)
    names = sorted(row["customer_id"] for row in stories.book["customers"])
    return {row["customer_id"]: row for row in build(stories.book.arrow(), [DAY], names).to_pylist()}


CASES = [
    # Least squares through (−90, 0), (−60, 10), (−30, 30): half a day a day.
    ("slow", "days_late_slope_12m", 0.5 * 30.4375),
    ("slow", "months_since_worst_days_late_12m", 30 / 30.4375),
    ("slow", "months_since_over_30_days_late_12m", 12),
    ("slow", "terms_used_12m", (30 + 40 + 60) / 90),
    ("slow", "payment_gap_over_habit_12m", 30 / 30),
    ("slow", "history_months", 120 / 30.4375),
    ("slow", "paid_new_before_old_share_3m", 0),
    ("round", "round_payment_share_12m", 1 / 4),
    # Weighted 900 × 40 over 1,100, plain 40 over 3.
    ("big late", "days_late_of_large_invoices_12m", 36000 / 1100 - 40 / 3),
    ("big late", "months_since_over_30_days_late_12m", 20 / 30.4375),
    ("skips", "paid_new_before_old_share_3m", 300 / 1000),
    ("month end", "month_end_payment_share_12m", 0.3),
    ("rolls", "roll_rate_1_to_30_1m", 100 / 400),
    ("rolls", "roll_rate_not_due_1m", 200 / 800),
    ("rolls", "roll_rate_not_due_3m", 200 / 800),
    ("rolls", "best_possible_dso_12m", 600 * 365 / 1200),
    ("over limit", "days_over_limit_share_12m", 30 / 101),
    ("burst", "order_burst_while_overdue", 90 * 11 / 110),
    ("calm", "order_burst_while_overdue", None),
    ("first", "shared_bank_account_count", 1),
    ("first", "shared_phone_count", 1),
    ("first", "shared_address_count", 0),
    ("third", "shared_address_count", None),
    ("first", "linked_default_count", 1),
    ("third", "linked_default_count", 0),
    ("slow", "linked_default_count", None),
    ("first", "master_data_share", 3 / 9),
    ("plan", "broken_plan_count_12m", 1),
    ("keeps plan", "broken_plan_count_12m", 0),
    # Losses: one of two years; O without its constant and size, term by term.
    ("sound", "loss_year_count", 1),
    ("sound", "ohlson_o_without_size",
     -1.32 + 6.03 * 0.4 - 1.43 * 0.25 + 0.0757 * 0.5 - 2.37 * 0.1 - 1.83 * 0.2 - 0.521 * 1),
]  # fmt: skip


@pytest.mark.parametrize(("customer", "column", "expected"), CASES)
def test_a_column_is_what_a_person_works_out(told, customer, column, expected):
    assert told[customer][column] == (None if expected is None else pytest.approx(expected, rel=1e-9))
