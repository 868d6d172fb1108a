"""The interval of an information value covers, holds 0 where bins tell nothing, and counts customers, not months."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.information import information_interval
from pipeline.statistics.stability import noise_quantile
from pipeline.train.binning import Evidence


def drawn(rng, shares, *, bads, goods, months=1, stays=1.0):
    """Rows of a book: the bin, the outcome and the customer of each, and the smoothed weights of evidence as fitted.

    `shares` are those of good and of bad customers over the bins; a customer stays in its bin with that probability.
    """
    customers = bads + goods
    is_bad = np.repeat(np.arange(customers) < bads, months).astype(float)
    codes = np.repeat(np.arange(customers), months)
    picks = [np.where(is_bad == 1, *(rng.choice(len(p), len(codes), p=p) for p in shares[::-1])) for _ in range(2)]
    own = picks[0][:: months or 1].repeat(months)
    index = np.where(rng.random(len(codes)) < stays, own, picks[1])
    n_bads = np.bincount(index, weights=is_bad, minlength=len(shares[0]))
    evidence = Evidence(is_bad.sum(), len(is_bad) - is_bad.sum(), 0.5 * months)
    woe = evidence.woe(n_bads, np.bincount(index, minlength=len(shares[0])) - n_bads)
    return index, woe, is_bad, codes


def apart(bins, strength):
    """Shares of goods and bads over the bins, and their information value."""
    goods = np.full(bins, 1 / bins)
    bads = goods * np.exp(strength * np.linspace(-1, 1, bins))
    bads /= bads.sum()
    return (goods, bads), float(np.sum((goods - bads) * np.log(goods / bads)))


@pytest.mark.parametrize("bads", [30, 300])
@pytest.mark.parametrize(("bins", "strength"), [(2, 0.0), (6, 0.0), (2, 0.6), (6, 0.3), (6, 1.2)])
@pytest.mark.parametrize(("months", "stays"), [(1, 1.0), (6, 0.9)])
def test_the_interval_holds_the_truth_in_95_of_100_books(bads, bins, strength, months, stays):
    shares, truth = apart(bins, strength)
    rng = np.random.default_rng(7)
    found = [
        information_interval(*drawn(rng, shares, bads=bads, goods=1500, months=months, stays=stays), 0.95)
        for _ in range(200)
    ]
    missed_below, missed_above = (
        np.mean([end(each) for each in found]) for end in (lambda e: e.low > truth, lambda e: e.high < truth)
    )
    # 200 books: a true 2.5 % on a side is 5.5 % once in a hundred times.
    assert missed_below <= 0.055
    assert missed_above <= 0.055
    assert all(each.low <= each.value <= each.high for each in found)


def test_months_of_one_customer_are_no_further_evidence():
    shares, _ = apart(4, 0.7)
    index, woe, is_bad, codes = drawn(np.random.default_rng(1), shares, bads=60, goods=600)
    once = information_interval(index, woe, is_bad, codes, 0.95)
    yearly = information_interval(np.tile(index, 12), woe, np.tile(is_bad, 12), np.tile(codes, 12), 0.95)
    assert (yearly.low, yearly.high, yearly.bads, yearly.goods) == pytest.approx((once.low, once.high, 60, 600))


@pytest.mark.parametrize("strength", [0.1, 0.8])
def test_the_ends_are_the_true_values_under_which_what_was_found_lies_at_either_tail(strength):
    shares, _ = apart(5, strength)
    index, woe, is_bad, codes = drawn(np.random.default_rng(3), shares, bads=80, goods=900)
    found = information_interval(index, woe, is_bad, codes, 0.9)
    scale = max(1 / 80 + 1 / 900, found.error**2 / (4 * found.value))
    tails = [stats.ncx2.cdf(found.value / scale, 4, end / scale) if end else None for end in (found.low, found.high)]
    assert tails[1] == pytest.approx(0.05)
    assert tails[0] == (pytest.approx(0.95) if found.low else None)
    # 0 is left out where the same test of `noise_quantile` says that chance does not show as much.
    assert (found.low > 0) == (found.value > scale / (1 / 80 + 1 / 900) * noise_quantile(5, 80, 900, 0.05))


def test_a_neutral_bin_and_an_empty_one_add_no_degrees_and_no_weight():
    rows = [50, 10, 60, 30, 40, 10]
    index, is_bad = np.repeat([0, 0, 1, 1, 2, 2], rows), np.repeat([0.0, 1, 0, 1, 0, 1], rows)
    woe = np.array([0.4, -0.5, 0.0])
    found = information_interval(index, woe, is_bad, np.arange(200), 0.95)
    wider = information_interval(index, np.append(woe, 0.9), is_bad, np.arange(200), 0.95)
    assert (wider.low, wider.high) == (found.low, found.high)
    goods, bads = np.array([50, 60, 40]) / 150, np.array([10, 30, 10]) / 50
    assert found.value == pytest.approx(float(((goods - bads) * woe).sum()))
    assert information_interval(index, woe * 0, is_bad, np.arange(200), 0.95).low == 0.0


def test_the_delta_error_is_that_of_the_bootstrap_by_customer():
    shares, _ = apart(4, 1.0)
    index, woe, is_bad, codes = drawn(np.random.default_rng(5), shares, bads=200, goods=800, months=4, stays=0.8)
    found = information_interval(index, woe, is_bad, codes, 0.95)
    rng, values = np.random.default_rng(9), []
    rows = [np.flatnonzero(codes == c) for c in range(1000)]
    for _ in range(400):
        picked = np.concatenate([rows[c] for c in rng.integers(0, 1000, 1000)])
        bads = np.bincount(index[picked], weights=is_bad[picked], minlength=4)
        goods = np.bincount(index[picked], minlength=4) - bads
        p, q = goods / goods.sum(), bads / bads.sum()
        values.append(np.sum((p - q) * np.log(p / q)))
    assert found.error == pytest.approx(np.std(values), rel=0.12)


def test_without_both_outcomes_there_is_none():
    assert information_interval(np.array([0, 1]), np.array([0.1, -0.1]), np.zeros(2), np.arange(2), 0.95) is None
