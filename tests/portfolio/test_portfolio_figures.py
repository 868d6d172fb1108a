"""Every figure of the portfolio equals what plain loops reckon, and small cases come to what a person reckons."""

import datetime as dt
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pipeline.history.snapshots import month_ends_back, months_before
from pipeline.score.portfolio.ageing import Buckets, ageing, claims
from pipeline.score.portfolio.amounts import told
from pipeline.score.portfolio.concentration import concentration, herfindahl
from pipeline.score.portfolio.expected_loss import costs_of_default, expected_loss
from pipeline.score.portfolio.lifetime_loss import life_days, lifetime_loss, scaled_pd
from pipeline.score.portfolio.migration import migration
from pipeline.score.portfolio.provision_matrix import provision_matrix
from pipeline.score.portfolio.receivable_days import outstanding_over_time
from pipeline.score.portfolio.recoveries import recoveries
from pipeline.score.portfolio.rolls import Rounds, moves, roll_matrix, worse_rates

ROUNDS = Rounds(60, 0.9, 1)
NAMES = ("not_due", "1_30", "31_60", "61_90", "over_90")


def with_three_scenarios(provisions, **changes):
    """The three cases in force on any day, so that their factors count."""
    dated = replace(provisions.scenarios[-1], valid_from=dt.date(2020, 1, 1))
    return replace(provisions, scenarios=(dated,), **changes)


def bucket_of(days):
    return 0 if days <= 0 else 1 if days <= 30 else 2 if days <= 60 else 3 if days <= 90 else 4


def debts(rows, day):
    return [row for row in rows if row["as_of"] == day and not row["is_credit"]]


def test_the_ageing_table_adds_up_item_by_item(items, rows, days, buckets):
    found = ageing(items, days[-1], days[-2], buckets)
    for place, part in enumerate(found["buckets"]):
        mine = [row for row in debts(rows, days[-1]) if bucket_of(row["days_past_due"]) == place]
        assert part["bucket"] == NAMES[place]
        assert part["amount"] == told(sum(row["cents"] for row in mine))
        assert part["items"] == len(mine)
        assert part["customers"] == len({row["customer_id"] for row in mine})
        assert part["disputed"] == told(sum(row["disputed_cents"] for row in mine))
    late = sum(row["cents"] for row in debts(rows, days[-1]) if row["days_past_due"] > 0)
    whole = sum(row["cents"] for row in debts(rows, days[-1]))
    assert found["overdue_share"] == pytest.approx(late / whole)
    assert found["total_before"] == told(sum(row["cents"] for row in debts(rows, days[-2])))


def test_dso_and_best_possible_dso_are_receivables_over_billing(items, rows, days, buckets, ledger):
    billed, starts = {}, {day: months_before(day, 3) for day in days}
    for row in ledger["billed"]:
        billed[row["as_of"]] = billed.get(row["as_of"], 0) + int(row["billed_3m"] * 100)
    found = outstanding_over_time(items, billed, starts, days, buckets)
    assert [row["as_of"] for row in found] == [day.isoformat() for day in days]
    for day, row in zip(days, found, strict=True):
        credit = sum(one["cents"] for one in rows if one["as_of"] == day and one["is_credit"])
        standing = sum(one["cents"] for one in debts(rows, day)) + credit
        current = sum(one["cents"] for one in debts(rows, day) if one["days_past_due"] == 0) + credit
        assert credit <= 0
        assert row["credit_notes"] == told(credit)
        span = (day - starts[day]).days
        if billed[day] <= 0:
            assert row["dso"] is None
            continue
        assert row["dso"] == pytest.approx(span * standing / billed[day])
        assert row["best_possible_dso"] == pytest.approx(span * current / billed[day])
        assert row["days_delinquent"] == pytest.approx(span * (standing - current) / billed[day])


def test_days_are_net_of_open_credit_notes_as_billing_is(buckets):
    """900.00 not yet due and 200.00 overdue less a credit note of 100.00, of 3,000.00 billed net in 90 days."""
    day = dt.date(2025, 2, 28)
    cents = [90_000, 20_000, -10_000]
    items = pd.DataFrame({
        "as_of": [day] * 3, "is_credit": [False, False, True], "cents": cents, "overdue_cents": [0, 20_000, 0],
        "bucket": [0, 1, 0],
    })  # fmt: skip
    (found,) = outstanding_over_time(items, {day: 300_000}, {day: dt.date(2024, 11, 30)}, [day], buckets)
    assert (found["receivables"], found["credit_notes"], found["days"]) == ("1100.00", "-100.00", 90)
    assert (found["dso"], found["best_possible_dso"], found["days_delinquent"]) == pytest.approx((30.0, 24.0, 6.0))


def test_without_billing_there_is_no_dso(items, days, buckets):
    starts = {day: months_before(day, 3) for day in days}
    found = outstanding_over_time(items, {}, starts, days[-1:], buckets)
    assert (found[0]["dso"], found[0]["best_possible_dso"], found[0]["days_delinquent"]) == (None, None, None)


def rolled(rows, before, after, written_off):
    """Cents by (bucket, state after); states 5 paid, 6 written off."""
    later = {row["invoice_id"]: row for row in debts(rows, after)}
    found = {}
    for row in debts(rows, before):
        start, there = bucket_of(row["days_past_due"]), later.get(row["invoice_id"])
        stays = min(row["cents"], there["cents"]) if there else 0
        if stays:
            key = (start, bucket_of(there["days_past_due"]))
            found[key] = found.get(key, 0) + stays
        off = written_off.get(row["invoice_id"])
        key = (start, 6 if off is not None and before < off <= after else 5)
        found[key] = found.get(key, 0) + row["cents"] - stays
    return {key: cents for key, cents in found.items() if cents}


def written_off_of(ledger):
    return {row["invoice_id"]: row["written_off_on"] for row in ledger["lost"] if row["written_off_on"]}


def test_roll_rates_follow_each_amount_for_a_month(items, rows, days, buckets, ledger):
    written_off = written_off_of(ledger)
    found = moves(items, days, written_off, buckets)
    states = (*NAMES, "paid", "written_off")
    expected = {}
    for before, after in pairwise(days):
        for key, cents in rolled(rows, before, after, written_off).items():
            expected[key] = expected.get(key, 0) + cents
    assert found["cents"].sum() == sum(expected.values())
    for place, line in enumerate(roll_matrix(found, buckets)):
        total = sum(cents for (start, _), cents in expected.items() if start == place)
        for at, state in enumerate(states):
            assert line["shares"][state] == pytest.approx(expected.get((place, at), 0) / total)
    worse = worse_rates(found, {}, buckets, ROUNDS)
    chain = 1.0
    for place in reversed(range(4)):
        total = sum(cents for (start, _), cents in expected.items() if start == place)
        fell = sum(c for (start, end), c in expected.items() if start == place and (place < end < 5 or end == 6))
        chain *= fell / total
        assert worse[place]["rate"]["value"] == pytest.approx(fell / total)
        assert worse[place]["chain"]["value"] == pytest.approx(chain)
        assert worse[place]["rate"]["low"] <= fell / total <= worse[place]["rate"]["high"]


def test_every_cent_goes_somewhere(items, days, buckets, ledger):
    found = moves(items, days, written_off_of(ledger), buckets)
    for before, after in pairwise(days):
        assert found.loc[found["as_of"] == after, "cents"].sum() == claims(items, before)["cents"].sum()
    lines = [line["shares"] for line in roll_matrix(found, buckets)]
    assert all(math.isclose(sum(line.values()), 1.0) for line in lines)


def test_the_provision_matrix_is_the_lost_share_of_each_age(  # noqa: PLR0917 - fixtures
    items, rows, days, buckets, ledger, provisions
):
    policy = with_three_scenarios(provisions, history_months=14, outcome_months=6, fewest_customers=2)
    lost_on = {row["invoice_id"]: row["lost_on"] for row in ledger["lost"]}
    customers = sorted({row["customer_id"] for row in rows})
    lgd = {name: 0.3 + 0.01 * at for at, name in enumerate(customers)}
    found = provision_matrix(items, days, lost_on, lgd, {}, policy=policy, buckets=buckets, rounds=ROUNDS)
    watched = [day for day in days if months_before(day, -6) <= days[-1]]
    factor = policy.scenarios_on(days[-1]).mean_factor
    total = 0.0
    for place, line in enumerate(found["buckets"]):
        stood = lost = 0
        for day in watched:
            for row in debts(rows, day):
                if bucket_of(row["days_past_due"]) == place:
                    on = lost_on.get(row["invoice_id"])
                    stood += row["cents"]
                    lost += row["cents"] if place == 4 or (on and on <= months_before(day, -6)) else 0
        rate = 1.0 if place == 4 else min(lost / stood * factor, 1.0)
        stake = [row for row in debts(rows, days[-1]) if bucket_of(row["days_past_due"]) == place]
        provision = sum(row["cents"] * lgd[row["customer_id"]] for row in stake) * rate
        total += provision
        assert line["amount_seen"] == told(stood)
        assert line["used_rate"] == pytest.approx(rate)
        assert float(line["provision"]["value"]) == pytest.approx(provision / 100, abs=0.01)
        if place < 4:
            assert line["lost_rate"]["low"] <= lost / stood <= line["lost_rate"]["high"]
    assert float(found["total"]["value"]) == pytest.approx(total / 100, abs=0.01)
    assert found["days_seen"] == len(watched)


def matrix(items, days, policy, buckets):
    lgd = dict.fromkeys(items["customer_id"], 0.5)
    return provision_matrix(items, days, {}, lgd, {}, policy=policy, buckets=buckets, rounds=ROUNDS)


def test_a_ledger_too_short_tells_no_rate_and_no_provision(items, days, buckets, provisions):
    found = matrix(items, days[-3:], provisions, buckets)
    assert found["first_day"] is None
    assert [line["used_rate"] for line in found["buckets"][:3]] == [None, None, None]
    assert found["total"]["value"] is None
    assert found["buckets"][-1]["used_rate"] == 1.0


def test_a_bucket_of_few_customers_takes_the_rate_of_the_next_worse(items, days, buckets, provisions):
    seen = matrix(items, days, replace(provisions, outcome_months=6, fewest_customers=2), buckets)["buckets"]
    counts = [line["customers_seen"] for line in seen]
    few = replace(provisions, outcome_months=6, fewest_customers=max(counts) + 1)
    found = matrix(items, days, few, buckets)["buckets"]
    assert [line["rate_from"] for line in found] == [None, None, None, "over_90", "over_90"]
    assert all(line["lost_rate"] is None for line in found[:4])


def test_scenarios_in_force_are_the_newest_dated_before_the_day_and_old_ones_are_told(provisions):
    from pipeline.score.portfolio.provision_matrix import told_scenarios

    assert told_scenarios(provisions, dt.date(2017, 1, 1)) is None
    early, late = (told_scenarios(provisions, day) for day in (dt.date(2024, 6, 30), dt.date(2025, 12, 31)))
    assert (early["mean_factor"], early["is_out_of_date"]) == (1.0, True)
    assert late["mean_factor"] == pytest.approx(math.exp(0.25**2 / 2), abs=0.002)
    assert not late["is_out_of_date"]


def test_the_lifetime_loss_scales_each_items_pd_to_its_life(items, rows, days, buckets, provisions):
    day, provisions = days[-1], with_three_scenarios(provisions)
    names = sorted({row["customer_id"] for row in rows})
    pds = [1.0 if at % 9 == 0 else math.nan if at % 11 == 0 else 0.02 * (1 + at % 7) for at in range(len(names))]
    customers = pd.DataFrame({"customer_id": names, "pd": pds, "lgd": 0.4}).set_index("customer_id")
    found = lifetime_loss(claims(items, day), customers, 365, provisions, buckets, day, (0.5, 2.0))
    total = left = 0.0
    for row in debts(rows, day):
        own = customers.loc[row["customer_id"], "pd"]
        is_lost = row["days_past_due"] > 90
        if math.isnan(own) and not is_lost:
            left += 1
            continue
        life = 365 if row["due_on"] < day else (row["due_on"] - day).days + 90
        for case in provisions.scenarios_on(day).cases:
            chance = 1.0 if is_lost or own == 1 else 1 - (1 - own) ** (case.factor * life / 365)
            total += case.weight * chance * 0.4 * row["cents"]
    assert float(found["total"]["value"]) == pytest.approx(total / 100, abs=0.02)
    assert found["left_out"]["items"] == left > 0
    assert float(found["total"]["low"]) < total / 100 < float(found["total"]["high"])
    assert sum(float(part["loss"]) for part in found["buckets"]) == pytest.approx(total / 100, abs=0.05)


def test_an_overdue_item_has_the_pd_of_the_whole_window_and_later_is_never_less():
    days_past_due = np.arange(-200, 91)
    loss = scaled_pd(np.full(len(days_past_due), 0.1), 365, life_days(-days_past_due, 90, 365))
    assert loss[days_past_due >= 1] == pytest.approx(0.1)
    # On its due day an item has 90 days to go: 1 - 0.9^(90 / 365) = 2.56 %.
    assert loss[days_past_due == 0] == pytest.approx(0.0256, abs=5e-5)
    assert loss[days_past_due >= 1].min() >= loss[days_past_due <= 0].max()
    assert np.all(np.diff(loss[days_past_due >= 0]) >= 0)


@pytest.mark.parametrize("late", [1, 60, 85])
def test_an_item_costs_no_less_when_it_is_late_than_before_it_was_due(late, provisions, buckets):
    today = dt.date(2025, 6, 30)
    customers = pd.DataFrame({"customer_id": ["A"], "pd": [0.1], "lgd": [0.4]}).set_index("customer_id")

    def loss(past_due: int) -> float:
        due_on = today - dt.timedelta(days=past_due)
        at = {"customer_id": ["A"], "cents": [10_000_00], "bucket": [bucket_of(past_due)], "due_on": [due_on]}
        told_of = lifetime_loss(pd.DataFrame(at), customers, 365, plain, buckets, today, None)
        return float(told_of["total"]["value"])

    plain = replace(provisions, scenarios=())
    assert loss(late) == pytest.approx(400.0)
    assert loss(-60) < loss(late) < loss(91) == pytest.approx(4000.0)


def test_a_pd_scaled_to_its_own_window_is_itself_and_two_halves_make_the_whole():
    whole, half = scaled_pd([0.2], 365, [365])[0], scaled_pd([0.2], 365, [182.5])[0]
    assert whole == pytest.approx(0.2)
    assert 1 - (1 - half) ** 2 == pytest.approx(0.2)
    assert scaled_pd([1.0, 0.0], 365, [0, 365]).tolist() == [1.0, 0.0]


def test_what_came_in_of_the_oldest_amounts(items, rows, days, buckets, ledger):
    written_off = written_off_of(ledger)
    found = recoveries(items, days, written_off, {}, months=3, fewest=2, buckets=buckets, rounds=ROUNDS)
    total = paid = count = 0
    seen = {row["invoice_id"] for row in debts(rows, days[0]) if bucket_of(row["days_past_due"]) == 4}
    for day in days[1:]:
        old = [row for row in debts(rows, day) if bucket_of(row["days_past_due"]) == 4]
        new = {row["invoice_id"] for row in old} - seen
        seen |= new
        later = next((one for one in days if 0 <= (one - months_before(day, -3)).days <= 3), None)
        if later is None:
            continue
        mine = [row for row in rows if row["invoice_id"] in new]
        count += len(new)
        for (_, state), cents in rolled(mine, day, later, written_off).items():
            total += cents
            paid += cents * (state == 5)
    assert (found["amount"], found["items"]) == (told(total), count)
    assert found["recovered"]["value"] == pytest.approx(paid / total)
    assert found["recovered"]["value"] + found["written_off"] + found["open"] == pytest.approx(1.0)
    assert recoveries(items, days[-2:], {}, {}, months=3, fewest=2, buckets=buckets, rounds=ROUNDS) is None


def test_an_item_that_lies_long_counts_once_with_its_amount_at_entry(buckets):
    """A: 1,000.00 in the bucket from March, 600.00 of it paid by May, the rest lies on. B was there before the first
    day. C: 500.00 from April, paid in May."""
    days = month_ends_back(dt.date(2024, 8, 31), 6)
    open_cents = {
        "A": {3: 100_000, 4: 100_000, 5: 40_000, 6: 40_000, 7: 40_000, 8: 40_000},
        "B": dict.fromkeys(range(2, 9), 900_000),
        "C": {4: 50_000},
    }
    items = pd.DataFrame(
        [
            {"as_of": day, "customer_id": f"K{name}", "invoice_id": name, "is_credit": False, "bucket": 4,
             "cents": cents[day.month]}
            for name, cents in open_cents.items() for day in days if day.month in cents
        ]
    )  # fmt: skip
    found = recoveries(items, days, {}, {}, months=3, fewest=2, buckets=buckets, rounds=ROUNDS)
    assert (found["amount"], found["items"], found["customers"]) == ("1500.00", 2, 2)
    assert found["recovered"]["value"] == pytest.approx(1100 / 1500)
    assert found["open"] == pytest.approx(400 / 1500)


def test_the_herfindahl_index_is_the_sum_of_squared_shares():
    rng = np.random.default_rng(3)
    amounts = rng.lognormal(8, 2, 200)
    expected = 0.0
    for amount in amounts:
        expected += (amount / sum(amounts)) ** 2
    assert herfindahl(amounts) == pytest.approx(expected)
    assert herfindahl([0.0, 0.0]) is None
    assert herfindahl([7.0] * 8) == pytest.approx(1 / 8)


def small_book():
    return pd.DataFrame(
        {
            "customer_id": ["A", "B", "C", "D"],
            "group": ["G", "G", "C", "D"],
            "industry": ["C26", "C26", None, "G46"],
            "rating_status": ["rated", "rated", "in_default", "not_rated"],
            "grade": ["G05", "G08", "D", None],
            "segment": ["medium", "high", "default", None],
            "pd": [0.01, 0.1, 1.0, math.nan],
            "lgd": [0.4, 0.5, 0.6, math.nan],
            "ead_cents": [100_000, 50_000, 20_000, 0],
            "open_cents": [80_000, 50_000, 20_000, 0],
            "loss_cents": [400, 2_500, 12_000, 0],
        }
    )


def test_concentration_counts_what_is_told_and_sets_the_rest_apart():
    found = concentration(small_book(), ("group", "industry"), 1, 0.1, 0.18)
    assert found["group"]["parts"] == [
        {"part": "G", "ead": "1500.00", "open": "1300.00", "expected_loss": "29.00", "share": 150 / 170, "customers": 2}
    ]
    assert found["group"]["hhi"] == pytest.approx((150 / 170) ** 2 + (20 / 170) ** 2)
    assert found["industry"]["not_told"] == "200.00"
    assert found["industry"]["hhi"] == 1.0
    assert found["industry"]["level"] == "high"


def test_a_default_costs_its_loss_given_default_and_that_of_its_group():
    first, second, third = costs_of_default(small_book(), {"A": "G", "B": "G"}, 10)
    assert (first["customer_id"], first["cost"], first["group_cost"]) == ("A", "400.00", "650.00")
    assert (second["cost"], second["group_customers"]) == ("250.00", 2)
    assert (third["cost"], third["group_cost"]) == ("120.00", None)
    assert first["of_expected_loss"] == pytest.approx(400 / 149)


def test_expected_loss_adds_up_and_a_year_comes_out_as_the_sum_of_its_defaults():
    found = expected_loss(small_book(), None, (0.5, 2.0), Rounds(1000, 0.95, 1))
    assert found["total"] == "149.00"
    assert found["performing"] == {"value": "29.00", "low": "14.50", "high": "58.00"}
    assert found["expected_defaults"] == pytest.approx(0.11)
    # Of ten thousand years one in ten loses 250 of B, one in a hundred 400 of A.
    assert found["year"]["mean"] == "29.00"
    assert (found["year"]["median"], found["year"]["high"]) == ("0.00", "250.00")
    assert found == expected_loss(small_book(), None, (0.5, 2.0), Rounds(1000, 0.95, 1))


def test_migration_counts_each_customer_once():
    was = pd.DataFrame({"customer_id": list("ABCDE"), "grade": ["G01", "G02", "G02", "D", None]})
    now = pd.DataFrame({"customer_id": list("ABCDF"), "grade": ["G02", "G01", "D", "G02", "G01"]})
    found = migration(now, was, ("G01", "G02", "D"))
    assert found["counts"] == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    told_counts = {
        name: found[name] for name in ("graded", "up", "down", "stayed", "to_default", "cured", "new", "gone")
    }
    assert told_counts == {
        "graded": 2,
        "up": 1,
        "down": 1,
        "stayed": 0,
        "to_default": 1,
        "cured": 1,
        "new": 1,
        "gone": 1,
    }
    assert found["to_default_share"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("day", [dt.date(2025, 11, 30), dt.date(2024, 2, 29), dt.date(2025, 6, 17)])
def test_the_days_looked_back_on_are_month_ends_where_the_day_is_one(day):
    found = month_ends_back(day, 14)
    assert len(found) == 15
    assert found[-1] == day
    is_end = (day + dt.timedelta(days=1)).day == 1
    assert all(((one + dt.timedelta(days=1)).day == 1) == is_end for one in found)
    assert [(one.year * 12 + one.month) for one in found] == list(
        range(day.year * 12 + day.month - 14, day.year * 12 + day.month + 1)
    )


def test_buckets_follow_the_policy():
    assert Buckets((0, 15, 45)).names == ("not_due", "1_15", "16_45", "over_45")
    assert Buckets((0, 15, 45)).of([-3, 0, 15, 16, 46]).tolist() == [0, 0, 1, 2, 3]
