"""What is told of limits: decisions counted when they begin, and the same customers on both sides of a difference."""

import numpy as np
import pytest

from pipeline.night_params import BacktestParams
from pipeline.score.backtest.limit_figures import LimitSums, MonthOfLimits, limit_difference, limit_figures
from pipeline.score.backtest.limit_path import Standing

SETTINGS = BacktestParams(rounds=200, min_bad_customers=2)
TIERS = ("automatic", "analyst", "board")


def month(rows, need=100.0):
    """`rows`: (customer, limit, action, tier) in order of the customers, each a group of its own."""
    names, limits, actions, tiers = (np.array(list(column), dtype=object) for column in zip(*rows, strict=True))
    standing = Standing(names, limits.astype(float), actions == "hold", actions, tiers)
    return MonthOfLimits(standing, np.full(len(rows), need), np.array([ord(name) for name in names], dtype=np.int64))


def test_a_hold_or_a_referral_is_decided_once_and_a_raise_each_time():
    months = [
        month([("A", 10, "hold", "analyst"), ("B", 10, "raise", "analyst"), ("C", 10, "keep", None)]),
        month([("A", 10, "hold", "analyst"), ("B", 20, "raise", "board"), ("C", 10, "refer", "analyst")]),
        # C is not known in the third month: what stood before it still stands after it.
        month([("A", 10, "hold", "analyst"), ("B", 20, "keep", None)]),
        month([("A", 10, "cut", "automatic"), ("B", 20, "refer", "analyst"), ("C", 10, "refer", "analyst")]),
        month([("A", 10, "hold", "analyst"), ("B", 20, "hold", "board"), ("C", 10, "refer", "analyst")]),
    ]
    told = limit_figures(LimitSums.of(months, TIERS, SETTINGS))
    # A is held from the first month and again in the last; B is raised twice, referred, held; C is referred.
    assert told["approvals_by"] == {"raise": 2, "cut": 0, "refer": 2, "hold": 3}
    assert told["approvals"]["value"] == 7
    assert told["tiers"] == {"automatic": 1, "analyst": 5, "board": 2}
    assert (told["actions"]["hold"], told["actions"]["refer"]) == (5, 4)


def test_a_difference_compares_customers_with_a_limit_under_both():
    nan = float("nan")
    first = [month([("A", 50, "keep", None), ("B", nan, "keep", None), ("C", 150, "keep", None)])]
    second = [month([("A", 30, "cut", "analyst"), ("B", 200, "raise", "board"), ("C", nan, "keep", None)])]
    one, other = LimitSums.of(first, (), SETTINGS), LimitSums.of(second, TIERS, SETTINGS)
    told = limit_difference(one, other)
    # A alone has both; each side by itself has two.
    assert (told["compared"], told["limit_of_need"]["value"]) == (1, pytest.approx(-0.2))
    assert told["approvals"] is None
    assert (limit_figures(one)["compared"], limit_figures(one)["limit_of_need"]["value"]) == (2, pytest.approx(1.0))
    apart = [month([("A", nan, "keep", None), ("B", 1, "keep", None), ("C", nan, "keep", None)])]
    nobody = limit_difference(one, LimitSums.of(apart, TIERS, SETTINGS))
    assert (nobody["compared"], nobody["limit_of_need"]) == (0, None)


def test_means_and_the_share_with_too_little_have_intervals_by_group():
    names = [chr(65 + at) for at in range(20)]
    months = [month([(name, 40.0 if at < 5 else 120.0, "keep", None) for at, name in enumerate(names)])] * 2
    told = limit_figures(LimitSums.of(months, TIERS, SETTINGS))
    assert told["short_share"]["value"] == pytest.approx(5 / 20)
    # 20 groups, a quarter of them short: a standard error of about 0.097 however many months there are.
    width = told["short_share"]["high"] - told["short_share"]["low"]
    assert 2 * 1.4 * 0.097 < width < 2 * 2.4 * 0.097
    assert told["mean_limit"]["value"] == "100.00"
    assert float(told["mean_limit"]["low"]) < 100 < float(told["mean_limit"]["high"])
    assert told["mean_need"] == {"value": "100.00", "low": "100.00", "high": "100.00"}
