"""History in two times, firm by firm: what is known later than it happened changes later days, and only those."""

import pytest

from pipeline.features.catalog import FEATURES

NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def seen(court, examples):
    """A column of a firm on each day: day.month → value."""

    def column(firm, name, told="history, revised: True"):
        rows = [row for row in court.of(told) if row["customer_id"] == firm]
        return [row[name] for day in examples.DAYS for row in rows if row["as_of"] == day]

    return column


# The days: 10, 15, 20, 25, 30 June; 9, 10 July; 10, 20 August.


def test_a_corrected_due_date_counts_from_the_day_it_is_known(seen):
    """Due on 31 May; from 10 July it is known that it was due on 30 June."""
    assert seen("corrected", "oldest_days_past_due") == [10, 15, 20, 25, 30, 39, 10, 41, 51]


def test_a_payment_posted_late_is_not_seen_before(seen):
    """Paid on 10 June, ten days late; posted on 25 June."""
    assert seen("posted late", "open_amount") == [100, 100, 100, 0, 0, 0, 0, 0, 0]
    assert seen("posted late", "oldest_days_past_due") == [10, 15, 20, *[0] * 6]
    assert seen("posted late", "mean_days_late_12m") == [None, None, None, *[10] * 6]
    assert seen("posted late", "days_since_last_payment") == [None, None, None, 15, 20, 29, 30, 61, 71]


def test_a_back_dated_payment_is_late_until_the_correction_is_known(seen):
    """Posted with 5 June, five days late; on 15 June corrected to 30 May, a day early."""
    assert seen("back-dated", "mean_days_late_12m") == [5, *[-1] * 8]
    assert seen("back-dated", "days_since_last_payment") == [5, 16, 21, 26, 31, 40, 41, 72, 82]


def test_facts_are_revealed_on_their_day_though_the_row_tells_them_before(seen):
    """Cancelled on 20 August, dispute rejected on 10 July, obligation due on 20 June fulfilled on 10 July."""
    assert seen("revealed", "cancelled_order_share_12m") == [*[0] * 8, 0.5]
    assert seen("revealed", "rejected_dispute_share_12m") == [*[None] * 6, *[1] * 3]
    assert seen("revealed", "disputed_open_share") == [*[0.4] * 6, *[0] * 3]
    assert seen("revealed", "mean_obligation_days_late_12m") == [None, None, 0, 5, 10, 19, 20, 20, 20]
    assert seen("revealed", "overdue_obligation_count_24m") == [0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_a_written_off_item_is_open_until_its_day(seen):
    assert seen("written off", "open_item_count") == [*[1] * 8, 0]


def test_restated_accounts_replace_the_first_ones_from_their_day_on(seen):
    """Equity of 40 in 100 published on 30 April; restated to 10 on 10 July, 191 days after the end of the year."""
    assert seen("restated", "equity_ratio") == [*[0.4] * 6, *[0.1] * 3]
    assert (
        seen("restated", "publication_delay_months")
        == [pytest.approx(120 / 30.4375)] * 6 + [pytest.approx(191 / 30.4375)] * 3
    )


def test_a_revision_known_later_changes_only_later_days(court, variants):
    """On every column: before a firm's revision is known its rows are those of a book in which it never is."""
    revised, never = (court.of(f"history, revised: {told}") for told in (True, False))
    known_on = {"corrected": (7, 10), "back-dated": (6, 15), "restated": (7, 10)}
    for firm, (month, number) in known_on.items():
        found, expected = ([row for row in rows if row["customer_id"] == firm] for rows in (revised, never))
        days = sorted({row["as_of"] for row in found})
        differing = [
            day
            for day in days
            if variants.same_but(*([r for r in rows if r["as_of"] == day] for rows in (found, expected)), NAMES)
        ]
        assert differing == [day for day in days if (day.month, day.day) >= (month, number)], firm


def test_who_was_never_revised_never_changes(court, variants):
    revised, never = (
        [r for r in court.of(f"history, revised: {told}") if r["customer_id"] in ("revealed", "posted late")]
        for told in (True, False)
    )
    assert variants.same_but(revised, never, NAMES) == set()
