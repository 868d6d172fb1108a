"""Lost items and billing of a random book equal what plain loops over the days find."""

import datetime as dt

AS_OF = dt.date(2024, 4, 30)


def days_until(last, book):
    first = min(row["issued_on"] for row in book["invoices"])
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


def test_an_item_is_lost_on_the_first_day_the_books_show_it_over_90_days_late_or_written_off(loops, book, ledger):
    expected = {}
    for day in days_until(AS_OF, book):
        known = {row["invoice_id"]: row for row in loops.known(book, "invoices", day, day)}
        payments = loops.known(book, "payments", day, day)
        for name, (_, _, late, _) in loops.open_items(book, day).items():
            if late > 90 and known[name]["kind"] != "credit_note":
                expected.setdefault(name, [day, None])
        for name, row in known.items():
            if row["kind"] == "credit_note" or loops._written_off(row, day) > day:
                continue
            if loops._open_at(row, payments, day)[0] > 0:
                entry = expected.setdefault(name, [day, None])
                entry[1] = entry[1] or day
    found = {row["invoice_id"]: [row["lost_on"], row["written_off_on"]] for row in ledger["lost"]}
    assert len(expected) > 30
    assert sum(off is not None for _, off in expected.values()) > 3
    assert found == expected


def test_billing_is_what_was_issued_in_the_months_before_as_known_on_the_day(loops, book, ledger, days):
    from pipeline.history.snapshots import months_before

    found = {(row["customer_id"], row["as_of"]): (row["billed_3m"], row["billed_12m"]) for row in ledger["billed"]}
    expected = {}
    for day in days:
        for row in loops.known(book, "invoices", day, day):
            key = (row["customer_id"], day)
            if row["issued_on"] > months_before(day, 12):
                short, long = expected.get(key, (0, 0))
                recent = row["amount"] if row["issued_on"] > months_before(day, 3) else 0
                expected[key] = (short + recent, long + row["amount"])
    assert len(expected) > 200
    assert found == expected
