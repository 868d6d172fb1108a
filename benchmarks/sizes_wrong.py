"""What is wrong with a made-up book, in the unit of the test that is to find it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from benchmarks.sizes_tenures import middle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.sizes_tenures import Design

    Floats = NDArray[np.float64]

_GRID = np.linspace(-5.0, 5.0, 401)


def too_far_apart(pd: Floats, design: Design, slope: float) -> Floats:
    """Forecasts of the same mean as right ones, and farther apart on the log odds, so that outcomes follow them with
    that slope; at 1 the PDs as they are."""
    wide = replace(design, spread=design.spread / slope)
    return np.asarray(special.expit(middle(wide) + (special.logit(pd) - middle(design)) / slope))


def auc_of(design: Design, blur: float) -> float:
    """The AUC of a design's log odds with noise of that standard deviation, over all customers there could be."""
    share = np.exp(-(_GRID**2) / 2)
    pd = special.expit(middle(design) + design.spread * _GRID)
    bads, goods = share * pd, share * (1 - pd)
    apart = design.spread * (_GRID[:, None] - _GRID[None, :])
    won = special.ndtr(apart / (np.sqrt(2) * blur)) if blur else np.heaviside(apart, 0.5)
    return float(np.einsum("b,bg,g->", bads, won, goods) / (bads.sum() * goods.sum()))


@cache
def blur_for(design: Design, auc: float) -> float:
    """The noise at which the AUC is the given one, which lies above one half and below that without noise."""
    return float(optimize.brentq(lambda blur: auc_of(design, blur) - auc, 1e-3, 50.0))
