"""DeLong, the profile, Hosmer–Lemeshow, migration, concentration and power against SciPy, brute force and hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.cap import accuracy_ratio, cap_points
from pipeline.statistics.clustered import clustered_auc
from pipeline.statistics.concentration import concentration, concentration_p_value
from pipeline.statistics.delong import Auc, auc_against_known, auc_against_measured, auc_fall, delong
from pipeline.statistics.discrimination import auc, gini
from pipeline.statistics.hosmer_lemeshow import hosmer_lemeshow, merged
from pipeline.statistics.migration import migration_matrix, mobility, neighbours
from pipeline.statistics.power import (
    binomial_critical,
    chi_square_shown,
    common_factor_shown,
    fall_shown,
    jeffreys_critical,
    level_shown,
    rejection_rate,
    spread_shown,
)
from pipeline.statistics.proportions import at_least, binomial_p_value, holm, jeffreys_p_value, jeffreys_too_low
from pipeline.statistics.stability import Spread, noise_quantile, psi


def _scores(seed, bads, goods, shift=1.0, levels=None):
    rng = np.random.default_rng(seed)
    risk = np.concatenate([rng.normal(shift, 1, bads), rng.normal(0, 1, goods)])
    return (np.round(risk * levels) / levels if levels else risk), np.repeat([1.0, 0.0], [bads, goods])


def test_delong_is_the_placement_formula_by_brute_force_with_ties():
    risk, is_bad = _scores(1, 23, 71, levels=3)
    bads, goods = risk[is_bad == 1], risk[is_bad == 0]
    wins = (bads[:, None] > goods[None, :]) + 0.5 * (bads[:, None] == goods[None, :])
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / 23 + wins.mean(axis=0).var(ddof=1) / 71)
    found = delong(risk, is_bad)
    assert found.value == pytest.approx(wins.mean()) == pytest.approx(auc(risk, is_bad))
    assert found.error == pytest.approx(error)


def test_delong_error_is_that_of_many_samples_and_near_the_clustered_one_of_single_rows():
    found = [delong(*_scores(seed, 30, 300)) for seed in range(600)]
    assert np.mean([one.error for one in found]) == pytest.approx(np.std([one.value for one in found]), rel=0.08)
    risk, is_bad = _scores(3, 40, 400, levels=4)
    levels = np.unique(risk, return_inverse=True)[1]
    clustered = clustered_auc(levels, is_bad, np.arange(440), 0.95)
    assert delong(risk, is_bad).error == pytest.approx(clustered.error, rel=0.02)


def test_the_interval_covers_the_true_auc_about_as_often_as_it_says():
    true = stats.norm.cdf(1.0 / np.sqrt(2))
    ends = [delong(*_scores(seed, 30, 300)).interval(0.95) for seed in range(600)]
    assert np.mean([low < true < high for low, high in ends]) == pytest.approx(0.95, abs=0.025)


def test_a_perfect_order_has_no_interval_and_one_bad_no_error():
    assert np.isnan(delong([2, 2, 1, 1], [1, 1, 0, 0]).interval(0.95)).all()
    assert np.isnan(delong([2, 1, 0], [1, 0, 0]).error)
    with pytest.raises(ValueError, match="found 0 bads and 2 goods"):
        delong([1, 2], [0, 0])


def test_the_ecb_test_is_too_eager_and_the_other_one_is_not():
    known, measured = [], []
    for seed in range(800):
        first, second = delong(*_scores(2 * seed, 60, 600)), delong(*_scores(2 * seed + 1, 60, 600))
        known.append(auc_against_known(first.value, second).p_value < 0.05)
        measured.append(auc_against_measured(first, second).p_value < 0.05)
    assert np.mean(known) == pytest.approx(0.12, abs=0.03)
    assert np.mean(measured) == pytest.approx(0.05, abs=0.02)


def test_the_degrees_of_an_auc_are_those_of_scipys_brunner_munzel():
    risk, is_bad = _scores(7, 12, 200)
    found = delong(risk, is_bad)
    told = stats.brunnermunzel(risk[is_bad == 0], risk[is_bad == 1], alternative="less")
    assert stats.t.sf((found.value - 0.5) / found.error, found.degrees) == pytest.approx(told.pvalue)


def test_a_fall_has_the_degrees_of_welch_and_is_the_z_test_where_errors_are_known():
    early, late = delong(*_scores(8, 12, 200)), delong(*_scores(9, 20, 300))
    errors = [one.error / (one.value * (1 - one.value)) for one in (early, late)]
    ratio = (errors[0] / errors[1]) ** 2
    welch = (1 + ratio) ** 2 / (ratio**2 / early.degrees + 1 / late.degrees)
    found, normal = auc_fall(early, late), auc_against_measured(early, late)
    assert found.degrees == pytest.approx(welch)
    assert found.p_value == pytest.approx(stats.t.sf(normal.z, welch))
    known = [Auc(one.value, one.error, one.bads, one.goods) for one in (early, late)]
    assert auc_fall(*known).p_value == pytest.approx(normal.p_value)


def test_the_accuracy_ratio_is_the_gini_and_the_profile_ends_in_the_corner():
    risk, is_bad = _scores(5, 40, 200, levels=5)
    assert accuracy_ratio(risk, is_bad) == pytest.approx(gini(risk, is_bad))
    assert cap_points(risk, is_bad)[[0, -1]].tolist() == [[0, 0], [1, 1]]
    with pytest.raises(ValueError, match="0 goods"):
        cap_points([1, 2], [1, 1])


def test_hosmer_lemeshow_is_scipys_chi_square_of_bads_and_goods():
    p, d, n = np.array([0.02, 0.1, 0.3]), np.array([4, 9, 33]), np.array([150, 120, 90])
    observed = np.concatenate([d, n - d])
    expected = np.concatenate([n * p, n * (1 - p)])
    found = hosmer_lemeshow(p, d, n)
    assert found.statistic == pytest.approx(np.sum((observed - expected) ** 2 / expected))
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 3))
    with pytest.raises(ValueError, match="strictly between"):
        hosmer_lemeshow([0.0], [0], [5])


def test_grades_are_merged_until_five_defaults_are_expected():
    p, d, n = merged([0.01, 0.02, 0.1, 0.3], [1, 2, 8, 1], [100, 200, 100, 5])
    assert n.tolist() == [300, 105]
    assert d.tolist() == [3, 9]
    assert (p * n).tolist() == pytest.approx([5, 11.5])
    assert merged([0.001], [0], [10])[2].tolist() == [10]
    assert len(merged([0.1], [0], [0])[0]) == 0


def test_binomial_is_scipys_test_and_jeffreys_is_the_keener():
    assert binomial_p_value(0.03, 7, 90) == pytest.approx(stats.binomtest(7, 90, 0.03, alternative="greater").pvalue)
    assert jeffreys_p_value(0.03, 7, 90) < binomial_p_value(0.03, 7, 90)
    assert [at_least(d, 90, 0.03) for d in range(-1, 93)] == pytest.approx(stats.binom.sf(np.arange(-2, 92), 90, 0.03))


def test_holm_keeps_the_order_and_the_smallest_times_their_number():
    assert holm([0.2, 0.01, 0.04]) == pytest.approx([0.2, 0.03, 0.08])
    assert holm([]) == []


def test_the_matrix_counts_pairs_and_mobility_is_the_sum_written_out():
    rng = np.random.default_rng(2)
    before, after = rng.integers(0, 5, 400), rng.integers(0, 5, 400)
    counts = migration_matrix(before, after, 5)
    assert counts.sum() == 400
    assert counts[1, 3] == np.sum((before == 1) & (after == 3))
    share = counts / counts.sum(axis=1, keepdims=True)
    n = counts.sum(axis=1)
    above = sum((j - i) * n[i] * share[i, j] for i, j in itertools.product(range(5), repeat=2) if j > i)
    below = sum(
        max(abs(i + 1 - 5), abs(i + 1 - 1)) * n[i] * sum(share[i, j] for j in range(i + 1, 5)) for i in range(5)
    )
    assert mobility(counts).upper == pytest.approx(above / below)
    assert mobility(counts[::-1, ::-1]).lower == pytest.approx(mobility(counts).upper)
    assert np.isnan(mobility(np.diag([5, 5])).upper)


def test_a_far_move_likelier_than_a_near_one_is_found_with_its_cell():
    found = {one.cell: one for one in neighbours([[70, 5, 25], [10, 80, 10], [0, 0, 0]])}
    near, far = 0.05, 0.25
    z = (far - near) / np.sqrt((near * (1 - near) + far * (1 - far) + 2 * near * far) / 100)
    assert found[0, 2].z == pytest.approx(z)
    assert found[0, 2].p_value < 0.001 < found[0, 1].p_value
    assert not any(cell[0] == 2 for cell in found)


def test_a_row_that_stands_in_one_far_cell_is_judged_by_its_number():
    one = {n.cell: n.p_value for n in neighbours([[0, 0, 1], [0, 1, 0], [0, 0, 1]])}
    many = {n.cell: n.p_value for n in neighbours([[0, 0, 20], [0, 1, 0], [0, 0, 1]])}
    assert one[0, 2] == 0.5
    assert many[0, 2] == pytest.approx(0.5**20)
    assert one[2, 1] == 1.0


def test_the_neighbour_test_keeps_its_level_where_both_cells_are_as_likely():
    rng = np.random.default_rng(3)
    rows = rng.multinomial(200, [0.8, 0.1, 0.1], size=1500)
    rejected = [next(n.p_value for n in neighbours([r, [0] * 3, [0] * 3]) if n.cell == (0, 2)) < 0.05 for r in rows]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.02)


def test_concentration_runs_from_even_to_one_grade():
    assert concentration([7, 7, 7, 7]).cv == 0
    assert concentration([0, 0, 28, 0]).cv == pytest.approx(np.sqrt(3))
    even, one = concentration([10, 10, 10, 10]), concentration([1, 1, 1, 37])
    assert concentration_p_value(even, one) < 0.5 < concentration_p_value(one, concentration([9, 10, 11, 10]))
    assert np.isnan(concentration_p_value(one, even))
    with pytest.raises(ValueError, match="two grades or more"):
        concentration([5])


@pytest.mark.parametrize(("pd", "n"), [(0.005, 400), (0.03, 150), (0.2, 60), (0.01, 20)])
def test_critical_numbers_are_the_first_that_reject(pd, n):
    for find, test in ((jeffreys_critical, jeffreys_too_low), (binomial_critical, binomial_p_value)):
        rejecting = [bads for bads in range(n + 1) if test(pd, bads, n) < 0.05]
        assert find(pd, n, 0.05) == rejecting[0]
    assert rejection_rate(pd, n, binomial_critical(pd, n, 0.05)) < 0.05


def test_the_shown_level_is_rejected_with_that_power_in_simulation():
    critical = jeffreys_critical(0.03, 300, 0.05)
    factor = level_shown(0.03, 300, critical, 0.8)
    bads = np.random.default_rng(1).binomial(300, 0.03 * factor, 4000)
    assert np.mean([jeffreys_p_value(0.03, int(d), 300) < 0.05 for d in bads]) == pytest.approx(0.8, abs=0.02)
    assert level_shown(0.001, 2, 3, 0.8) == np.inf


def test_the_shown_factor_of_hosmer_lemeshow_is_near_what_simulation_rejects():
    p, n = np.array([0.02, 0.06, 0.15]), np.array([500, 400, 300])
    factor = common_factor_shown(p.tolist(), n.tolist(), 0.05, 0.8)
    bads = np.random.default_rng(1).binomial(n, p * factor, size=(2000, 3))
    assert np.mean([hosmer_lemeshow(p, d, n).p_value < 0.05 for d in bads]) == pytest.approx(0.8, abs=0.06)
    assert common_factor_shown([], [], 0.05, 0.8) == np.inf


def test_the_shown_psi_exceeds_its_noise_with_that_power():
    even, n = np.full(10, 0.1), 800
    tilt = np.linspace(-1, 1, 10)
    shown = spread_shown(Spread(2 / n, 9), 0.01, 0.8)
    scale = np.sqrt(shown / psi(even * 1e9, np.exp(0.1 * tilt) / np.exp(0.1 * tilt).sum() * 1e9)) * 0.1
    moved = np.exp(scale * tilt) / np.exp(scale * tilt).sum()
    rng = np.random.default_rng(2)
    pairs = [(rng.multinomial(n, even), rng.multinomial(n, moved)) for _ in range(1000)]
    assert np.mean([psi(a, b) > noise_quantile(10, n, n, 0.01) for a, b in pairs]) == pytest.approx(0.8, abs=0.06)


def test_a_fall_shown_is_found_with_that_power():
    fall = fall_shown(0.05, 0.05, 0.8)
    z = np.random.default_rng(1).normal(fall / 0.05, 1, 20_000)
    assert np.mean(stats.norm.sf(z) < 0.05) == pytest.approx(0.8, abs=0.01)
    assert chi_square_shown(1, 0.05, 0.8) == pytest.approx((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2, rel=1e-3)
    assert Auc(0.7, 0.05, 30, 300).interval(0.95)[0] > 0.59
