"""Whether a distribution has moved: population stability index with the noise it shows when nothing moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Codes = NDArray[np.int64]


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


@dataclass(frozen=True)
class Spread:
    """What a PSI is like when nothing has moved: `scale` times χ² with `degrees` degrees of freedom."""

    scale: float
    degrees: float

    def noise(self, significance: float) -> float:
        """The PSI that chance exceeds with that probability; 0 with a single bin."""
        if not (self.scale > 0 and self.degrees > 0):
            return 0.0
        return self.scale * _chi_square_quantile(self.degrees, significance)


def clustered_spread(before: Codes, after: Codes, clusters: tuple[Codes, Codes], bins: int) -> Spread:
    """The spread of the PSI of rows that hang together: bins of either side as numbers from 0, and their clusters.

    A cluster may have rows on both sides, as a customer of the development who is still in the book: what it has in
    common on both adds nothing. With S the covariance of the difference of shares, by cluster, and W the inverse of the
    mean shares, the PSI is near a weighted sum of χ²; it is taken as one whose mean and variance, tr(WS) and
    2 tr(WSWS), are equal. Rows that are all clusters of their own give (1/n + 1/m) and B − 1.
    Source: Rao and Scott 1981; Satterthwaite 1946.

    >>> bins_of_rows = np.tile(np.arange(2), 500)
    >>> found = clustered_spread(bins_of_rows, bins_of_rows, (np.arange(1000), np.arange(1000, 2000)), 2)
    >>> round(found.scale, 4), round(found.degrees, 2)
    (0.002, 1.0)
    """
    groups = int(max(clusters[0].max(), clusters[1].max())) + 1
    first, second = (_by_cluster(rows, of, groups, bins) for rows, of in zip((before, after), clusters, strict=True))
    early, late = (rows.sum(axis=0) / rows.sum() for rows in (first, second))
    moved = _apart(first, early) - _apart(second, late)
    witnesses = int(np.count_nonzero(first.sum(axis=1) + second.sum(axis=1)))
    # einsum, not a matrix product: BLAS may sum in another order with other threads.
    covariance = np.einsum("gi,gj->ij", moved, moved) * witnesses / max(witnesses - 1, 1)
    return _spread(covariance, (early + late) / 2.0)


def counted_spread(before: ArrayLike, witnesses: float, after: ArrayLike, tied: ArrayLike) -> Spread:
    """As `clustered_spread`, where of the side before only its counts are left and how many clusters they come from.

    `before`, `after`: rows in each bin. `tied`: of those rows of `after` that share a cluster with others, clusters
    (down) by bins (across); each of its other rows is a cluster of its own. Clusters that were thrown together at
    random do no harm: what differs by chance between them cancels out. A cluster before is taken for one row drawn
    from the counts: exact where clusters are equally large and keep their bin, else too wide for clusters that change
    bins and too narrow for ones of many customers. What clusters have in common on both sides is not known and counts
    as chance, which is on the wide side.

    >>> found = counted_spread([500, 500], 1000, [500, 500], np.zeros((0, 2)))
    >>> round(found.scale, 4), round(found.degrees, 2)
    (0.002, 1.0)
    """
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    together = np.asarray(tied, dtype=float)
    together = together[together.sum(axis=1) > 0]
    # Rows alone in their bin are all alike: one stands for them, so many times.
    alone = second - together.sum(axis=0)
    rows, times = np.vstack([together, np.eye(len(first))]), np.concatenate([np.ones(len(together)), alone])
    early, late = first / first.sum(), second / second.sum()
    moved = _apart(rows, late, second.sum())
    late_witnesses = times.sum()
    covariance = np.einsum("gi,gj,g->ij", moved, moved, times) * late_witnesses / max(late_witnesses - 1, 1)
    covariance += (np.diag(early) - np.outer(early, early)) / witnesses
    return _spread(covariance, (early + late) / 2.0)


def _apart(rows: NDArray[np.float64], shares: NDArray[np.float64], n: float | None = None) -> NDArray[np.float64]:
    """What each cluster adds to the shares beyond its own number of rows times the shares."""
    apart: NDArray[np.float64] = rows - rows.sum(axis=1, keepdims=True) * shares
    return apart / (rows.sum() if n is None else n)


def _spread(covariance: NDArray[np.float64], shares: NDArray[np.float64]) -> Spread:
    """Of a PSI whose difference of shares has that covariance: mean and variance of the weighted sum of chi squares."""
    is_used = shares > 0
    weights = np.sqrt(shares[is_used])
    spread = covariance[np.ix_(is_used, is_used)] / np.outer(weights, weights)
    mean, square = float(np.trace(spread)), float(np.sum(spread**2))
    return Spread(square / mean, mean**2 / square) if square > 0 else Spread(0.0, 0.0)


def _by_cluster(rows: Codes, clusters: Codes, groups: int, bins: int) -> NDArray[np.float64]:
    """Rows of each cluster (down) in each bin (across)."""
    return np.bincount(clusters * bins + rows, minlength=groups * bins).reshape(groups, bins).astype(float)


def noise_quantile(bins: int, n: float, m: float, significance: float) -> float:
    """The PSI that sampling alone exceeds with probability `significance`: χ²(B − 1) quantile times (1/n + 1/m), for n
    and m independent rows in B bins; also the information value that chance shows with n bads and m goods.

    Source: Yurdakul and Naranjo 2020, Statistical properties of the population stability index.

    >>> round(noise_quantile(10, 100, 1000, 0.01), 3)
    0.238
    >>> noise_quantile(1, 10, 10, 0.05)
    0.0
    """
    if bins < 2:
        return 0.0
    return _chi_square_quantile(bins - 1, significance) * (1.0 / n + 1.0 / m)


def _chi_square_quantile(degrees: float, significance: float) -> float:
    """By its definition, as scipy.stats reckons it: importing that costs each night a second."""
    # Where it is needed: the workers of a night only count.
    from scipy import special

    return float(2.0 * special.gammaincinv(degrees / 2.0, 1.0 - significance))


def _counts(expected: ArrayLike, actual: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(expected, dtype=float), np.asarray(actual, dtype=float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"PSI compares two count vectors over the same bins, found {first.shape} and {second.shape}")
    if first.sum() <= 0 or second.sum() <= 0 or min(first.min(), second.min()) < 0:
        raise ValueError("PSI needs counts of at least 0 with at least one row on each side")
    is_used = (first + second) > 0
    return first[is_used], second[is_used]
