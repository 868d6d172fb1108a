"""Whether a distribution has moved: population stability index with the noise it shows when nothing moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def psi(expected: ArrayLike, actual: ArrayLike) -> float:
    """Population stability index of two count vectors over the same bins: Σ (a − e) ln(a/e) over shares.

    Bins empty on both sides are left out; half a row is put into each remaining bin, so that an empty one stays finite.
    Source: Siddiqi 2006; the sum is Jeffreys' divergence.

    >>> psi([50, 50], [50, 50])
    0.0
    >>> round(psi([50, 50], [80, 20]), 3)
    0.406
    """
    first, second = _counts(expected, actual)
    e, a = (first + 0.5) / (first + 0.5).sum(), (second + 0.5) / (second + 0.5).sum()
    return float(np.sum((a - e) * np.log(a / e)))


def psi_noise(expected: ArrayLike, actual: ArrayLike, significance: float) -> float:
    """The PSI that sampling alone exceeds with probability `significance`: χ²(B − 1) quantile times (1/n + 1/m).

    B is the number of bins that hold a row on either side. Source: Yurdakul and Naranjo 2020, Statistical properties
    of the population stability index.

    >>> round(psi_noise([10] * 10, [100] * 10, 0.01), 3)
    0.238
    """
    first, second = _counts(expected, actual)
    return noise_quantile(len(first), float(first.sum()), float(second.sum()), significance)


def noise_quantile(bins: int, n: float, m: float, significance: float) -> float:
    """The same for given sample sizes; also the information value that chance shows with n bads and m goods.

    >>> noise_quantile(1, 10, 10, 0.05)
    0.0
    """
    if bins < 2:
        return 0.0
    # The chi-square quantile by its definition, as scipy.stats reckons it: importing that costs each night a second.
    return float(2.0 * special.gammaincinv((bins - 1) / 2.0, 1.0 - significance) * (1.0 / n + 1.0 / m))


def _counts(expected: ArrayLike, actual: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(expected, dtype=float), np.asarray(actual, dtype=float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"PSI compares two count vectors over the same bins, found {first.shape} and {second.shape}")
    if first.sum() <= 0 or second.sum() <= 0 or min(first.min(), second.min()) < 0:
        raise ValueError("PSI needs counts of at least 0 with at least one row on each side")
    is_used = (first + second) > 0
    return first[is_used], second[is_used]
