"""Why a feature has no bins is told by the limit that binds, with figures a person can count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.params import ScorecardParams
from pipeline.report.sentences import translated
from pipeline.train.bin_counts import Outcomes, counted
from pipeline.train.optimal_bins import _STATUSES, why_unsolved
from pipeline.train.unbinnable import why_no_cut, why_one_group

PARAMS = replace(ScorecardParams(), min_bin_share=0.03, min_bads_per_bin=5, min_goods_per_bin=20)


def rows_of(*stretches):
    """Values and outcomes of (value, goods, bads): every row a customer of its own."""
    values = np.repeat([float(v) for v, _, _ in stretches], [g + b for _, g, b in stretches])
    bad = np.concatenate([np.repeat([0.0, 1.0], [g, b]) for _, g, b in stretches])
    return values, Outcomes(bad, np.arange(len(bad)))


@pytest.mark.parametrize(
    ("stretches", "risk", "says"),
    [
        ([(0, 90, 10)], "rises", "all 100 rows with a value hold the same one"),
        # 66 bad and 36 good customers above the only cut are enough, but 102 rows of 10,200 are 1 %.
        (
            [(0, 9998, 100), (1, 36, 66)],
            "rises",
            "no cut leaves 3% of the rows on both sides (min_bin_share): the smaller side holds 1%",
        ),
        (
            [(0, 900, 30), (1, 60, 4)],
            "rises",
            "no cut with 3% of the rows on both sides leaves 5 bad and 20 good customers there: the nearest leaves 4 "
            "bad and 60 good",
        ),
        # 10 % are bad below, 5 % above: of the two cuts both leave enough.
        (
            [(0, 900, 100), (1, 475, 25), (2, 475, 25)],
            "rises",
            "none of 2 cuts with enough on both sides goes in the declared direction (rises)",
        ),
        (
            [(0, 900, 100), (1, 450, 50)],
            "either",
            "none of 1 cuts with enough on both sides shows a difference in bad rates",
        ),
        (
            [(0, 900, 50), (1, 450, 50)],
            "rises",
            "no cut of the solver's fine bins keeps every limit, though 1 of 1 cuts would alone, e.g. 1.0",
        ),
    ],
)
def test_the_limit_that_binds_is_told_in_both_languages(stretches, risk, says):
    values, outcomes = rows_of(*stretches)
    mixed = np.random.default_rng(1).permutation(len(values))
    told = why_no_cut(values[mixed], Outcomes(outcomes.is_bad[mixed], outcomes.groups[mixed]), risk, PARAMS)
    assert told == says
    assert translated(told, "zh") != told


def test_customers_count_once_and_bad_rows_as_many_as_customers_have():
    """6 bad customers with 10 rows each below, 5 with one row above: 65 / 11 rows a customer, 30 for five of them."""
    values, outcomes = rows_of((0, 900, 60), (1, 100, 5))
    groups = outcomes.groups.copy()
    groups[900:960] = np.repeat(np.arange(6), 10)
    told = why_no_cut(values, Outcomes(outcomes.is_bad, groups), "either", PARAMS)
    assert told == (
        "no cut leaves 30 bad rows on both sides, as many as 5 bad customers have: the smaller side holds 5"
    )
    assert "较小一侧最多5个" in translated(told, "zh")
    groups[900:960] = 0
    assert "leaves 1 bad and" in why_no_cut(values, Outcomes(outcomes.is_bad, groups), "either", PARAMS)


@pytest.mark.parametrize(
    ("stretches", "says"),
    [
        ([(0, 90, 10)], "all 100 rows with a value hold the same one"),
        ([(0, 900, 50), (1, 90, 4)], "1 of 2 categories hold 5 bad and 20 good customers, two are needed"),
        (
            [(0, 900, 100), (1, 900, 100), (2, 3, 0)],
            "2 categories in the order of their bad rates: none of 1 cuts with enough on both sides shows a difference "
            "in bad rates",
        ),
        (
            [(0, 900, 100), (1, 900, 10)],
            "2 categories in the order of their bad rates: the solver joined them into one group",
        ),
    ],
)
def test_categories_tell_how_many_of_them_hold_enough(stretches, says):
    values, outcomes = rows_of(*stretches)
    codes = values.astype(int)
    is_enough = counted(codes, outcomes, len(stretches)).is_enough(PARAMS)
    told = why_one_group(codes, is_enough, outcomes, PARAMS)
    assert told == says
    assert translated(told, "zh") != told


@pytest.mark.parametrize("status", ["INFEASIBLE", "FEASIBLE", "UNKNOWN", "MODEL_INVALID", "ANOTHER"])
def test_every_status_of_the_solver_is_told_in_both_languages(status):
    told = why_unsolved(status)
    assert told.endswith(f"(status {status})")
    assert translated(told, "zh").endswith(f"（状态{status}）")


def test_the_statuses_with_words_are_those_that_the_solver_has():
    from ortools.sat import cp_model_pb2

    assert set(_STATUSES) | {"OPTIMAL"} == set(cp_model_pb2.CpSolverStatus.keys())
