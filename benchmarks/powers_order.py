"""Power of the test of parts: one in four of the customers is ordered worse than the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmarks.sizes_book import ground_of, part_of, rows_of
from benchmarks.sizes_counts import Counts
from benchmarks.sizes_tenures import LAST, drawn
from benchmarks.sizes_wrong import auc_of, blur_for
from pipeline.train.committee_discrimination import part_results

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.sizes_tenures import Design

PART = ("auc_by_part.cohort",)
_BOOKS = 20


def weak_part(design: Design, fall: float, batch: int) -> Counts:
    """The AUC of one of the four parts lies that much below the others'."""
    counts = Counts(_BOOKS)
    rng = np.random.default_rng([7, design.customers, batch])
    blur = blur_for(design, auc_of(design, 0.0) - fall)
    now = drawn(design, rng, _BOOKS)
    for book in range(_BOOKS):
        rows = _blurred_part(rows_of(now.of(book), (LAST,)), blur, rng)
        ground = ground_of(rows, rows[:0])
        counts.add_all(part_results("champion", ground.models["champion"], ground), PART)
    return counts


def _blurred_part(rows: pd.DataFrame, blur: float, rng: np.random.Generator) -> pd.DataFrame:
    """Noise of that standard deviation on the log odds of the first part."""
    pd = rows["pd"].to_numpy()
    worse = special.expit(special.logit(pd) + blur * rng.normal(size=len(pd)))
    return rows.assign(pd=np.where(part_of(rows["slot"].to_numpy()) == 0, worse, pd))
