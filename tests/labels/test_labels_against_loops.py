"""Outcomes of random books full of trouble equal what plain loops over the days find."""

import datetime as dt

from pipeline.history.snapshots import month_ends, months_before
from pipeline.labels.outcomes import OUTCOMES, snapshot_outcomes
from pipeline.params import LabelParams
from pipeline.tables.canonical import ledger_of

EXTRACT = dt.date(2025, 4, 30)
SETTINGS = LabelParams(window_months=12, first_snapshot=dt.date(2023, 4, 30))
LATE = LabelParams(kind="late", days=30, window_months=None, window_days=90, first_snapshot=dt.date(2023, 4, 30))


def outcomes(engine, loops, book, settings, definition):
    ledger = ledger_of(engine.register, loops.tables_of(book), "EUR", EXTRACT)
    return snapshot_outcomes(ledger, settings, definition, engine.keep).to_pyarrow().to_pylist()


def test_outcomes_of_kind_default_are_what_loops_find(engine, loops, definition):
    book = loops.random_book(11, customers=70)
    rows = outcomes(engine, loops, book, SETTINGS, definition)
    found = {(r["customer_id"], r["as_of"]): (r["outcome"], r["event_on"]) for r in rows}
    expected = {}
    some_days = month_ends(dt.date(2023, 4, 30), EXTRACT)[::4]
    for name in {row["customer_id"] for row in book["customers"]}:
        later = loops.defaults(book, name, EXTRACT, definition)
        for day in some_days:
            if loops.in_book(book, name, day, months_before(day, 12)):
                last = months_before(day, -12)
                window = (last, months_before(last, 12))
                expected[name, day] = loops.outcome(book, name, day, window, EXTRACT, definition, later)
    assert len(found) == len(rows)
    assert {key: told for key, told in found.items() if key[1] in some_days} == expected
    assert {outcome for outcome, _ in expected.values()} == set(OUTCOMES)


def test_outcomes_of_kind_late_are_what_loops_find(engine, loops, definition):
    book = loops.random_book(13, customers=20)
    rows = outcomes(engine, loops, book, LATE, definition)
    lateness = {r["customer_id"]: loops.lateness(book, r["customer_id"], EXTRACT) for r in rows}
    told = [r for r in rows if r["outcome"] not in ("in_default", "immature")]
    assert {r["outcome"] for r in told} == {"good", "bad", "left"}
    for row in told:
        last = row["as_of"] + dt.timedelta(days=90)
        assert row["window_end"] == last
        due = [(on, days) for on, days in lateness[row["customer_id"]] if row["as_of"] < on <= last]
        late = [on + dt.timedelta(days=30) for on, days in due if days is None or days >= 30]
        expected = "bad" if late else "good" if due else "left"
        assert (row["outcome"], row["event_on"]) == (expected, min(late, default=None)), row


def test_a_snapshot_of_kind_late_is_immature_until_window_days_and_posting_lag_are_over(engine, loops, definition):
    book = loops.random_book(13, customers=10)
    rows = outcomes(engine, loops, book, LATE, definition)
    last_mature = max(r["as_of"] for r in rows if r["outcome"] not in ("in_default", "immature"))
    assert last_mature == dt.date(2024, 11, 30)  # 30 April less 90, 30 and 30 days is 1 December


def test_customers_of_one_group_share_the_key_and_only_good_and_bad_have_a_figure(engine, loops, definition):
    book = loops.random_book(14, customers=15)
    rows = outcomes(engine, loops, book, SETTINGS, definition)
    groups = {row["customer_id"]: row["group_id"] or row["customer_id"] for row in book["customers"]}
    assert {(r["customer_id"], r["group_key"]) for r in rows} <= set(groups.items())
    assert {(r["outcome"], r["is_bad"]) for r in rows if r["outcome"] in ("good", "bad")} == {("good", 0), ("bad", 1)}
    assert {r["is_bad"] for r in rows if r["outcome"] not in ("good", "bad")} == {None}
