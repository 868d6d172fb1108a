"""One more invoice 90 days late moves no column that serves models towards less risk, whoever the customer is.

The invoice stands open 90 days past due or more, or was paid as late; of a small, a usual or a large amount; long ago
or just now; on terms of 0 to 120 days. A model whose PD moves with its columns' directions then never lowers a PD by
it. Strictly: no such column moves to its safer side, none whose risk may go either way moves at all, and none changes
between null and a value, since what a null is worth is the fit's to say. Columns that cannot promise this serve people
alone. What is told of a customer's peers leaves the customer out, so its own invoice cannot touch it.
"""

import datetime as dt
import itertools
import statistics
from decimal import Decimal

import pytest

from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Risk, Serves

# The three months before the last of May are 92 days long: an invoice 90 days past due was not yet due at their start.
DAY = dt.date(2023, 5, 31)
PEERS = ("group_", "industry_", "shared_", "linked_")
AMOUNTS = (Decimal("0.02"), Decimal(1), Decimal(50))
OPEN = (90, 95, 200, 450)
# Days late and days since the payment.
PAID = ((90, 0), (90, 1), (90, 5), (120, 10), (90, 80), (200, 100), (90, 200), (90, 340))
# Days since it was due, days since it was paid (null: open), part of the usual amount, days of terms.
CASES = {
    **{f"open {days} x{part}": (days, None, part, 30) for days, part in itertools.product(OPEN, AMOUNTS)},
    **{
        f"paid {late} {ago} x{part}": (late + ago, ago, part, 30)
        for (late, ago), part in itertools.product(PAID, AMOUNTS)
    },
    "open at sight": (90, None, Decimal(1), 0),
    "open on long terms": (95, None, Decimal(1), 120),
    "paid at sight": (90, 0, Decimal(1), 0),
    "paid on long terms": (105, 10, Decimal(1), 120),
}
ROUNDING = 1e-9


@pytest.fixture(scope="module")
def firms(books):
    """A random book where nobody names an industry, so that its variants can stand beside each other."""
    book = books.random_book(7, customers=30)
    for row in book["customers"]:
        row["industry"] = None
        promise = {"kind": "promise_to_pay", "value": 300.0, "text": (DAY - dt.timedelta(days=8)).isoformat()}
        asked_on = DAY - dt.timedelta(days=20)
        if not row["customer_id"].endswith("5"):
            book.add("events", event_id=f"promise-{row['customer_id']}-{row['known_on']}", occurred_on=asked_on,
                     customer_id=row["customer_id"], known_on=asked_on, **promise)  # fmt: skip
    return book


@pytest.fixture(scope="module")
def moves(firms, beside, build):
    """Of each column and whether the invoice was paid, the moves (case, customer, before, after) to the safer side."""
    both = beside({"as it is": firms} | {case: _with_invoice(firms, told) for case, told in CASES.items()})
    whole = both.book()
    customers = sorted({row["customer_id"] for row in whole["customers"]})
    rows = build(whole.arrow(), [DAY], customers).to_pylist()
    before = {row["customer_id"]: row for row in both.of("as it is", rows)}
    found = {}
    for case in CASES:
        for row in both.of(case, rows):
            for feature in FEATURES:
                pair = before[row["customer_id"]][feature.name], row[feature.name]
                if _is_safer(feature, *pair) and not feature.name.startswith(PEERS):
                    found.setdefault((feature.name, case.split()[0]), []).append((case, row["customer_id"], *pair))
    return found


@pytest.mark.parametrize("sort", ["open", "paid"])
def test_one_more_invoice_90_days_late_moves_no_column_of_models_to_the_safer_side(moves, sort):
    wrong = {name: some[:2] for (name, how), some in moves.items() if how == sort and _serves(name) is Serves.MODELS}
    assert wrong == {}


def test_a_column_is_kept_from_models_for_a_reason_only(moves):
    kept = {feature.name for feature in FEATURES if feature.serves is Serves.PEOPLE}
    assert kept - {name for name, _ in moves} == set()


def test_what_a_decision_about_a_late_payer_rests_on_serves_models():
    ideas = {feature.idea for feature in FEATURES if feature.serves is Serves.MODELS}
    assert {"mean_days_late_with_overdue", "worst_days_late_with_overdue", "oldest_days_past_due", "utilisation",
            "open_share_over_30_days_past_due", "part_payment_share", "range_of_days_late"} <= ideas  # fmt: skip
    assert sum(feature.serves is Serves.MODELS for feature in FEATURES) >= 120


def test_the_invoice_is_seen(court):
    """Who gets an open one: these say so, for everybody."""
    before = {row["customer_id"]: row for row in court.of("as it is")}
    for row in court.of("one more open"):
        old = before[row["customer_id"]]
        assert row["overdue_item_count"] == old["overdue_item_count"] + 1
        assert row["oldest_days_past_due"] == max(old["oldest_days_past_due"], 95)
        assert row["worst_days_late_with_overdue_6m"] >= 95
        for name in ("open_share_over_60_days_past_due", "mean_days_past_due", "unpaid_share_of_due_6m"):
            assert row[name] > (old[name] or 0) or old[name] == row[name] == (90 if "mean" in name else 1)


@pytest.mark.parametrize("variant", ["one more open", "one more paid late"])
def test_on_either_engine_no_column_of_models_moves_to_the_safer_side(court, variant):
    before = {row["customer_id"]: row for row in court.of("as it is")}
    own = [f for f in FEATURES if f.serves is Serves.MODELS and not f.name.startswith(PEERS)]
    pairs = [(f, before[row["customer_id"]][f.name], row[f.name]) for row in court.of(variant) for f in own]
    assert [(f.name, old, new) for f, old, new in pairs if _is_safer(f, old, new)] == []


def test_a_customers_own_invoice_does_not_touch_what_is_told_of_its_peers(book, build):
    peers = [feature.name for feature in FEATURES if feature.name.startswith(PEERS)]
    customers = sorted({row["customer_id"] for row in book["customers"] if row["group_id"] and row["industry"]})[:2]
    day = [dt.date(2023, 9, 30)]
    before = {row["customer_id"]: row for row in build(book.arrow(), day, customers).to_pylist()}
    for customer in customers:
        alone = _with_invoice(book, (95, None, Decimal(1), 30), only=customer, day=day[0])
        (row,) = build(alone.arrow(), day, [customer]).to_pylist()
        assert {name: row[name] for name in peers} == {name: before[customer][name] for name in peers}


def _serves(name):
    return next(feature.serves for feature in FEATURES if feature.name == name)


def _is_safer(feature, old, new):
    """Whether a model may read the new value as safer than the old one."""
    if (old is None) != (new is None):
        return True
    if old is None or feature.risk is Risk.EITHER:
        return old != new
    return (old - new if feature.risk is Risk.RISES else new - old) > ROUNDING


def _with_invoice(book, case, only=None, day=DAY):
    """Everybody, or one customer alone, with one more invoice of a part of its usual amount, as the case tells."""
    due, paid, part, terms = case
    twin = book.copy()
    due_on = day - dt.timedelta(days=due)
    issued_on = due_on - dt.timedelta(days=terms)
    for customer in {row["customer_id"] for row in book["customers"]} if only is None else {only}:
        known = [row["amount"] for row in book["invoices"] if row["customer_id"] == customer and _is_billed(row, day)]
        amount = ((statistics.median_high(known) if known else Decimal(500)) * part).quantize(Decimal("0.01"))
        line = {"invoice_id": f"more-{customer}", "customer_id": customer, "amount": max(amount, Decimal("0.01"))}
        twin.add("invoices", **line, kind="invoice", issued_on=issued_on, due_on=due_on, currency="EUR",
                 known_on=issued_on)  # fmt: skip
        if paid is not None:
            paid_on = day - dt.timedelta(days=paid)
            twin.add("payments", **line, payment_id=f"more-{customer}", paid_on=paid_on, known_on=paid_on)
    return twin


def _is_billed(row, day):
    return row["kind"] == "invoice" and row["known_on"] <= day
