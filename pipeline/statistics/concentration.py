"""Whether the customers pile up in a few grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Concentration:
    """`cv` is the coefficient of variation of the grades' shares, `index` runs from 0 (evenly spread) to 1 (all in one
    grade); `grades` counts the grades there are, filled or not."""

    cv: float
    index: float
    grades: int


def concentration(counts: ArrayLike) -> Concentration:
    """CV = √(K Σ (R_i − 1/K)²) and HI = 1 + ln((CV² + 1)/K) / ln K of the customers' shares R_i in K grades.

    Source: ECB, Instructions for reporting the validation results of internal models (2019), section 2.5.5.3.

    >>> concentration([10, 10, 10]).index, round(concentration([0, 30, 0]).index, 9)
    (0.0, 1.0)
    >>> round(concentration([5, 20, 75]).cv, 4)
    0.9028
    """
    n = np.asarray(counts, dtype=float)
    k = len(n)
    if k < 2 or n.sum() <= 0 or n.min() < 0:
        raise ValueError(f"concentration needs two grades or more and a customer in them, found counts {n.tolist()}")
    cv = float(np.sqrt(k * np.sum((n / n.sum() - 1.0 / k) ** 2)))
    return Concentration(cv, float(1.0 + np.log((cv**2 + 1.0) / k) / np.log(k)), k)


def concentration_p_value(initial: Concentration, current: Concentration) -> float:
    """1 − Φ(√(K − 1) (CV₁ − CV₀) / √(CV₁² (½ + CV₁²))): small where the grades hold their customers less evenly now.

    NaN where the customers are spread evenly now. The initial one counts as known, and K grades as K draws: the test
    does not know how many customers there are, and so sees a change of the book only when it is large.

    Source: as `concentration`.

    >>> round(concentration_p_value(Concentration(0.3, 0, 10), Concentration(0.9, 0, 10)), 4)
    0.0403
    """
    if current.cv == 0:
        return float("nan")
    below = np.sqrt(current.cv**2 * (0.5 + current.cv**2))
    return float(stats.norm.sf(np.sqrt(current.grades - 1) * (current.cv - initial.cv) / below))
