"""AUC with its error where every row is a witness of its own, and the test of an AUC against an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Auc:
    """An AUC with its standard error, and the rows behind it; `degrees` are those that the error is known with (Brunner
    and Munzel 2000), infinite where that is not reckoned."""

    value: float
    error: float
    bads: int
    goods: int
    degrees: float = float("inf")

    def interval(self, confidence: float) -> tuple[float, float]:
        """Ends on the scale of log odds, so that they stay within 0 and 1 (Pepe 2003, section 5.2.3); at an AUC of
        exactly 0 or 1 there is no error to make an interval of, and both ends are NaN.

        >>> low, high = Auc(0.8, 0.05, 20, 200).interval(0.95)
        >>> round(low, 3), round(high, 3)
        (0.684, 0.881)
        """
        if not 0 < self.value < 1:
            return float("nan"), float("nan")
        middle = float(special.logit(self.value))
        reach = stats.norm.ppf(0.5 + confidence / 2.0) * self.error / (self.value * (1.0 - self.value))
        return float(special.expit(middle - reach)), float(special.expit(middle + reach))

    @property
    def p_value(self) -> float:
        """Of no order at all, an AUC of one half, one-sided; 0 without an error."""
        return float(stats.t.sf((self.value - 0.5) / self.error, self.degrees)) if self.error > 0 else 0.0


@dataclass(frozen=True)
class AucChange:
    """`z` is (initial − current) / error, `p_value` the chance of as large a fall when nothing has fallen; by Student's
    t where `degrees` are finite."""

    z: float
    p_value: float
    error: float
    degrees: float = float("inf")


def delong(risk: ArrayLike, is_bad: ArrayLike) -> Auc:
    """AUC and the standard error of DeLong, DeLong and Clarke-Pearson 1988, by ranks (Sun and Xu 2014).

    Rows must be independent: for a panel of months use `clustered_auc`. The error is NaN with fewer than two bads or
    two goods. Raises ValueError without a bad or without a good.

    >>> found = delong([4, 3, 2, 1], [1, 0, 1, 0])
    >>> found.value, round(found.error, 4)
    (0.75, 0.3536)
    """
    scores, bad = np.asarray(risk, dtype=float), np.asarray(is_bad, dtype=float) == 1
    bads, goods = scores[bad], scores[~bad]
    m, n = len(bads), len(goods)
    if not (m and n):
        raise ValueError(f"an AUC needs bads and goods, found {m} bads and {n} goods")
    ranks = stats.rankdata(np.concatenate([bads, goods]))
    above_goods = (ranks[:m] - stats.rankdata(bads)) / n
    below_bads = 1.0 - (ranks[m:] - stats.rankdata(goods)) / m
    value = float(above_goods.mean())
    if min(m, n) < 2:
        return Auc(value, float("nan"), m, n)
    of_bads, of_goods = above_goods.var(ddof=1) / m, below_bads.var(ddof=1) / n
    return Auc(value, float(np.sqrt(of_bads + of_goods)), m, n, _together((of_bads, m - 1.0), (of_goods, n - 1.0)))


def auc_against_known(initial: float, current: Auc) -> AucChange:
    """S = (initial − current) / s(current), one-sided: small p-values speak of a fall.

    The initial AUC counts as known without error, so that the test rejects too often: 12 % at a nominal 5 % where both
    samples are of one size. Source: ECB, Instructions for reporting the validation results of internal models (2019),
    section 2.5.4.1.

    >>> round(auc_against_known(0.80, Auc(0.70, 0.05, 30, 900)).p_value, 4)
    0.0228
    """
    z = (initial - current.value) / current.error if current.error > 0 else float("nan")
    return AucChange(z, float(stats.norm.sf(z)), current.error)


def auc_against_measured(initial: Auc, current: Auc) -> AucChange:
    """The same with √(s₀² + s₁²) below: both AUCs are estimates. Customers in both samples make it cautious.

    Reckoned on log odds of the AUC (Pepe 2003, section 5.2.3): an AUC that came out high by chance has a small error of
    its own, so that on the AUC's scale a fall from it looks surer than it is (8 % for 5 % with 20 bads). `error` is on
    that scale all the same, to tell what would be shown. NaN where an AUC is 0 or 1.

    >>> round(auc_against_measured(Auc(0.80, 0.05, 30, 900), Auc(0.70, 0.05, 30, 900)).p_value, 4)
    0.085
    """
    both = float(np.hypot(initial.error, current.error))
    if not (0 < initial.value < 1 and 0 < current.value < 1 and both > 0):
        return AucChange(float("nan"), float("nan"), both)
    fall = float(special.logit(initial.value) - special.logit(current.value))
    early, late = (one.error / (one.value * (1.0 - one.value)) for one in (initial, current))
    z = fall / float(np.hypot(early, late))
    return AucChange(z, float(stats.norm.sf(z)), both)


def auc_fall(initial: Auc, current: Auc) -> AucChange:
    """The same by Student's t: with few bads the errors themselves are not well known.

    The degrees are those of Welch 1947 of both errors on log odds, each with its own (Satterthwaite 1946).

    >>> early, late = Auc(0.80, 0.05, 30, 900, 29), Auc(0.70, 0.05, 30, 900, 29)
    >>> round(auc_fall(early, late).p_value, 4), round(auc_fall(early, late).degrees, 1)
    (0.0879, 54.2)
    """
    found = auc_against_measured(initial, current)
    if not np.isfinite(found.z):
        return found
    degrees = _together(
        *(((one.error / (one.value * (1.0 - one.value))) ** 2, one.degrees) for one in (initial, current))
    )
    return AucChange(found.z, float(stats.t.sf(found.z, degrees)), found.error, degrees)


def _together(*parts: tuple[float, float]) -> float:
    """Degrees of freedom of a sum of variances, each with its own: V² / Σ v²/ν; infinite without a variance."""
    below = sum(variance**2 / degrees for variance, degrees in parts)
    return float(sum(variance for variance, _ in parts) ** 2 / below) if below > 0 else float("inf")
