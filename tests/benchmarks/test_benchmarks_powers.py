"""What is wrong with a made-up book is as wrong as it is told, and the tests see it."""

from collections import Counter

import numpy as np
import pytest
from scipy import special

from benchmarks import powers_grades, powers_level, powers_line, powers_order
from benchmarks.sizes_book import COHORTS, Known, rows_of, sample_of
from benchmarks.sizes_counts import Counts
from benchmarks.sizes_families import Family, Power
from benchmarks.sizes_rivals import paired, rivals
from benchmarks.sizes_stability import score
from benchmarks.sizes_tables import power_table
from benchmarks.sizes_tenures import Design, drawn, middle
from benchmarks.sizes_wrong import auc_of, blur_for, too_far_apart
from pipeline.statistics.bootstrap import resamples
from pipeline.statistics.calibration import calibration_line
from pipeline.statistics.discrimination import auc
from pipeline.statistics.paired import paired_gini

BOOK = Design("book", 1500, 0.035)


@pytest.fixture(scope="module")
def customers():
    """PDs of a hundred thousand customers of the design, and who of them turned bad."""
    rng = np.random.default_rng(1)
    pd = special.expit(middle(BOOK) + BOOK.spread * rng.normal(size=100_000))
    return pd, (rng.random(len(pd)) < pd).astype(float)


def test_forecasts_that_are_too_far_apart_keep_their_mean_and_have_the_slope(customers):
    pd, is_bad = customers
    wide = too_far_apart(pd, BOOK, 0.6)
    assert wide.mean() == pytest.approx(pd.mean(), rel=0.02)
    line = calibration_line(wide, is_bad)
    assert line.slope == pytest.approx(0.6, abs=3 * line.slope_error)
    assert too_far_apart(pd, BOOK, 1.0) == pytest.approx(pd)


def test_noise_lowers_the_auc_to_what_was_asked_for(customers):
    pd, is_bad = customers
    assert auc_of(BOOK, 0.0) == pytest.approx(auc(pd, is_bad), abs=0.01)
    blur = blur_for(BOOK, 0.65)
    noisy = special.logit(pd) + blur * np.random.default_rng(2).normal(size=len(pd))
    assert auc(noisy, is_bad) == pytest.approx(0.65, abs=0.01)
    assert auc_of(BOOK, blur) == pytest.approx(0.65)


def test_pairs_counted_by_cluster_give_the_paired_difference():
    rng = np.random.default_rng(3)
    codes, is_bad = rng.integers(0, 60, 300), (rng.random(300) < 0.1).astype(float)
    # Few levels, so that scores are tied.
    first, second = rng.integers(0, 9, size=(2, 300)).astype(float)
    draws = resamples(codes, 200, 0.95, seed=1)
    found, told = paired(first, second, is_bad, draws), paired_gini(first, second, is_bad, draws)
    assert found.as_json() == pytest.approx(told.as_json(), rel=1e-12)


@pytest.mark.parametrize(
    ("make", "test", "deviations", "design"),
    [
        (powers_line.slopes, "slope.panel", (1.0, 0.3), BOOK),
        (powers_level.one_year, "years.years", (1.0, 3.0), BOOK),
        (powers_level.all_years, "long_run.years", (1.0, 3.0), BOOK),
        (powers_level.thin, "thin_file.cohort", (1.0, 3.0), BOOK),
        (powers_order.weak_part, "auc_by_part.cohort", (0.0, 0.25), Design("risky", 1500, 0.2)),
        (powers_grades.moves, "mobility_upper.snapshot", (1.0, 3.0), BOOK),
        (powers_grades.merged, "neighbours.snapshot", (0.0, 1.0), BOOK),
        (powers_grades.swapped, "neighbours.snapshot", (0.0, 1.0), BOOK),
        (score, "psi.snapshot", (0.0, 1.0), BOOK),
        (rivals, "rival.panel", (0.0, 0.4), BOOK),
    ],
)
def test_little_is_found_in_right_books_and_much_in_wrong_ones(monkeypatch, make, test, deviations, design):
    monkeypatch.setitem(make.__globals__, "_POOLS" if make is powers_level.thin else "_BOOKS", 4)
    assert make(design, deviations[0], 0).rejected[test] <= 1
    found = make(design, deviations[1], 0)
    assert found.draws == found.made[test] == 4
    assert found.rejected[test] >= 3


def test_only_the_forecasts_of_the_year_that_is_wrong_are_too_low(monkeypatch):
    asked = []
    monkeypatch.setattr(powers_level, "_BOOKS", 1)
    monkeypatch.setattr(powers_level, "years_results", lambda name, ground: asked.append(ground) or [])
    for factor in (1.0, 2.0):
        powers_level.one_year(BOOK, factor, 0)
    right, wrong = ([Known().pd(cohort.sample.rows).mean() for cohort in ground.cohorts] for ground in asked)
    assert np.array(wrong) / right == pytest.approx([1.0, 0.5, 1.0, 1.0])
    assert asked[0].cohorts[1].sample.rows["month"].unique().tolist() == [COHORTS[1]]


def test_thin_files_without_a_light_count_as_not_rejecting(monkeypatch):
    monkeypatch.setattr(powers_level, "_POOLS", 4)
    found = powers_level.thin(Design("small", 400, 0.035), 1.0, 0)
    # Four bads of twenty are forecast: there is a light only where ten come.
    assert (found.made["thin_file.cohort"], found.rejected["thin_file.cohort"]) == (4, 0)


def test_one_pool_stands_for_all_with_as_many_bads_and_groups():
    pools = drawn(Design("pools", 20, 0.4), np.random.default_rng(4), 60).at(0)
    found = dict(powers_level._alike(pools))
    assert sum(found.values()) == 60

    def told(book):
        one = sample_of(rows_of(pools.of(book), (0,)))
        return int(one.is_bad.sum()), one.bad_customers, len(np.unique(one.codes[one.is_bad == 0]))

    assert {told(book): often for book, often in found.items()} == Counter(told(book) for book in range(60))


def test_a_table_of_power_has_a_line_for_each_book_and_deviation():
    family = Family("none", "none", ("slope.cohort", "slope.panel"), designs=(BOOK,))
    power = Power("slopes", family, "true slope", (0.5,), family.tests, "{:g} of 1")
    counts = Counts(10, Counter({"slope.cohort": 8}), Counter({"slope.cohort": 2}))
    assert power_table(power, lambda _, __: counts, 8).splitlines()[2:] == [
        "| true slope | book | slope, cohort | slope, panel |",
        "|---|---|---|---|",
        "| 0.5 of 1 | book | 25.0% | – |",
    ]
