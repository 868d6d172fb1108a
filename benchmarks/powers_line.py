"""Size and power of the test of the slope."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.sizes_counts import NOMINAL, Counts
from benchmarks.sizes_rows import arrays_of
from benchmarks.sizes_tenures import drawn
from benchmarks.sizes_wrong import too_far_apart
from pipeline.statistics.calibration import calibration_line

if TYPE_CHECKING:
    from benchmarks.sizes_tenures import Design

SLOPES = ("slope.cohort", "slope.panel")
_BOOKS = 20


def slopes(design: Design, slope: float, batch: int) -> Counts:
    """Forecasts too far apart; right ones at a slope of 1."""
    counts = Counts(_BOOKS)
    now = drawn(design, np.random.default_rng([3, design.customers, batch]), _BOOKS)
    for book in range(_BOOKS):
        panel = arrays_of(now.of(book))
        panel = replace(panel, pd=too_far_apart(panel.pd, design, slope))
        newest = panel.newest()
        for name, rows, codes in zip(SLOPES, (newest, panel), (None, panel.codes), strict=True):
            if rows.is_enough:
                found = calibration_line(rows.pd, rows.is_bad, codes)
                counts.add(name, found.slope_p_value < NOMINAL, found.slope)
    return counts
