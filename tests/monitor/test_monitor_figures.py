"""Matured cohorts, what PDs believe of themselves, watched drift and the gates, against loops and small cases."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import norm

from pipeline.night_params import MonitorParams
from pipeline.score.applied import PD
from pipeline.score.cohorts import believed, expected_gini, matured, pooled_level, yearly
from pipeline.score.drift import Cuts, score_levels
from pipeline.score.monitor_gates import monitor_gates
from pipeline.score.monitored import HISTORY_SCHEMA, PERFORMANCE_SCHEMA, as_known_on, kept_with
from pipeline.score.watched_drift import GROUP, Watched, watched_drift, worst
from pipeline.statistics.discrimination import gini
from pipeline.statistics.proportions import jeffreys_p_value

SETTINGS = MonitorParams(rounds=60)
CUTS = Cuts(0.10, 0.25, 0.01)


def cohort(n=600, factor=1.0, seed=1):
    rng = np.random.default_rng(seed)
    pds = rng.beta(1, 12, n).round(3).clip(0.001, 0.999)
    bad = (rng.random(n) < np.minimum(pds * factor, 1)).astype(int)
    return pd.DataFrame({
        "pd": pds, "is_bad": bad, "grade": np.where(pds < 0.05, "G05", "G08"),
        "group_key": [f"{i // 2}" for i in range(n)],
    })  # fmt: skip


def test_a_grade_of_one_customer_without_a_bad_does_not_turn_the_grades():
    book = cohort()
    alone = book.head(1).assign(pd=0.00001, is_bad=0, grade="G01")
    told = matured(pd.concat([alone, book], ignore_index=True), SETTINGS)
    first = told["grades"][0]
    assert (first["grade"], first["customers"], first["bads"], first["p_too_low"]) == ("G01", 1, 0, 1.0)
    assert jeffreys_p_value(0.00001, 0, 1) < SETTINGS.significance


def test_the_expected_gini_is_that_of_every_pair_of_a_bad_and_a_good():
    pds = np.array([0.01, 0.05, 0.05, 0.2, 0.4, 0.9])
    won = pairs = 0.0
    for i, first in enumerate(pds):
        for j, second in enumerate(pds):
            if i != j:
                weight = first * (1 - second)
                pairs += weight
                won += weight * (1.0 if first > second else 0.5 if first == second else 0.0)
    assert expected_gini(pds) == pytest.approx(2 * won / pairs - 1)
    assert expected_gini([]) is None
    assert expected_gini([0.3]) is None


def test_the_expected_gini_is_the_mean_of_the_ginis_of_worlds_in_which_the_pds_are_right():
    pds = cohort(400)["pd"].to_numpy()
    rng = np.random.default_rng(5)
    seen = [gini(pds, (rng.random(400) < pds).astype(int)) for _ in range(400)]
    assert expected_gini(pds) == pytest.approx(np.mean(seen), abs=0.015)


def test_the_range_of_believed_defaults_covers_what_comes_when_pds_are_right():
    pds = cohort(400)["pd"].to_numpy()
    told = believed(pds, 0.95)
    rng = np.random.default_rng(6)
    drawn = (rng.random((2000, 400)) < pds).sum(axis=1)
    inside = np.mean((drawn >= told["low"] - 0.5) & (drawn <= told["high"] + 0.5))
    assert told["expected"] == pytest.approx(pds.sum())
    assert 0.93 <= inside <= 0.985


def test_the_range_of_the_believed_gini_covers_what_comes_when_pds_are_right():
    pds = cohort(400)["pd"].round(2).to_numpy()  # many customers share a PD
    told = believed(pds, 0.95)
    rng = np.random.default_rng(7)
    seen = np.array([gini(pds, (rng.random(400) < pds).astype(int)) for _ in range(800)])
    assert (told["gini_high"] - told["gini_low"]) / (2 * 1.96) == pytest.approx(seen.std(), rel=0.1)
    assert np.mean((seen >= told["gini_low"]) & (seen <= told["gini_high"])) == pytest.approx(0.95, abs=0.03)
    alone = believed([0.3], 0.95)
    assert (alone["gini"], alone["gini_low"], alone["gini_high"]) == (None, None, None)


def test_a_cohort_is_its_default_rate_over_its_mean_pd():
    rows = cohort()
    told = matured(rows, SETTINGS)
    bads, expected = int(rows["is_bad"].sum()), float(rows["pd"].sum())
    assert told["level"]["value"] == pytest.approx(bads / expected)
    assert told["level"]["low"] < bads / expected < told["level"]["high"]
    assert told["p_too_low"] == pytest.approx(jeffreys_p_value(expected / len(rows), bads, len(rows)))
    assert told["gini"]["value"] == pytest.approx(gini(rows["pd"], rows["is_bad"]))
    by_hand = rows[rows["grade"] == "G08"]
    grade = told["grades"][1]
    assert (grade["grade"], grade["customers"], grade["bads"]) == ("G08", len(by_hand), int(by_hand["is_bad"].sum()))


def test_few_defaults_tell_no_gini_and_an_empty_cohort_nothing():
    rows = cohort(40)
    assert matured(rows.assign(is_bad=[1] * 9 + [0] * 31), SETTINGS)["gini"] is None
    assert matured(rows.head(0), SETTINGS)["level"] is None
    assert pooled_level(rows.head(0), SETTINGS) is None


def test_cohorts_whose_windows_do_not_overlap_are_taken_from_the_last_one_back():
    days = [dt.date(2023, month, 1) for month in range(1, 13)] + [dt.date(2024, month, 1) for month in range(1, 13)]
    ends = [day.replace(year=day.year + 1) for day in days]
    assert yearly(days, ends) == [dt.date(2023, 12, 1), dt.date(2024, 12, 1)]


def model_of(development, catalogue):
    return SimpleNamespace(development=development, catalogue_by_name=catalogue)


@pytest.fixture
def model():
    rng = np.random.default_rng(2)
    levels = score_levels(rng.beta(1, 20, 2000))
    splits = np.quantile(levels, [0.25, 0.5, 0.75]).tolist()

    def told(splits, values):
        counts = np.bincount(np.searchsorted(splits, values, side="right"), minlength=len(splits) + 1)
        return {"splits": splits, "counts": counts.tolist(), "missing": 0}

    features = {name: told([0.25, 0.5, 0.75], rng.random(2000)) for name in ("own", "pmi", "accounts_age_months")}
    own = {"subject": "accounts", "source": ["financials"]}
    entries = {"own": own, "accounts_age_months": own, "pmi": {"subject": "economy", "source": ["indicators"]}}
    return model_of({"score": told(splits, levels), "features": features}, entries)


def rows_of(n=400, seed=3, **values):
    rng = np.random.default_rng(seed)
    told = {PD: rng.beta(1, 20, n), **{name: rng.random(n) for name in ("own", "pmi", "accounts_age_months")}}
    who = {"customer_id": [f"C{number}" for number in range(n)], GROUP: None}
    return pd.DataFrame({**who, **told, **{name: np.full(n, value) for name, value in values.items()}})


def lights(found):
    return {(one.against, one.quantity): (one.light, one.why) for one in found}


def test_what_many_share_is_not_judged_and_what_runs_by_calendar_is_judged_year_on_year(model):
    now = rows_of(pmi=0.9, accounts_age_months=0.1)
    found = lights(watched_drift(model, now, rows_of(seed=4), rows_of(accounts_age_months=0.1), CUTS))
    assert found["development", "pmi"] == ("grey", "shared")
    assert found["development", "accounts_age_months"] == ("grey", "calendar")
    assert found["month", "accounts_age_months"] == ("grey", "calendar")
    assert found["year", "accounts_age_months"] == ("green", "")
    assert found["development", "score"] == found["month", "own"] == ("green", "")
    assert ("year", "own") not in found
    moved = lights(watched_drift(model, now, None, rows_of(accounts_age_months=0.9), CUTS))
    assert moved["year", "accounts_age_months"][0] == "red"
    assert not [key for key in moved if key[0] == "month"]


def test_an_own_feature_that_moved_is_red_and_told_as_the_worst(model):
    found = watched_drift(model, rows_of(own=0.9, pmi=0.9), rows_of(seed=4), None, CUTS)
    assert lights(found)["development", "own"] == ("red", "")
    assert worst(found, "development", score=False).quantity == "own"
    assert worst(found, "year", score=False) is None


def test_a_group_that_moves_as_one_is_one_witness_and_who_stays_in_its_bin_is_none(model):
    # 40 customers; the last 16 come from the first bin of their own feature to the last, as one group or each alone.
    own = np.linspace(0.01, 0.99, 40)
    before = rows_of(40).assign(own=np.where(np.arange(40) < 24, own, 0.1))
    now = before.assign(own=np.where(np.arange(40) < 24, own, 0.9))
    group = [None] * 24 + ["G1"] * 16
    told = {}
    for name, rows in (("alone", now), ("together", now.assign(**{GROUP: group}))):
        found = {(one.against, one.quantity): one for one in watched_drift(model, rows, before, None, CUTS)}
        told[name] = found["month", "own"]
        assert found["month", "score"].noise == 0.0
    assert told["alone"].psi == told["together"].psi > CUTS.act
    assert (told["alone"].light, told["together"].light) == ("red", "green")


def gates_of(drift=(), rows=None, validated=None):
    told = None if rows is None else {"as_of": "2024-12-31", **matured(rows, SETTINGS)}
    return {gate.name: gate for gate in monitor_gates(drift, told, validated, SETTINGS)}


def test_without_anything_every_gate_is_grey():
    found = gates_of()
    assert {gate.light for gate in found.values()} == {"grey"}
    assert "no published run whose window begins after the last outcome" in found["level"].says


@pytest.mark.parametrize(("factor", "light"), [(1.0, "green"), (1.5, "amber"), (3.0, "red"), (0.3, "red")])
def test_the_level_is_amber_beside_its_interval_and_red_beyond_the_factor(factor, light):
    assert gates_of(rows=cohort(1500, factor))["level"].light == light


def test_grades_whose_pd_was_too_low_are_told():
    found = gates_of(rows=cohort(1500, 2.0))["grades"]
    assert found.light == "amber"
    assert "of" in found.says
    assert gates_of(rows=cohort(1500))["grades"].light == "green"


def test_the_order_falls_only_when_the_fall_exceeds_what_both_intervals_leave_open():
    rows = cohort(1500)
    value = gini(rows["pd"], rows["is_bad"])

    def validated(lift, half):
        return {"value": value + lift, "low": value + lift - half, "high": value + lift + half, "confidence": 0.95,
                "basis": "cohort"}  # fmt: skip

    assert gates_of(rows=rows, validated=validated(0.15, 0.20))["order"].light == "green"
    assert gates_of(rows=rows, validated=validated(0.40, 0.05))["order"].light == "red"
    assert gates_of(rows=rows)["order"].light == "grey"
    # Equal halves 1.96 errors wide: z = fall / (hypot of both half-widths / 1.96).
    told = gates_of(rows=rows, validated=validated(0.15, 0.20))["order"]
    halves = np.hypot((told.high - told.low) / 2, 0.20)
    assert told.against == pytest.approx(value + 0.15)
    assert told.p_value == pytest.approx(norm.sf(0.15 / (halves / norm.ppf(0.975))))
    assert "at validation (one-year cohort)" in told.says


def test_few_bad_customers_decide_nothing():
    rows = cohort(60).assign(is_bad=[1] * 5 + [0] * 55)
    found = gates_of(rows=rows, validated={"value": 0.9, "low": 0.8, "high": 1.0, "confidence": 0.95, "basis": "test"})
    assert {found[name].light for name in ("level", "grades", "order")} == {"grey"}
    assert "5 bad customers of 2024-12-31 are too few to tell" in found["level"].says


def test_a_report_of_an_earlier_day_does_not_see_outcomes_known_later():
    row = dict.fromkeys(PERFORMANCE_SCHEMA.names, 1.0) | {"as_of": "2023-12-31", "known_on": "2025-04-30"}
    assert as_known_on(row, "2025-04-30") == row
    early = as_known_on(row, "2025-04-29")
    assert (early["known"], early["level"], early["gini_high"], early["expected"]) == (None, None, None, 1.0)


def test_the_history_keeps_every_run_once_and_reads_what_was_kept_before_comparisons_had_names(tmp_path):
    old = tmp_path / "history.parquet"
    kept = {"as_of": "2024-01-31", "run_id": "a", "model_version": "m", "quantity": "score", "psi": 0.1, "noise": 0.05,
            "rows": 9, "light": "green"}  # fmt: skip
    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist([kept, {**kept, "run_id": "b", "as_of": "2024-02-29"}]), old)
    run = {"as_of": "2024-02-29", "run_id": "b", "model_version": "m"}
    found = kept_with(old, [(run, [Watched("month", "score", 0.2, 0.1, 5, "amber", "")])])
    assert found.schema == HISTORY_SCHEMA
    assert [(row["run_id"], row["against"], row["psi"]) for row in found.to_pylist()] == [
        ("a", "development", 0.1), ("b", "month", 0.2),
    ]  # fmt: skip
