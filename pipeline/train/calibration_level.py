"""The level of a calibration: the shift of its knots at which so many defaults are expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.calibration import Calibration

if TYPE_CHECKING:
    from pipeline.train.calibration_shapes import Observed

    Knots = tuple[tuple[float, float], ...]


def bads_of(observed: Observed) -> float:
    """Bad rows, but at least those of half a bad customer."""
    return max(float(observed.is_bad.sum()), 0.5 * len(observed.is_bad) / observed.customers)


def level_at(observed: Observed, knots: Knots, bads: float) -> float:
    """The shift of the knots at which the PDs add up to `bads`, found by bisection (they fall as it rises)."""
    shaped = Calibration("shape", knots).log_odds(observed.raw_log_odds)
    low, high = -60.0, 60.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        expected = float(np.sum(1.0 / (1.0 + np.exp(np.clip(middle + shaped, -700, 700)))))
        low, high = (middle, high) if expected > bads else (low, middle)
    return 0.5 * (low + high)
