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
    ridge = 1e-8 * np.diag((columns**2).sum(axis=0))

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
