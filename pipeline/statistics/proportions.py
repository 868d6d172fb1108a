"""Intervals and tests for a default rate.

The quantiles and chances of a beta are SciPy's functions themselves: `stats.beta` gives the same digits in thirty times
the time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence


def jeffreys_interval(bads: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Equal-tailed interval of a default rate: Beta(bads + ½, n − bads + ½); 0 bads begin at 0, n bads end at 1.

    `bads` and `n` may be fractional (an effective count). Source: Brown, Cai and DasGupta 2001, section 4.

    >>> low, high = jeffreys_interval(0, 100)
    >>> low, round(high, 4)
    (0.0, 0.0247)
    """
    _check(bads, n)
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if bads == 0 else float(special.betaincinv(bads + 0.5, n - bads + 0.5, tail))
    high = 1.0 if bads == n else float(special.betaincinv(bads + 0.5, n - bads + 0.5, 1.0 - tail))
    return low, high


def jeffreys_of_groups(rate: float, groups: int, confidence: float = 0.95) -> tuple[float, float]:
    """Jeffreys interval of a default rate by rows where each customer group is one witness, however many its rows.

    >>> [round(end, 2) for end in jeffreys_of_groups(0.5, 3)]
    [0.09, 0.91]
    """
    return jeffreys_interval(rate * groups, groups, confidence)


def exact_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of a share: every share that neither tail rules out; covers at least as
    often as `confidence` says.

    Source: Clopper and Pearson 1934.

    >>> [round(end, 4) for end in exact_interval(0, 100)], [round(end, 4) for end in exact_interval(5, 100)]
    ([0.0, 0.0362], [0.0164, 0.1128])
    """
    _check(hits, n)
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(special.betaincinv(hits + 1, n - hits, 1.0 - tail))
    return low, high


def jeffreys_upper(bads: float, n: float, confidence: float) -> float:
    """One-sided upper bound of a default rate at `confidence`; with no observation the bound of the prior alone.

    >>> round(jeffreys_upper(2, 100, 0.75), 4)
    0.0328
    """
    _check(bads, n)
    return float(special.betaincinv(bads + 0.5, n - bads + 0.5, confidence))


def jeffreys_p_value(pd: float, bads: float, n: float) -> float:
    """Evidence that a forecast PD is too low: BetaCDF(PD; D + ½, N − D + ½); small means underestimated.

    Source: ECB, Instructions for reporting the validation results of internal models (2019), section 2.5.3.1.

    >>> round(jeffreys_p_value(0.01, 5, 100), 4)
    0.0014
    """
    _check(bads, n)
    return float(special.betainc(bads + 0.5, n - bads + 0.5, pd))


def jeffreys_too_low(pd: float, bads: float, n: float) -> float:
    """The Jeffreys test one-sided: as `jeffreys_p_value`, and 1 without a bad, for no bad is no evidence of too many.

    The prior holds half a bad, which by itself contradicts a small PD where there are few customers.

    >>> round(jeffreys_p_value(0.0003, 0, 1), 4), jeffreys_too_low(0.0003, 0, 1)
    (0.0221, 1.0)
    """
    return 1.0 if bads == 0 else jeffreys_p_value(pd, bads, n)


def binomial_p_value(pd: float, bads: float, n: float) -> float:
    """Chance of as many defaults or more when the forecast PD is right; small means underestimated.

    Exact, and therefore cautious: its size lies below the nominal level. Customers must be independent. Source: BCBS
    Working Paper 14 (2005), section III.

    >>> round(binomial_p_value(0.01, 5, 100), 4)
    0.0034
    """
    _check(bads, n)
    return at_least(math.floor(bads), n, pd)


def at_least(bads: int, n: float, pd: float) -> float:
    """Chance of so many defaults or more among n independent customers of a PD: I_PD(D, N − D + 1).

    >>> at_least(0, 10, 0.1), round(at_least(2, 10, 0.1), 4), at_least(11, 10, 0.1)
    (1.0, 0.2639, 0.0)
    """
    if bads <= 0:
        return 1.0
    return float(special.betainc(bads, n - bads + 1.0, pd)) if bads <= n else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several questions, each raised so that the chance of any false answer stays at the level.

    Source: Holm 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    raised, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        raised[i] = largest
    return raised


def _check(bads: float, n: float) -> None:
    if not 0 <= bads <= n:
        raise ValueError(f"a default rate needs 0 <= bads <= n, found {bads} bads of {n}")
