"""Size and power of the test of the slope."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.sizes_book import TESTED, simulated
from benchmarks.sizes_counts import Counts
from benchmarks.sizes_tenures import CYCLE, LAST, Design, drawn
from benchmarks.sizes_wrong import too_far_apart
from pipeline.train.committee_line import line_results
from pipeline.train.sample import Sample

if TYPE_CHECKING:
    from benchmarks.sizes_tenures import Tenures
    from pipeline.train.committee_ground import Ground

SLOPES = ("slope.cohort", "slope.panel")
_BOOKS = 20


def slopes(design: Design, slope: float, batch: int) -> Counts:
    """Forecasts too far apart; right ones at a slope of 1."""
    counts = Counts(_BOOKS)
    now = drawn(design, np.random.default_rng([3, design.customers, batch]), _BOOKS)
    for book in range(_BOOKS):
        panel = _panel(now.of(book), design, slope)
        newest = panel.part(panel.days == LAST)
        counts.add_all(line_results("champion", "cohort", _pd(newest), newest, _ground(design)), SLOPES)
        counts.add_all(line_results("champion", "panel", _pd(panel), panel, _ground(design)), SLOPES)
    return counts


def _pd(sample: Sample) -> np.ndarray:
    return sample.rows["pd"].to_numpy()


def _panel(book: Tenures, design: Design, slope: float) -> Sample:
    """The test dates of one book, without what this test does not read; a day is the number of its month."""
    months = [(month, book.at(month)) for month in TESTED]
    pd_, slot, number = (np.concatenate([getattr(one, name) for _, one in months]) for name in ("pd", "slot", "number"))
    leader = np.where(slot % CYCLE == 1, slot - 1, slot)
    clusters = leader * 1000 + np.where(leader % CYCLE == 0, 0, number)
    is_bad = np.concatenate([one.is_bad_from(month) for month, one in months]).astype(float)
    days = np.concatenate([np.full(len(one.slot), month) for month, one in months])
    return Sample(pd.DataFrame({"pd": too_far_apart(pd_, design, slope)}), is_bad, clusters.astype(str), days)


@cache
def _ground(design: Design) -> Ground:
    """Settings alone; its book is not read."""
    return simulated(Design("smallest", 20, design.rate), 0)
