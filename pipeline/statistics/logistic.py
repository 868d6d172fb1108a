"""Logistic regression with standard errors that respect clusters of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_STEPS = 100
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class LogisticFit:
    """Maximum likelihood coefficients, one per column; `covariance` is the cluster-robust sandwich."""

    coefficients: Floats
    covariance: Floats
    probabilities: Floats

    @property
    def standard_errors(self) -> Floats:
        """Square roots of the diagonal of the covariance."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def p_values(self) -> Floats:
        """Two-sided Wald test of each coefficient against 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2.0 * stats.norm.sf(np.abs(self.coefficients / self.standard_errors)))


def fit_logistic(columns: Floats, outcome: Floats, clusters: NDArray[Any], offset: Floats | None = None) -> LogisticFit:
    """Newton's method with step halving; `columns` holds the constant too, `clusters` any labels.

    A vanishing ridge (1e-8 of the curvature) keeps separable data finite. The sandwich is Liang and Zeger 1986 with the
    G/(G − 1) correction. Raises ValueError without a bad or without a good.
    """
    if outcome.min() == outcome.max():
        raise ValueError(f"logistic regression needs both outcomes, found {len(outcome)} rows of one")
    fixed = np.zeros(len(outcome)) if offset is None else offset
    ridge = _ridge(columns)

    def objective(beta: Floats) -> float:
        logit = columns @ beta + fixed
        return float(np.sum(outcome * logit - np.logaddexp(0.0, logit)) - 0.5 * beta @ ridge @ beta)

    beta = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        p = special.expit(columns @ beta + fixed)
        gradient = columns.T @ (outcome - p) - ridge @ beta
        step = np.linalg.solve(_curvature(columns, p) + ridge, gradient)
        tried = _uphill(objective, beta, step)
        gained = objective(tried) - objective(beta)
        beta = tried
        if gained < _TOLERANCE:
            break
    p = special.expit(columns @ beta + fixed)
    return LogisticFit(beta, sandwich(columns, outcome - p, _curvature(columns, p) + ridge, clusters), p)


def sandwich(columns: Floats, residuals: Floats, curvature: Floats, clusters: NDArray[Any]) -> Floats:
    """Cluster-robust covariance: curvature⁻¹ (Σ over clusters of score scoreᵀ) curvature⁻¹ · G/(G − 1)."""
    sums = cluster_sums(columns * residuals[:, None], clusters)
    n = len(sums)
    bread = np.linalg.inv(curvature)
    return np.asarray(bread @ (sums.T @ sums) @ bread * (n / max(n - 1, 1)))


def satterthwaite(columns: Floats, outcome: Floats, fit: LogisticFit, clusters: NDArray[Any]) -> Floats:
    """Degrees of freedom of Student's t for each coefficient over its standard error: 2 V² / var V, where V is the
    coefficient's variance by the sandwich, a sum over clusters, and var V what that sum varies by.

    Few bads among many clusters make few degrees; there are at least 2, where all variance comes from one cluster.
    Source: Pan and Wall 2002, Small-sample adjustments in using the sandwich variance estimator in generalized
    estimating equations; Satterthwaite 1946.

    >>> x, y, each = np.ones((1000, 1)), (np.arange(1000) < 20).astype(float), np.arange(1000)
    >>> satterthwaite(x, y, fit_logistic(x, y, each), each).round(1).tolist()
    [42.5]
    """
    bread = np.linalg.inv(_curvature(columns, fit.probabilities) + _ridge(columns))
    parts = (cluster_sums(columns * (outcome - fit.probabilities)[:, None], clusters) @ bread) ** 2
    n = len(parts)
    variance = np.var(parts, axis=0) * n**2 / max(n - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2.0 * parts.sum(axis=0) ** 2 / variance)


def _ridge(columns: Floats) -> Floats:
    return np.asarray(1e-8 * np.diag((columns**2).sum(axis=0)))


def cluster_sums(rows: Floats, clusters: NDArray[Any]) -> Floats:
    """Sums of rows by cluster, clusters in sorted order; shape (clusters, columns)."""
    names, codes = np.unique(clusters, return_inverse=True)
    return np.column_stack([np.bincount(codes, weights=column, minlength=len(names)) for column in rows.T])


def _curvature(columns: Floats, p: Floats) -> Floats:
    return np.asarray((columns * (p * (1 - p))[:, None]).T @ columns)


def _uphill(objective: Callable[[Floats], float], beta: Floats, step: Floats) -> Floats:
    here = objective(beta)
    for halving in range(30):
        tried: Floats = beta + step / 2**halving
        if objective(tried) >= here:
            return tried
    return beta
