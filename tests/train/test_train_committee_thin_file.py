"""The thin customers of the cohort are judged by the card that serves them: too low is red, too high is prudent."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.sizes_book import simulated
from benchmarks.sizes_tenures import Design
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.statistics.proportions import jeffreys_p_value
from pipeline.train.committee_thin_file import thin_file_results
from pipeline.train.sample import Sample
from pipeline.train.thin_file import DUE_COLUMN, HISTORY_COLUMN, NOBODY

if TYPE_CHECKING:
    from pipeline.train.committee_result import Result

RULE = ThinFileRule(min_invoices_due_12m=3, min_history_months=6)


@dataclass(frozen=True)
class Rates:
    """Stands for a model, whose own PD the test must not read."""

    thin_file: ThinFile

    def pd(self, rows: pd.DataFrame) -> np.ndarray:
        raise AssertionError("the thin are not served by the model")


@pytest.fixture(scope="module")
def ground():
    return simulated(Design("small", 120, 0.02), 1)


def told(ground, served: float, bads: int, *, thin: int = 400, rule: ThinFileRule = RULE) -> list[Result]:
    """So many thin customers, `bads` of them bad, among 1,000 others who have traded and of whom 500 are bad."""
    n = thin + 1000
    rows = pd.DataFrame({DUE_COLUMN: np.where(np.arange(n) < thin, 1.0, 40.0), HISTORY_COLUMN: 36.0})
    is_bad = ((np.arange(n) < bads) | (np.arange(n) >= n - 500)).astype(float)
    sample = Sample(rows, is_bad, np.arange(n).astype(object), np.repeat(ground.newest.day, n))
    cohorts = (replace(ground.newest, sample=sample), *ground.cohorts[1:])
    models = {"champion": Rates(ThinFile(served, 1, 1, 0.9, rule))}
    return list(thin_file_results(replace(ground, models=models, cohorts=cohorts)))


def one(*args, **kwargs) -> Result:
    (found,) = told(*args, **kwargs)
    return found


def test_the_thin_alone_count_and_stand_against_the_pd_they_are_served(ground):
    found = one(ground, 0.05, 20)
    assert (found.light, found.why) == ("green", "")
    assert (found.rows, found.bads, found.value) == (400, 20, pytest.approx(0.05))
    assert found.against == pytest.approx(0.05)
    below = jeffreys_p_value(0.05, 20, 400)
    assert found.p_value == pytest.approx(2 * min(below, 1 - below))


@pytest.mark.parametrize(
    ("served", "light", "why"), [(0.02, "red", ""), (0.03, "amber", ""), (0.08, "green", "prudent")]
)
def test_too_low_a_pd_turns_the_light_and_too_high_a_one_is_prudent(ground, served, light, why):
    found = one(ground, served, 20)
    assert (found.light, found.why) == (light, why), found.p_value
    assert found.p_value < 0.05


def test_few_bads_are_grey_yet_rate_and_interval_are_told(ground):
    few = one(ground, 0.02, 4)
    assert (few.light, few.why, few.shown) == ("grey", "too_few", None)
    assert few.value == pytest.approx(0.01)
    assert few.low < 0.01 < few.high
    # Twenty were forecast: that only four came says something.
    assert (one(ground, 0.05, 4).light, one(ground, 0.05, 4).why) == ("green", "prudent")
    # Ten bads of 400 do not contradict 2 %, but 4 % would not have been seen either.
    blind = one(ground, 0.02, 10)
    assert (blind.light, blind.why, blind.is_blind) == ("grey", "blind", True)
    assert blind.shown > 2
    assert one(ground, 0.05, 0, thin=0).why == "too_few"


def test_where_nobody_is_thin_there_is_no_test(ground):
    assert told(ground, 0.05, 20, rule=NOBODY) == []
