"""What would be served is what is judged: thin files by the pool's card, others by the model, each gate on its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.params import PromotionParams
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.train.comparison import level_measures
from pipeline.train.gates import grades_gate, level_gate, slope_gate, thin_file_gate
from pipeline.train.sample import Sample
from pipeline.train.served import Served, served
from pipeline.train.thin_file import DUE_COLUMN, HISTORY_COLUMN

RULE = ThinFileRule(min_invoices_due_12m=3, min_history_months=6)
SETTINGS = PromotionParams(rounds=200)


@dataclass(frozen=True)
class Flat:
    """Stands for a model: 2 % for everybody, and what its thin file says."""

    thin_file: ThinFile

    def pd(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), 0.02)


def sample_of(bads: list[int], of: list[int]) -> Sample:
    """One row a customer: for each part so many bads of so many customers, the bads first."""
    is_bad = np.concatenate([np.arange(n) < bad for bad, n in zip(bads, of, strict=True)]).astype(float)
    names = np.array([f"C{i}" for i in range(len(is_bad))], dtype=object)
    return Sample(pd.DataFrame({"customer_id": names}), is_bad, names, np.full(len(names), None, dtype=object))


def book(thin_pd: float, bads: int = 20, thin: int = 400, shift: float = 0.0) -> tuple[Sample, Served]:
    """1,000 customers whom a right model rates, 100 of 800 at 12.5 % and 100 of 200 at 50 %, then the thin ones."""
    sample = sample_of([100, 100, bads], [800, 200, thin])
    pds = np.repeat([0.125, 0.5, thin_pd], [800, 200, thin])
    return sample, Served(pds, np.arange(1000 + thin) >= 1000, shift)


def moved(pds: np.ndarray, shift: float) -> np.ndarray:
    """The odds of good times e to the shift."""
    odds = (1 - pds) / pds * np.exp(shift)
    return 1 / (1 + odds)


def test_who_is_thin_gets_the_pd_of_the_pool_and_nobody_else():
    rows = pd.DataFrame({DUE_COLUMN: [2, 3, 9, np.nan], HISTORY_COLUMN: [40, 40, 5, 40]})
    model = Flat(ThinFile(0.2, 3, 50, 0.75, ThinFileRule(99, 99)))
    # By the rule asked for, which is that of the policy, not by the one its pool was drawn by.
    found = served(model, rows, RULE)
    assert found.pd.tolist() == [0.2, 0.02, 0.2, 0.2]
    assert found.is_thin.tolist() == [True, False, True, True]
    assert served(model, rows.drop(columns=HISTORY_COLUMN), None).pd.tolist() == [0.02] * 4


def test_a_long_run_rate_is_taken_out_of_every_pd_alike():
    pds = np.array([0.01, 0.2, 0.9])
    back = Served(moved(pds, -0.7), np.array([False, True, False]), -0.7).at_observed_rate
    assert back == pytest.approx(pds)
    assert Served(pds, np.zeros(3, dtype=bool)).at_observed_rate is pds


def test_the_slope_is_asked_of_the_rows_that_the_model_rates():
    sample, found = book(0.9)
    alone = sample.part(found.is_rated)
    gate = slope_gate(found, sample, SETTINGS)
    # Two groups of PDs, each right: the line through them is the diagonal, whatever the thin ones are told.
    assert gate.value == pytest.approx(1.0)
    assert gate == slope_gate(Served(found.pd[:1000], np.zeros(1000, dtype=bool)), alone, SETTINGS)
    assert gate.told == "1,000 rows rated by the models of 1,000 groups unseen by either, 200 bad"
    everybody = slope_gate(replace(found, is_thin=np.zeros(1400, dtype=bool)), sample, SETTINGS)
    assert everybody.value < 0.5


def test_the_level_is_that_of_everything_served():
    sample, found = book(0.05)
    gate = level_gate(found, sample, SETTINGS)
    assert gate.value == pytest.approx((100 + 100 + 20) / (100 + 100 + 20))
    sample, high = book(0.55)
    assert level_gate(high, sample, SETTINGS).value == pytest.approx(220 / (200 + 0.55 * 400))
    assert gate.told == "1,400 rows as served of 1,400 groups unseen by either, 220 bad"
    told = level_measures(high, sample, SETTINGS)
    assert told["observed_over_expected"]["value"] == pytest.approx(220 / 420)
    assert told["slope"]["value"] == pytest.approx(1.0)


def test_a_grade_is_judged_with_the_thin_files_that_are_served_it():
    # 90 of the rated grade B are bad where 100 are forecast, and 60 of the thin whose PD of 1 % a cap sets to B.
    sample = sample_of([90, 60], [1000, 400])
    found = Served(np.repeat([0.1, 0.01], [1000, 400]), np.arange(1400) >= 1000)
    capped = np.full(1400, "B", dtype=object)
    gate = grades_gate(found, capped, sample, SETTINGS)
    assert (gate.light, gate.told) == ("red", "B defaults more than forecast")
    mean = (0.1 * 1000 + 0.01 * 400) / 1400
    assert gate.value == pytest.approx(stats.beta.cdf(mean, 150.5, 1250.5))
    of_rated = grades_gate(replace(found, pd=found.pd[:1000]), capped[:1000], sample.part(~found.is_thin), SETTINGS)
    assert of_rated.light == "green"


def by_hand(mean: float, bads: float, n: float) -> float:
    """The Jeffreys posterior below the forecast, by adding up its density."""

    p = (np.arange(1_000_000) + 0.5) / 1_000_000
    density = np.exp((bads - 0.5) * np.log(p) + (n - bads - 0.5) * np.log1p(-p))
    return density[p < mean].sum() / density.sum()


@pytest.mark.parametrize(("thin_pd", "light"), [(0.02, "red"), (0.05, "green"), (0.5, "green")])
def test_only_a_thin_pd_that_is_shown_to_be_too_low_refuses(thin_pd, light):
    sample, found = book(thin_pd)
    gate = thin_file_gate(found, sample, SETTINGS)
    assert (gate.name, gate.light, gate.threshold) == ("thin_file", light, "at least 0.01")
    if thin_pd < 0.5:
        assert gate.value == pytest.approx(by_hand(thin_pd, 20, 400), rel=1e-6)
    assert f"5.00% default, {thin_pd:.2%} forecast; 400 thin rows of 400 groups unseen by either, 20 bad" in gate.told


def test_months_of_one_thin_customer_are_one_witness():
    # 40 customers of ten months each, two of them bad in all of theirs: 5 % of 40, not of 400.
    names = np.repeat([f"C{i}" for i in range(40)], 10).astype(object)
    is_bad = np.isin(names, ["C0", "C1"]).astype(float)
    sample = Sample(pd.DataFrame({"customer_id": names}), is_bad, names, np.full(400, None, dtype=object))
    gate = thin_file_gate(Served(np.full(400, 0.01), np.ones(400, dtype=bool)), sample, SETTINGS)
    assert gate.value == pytest.approx(by_hand(0.01, 2, 40), rel=1e-6)
    assert gate.light == "green"
    single = Sample(sample.rows, is_bad, np.arange(400).astype(str).astype(object), sample.days)
    assert thin_file_gate(Served(np.full(400, 0.01), np.ones(400, dtype=bool)), single, SETTINGS).light == "red"


def test_few_thin_bads_pass_with_what_they_would_have_shown():
    sample, found = book(0.05, bads=5, thin=60)
    gate = thin_file_gate(found, sample, SETTINGS)
    assert gate.passes
    # 8 bads of 60 are the fewest that contradict 5 % at 1 %, and 8 or more come with 80 % where the rate is 16.6 %.
    assert by_hand(0.05, 7, 60) > 0.01 > by_hand(0.05, 8, 60)
    assert stats.binom.sf(7, 60, 0.05 * 3.30) < 0.8 < stats.binom.sf(7, 60, 0.05 * 3.34)
    told = "60 groups unseen by either, 5 bad; from 3.3 times the forecast on it would have been shown"
    assert gate.told.endswith(told)
    none, found = book(0.05, bads=0, thin=60)
    assert thin_file_gate(found, none, SETTINGS).value == 1.0
    lone, found = book(0.9, bads=1, thin=1)
    assert "; nothing would have been shown" in thin_file_gate(found, lone, SETTINGS).told


def test_where_nobody_is_thin_the_gate_passes_and_says_so_and_without_rows_it_does_not():
    sample, found = book(0.05, thin=0, bads=0)
    gate = thin_file_gate(found, sample, SETTINGS)
    assert (gate.light, gate.value, gate.told) == ("green", None, "nobody is thin among the rows unseen by either")
    nobody = thin_file_gate(Served(np.empty(0), np.empty(0, dtype=bool)), sample.part(sample.is_bad > 1), SETTINGS)
    assert (nobody.light, nobody.passes) == ("amber", False)


@pytest.mark.parametrize("shift", [-0.9, 0.9])
def test_a_model_set_to_a_long_run_rate_is_asked_at_the_level_of_the_years_at_hand(shift):
    sample, right = book(0.05)
    long_run = Served(moved(right.pd, shift), right.is_thin, shift)
    grades = np.where(right.pd < 0.3, "A", "B").astype(object)
    for gate in (level_gate, thin_file_gate):
        plain, told = gate(right, sample, SETTINGS), gate(long_run, sample, SETTINGS)
        assert (told.value, told.light) == (pytest.approx(plain.value), plain.light)
        assert f"the long-run rate's {shift:+.2f} of ln odds taken out" in told.told
    plain, told = (grades_gate(found, grades, sample, SETTINGS) for found in (right, long_run))
    assert told.value == pytest.approx(plain.value)
    assert slope_gate(long_run, sample, SETTINGS).value == pytest.approx(1.0)
    measured = level_measures(long_run, sample, SETTINGS)
    assert measured["at_observed_rate"]["value"] == pytest.approx(1.0)
    # As served it lies off by what the rate has moved, and is told so.
    assert measured["observed_over_expected"]["value"] == pytest.approx(220 / long_run.pd.sum())
    assert (measured["observed_over_expected"]["value"] > 1.5) == (shift > 0)
    # The same PDs without the shift known are another level: the gate is what tells them apart.
    assert level_gate(replace(long_run, shift=0.0), sample, SETTINGS).value != pytest.approx(1.0, abs=0.3)
