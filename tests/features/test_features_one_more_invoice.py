"""One more invoice of the usual amount, more than 90 days late, moves no column towards less risk.

Except for the columns named here, each with its reason: more lateness is also more trade, and some columns weigh what
is late against what the customer buys, pays or is used to. `tests/main_job` holds the PD of fitted models to it.
"""

import pytest

from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Risk

DAYS_LATE = 95
TRADE = {
    "billing_level_year_on_year_18m": "it is billing too",
    "billed_month_count_12m": "it may stand in a month of its own",
    "days_since_last_invoice": "it may be the last one",
    "credit_note_share_12m": "the same credit notes over more billing",
    "disputed_to_billed_12m": "the same disputes over more billing",
    "overdue_growth_3m": "growth over more billing",
    "terms_change_12m": "its terms are among those compared",
}
# A mean falls by what is late, too, where all the rest is later still.
MEANS = ("mean_days_past_due", "mean_days_late_with_overdue_3m", "mean_days_late_with_overdue_12m")
PAYMENT = {
    "part_payment_share_12m": "it was paid at one go",
    "part_payment_share_24m": "it was paid at one go",
    "round_payment_share_12m": "its amount is not round",
    "days_since_last_payment": "it may be the last payment",
    "payment_gap_over_habit_12m": "it may be the last payment",
    "paid_to_billed_3m": "it was paid within the three months and billed before",
    "due_soon_in_months_of_payment": "the same debt over more payments",
    "dso_12m": "the same debt over more billing",
    "overdue_days_of_billing": "the same debt over more billing",
    "utilisation_change_3m": "it stood open three months ago and does not now",
    "unpaid_share_of_due_6m": "it fell due and is paid",
    "unpaid_share_of_due_12m": "it fell due and is paid",
    "broken_plan_count_12m": "a payment keeps a plan alive",
    "oldest_days_past_due_over_habit": "the customer is used to paying later",
    "open_share_beyond_habit": "the customer is used to paying later",
    "range_of_days_late_24m": "a late payment among late ones narrows the range",
    "days_late_of_large_invoices_12m": "an invoice of the usual amount is not a large one",
    "days_late_slope_12m": "a late payment among later ones flattens the slope",
}


@pytest.fixture(scope="module")
def eased(court):
    """Columns of the variant that moved towards less risk, with (before, after) of each customer."""

    def found(name):
        before = {row["customer_id"]: row for row in court.of("as it is")}
        moved = {}
        for row in court.of(name):
            for feature in FEATURES:
                old, new = before[row["customer_id"]][feature.name], row[feature.name]
                if feature.risk is Risk.EITHER or old is None or new is None:
                    continue
                step = old - new if feature.risk is Risk.RISES else new - old
                if step > 1e-9:
                    moved.setdefault(feature.name, []).append((old, new))
        return moved

    return found


def test_one_more_open_invoice_eases_nothing_but_what_grows_with_trade(eased):
    moved = eased("one more open")
    assert set(moved) - set(MEANS) == set(TRADE)
    assert all(old > DAYS_LATE for name in MEANS for old, _ in moved.get(name, []))


def test_one_more_invoice_paid_late_eases_nothing_but_what_weighs_it_against_trade_and_habit(eased):
    moved = eased("one more paid late")
    assert set(moved) - set(MEANS[1:]) == set(TRADE) | set(PAYMENT)
    assert all(old > DAYS_LATE - 5 for name in MEANS for old, _ in moved.get(name, []))


def test_what_a_decision_about_a_late_payer_rests_on_rises(court):
    """Who owes nothing overdue and gets such an invoice: these say so, for every such customer."""
    before = {row["customer_id"]: row for row in court.of("as it is")}
    for row in court.of("one more open"):
        old = before[row["customer_id"]]
        assert row["overdue_item_count"] == old["overdue_item_count"] + 1
        assert row["oldest_days_past_due"] == max(old["oldest_days_past_due"] or 0, DAYS_LATE)
        for name in ("open_share_over_90_days_past_due", "unpaid_share_of_due_6m", "overdue_days_of_billing"):
            assert row[name] >= (old[name] or 0)
