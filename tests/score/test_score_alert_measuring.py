"""How rules are measured: a case by hand, and the same figures by plain loops over a random past."""

from __future__ import annotations

import datetime as dt
import statistics

import numpy as np
import pytest

from pipeline.history.snapshots import month_ends, months_before
from pipeline.score.alert_life import Lives, lives_of
from pipeline.score.alert_measuring import Doubt, Witness, measured, measured_together, together

DOUBT = Doubt(0.9, 200, 1, 1)
ENDS = month_ends(dt.date(2025, 1, 31), dt.date(2025, 4, 30))


def witness(days, at_risk, defaults, *, months=12, until=dt.date(2030, 1, 1), clusters=None):
    groups = np.arange(at_risk.shape[1]) if clusters is None else clusters
    return Witness(days, [months_before(day, -months) for day in days], until, groups, at_risk, defaults)


def always(days):
    return np.ones(len(days), dtype=bool)


def test_the_example_of_the_documentation():
    # A bites in February and March, B in March; A defaults on 15 April, C without an alert on 10 March.
    bites = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]], dtype=bool)
    at_risk = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [0, 1, 0]], dtype=bool)
    seen = witness(ENDS, at_risk, [(0, dt.date(2025, 4, 15)), (2, dt.date(2025, 3, 10))])
    told = measured(lives_of(bites, always(ENDS), ENDS, 0), seen, DOUBT)
    assert (told["precision"]["hits"], told["precision"]["n"], told["precision"]["value"]) == (1, 2, 0.5)
    assert (told["recall"]["hits"], told["recall"]["n"]) == (1, 2)
    assert told["lead"]["value"] == 46.0
    # An alert within the year: A in February and March, B in March and April, of the six below.
    assert (told["reach"]["hits"], told["reach"]["n"]) == (4, 6)
    # At risk after the first month end: A twice, B three times, C once: 6; two alerts opened.
    assert told["load"]["value"] == pytest.approx(100 * 2 / 6)
    # Quiet: B in February and April, C in February, which defaulted.
    assert (told["base"]["hits"], told["base"]["n"]) == (1, 3)
    assert told["lift"]["value"] == pytest.approx(0.5 / (1 / 3))


def test_what_stood_on_the_first_day_judged_is_not_counted_as_opened():
    bites = np.array([[1], [1], [0], [1]], dtype=bool)
    told = measured(lives_of(bites, always(ENDS), ENDS, 0), witness(ENDS, np.ones((4, 1), dtype=bool), []), DOUBT)
    assert (told["opened"], told["days_judged"]) == (1, 3)


def test_open_days_and_days_that_were_not_judged_keep_an_alert():
    bites = np.array([[0], [1], [0], [0]], dtype=bool)
    assert lives_of(bites, always(ENDS), ENDS, 32).stands[:, 0].tolist() == [False, True, True, False]
    not_in_march = np.array([True, True, False, True])
    assert lives_of(bites, not_in_march, ENDS, 0).stands[:, 0].tolist() == [False, True, True, False]
    assert lives_of(bites, not_in_march, ENDS, 0).is_told.tolist() == [False, True, False, True]


def test_windows_that_are_not_over_and_few_groups_tell_nothing():
    bites = np.zeros((4, 6), dtype=bool)
    bites[1:] = True
    seen = witness(ENDS, np.ones((4, 6), dtype=bool), [(0, dt.date(2025, 4, 15))], until=dt.date(2025, 6, 1))
    life = lives_of(bites, always(ENDS), ENDS, 0)
    young = measured(life, seen, DOUBT)
    assert (young["opened"], young["precision"]["n"], young["precision"]["value"]) == (6, 0, None)
    ripe = witness(
        ENDS, np.ones((4, 6), dtype=bool), [(0, dt.date(2025, 4, 15))], clusters=np.array([0, 0, 0, 1, 1, 2])
    )
    few = measured(life, ripe, Doubt(0.9, 200, 1, 4))
    assert (few["precision"]["n"], few["precision"]["groups"], few["precision"]["value"], few["lead"]) == (
        6,
        3,
        None,
        None,
    )
    assert measured(life, ripe, Doubt(0.9, 200, 1, 3))["precision"]["value"] == pytest.approx(1 / 6)


def test_all_or_nothing_has_an_interval_all_the_same():
    bites = np.zeros((4, 20), dtype=bool)
    bites[1] = True
    told = measured(lives_of(bites, always(ENDS), ENDS, 0), witness(ENDS, np.ones((4, 20), dtype=bool), []), DOUBT)
    assert (told["precision"]["value"], told["precision"]["low"]) == (0.0, 0.0)
    # Jeffreys with no hit among 20: below 10 %.
    assert 0.05 < told["precision"]["high"] < 0.10


def random_past(seed):
    draw = np.random.default_rng(seed)
    days = month_ends(dt.date(2023, 1, 31), dt.date(2025, 6, 30))
    shape = (len(days), 40)
    bites, at_risk = draw.random(shape) < 0.1, draw.random(shape) < 0.9
    judged = draw.random(len(days)) < 0.9
    begun = [
        (int(draw.integers(40)), dt.date(2022, 12, 1) + dt.timedelta(days=int(draw.integers(1000)))) for _ in range(30)
    ]
    return (
        bites,
        judged,
        witness(days, at_risk, begun, months=6, until=dt.date(2025, 6, 30), clusters=np.arange(40) // 2),
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("open_days", [0, 40])
def test_the_figures_are_those_of_plain_loops(seed, open_days):
    bites, judged, seen = random_past(seed)
    told = measured(lives_of(bites, judged, seen.days, open_days), seen, DOUBT)
    expected = by_loops(bites, judged, seen, open_days)
    for name in ("precision", "base", "recall"):
        assert (told[name]["hits"], told[name]["n"]) == expected[name]
        assert told[name]["low"] <= told[name]["value"] <= told[name]["high"]
    assert told["opened"] == expected["opened"]
    assert told["load"]["value"] == pytest.approx(100 * expected["opened"] / expected["at_risk"])
    assert told["standing"]["value"] == pytest.approx(expected["standing"] / expected["at_risk"])
    assert told["lead"]["value"] == statistics.median_low(expected["leads"])


def by_loops(bites, judged, seen, open_days):
    """Customer by customer, month by month."""
    found = {"opened": 0, "at_risk": 0, "standing": 0, "leads": []}
    hits = alerts = missed = quiet = caught = defaults = 0
    for customer in range(bites.shape[1]):
        begun = sorted(day for who, day in seen.defaults if who == customer)
        standing_on, opened_on, was_judged, told_on = [], None, False, set()
        for at, day in enumerate(seen.days):
            stood = opened_on is not None
            if judged[at]:
                is_new = bites[at, customer] and not stood
                if stood and not bites[at, customer] and (day - opened_on).days >= open_days:
                    opened_on = None
                if is_new:
                    opened_on = day
                if was_judged:
                    told_on.add(day)
                was_judged = True
            else:
                is_new = False
            if opened_on is not None:
                standing_on.append(day)
            if day not in told_on or not seen.at_risk[at, customer]:
                continue
            found["at_risk"] += 1
            found["opened"] += is_new
            found["standing"] += opened_on is not None
            if seen.ends[at] > seen.until:
                continue
            later = [one for one in begun if one > day]
            is_hit = bool(later) and later[0] <= seen.ends[at]
            alerts, hits = alerts + is_new, hits + (is_new and is_hit)
            found["leads"] += [(later[0] - day).days] if is_new and is_hit else []
            quiet, missed = quiet + (opened_on is None), missed + (opened_on is None and is_hit)
        warned = [one for one in begun if counts(one, customer, told_on, seen)]
        defaults += len(warned)
        ends = dict(zip(seen.days, seen.ends, strict=True))
        caught += sum(any(day < began <= ends[day] for day in standing_on) for began in warned)
    return {**found, "precision": (hits, alerts), "base": (missed, quiet), "recall": (caught, defaults)}


def counts(began, customer, told_on, seen):
    """A default of a customer at risk, on a day judged, on the last day before it."""
    earlier = [day for day in seen.days if day < began]
    if not earlier or earlier[-1] not in told_on or began > seen.until:
        return False
    return bool(seen.at_risk[len(earlier) - 1, customer])


def test_all_rules_together_by_customer_open_where_none_stood():
    first = Lives(
        np.array([[0, 1], [1, 0]], dtype=bool), np.array([[0, 1], [1, 1]], dtype=bool), np.array([False, True])
    )
    second = Lives(
        np.array([[0, 0], [1, 1]], dtype=bool), np.array([[0, 0], [1, 1]], dtype=bool), np.array([False, True])
    )
    pooled = together([first, second])
    assert pooled.opened.tolist() == [[False, False], [True, False]]
    assert pooled.stands.tolist() == [[False, True], [True, True]]


def test_the_load_of_all_rules_counts_every_alert_and_tells_the_customers_apart():
    # In February both rules open on A and the first on B; in March the second on B, who has an alert already.
    first = np.array([[0, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    second = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    seen = witness(ENDS, np.ones((4, 3), dtype=bool), [(0, dt.date(2025, 3, 15))])
    lives = [lives_of(bites, always(ENDS), ENDS, 0) for bites in (first, second)]
    told = measured_together(lives, seen, DOUBT)
    # Three customers, three months.
    assert told["opened"] == 4 == sum(measured(life, seen, DOUBT)["opened"] for life in lives)
    assert told["load"]["value"] == pytest.approx(100 * 4 / 9)
    assert (told["warned"]["hits"], told["warned"]["value"]) == (2, pytest.approx(100 * 2 / 9))
    # Both alerts of A hit, 15 days before.
    assert (told["precision"]["hits"], told["precision"]["n"]) == (2, 4)
    assert (told["lead"]["n"], told["lead"]["value"]) == (2, 15.0)
    assert (told["rules"], told["first_judged"], told["days_judged"]) == (2, "2025-02-28", 3)


def test_all_rules_together_count_months_in_which_each_was_judged():
    bites = np.array([[0], [1], [0], [1]], dtype=bool)
    late = np.array([False, False, True, True])
    seen = witness(ENDS, np.ones((4, 1), dtype=bool), [])
    never = lives_of(bites, np.zeros(4, dtype=bool), ENDS, 0)
    whole, part = lives_of(bites, always(ENDS), ENDS, 0), lives_of(bites, late, ENDS, 0)
    told = measured_together([whole, part, never], seen, DOUBT)
    # April alone: the second rule was judged first in March. The rule that was never judged holds nothing up.
    assert (told["days_judged"], told["opened"], told["rules"], told["first_judged"]) == (1, 2, 2, "2025-04-30")
    assert measured_together([never], seen, DOUBT) is None
    only_early = lives_of(bites, np.array([True, True, False, False]), ENDS, 0)
    assert measured_together([only_early, part], seen, DOUBT) is None


def test_rows_in_another_order_change_nothing():
    bites, judged, seen = random_past(9)
    life = lives_of(bites, judged, seen.days, 0)
    turned = Witness(seen.days, seen.ends, seen.until, seen.clusters, seen.at_risk, seen.defaults[::-1])
    assert measured(life, turned, DOUBT) == measured(life, seen, DOUBT)
