"""Planted leaks are found, with the column and the numbers; an honest book is left alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import ContractError, ParameterError, UnfitForTrainingError
from pipeline.params import LabelParams, LeakParams, SplitParams
from pipeline.read_params import parse_params
from pipeline.train.leaks import CHECKS, find_leaks
from pipeline.train.splits import mature_dates, timetable

SETTINGS = LeakParams()


def entry(name, holds="number"):
    return {"name": name, "idea": name, "holds": holds, "risk": "either", "title_en": name}


@pytest.fixture(scope="module")
def table(small_economy):
    return timetable(mature_dates(small_economy.book), LabelParams(), SplitParams())


@pytest.fixture(scope="module")
def look(small_economy, table):
    """The detector over the honest book with columns planted into it; by default only the planted are read."""

    def find(planted=(), settings=SETTINGS, honest=(), **columns):
        book = small_economy.book.assign(**columns)
        catalogue = [f for f in small_economy.catalogue if f["name"] in honest]
        catalogue += [entry(name, "category" if name in planted else "number") for name in columns]
        return find_leaks(book, catalogue, table, LabelParams(), settings)

    return find


def verdicts(report):
    return {(f.check, f.column): f.verdict for f in report.findings}


def test_an_honest_book_is_neither_refused_nor_warned_of(small_economy, table):
    report = find_leaks(small_economy.book, small_economy.catalogue, table, LabelParams(), SETTINGS)
    assert report.findings == ()
    assert report.unjudged == {}
    assert report.columns == 12
    assert report.strongest[0].column in {"mean_days_late_12m", "overdue_share", "equity_ratio"}
    assert 0.65 < report.strongest[0].best.value < 0.9
    assert report.text() == "leaks: 12 columns checked, 0 refused, 0 warning(s), 0 accepted"
    report.require_clean()
    json.dumps(report.as_json(), allow_nan=False)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(("customers", "hazard"), [(120, -6.2), (300, -8.0)])
def test_honest_books_with_few_bads_are_not_refused(make_economy, seed, customers, hazard):
    made = make_economy(customers, 40, seed, hazard)
    split = timetable(mature_dates(made.book), LabelParams(), SplitParams(purge="best_effort"))
    assert find_leaks(made.book, made.catalogue, split, LabelParams(), SETTINGS).findings == ()


def test_a_copy_of_the_target_is_refused_by_its_power_and_its_pure_value(look, small_economy):
    report = look(copy=small_economy.book["is_bad"].astype(float))
    assert verdicts(report) == {("power", "copy"): "refuse", ("pure_value", "copy"): "refuse"}
    power = report.findings[0]
    assert power.numbers["overall"]["value"] == 1.0
    bads = small_economy.book.loc[small_economy.book["is_bad"] == 1, "group_key"].nunique()
    assert power.numbers["overall"]["bads"] == bads
    assert "AUC of 1.000 (0.9" in power.told
    assert report.findings[1].numbers["share_of_bads"] == 1.0


def test_a_leak_that_is_not_monotone_is_found_by_bins(look, small_economy):
    rng = np.random.default_rng(1)
    bad = small_economy.book["is_bad"].to_numpy() == 1
    term = np.where(bad, rng.integers(1, 360, len(bad)), rng.choice([84, 240, 300], len(bad))).astype(float)
    report = look(term=term)
    assert verdicts(report)["power", "term"] == "refuse"
    numbers = report.findings[0].numbers
    assert numbers["overall"]["low"] > 0.95
    assert numbers["where_filled"]["value"] < 0.75


def test_a_leak_where_the_column_is_rarely_filled_is_found_among_its_rows(look, small_economy):
    rng = np.random.default_rng(2)
    is_bad = small_economy.book["is_bad"].to_numpy(dtype=float)
    value = np.where(rng.random(len(is_bad)) < 0.3, 1000 * is_bad + rng.normal(size=len(is_bad)), np.nan)
    report = look(recovered=value)
    assert verdicts(report) == {("power", "recovered"): "refuse"}
    assert "among the 30 % of rows where it is filled" in report.findings[0].told
    assert report.findings[0].numbers["overall"]["value"] < 0.8


def test_power_between_the_two_bounds_warns(look, small_economy):
    rng = np.random.default_rng(3)
    value = small_economy.book["is_bad"] * 2.4 + rng.normal(size=len(small_economy.book))
    report = look(strong=value)
    assert verdicts(report) == {("power", "strong"): "warn"}
    assert 0.90 < report.findings[0].numbers["overall"]["low"] < 0.95


def test_a_lone_giant_warns(look, small_economy):
    rng = np.random.default_rng(3)
    n = len(small_economy.book)
    noise = {f"noise_{i}": rng.normal(size=n) for i in range(3)}
    report = look(giant=small_economy.book["is_bad"] * 1.5 + rng.normal(size=n), **noise)
    assert verdicts(report) == {("lone_power", "giant"): "warn"}
    assert "the next best, noise_" in report.findings[0].told


def test_a_perfect_order_of_few_bads_is_warned_of_and_not_refused(look, small_economy, table):
    book = small_economy.book
    bad_groups = sorted(book.loc[book["is_bad"] == 1, "group_key"].unique())[:6]
    few = book[(book["is_bad"] == 0) | book["group_key"].isin(bad_groups)].reset_index(drop=True)
    few = few.assign(copy=few["is_bad"].astype(float) + np.random.default_rng(1).random(len(few)) / 2)
    report = find_leaks(few, [entry("copy")], table, LabelParams(), SETTINGS)
    assert verdicts(report) == {("power", "copy"): "warn"}
    assert report.findings[0].told.endswith("on 6 bad customers; few bads, it may be chance")


def test_a_name_like_an_outcome_warns_only_with_power(look, small_economy):
    rng = np.random.default_rng(3)
    n = len(small_economy.book)
    told = small_economy.book["is_bad"] + rng.normal(size=n)
    report = look(recovery_amount=told, other=told + 0.1 * rng.normal(size=n), loss=rng.normal(size=n), z=-told)
    assert verdicts(report) == {("named_like_outcome", "recovery_amount"): "warn"}


def test_no_name_of_the_catalogue_sounds_like_an_outcome():
    from pipeline.features import catalog
    from pipeline.train.leaks_power import OUTCOME_NAME

    assert len(catalog.as_json()) > 100
    assert not [f["name"] for f in catalog.as_json() if OUTCOME_NAME.search(str(f["name"]))]
    for name in ("ChgOffPrinGr", "charge_off_date", "loan_default", "MIS_Status", "is_bad", "write_off", "loss_amount"):
        assert OUTCOME_NAME.search(name.lower()), name


def test_a_date_filled_after_the_outcome_is_refused_with_the_shares(look, small_economy):
    rng = np.random.default_rng(4)
    bad = small_economy.book["is_bad"].to_numpy() == 1
    is_filled = np.where(bad, rng.random(len(bad)) < 0.9, rng.random(len(bad)) < 0.01)
    report = look(days_since_chargeoff=np.where(is_filled, rng.normal(size=len(bad)), np.nan))
    found = {f.check: f for f in report.findings}
    assert found["filled_after"].verdict == "refuse"
    assert found["filled_after"].numbers["filled_of_bads"] == pytest.approx(0.9, abs=0.03)
    assert found["filled_after"].numbers["filled_of_goods"] == pytest.approx(0.01, abs=0.005)
    assert "is filled for 9" in found["filled_after"].told


def test_a_column_filled_for_goods_only_is_refused_too(look, small_economy):
    good = small_economy.book["is_bad"].to_numpy() == 0
    report = look(paid_in_full=np.where(good, np.arange(len(good)) % 7, np.nan))
    assert verdicts(report)["filled_after", "paid_in_full"] == "refuse"
    pure = next(f for f in report.findings if f.check == "pure_value")
    assert (pure.numbers["value"], pure.numbers["share_of_bads"]) == ("a null", 1.0)


def test_missing_that_leans_to_bads_warns_and_missing_at_random_does_not(look, small_economy):
    rng = np.random.default_rng(5)
    bad, n = small_economy.book["is_bad"].to_numpy() == 1, len(small_economy.book)
    leaning = np.where(rng.random(n) < np.where(bad, 0.7, 0.2), 1.0 + np.arange(n) % 5, np.nan)
    assert verdicts(look(leaning=leaning)) == {("filled_after", "leaning"): "warn"}
    at_random = np.where(rng.random(n) < 0.3, 1.0 + np.arange(n) % 5, np.nan)
    assert look(at_random=at_random).findings == ()


def test_a_constant_that_only_bads_hold_is_named_with_its_rows(look, small_economy):
    rng = np.random.default_rng(6)
    bad = small_economy.book["is_bad"].to_numpy() == 1
    code = np.where(bad & (rng.random(len(bad)) < 0.3), "W", rng.choice(["A", "B"], len(bad))).astype(object)
    report = look(planted=("status",), status=code)
    assert verdicts(report) == {("pure_value", "status"): "warn"}
    found = report.findings[0]
    assert found.numbers["value"] == "the value 'W'"
    assert found.numbers["rows"] == int((code == "W").sum())
    assert found.numbers["bad_share"] == 1.0
    assert found.numbers["share_of_bads"] == pytest.approx(0.3, abs=0.05)
    customer, day = found.examples[0].split(" on ")
    row = small_economy.book[small_economy.book["customer_id"].eq(customer)]
    assert dt.date.fromisoformat(day) in set(row["as_of"])


def test_a_value_that_many_goods_hold_too_is_not_pure(look, small_economy):
    rng = np.random.default_rng(7)
    bad = small_economy.book["is_bad"].to_numpy() == 1
    share = np.where(bad, 0.4, 0.4 * bad.mean() / 2)
    code = np.where(rng.random(len(bad)) < share, "W", rng.choice(["A", "B"], len(bad))).astype(object)
    assert bad[code == "W"].mean() > 0.6
    assert look(planted=("status",), status=code).findings == ()


def test_names_and_numbers_of_customers_are_told(look, small_economy):
    customer = small_economy.book["customer_id"]
    account = customer.str.removeprefix("C-").astype(int) + 100_000.0
    sector = small_economy.book["industry"]
    texts, numbers = {"name": "Firm " + customer, "sector": sector}, {"account": account, "assets": account * 1.25}
    report = look(planted=tuple(texts), **texts, **numbers)
    assert verdicts(report) == {("identifier", "name"): "warn", ("identifier", "account"): "warn"}
    customers = customer.nunique()
    assert report.findings[0].told.startswith(f"has {customers} different values for {customers} customers")


def test_a_column_of_dates_is_refused(look, small_economy):
    day = small_economy.book["as_of"]
    report = look(seen=pd.to_datetime(day), closed_on=day)
    assert verdicts(report) == {("dates", "seen"): "refuse", ("dates", "closed_on"): "refuse"}


def test_all_refusals_are_told_at_once(look, small_economy):
    report = look(first=small_economy.book["is_bad"].astype(float), second=-2.0 * small_economy.book["is_bad"])
    with pytest.raises(UnfitForTrainingError) as told:
        report.require_clean()
    assert told.value.exit_code == 65
    text = str(told.value)
    assert text.startswith("leaks: 4 finding(s) refuse this table")
    for part in ("power, first:", "power, second:", "pure_value, first:", "leaks.accept"):
        assert part in text


@pytest.mark.parametrize("name", ["copy", "power"])
def test_a_finding_can_be_taken_on_oneself_with_a_reason(look, small_economy, name):
    accept = {name: "a court's list, known on the day", "pure_value": "the same"}
    settings = dataclasses.replace(SETTINGS, accept=accept)
    report = look(settings=settings, copy=small_economy.book["is_bad"].astype(float))
    report.require_clean()
    assert {f.verdict for f in report.findings} == {"accepted"}
    assert report.findings[0].accepted == "a court's list, known on the day"
    assert "(a court's list, known on the day)" in report.text()
    assert report.idle == ()


def test_an_entry_that_accepts_nothing_is_told(look):
    settings = dataclasses.replace(SETTINGS, accept={"gone": "was dropped"})
    report = look(settings=settings, honest=("age_years",))
    assert report.idle == ("gone",)
    assert "leaks.accept.gone: meets no finding any more; remove it" in report.text()


def test_an_accepted_finding_needs_a_reason():
    with pytest.raises(ParameterError, match=r"leaks\.accept\.Term: give the reason"):
        parse_params('leaks: {accept: {Term: " "}}')


def test_a_book_without_bads_is_left_to_the_fit(small_economy, table):
    book = small_economy.book.assign(is_bad=0)
    report = find_leaks(book, small_economy.catalogue, table, LabelParams(), SETTINGS)
    assert report.findings == ()
    assert set(report.unjudged) == set(CHECKS)


def test_a_column_that_is_not_there_or_no_number_is_told(small_economy, table):
    with pytest.raises(ContractError, match=r"missing, e\.g\. 'absent'"):
        find_leaks(small_economy.book, [entry("absent")], table, LabelParams(), SETTINGS)
    with pytest.raises(ContractError, match="holds text where a number is needed"):
        find_leaks(small_economy.book, [entry("industry")], table, LabelParams(), SETTINGS)


def test_the_order_of_rows_and_names_changes_nothing(small_economy, table):
    shuffled = small_economy.book.sample(frac=1, random_state=1)
    first, second = (
        find_leaks(book, small_economy.catalogue, table, LabelParams(), SETTINGS).as_json()
        for book in (small_economy.book, shuffled)
    )
    assert first == second
