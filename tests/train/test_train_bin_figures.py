"""Figures of bins with their intervals: the bad rate of each bin of a card, the information value of every feature."""

from __future__ import annotations

import pytest
from scipy import stats

from pipeline.params import LabelParams, ScorecardParams, SplitParams
from pipeline.train.bin_figures import bin_rates, information_of
from pipeline.train.bin_shift import bin_shifts
from pipeline.train.sample import samples
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.splits import mature_dates, timetable

PARAMS = ScorecardParams(bin_confidence=0.9)


@pytest.fixture(scope="module")
def train(small_economy):
    table = timetable(mature_dates(small_economy.book), LabelParams(), SplitParams(0.6, 0.2, 0.2))
    return samples(small_economy.book, table)["train"]


@pytest.fixture(scope="module")
def fitted(train, small_economy):
    return fit_scorecard(train, small_economy.catalogue, PARAMS, 1)


def test_the_bad_rate_of_a_bin_counts_customer_groups_as_the_evidence(train, fitted):
    """Jeffreys by its definition: quantiles of Beta(x + ½, n − x + ½), n groups and x of them times the rate."""
    told = {(r["feature"], r["bin"]): r for r in fitted.as_json()["bin_rates"]}
    assert fitted.as_json()["bin_confidence"] == 0.9
    filled = [(c, i, b) for c in fitted.scorecard.characteristics for i, b in enumerate(c.bins) if b.count]
    assert len(told) == len(filled) >= 8
    repeated = 0
    for c, i, b in filled:
        is_in = c.bin_index(train.rows) == i
        groups = len(set(train.clusters[is_in].tolist()))
        bads = groups * b.bads / b.count
        found = told[c.feature, b.label]
        assert found["customers"] == groups
        repeated += groups < b.count
        if 0 < bads < groups:
            ends = stats.beta.ppf([0.05, 0.95], bads + 0.5, groups - bads + 0.5)
            assert [found["low"], found["high"]] == pytest.approx(list(ends))
        assert found["low"] <= b.bads / b.count <= found["high"]
    assert repeated >= 8


def test_every_binned_feature_tells_its_information_value_with_the_interval_of_its_bins(train, fitted):
    fates = {fate["feature"]: fate for fate in fitted.as_json()["selection"]}
    assert any(name not in fitted.binning.characteristics for name in fates)
    for name, fate in fates.items():
        found = fitted.binning.characteristics.get(name)
        if found is None:
            assert (fate["iv"], fate["iv_low"], fate["iv_high"]) == (None, None, None)
            continue
        interval = information_of(found, train, 0.9)
        assert interval.value == pytest.approx(fate["iv"])
        assert (fate["iv_low"], fate["iv_high"]) == (interval.low, interval.high)
        assert interval.low <= fate["iv"] <= interval.high


def test_every_psi_stands_beside_what_chance_exceeds_at_its_level(train, fitted):
    assert fitted.as_json()["psi_significance"] == 0.01
    measured = [fate for fate in fitted.selection if fate.psi is not None]
    assert measured
    shifts = bin_shifts(train, list(fitted.binning.characteristics.values()))
    for fate in measured:
        assert fate.psi_noise == shifts[fate.feature].noise(0.01) > 0
    assert {fate.psi_noise for fate in fitted.selection if fate.psi is None} <= {None}


def test_a_sample_without_bads_has_rates_and_no_information_value(train, fitted):
    good = train.part(train.is_bad == 0)
    card = fitted.scorecard.characteristics
    assert information_of(card[0], good, 0.9) is None
    assert {rate["low"] for rate in bin_rates(good, card, 0.9)} == {0.0}
