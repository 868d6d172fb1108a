"""Circuit breakers: each from both sides of its thresholds, and grey where nothing can be compared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.errors import ParameterError
from pipeline.features.catalog import as_json
from pipeline.night_params import BreakerParams, Threshold
from pipeline.read_params import parse_params
from pipeline.score.book_figures import BookFigures
from pipeline.score.breakers import Seen, breakers_of, is_shared
from pipeline.score.previous import PreviousRun

MAY, JUNE = dt.date(2025, 5, 31), dt.date(2025, 6, 30)
SETTINGS = BreakerParams(min_customers=5)
NAMES = [
    "customers", "exposure", "moved_two_grades", "mean_pd", "new_defaults", "segments", "drift", "inputs", "nulls",
    "stale_invoices", "stale_payments",
]  # fmt: skip
DEVELOPMENT = {
    "default_rate": 0.03, "rows": 100, "bads": 3,
    "score": {"splits": [0.0, 3.0], "counts": [0, 2, 98], "missing": 0},
    "features": {"days_late_3m": {"splits": [5.0], "counts": [95, 5], "missing": 0}},
}  # fmt: skip


@pytest.fixture
def lights(make_book, model, policy, scored):
    """Scores June beside May's book; customers of both months, and what differs from the usual."""

    def light(before, now, *, settings=SETTINGS, newest=None, day=MAY, pd=0.02, times=1.0, development=DEVELOPMENT):
        told = replace(model, development=development)
        previous = None
        if before is not None:
            book = make_book(*({**customer, "as_of": day} for customer in before))
            was = scored(book.positions, book.features, told, policy, None, day)
            tables = (was.book.to_pandas(), was.alerts.to_pandas())
            tables[0].loc[tables[0]["grade"] != "D", "pd"] *= times
            previous = PreviousRun(day, "run", "0" * 64, told.version, policy.version, *tables, policy, told)
        book = make_book(*({**customer, "as_of": JUNE} for customer in now))
        run = scored(book.positions, book.features, told, policy, previous, JUNE)
        applied = book.features.assign(model_pd=pd)
        figures = BookFigures.of(
            told, run.book, applied.set_index("customer_id").loc[run.book["customer_id"].to_pylist()], previous
        )
        known = {"invoices": JUNE, "payments": JUNE} if newest is None else newest
        seen = Seen(figures, told, JUNE, None if previous is None else day, known)
        return {one.name: one for one in breakers_of(seen, settings)}

    return light


def told(found, name):
    return found[name].light, None if found[name].value is None else round(found[name].value, 6)


def test_every_breaker_is_told_in_one_order_and_equal_nights_are_green(lights):
    found = lights([{}] * 20, [{}] * 20)
    assert list(found) == NAMES
    assert {one.light for one in found.values()} == {"green"}


@pytest.mark.parametrize(("count", "light", "value"), [(21, "green", 0.05), (22, "amber", 0.1), (14, "red", 0.3)])
def test_the_number_of_customers(lights, count, light, value):
    assert told(lights([{}] * 20, [{}] * count), "customers") == (light, value)


def test_a_group_that_moved_as_one_does_not_stop_a_small_book_and_as_many_customers_of_their_own_do(lights):
    # 12 of 40 are late as nobody was: one group, or twelve customers. Twelve months of 50 customers at development.
    settings = BreakerParams(min_customers=5, drift=Threshold(0.25, 0.5))
    late = {"days_late_3m": 40.0}
    score = {"splits": [0.0, 3.0], "counts": [0, 12, 588], "missing": 0}
    features = {"days_late_3m": {"splits": [5.0], "counts": [570, 30], "missing": 0}}
    months = {**DEVELOPMENT, "rows": 600, "customers": 50, "score": score, "features": features}
    now = [{"group_id": "G1", **late}] * 12 + [{}] * 28
    pds = [0.3] * 12 + [0.02] * 28
    together = lights([{}] * 40, now, settings=settings, pd=pds, development=months)
    assert together["drift"].value > settings.drift.stop
    assert (together["drift"].light, together["inputs"].light) == ("green", "green")
    apart = [{**one, "group_id": None} for one in now]
    alone = lights([{}] * 40, apart, settings=settings, pd=pds, development=months)
    assert (alone["drift"].light, alone["inputs"].light) == ("red", "amber")
    assert alone["drift"].value == together["drift"].value


@pytest.mark.parametrize(
    ("amount", "light", "value"), [("11000", "green", 0.1), ("7000", "amber", 0.3), ("0", "red", 1.0)]
)
def test_the_exposure(lights, amount, light, value):
    found = lights([{}] * 20, [{"open_amount": Decimal(amount)}] * 20)
    assert told(found, "exposure") == (light, value)


def test_an_exposure_that_was_nothing_cannot_be_compared(lights):
    found = lights([{"open_amount": Decimal(0)}] * 20, [{}] * 20)
    assert told(found, "exposure") == ("grey", None)


def test_customers_who_fall_by_two_grades_move_three_breakers(lights, risky):
    found = lights([{}] * 20, [{}] * 12 + [risky] * 8)
    assert told(found, "moved_two_grades") == ("red", 0.4)
    assert found["mean_pd"].light == "red"
    assert told(found, "segments")[0] == "red"
    assert "8 of 20 graded customers" in found["moved_two_grades"].says


def test_a_mean_pd_that_halves_counts_as_much_as_one_that_doubles(lights, risky):
    worse = lights([{}] * 19 + [risky], [{}] * 15 + [risky] * 5)["mean_pd"]
    better = lights([{}] * 15 + [risky] * 5, [{}] * 19 + [risky])["mean_pd"]
    assert worse.value == pytest.approx(better.value, rel=1e-12)
    assert worse.light == better.light == "red"


@pytest.mark.parametrize(("times", "light", "value"), [(0.5, "red", 1.0), (2.0, "red", 1.0), (0.75, "amber", 1 / 3)])
def test_customers_in_default_do_not_hide_that_the_others_moved(lights, times, light, value):
    # 5 of 20 in default on both days, one in default only then and one only now: 13 are compared.
    default, usual = {"is_in_default": True}, {}
    then = [default] * 5 + [usual] * 13 + [default, usual]
    now = [default] * 5 + [usual] * 13 + [usual, default]
    found = lights(then, now, times=times)
    assert told(found, "mean_pd") == (light, round(value, 6))
    assert found["mean_pd"].says.startswith("mean PD of 13 customers not in default ")


def test_a_mean_pd_of_nobody_but_defaults_cannot_be_compared(lights):
    assert told(lights([{"is_in_default": True}] * 20, [{"is_in_default": True}] * 20), "mean_pd") == ("grey", None)


@pytest.mark.parametrize(("fell", "light", "value"), [(0, "green", 0.0), (1, "amber", 0.05), (3, "red", 0.15)])
def test_customers_who_fall_into_default(lights, fell, light, value):
    # Beside 20 at risk: two in default all along, one that recovers.
    default = {"is_in_default": True}
    found = lights([default] * 3 + [{}] * 20, [default] * 2 + [{}] + [default] * fell + [{}] * (20 - fell))
    assert told(found, "new_defaults") == (light, value)
    assert found["new_defaults"].says == f"{fell} of 20 customers graded and not in default before are in default now"


def test_where_all_were_in_default_nobody_can_fall(lights):
    assert told(lights([{"is_in_default": True}] * 20, [{}] * 20), "new_defaults") == ("grey", None)


def test_without_a_comparable_run_before_nothing_is_said_of_change(lights):
    compared = NAMES[:6]
    first = lights(None, [{}] * 20)
    assert {first[name].says for name in compared} == {"no run before"}
    old = lights([{}] * 20, [{}] * 40, day=dt.date(2025, 5, 1))
    assert {old[name].says for name in compared} == {"the run before is 60 days old"}
    small = lights([{}] * 4, [{}] * 40)
    assert {small[name].says for name in compared} == {"a book of 4 customers moves by single ones"}
    for found in (first, old, small):
        assert {found[name].light for name in compared} == {"grey"}


@pytest.mark.parametrize(("nulls", "light", "value"), [(2, "green", 0.1), (5, "amber", 0.25), (15, "red", 0.75)])
def test_nulls_that_were_not_there_at_development(lights, nulls, light, value):
    now = [{"days_late_3m": None}] * nulls + [{}] * (20 - nulls)
    found = lights([{}] * 20, now)
    assert told(found, "nulls") == (light, value)
    assert found["nulls"].says.startswith("days_late_3m null on 0.0% at development, now")


def test_a_score_far_from_development_stops_and_an_input_warns(lights):
    usual = lights([{}] * 60, [{}] * 57 + [{"days_late_3m": 40.0}] * 3)
    assert (usual["drift"].light, usual["inputs"].light) == ("green", "green")
    moved = lights([{}] * 60, [{"days_late_3m": 40.0}] * 60)
    assert moved["inputs"].light == "amber"
    assert moved["inputs"].value > SETTINGS.drift.stop
    assert "days_late_3m: PSI" in moved["inputs"].says
    far = lights([{}] * 60, [{}] * 60, pd=0.4)
    assert far["drift"].light == "red"
    assert far["drift"].says.startswith("the score: PSI")


@pytest.mark.parametrize(
    "told_of",
    [{"source": ["indicators"]}, {"subject": "group and outside events", "source": ["customers", "invoices"]}],
)
def test_what_customers_share_has_few_values_a_day_and_so_no_drift(lights, model, monkeypatch, told_of):
    late = next(entry for entry in model.catalogue if entry["name"] == "days_late_3m")
    for key, value in told_of.items():
        monkeypatch.setitem(late, key, value)
    assert lights([{}] * 60, [{"days_late_3m": 40.0}] * 60)["inputs"].light == "grey"


def test_an_external_rating_is_the_customers_own_and_warns_as_any_input(lights, model, monkeypatch):
    late = next(entry for entry in model.catalogue if entry["name"] == "days_late_3m")
    monkeypatch.setitem(late, "subject", "group and outside events")
    monkeypatch.setitem(late, "source", ["events"])
    assert lights([{}] * 60, [{"days_late_3m": 40.0}] * 60)["inputs"].light == "amber"


def test_of_the_catalogue_what_is_told_by_group_industry_links_and_economy_is_shared_and_nothing_else():
    shared = {entry["idea"] for entry in as_json() if is_shared(entry)}
    by_others = ("group_", "industry_", "shared_", "linked_", "pmi")
    outside = [entry["idea"] for entry in as_json() if entry["subject"] == "group and outside events"]
    assert shared == {idea for idea in outside if idea.startswith(by_others)}
    assert "external_rating" in set(outside) - shared


@pytest.mark.parametrize(("days", "light"), [(0, "green"), (7, "green"), (8, "amber"), (45, "amber"), (46, "red")])
def test_a_table_that_learns_nothing(lights, days, light):
    newest = {"invoices": JUNE - dt.timedelta(days=days), "payments": None}
    found = lights([{}] * 20, [{}] * 20, newest=newest)
    assert told(found, "stale_invoices") == (light, float(days))
    assert (found["stale_payments"].light, found["stale_payments"].says) == ("grey", "without a row")
    assert lights([{}] * 20, [{}] * 20, newest={})["stale_invoices"].says == "not handed in"


def test_a_book_with_nobody_rated_stops_nothing(lights):
    default = {"is_in_default": True}
    found = lights([default] * 20, [default] * 20)
    assert {one.light for one in found.values()} <= {"green", "grey"}


def test_thresholds_out_of_order_are_refused(repository):
    text = (repository / "params.yaml").read_text(encoding="utf-8")
    wrong = text.replace("nulls: {warn: 0.10, stop: 0.50}", "nulls: {warn: 0.60, stop: 0.50}")
    assert wrong != text
    with pytest.raises(ParameterError, match=r"score\.breakers\.nulls: warn 0\.6 and stop 0\.5"):
        parse_params(wrong)


def test_thresholds_are_plain_in_the_manifest(lights):
    gates = [one.as_json() for one in lights([{}] * 20, [{}] * 20).values()]
    assert all(set(gate) == {"name", "value", "warn", "stop", "light", "says"} for gate in gates)
    assert pa.Table.from_pylist(gates).num_rows == pd.DataFrame(gates).shape[0] == len(NAMES)
    assert replace(SETTINGS, exposure=Threshold(0.0, 0.0)).exposure.stop == 0.0
