"""The card of the thin pool: told from what a thin customer has, level of its own pool, carried to the night whole."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.errors import ParameterError
from pipeline.features.catalog import as_json
from pipeline.flows.policy_file import section_in
from pipeline.params import BoosterParams, CalibrationParams, LabelParams, ScorecardParams, SplitParams
from pipeline.score.applied import PD, THIN_PD, application
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.points import Scaling
from pipeline.score.policy_sections import ThinFileSection
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.statistics.discrimination import gini
from pipeline.train.bins_file import Cuts
from pipeline.train.fit import Setting, train_booster, train_scorecard
from pipeline.train.sample import samples
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import mature_dates, timetable
from pipeline.train.thin_file import CardGround, available, fit_thin_file, thin_rows, with_card

RULE = ThinFileRule(3, 3)
GROUND = CardGround(frozenset({"financials", "customers"}), 3, ScorecardParams(), CalibrationParams())
OF_ACCOUNTS = {"equity_ratio", "age_years", "industry"}
# One feature that the pool's card may read, and one that only the scorecard may.
BY_HAND = {"age_years": Cuts(splits=(15.8,)), "overdue_share": Cuts(splits=(0.1,))}


@pytest.fixture(scope="module")
def catalogue(small_economy):
    return [
        {**f, "columns": ["financials.equity" if f["name"] in OF_ACCOUNTS else "payments.paid_on"]}
        for f in small_economy.catalogue
    ]


@pytest.fixture(scope="module")
def book(small_economy):
    """Every fifth customer is thin."""
    rows = small_economy.book
    is_thin = rows["customer_id"].str[-1].isin(["0", "5"])
    return rows.assign(invoices_due_12m_count=np.where(is_thin, 1, 9), history_months=20)


@pytest.fixture(scope="module")
def table(book):
    return timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))


@pytest.fixture(scope="module")
def parts(book, table):
    return samples(book, table)


@pytest.fixture(scope="module")
def fitted(parts, catalogue):
    pool = fit_thin_file(parts["all"], RULE, 0.75)
    return with_card(pool, parts["all"], parts["train"], catalogue, GROUND)


def test_only_features_of_the_tables_named_are_available(catalogue):
    assert {f["name"] for f in available(catalogue, GROUND.tables)} == OF_ACCOUNTS
    assert available([{"name": "x"}, {"name": "y", "columns": []}], GROUND.tables) == []


def test_the_policy_gives_the_pool_firmographics_and_accounts_alone(repository):
    section = section_in(repository / "policy" / "thin_file.yaml", ThinFileSection)
    told = [f for f in available(as_json(), frozenset(section.card.tables)) if f["serves"] == "models"]
    assert {c.split(".")[0] for f in told for c in f["columns"]} == {"customers", "financials"}
    assert {"equity_ratio", "firm_age_years"} <= {f["name"] for f in told}


def test_the_card_reads_nothing_of_the_trade_and_orders_the_pool(fitted, parts):
    thin = fitted.thin_file
    assert set(thin.features) <= OF_ACCOUNTS
    assert fitted.details["features"] == list(thin.features)
    pool = parts["all"].part(thin_rows(parts["all"].rows, RULE))
    told = fitted.details["gini_in_pool"]
    assert gini(thin.pd_of(pool.rows), pool.is_bad) == pytest.approx(told["value"])
    assert told["value"] > 0.1
    assert told["low"] < told["value"] < told["high"] < 1


def test_the_mean_pd_of_the_pool_is_its_upper_bound(fitted, parts):
    thin = fitted.thin_file
    pool = parts["all"].part(thin_rows(parts["all"].rows, RULE))
    assert thin.pd_of(pool.rows).mean() == pytest.approx(thin.pd, rel=1e-9)
    assert thin.pd > pool.is_bad.mean()


def test_the_bad_rate_of_each_bin_of_the_card_has_its_interval_on_the_training_rows(fitted):
    bins = {(c.feature, b.label): b for c in fitted.thin_file.card.characteristics for b in c.bins if b.count}
    told = fitted.details["bin_rates"]
    assert {(r["feature"], r["bin"]) for r in told} == set(bins)
    for rate in told:
        b = bins[rate["feature"], rate["bin"]]
        assert rate["low"] <= b.bads / b.count <= rate["high"] < 1
        assert rate["customers"] <= b.count
    assert fitted.details["bin_confidence"] == 0.95


def test_how_the_card_was_fitted_is_kept_as_of_the_scorecard(fitted, parts, catalogue):
    """The fate of all three features, p-values by customer, and each bin early and late, as the fit tells them."""
    own = dataclasses.replace(GROUND.params, max_variables=GROUND.max_variables)
    fit = fit_scorecard(parts["train"], available(catalogue, GROUND.tables), own, GROUND.seed).as_json()
    told = fitted.details
    assert {name: told[name] for name in fit} == fit
    assert {fate["feature"] for fate in told["selection"]} == OF_ACCOUNTS
    assert [c["feature"] for c in told["coefficients"]] == list(fitted.thin_file.features)
    assert all(0 <= c["p_value"] <= 1 and c["standard_error"] > 0 for c in told["coefficients"])
    held = {(b["feature"], b["bin"]) for b in told["bin_stability"]}
    assert held == {(c.feature, b.label) for c in fitted.thin_file.card.characteristics for b in c.bins if b.count}


def odds(pd_):
    """Bad to good."""
    return pd_ / (1 - pd_)


def test_the_bound_is_moved_by_what_a_long_run_rate_adds_to_the_log_odds(parts):
    plain, moved = (fit_thin_file(parts["all"], RULE, 0.75, shift) for shift in (0.0, np.log(0.5)))
    # Half the odds of good are twice those of bad.
    assert odds(moved.pd) == pytest.approx(2 * odds(plain.pd))
    assert (moved.bads, moved.customers, moved.rule) == (plain.bads, plain.customers, plain.rule)
    empty = [fit_thin_file(parts["all"], None, 0.75, shift).pd for shift in (0.0, np.log(0.5))]
    assert odds(empty[1]) == pytest.approx(2 * odds(empty[0]))


def test_accounts_that_are_not_there_are_a_bin_not_an_error(fitted, parts):
    blank = parts["all"].rows.head(5).assign(**dict.fromkeys(fitted.thin_file.features))
    told = fitted.thin_file.pd_of(blank)
    assert np.isfinite(told).all()
    assert np.ptp(told) == 0


@pytest.mark.parametrize(
    ("ground", "why"),
    [
        (None, "no card is asked for"),
        (dataclasses.replace(GROUND, max_variables=0), "no card is asked for"),
        (dataclasses.replace(GROUND, tables=frozenset({"events"})), "no feature is told from events alone"),
        (dataclasses.replace(GROUND, params=ScorecardParams(min_iv=9.0)), "none of 3 features can carry"),
    ],
)
def test_without_a_card_everybody_keeps_the_pools_pd_and_it_is_said(ground, why, parts, catalogue):
    pool = fit_thin_file(parts["all"], RULE, 0.75)
    fit = with_card(pool, parts["all"], parts["train"], catalogue, ground)
    assert fit.thin_file == pool
    assert why in fit.details["why_no_card"]
    assert (fit.thin_file.pd_of(parts["test"].rows) == pool.pd).all()


SETTING = Setting(LabelParams(), Scaling(), CalibrationParams(), RULE, 0.75, GROUND)


@pytest.fixture(scope="module")
def model(book, catalogue, table):
    return train_scorecard(book, catalogue, table, ScorecardParams(), SETTING, cuts=BY_HAND)


def test_a_long_run_rate_reaches_the_pool_as_it_reaches_everybody(model, book, catalogue, table, parts):
    rate = 0.02
    long_run = CalibrationParams(tendency="long_run", long_run_rate=rate, long_run_source="a study")
    setting = dataclasses.replace(SETTING, calibration=long_run)
    found = train_scorecard(book, catalogue, table, ScorecardParams(), setting, cuts=BY_HAND)
    shift = found.details["calibration"]["tendency"]["shift"]
    both = [parts[role] for role in ("train", "calibration")]
    pds = np.concatenate([found.model.pd(part.rows) for part in both])
    assert pds.mean() == pytest.approx(rate)
    # With the shift taken out the rows expect the bads that they hold: some ten in a hundred.
    bads = sum(part.is_bad.sum() for part in both)
    back = odds(pds) * np.exp(shift)
    assert (back / (1 + back)).sum() == pytest.approx(bads)
    assert bads / len(pds) > 2 * rate
    assert shift > np.log(2)
    own, served = model.model.thin_file, found.model.thin_file
    assert odds(served.pd) == pytest.approx(odds(own.pd) * np.exp(-shift))
    assert found.details["thin_file"]["tendency_shift"] == shift
    assert model.details["thin_file"]["tendency_shift"] == 0.0
    # The pool's mean PD is the moved bound, and its customers keep their order.
    is_seen = (table.group_role(parts["all"].rows["group_key"]) != "test") & ~table.is_out_of_time(parts["all"].rows)
    pool = parts["all"].part(is_seen.to_numpy() & thin_rows(parts["all"].rows, RULE))
    told = [thin.pd_of(pool.rows) for thin in (own, served)]
    assert told[1].mean() == pytest.approx(served.pd)
    assert (np.argsort(told[0], kind="stable") == np.argsort(told[1], kind="stable")).all()


def _splits(card):
    return {c.feature: c.splits for c in card.characteristics if not c.holds_categories}


def test_bins_set_by_hand_hold_for_the_card_of_the_pool_too(fitted, model, book, catalogue, table):
    """Whichever kind is fitted, its pool's card takes the one set by hand."""
    assert _splits(fitted.thin_file.card)["age_years"] != (15.8,)
    quick = BoosterParams(trials=0, max_rounds=5)
    boosted = train_booster(book, catalogue, table, quick, SETTING, cuts=BY_HAND)
    for made in (model, boosted):
        assert _splits(made.model.thin_file.card)["age_years"] == (15.8,)
    assert boosted.model.thin_file == model.model.thin_file


def test_bins_set_by_hand_are_refused_by_the_card_that_would_take_them_and_by_no_other(parts, catalogue):
    pool = fit_thin_file(parts["all"], RULE, 0.75)
    own, other = (dataclasses.replace(GROUND, cuts={n: Cuts(splits=(1e9,))}) for n in ("age_years", "overdue_share"))
    with pytest.raises(ParameterError, match="age_years: no row falls to '1"):
        with_card(pool, parts["all"], parts["train"], catalogue, own)
    assert with_card(pool, parts["all"], parts["train"], catalogue, other).thin_file.card is not None


def test_the_card_is_written_read_and_applied_the_same(model, parts, tmp_path):
    version = write_model(tmp_path, model.model, model.golden_rows)
    again = read_model(tmp_path / version)
    assert again.thin_file == model.model.thin_file
    assert set(again.reads) == {*again.features, *again.thin_file.features}
    import pyarrow as pa

    rows = pa.RecordBatch.from_pandas(parts["test"].rows[list(again.reads)].head(200), preserve_index=False)
    told = application(again, None, rows.schema)(rows).to_pandas()
    frame = parts["test"].rows.head(200)
    np.testing.assert_array_equal(told[THIN_PD], again.thin_file.pd_of(frame))
    np.testing.assert_array_equal(told[PD], again.pd(frame))
    assert np.ptp(told[THIN_PD]) > 0


def test_a_thin_file_written_before_there_was_a_card_is_read():
    text = '{"pd": 0.06, "bads": 3, "customers": 50, "confidence": 0.5, '
    text += '"rule": {"min_invoices_due_12m": 3, "min_history_months": 3}}'
    assert ThinFile.from_json(text) == ThinFile(0.06, 3, 50, 0.5, RULE)
