"""What a test could have shown: the smallest deviation that it finds with a given probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special, stats

from pipeline.statistics.paired import smallest_shown
from pipeline.statistics.proportions import at_least, binomial_p_value, jeffreys_p_value, jeffreys_too_low

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.statistics.stability import Spread

# Farther than a thousandfold nothing is looked for.
_FARTHEST_FACTOR = 1000.0


def fall_shown(error: float, significance: float, power: float) -> float:
    """The smallest fall that a one-sided z-test shows: (z of the level + z of the power) × error.

    >>> round(fall_shown(0.05, 0.05, 0.8), 3)
    0.124
    """
    return float((stats.norm.ppf(1.0 - significance) + stats.norm.ppf(power)) * error)


def fall_shown_by_t(error: float, degrees: float, significance: float, power: float) -> float:
    """The same of Student's t with so many degrees of freedom; infinitely many are those of the z-test.

    >>> round(fall_shown_by_t(0.05, 15, 0.05, 0.8), 3), round(fall_shown_by_t(0.05, float("inf"), 0.05, 0.8), 3)
    (0.131, 0.124)
    """
    return float((stats.t.ppf(1.0 - significance, degrees) + stats.t.ppf(power, degrees)) * error)


def change_shown(error: float, significance: float, power: float) -> float:
    """The smallest change either way that a two-sided z-test shows; see `smallest_shown`.

    >>> round(change_shown(0.05, 0.05, 0.8), 3)
    0.14
    """
    return smallest_shown(error, 1.0 - significance, power)


def change_shown_by_t(error: float, degrees: float, significance: float, power: float) -> float:
    """The same of Student's t with so many degrees of freedom.

    >>> round(change_shown_by_t(0.05, 12, 0.05, 0.8), 3), round(change_shown_by_t(0.05, 1e6, 0.05, 0.8), 3)
    (0.153, 0.14)
    """
    return float((stats.t.ppf(1.0 - significance / 2.0, degrees) + stats.t.ppf(power, degrees)) * error)


def jeffreys_critical(pd: float, n: int, significance: float) -> int:
    """The fewest defaults, at least 1, at which the Jeffreys test rejects a PD as too low; n + 1 where none does.

    >>> jeffreys_critical(0.02, 100, 0.05), jeffreys_critical(0.0003, 1, 0.05)
    (5, 1)
    """
    return _fewest(lambda bads: jeffreys_too_low(pd, bads, n) < significance, n)


def binomial_critical(pd: float, n: int, significance: float) -> int:
    """The fewest defaults at which the exact binomial test rejects a forecast PD; n + 1 where none does.

    >>> binomial_critical(0.02, 100, 0.05)
    6
    """
    return _fewest(lambda bads: binomial_p_value(pd, bads, n) < significance, n)


def rejection_rate(true_pd: float, n: int, critical: int) -> float:
    """Chance of `critical` defaults or more of n independent customers: the size at the forecast, else the power.

    >>> round(rejection_rate(0.02, 100, 5), 3), round(rejection_rate(0.02, 100, 6), 3)
    (0.051, 0.015)
    """
    return at_least(critical, n, true_pd)


def level_shown(pd: float, n: int, critical: int, power: float) -> float:
    """The smallest true PD, as a multiple of the forecast, that is rejected with probability `power`; infinite where no
    default rate is. `critical` is at least 1. The quantile of a beta, for P(D ≥ c) = I_PD(c, N − c + 1).

    >>> round(level_shown(0.02, 100, 5, 0.8), 2)
    3.31
    """
    if not 0 < pd < 1 or critical > n:
        return float("inf")
    return float(special.betaincinv(critical, n - critical + 1.0, power)) / pd


def jeffreys_critical_high(pd: float, n: int, significance: float) -> int:
    """The most defaults at which the Jeffreys posterior calls a PD too high; -1 where not even none of them does.

    >>> jeffreys_critical_high(0.05, 200, 0.05), jeffreys_critical_high(0.0003, 100, 0.05)
    (5, -1)
    """
    return _fewest(lambda bads: 1.0 - jeffreys_p_value(pd, bads, n) >= significance, n) - 1


def level_shown_below(pd: float, n: int, critical: int, power: float) -> float:
    """The largest true PD, as a multiple of the forecast, at which `critical` defaults or fewer come with probability
    `power`; 0 where the critical number is -1, for then no rate shows the PD too high. The quantile of a beta, for
    P(D ≤ c) = 1 − I_PD(c + 1, N − c).

    >>> round(level_shown_below(0.05, 200, 5, 0.8), 2)
    0.39
    """
    if critical < 0 or not 0 < pd < 1:
        return 0.0
    most = min(critical, n - 1)
    return float(special.betaincinv(most + 1.0, float(n - most), 1.0 - power)) / pd


def chi_square_shown(degrees: float, significance: float, power: float) -> float:
    """The noncentrality that a χ² test of so many degrees shows.

    >>> round(chi_square_shown(1, 0.05, 0.8), 2), round(chi_square_shown(9, 0.05, 0.8), 2)
    (7.85, 15.65)
    """
    critical = stats.chi2.ppf(1.0 - significance, degrees)
    return float(optimize.brentq(lambda nc: 1.0 - special.chndtr(critical, degrees, nc) - power, 1e-9, 1e4))


def common_factor_shown(pd: list[float], n: list[float], significance: float, power: float) -> float:
    """The smallest factor common to the default rates of all grades that Hosmer–Lemeshow shows.

    By the noncentral χ² with noncentrality Σ N PD (f − 1)² / (1 − PD); infinite beyond a factor of 1,000.

    >>> round(common_factor_shown([0.01, 0.05, 0.2], [300, 300, 300], 0.05, 0.8), 2)
    1.34
    """
    p, k = np.asarray(pd, dtype=float), np.asarray(n, dtype=float)
    if not len(p):
        return float("inf")
    unit = float(np.sum(k * p / (1.0 - p)))
    factor = 1.0 + float(np.sqrt(chi_square_shown(len(p), significance, power) / unit))
    return factor if factor <= _FARTHEST_FACTOR else float("inf")


def spread_shown(spread: Spread, significance: float, power: float) -> float:
    """The smallest true PSI that exceeds its own noise with probability `power`: noncentrality × scale; infinite where
    there is a single bin.

    >>> from pipeline.statistics.stability import Spread
    >>> round(spread_shown(Spread(2 / 500, 9), 0.01, 0.8), 3)
    0.086
    """
    if not (spread.scale > 0 and spread.degrees > 0):
        return float("inf")
    return chi_square_shown(spread.degrees, significance, power) * spread.scale


def _fewest(rejects: Callable[[int], bool], n: int) -> int:
    """The smallest number from 0 to n that rejects; rejection only spreads upwards."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        if middle > n or rejects(middle):
            high = middle
        else:
            low = middle + 1
    return low
