"""Whether a feature's bins hold the same share of the rows in the earlier and the later half of the training dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.statistics.stability import noise_quantile, psi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.score.scorecard import Characteristic
    from pipeline.train.sample import Sample


@dataclass(frozen=True)
class BinShift:
    """PSI of the bins, early against late; `bins` with rows, and the customer groups of each half.

    The groups are the evidence: a customer hardly moves between months, so that months are no further witnesses.
    """

    psi: float
    bins: int
    early_customers: int
    late_customers: int

    def noise(self, significance: float) -> float:
        """The PSI that sampling alone exceeds with that probability."""
        return noise_quantile(self.bins, self.early_customers, self.late_customers, significance)


def bin_shifts(sample: Sample, characteristics: Sequence[Characteristic]) -> dict[str, BinShift]:
    """The shift of each feature's bins. Empty for rows without dates or of one date."""
    days = [day for day in sample.days if day is not None]
    dates = sorted(set(days))
    if len(days) < len(sample.days) or len(dates) < 2:
        return {}
    is_late = np.array([day >= dates[len(dates) // 2] for day in sample.days])
    customers = [len(np.unique(sample.codes[half])) for half in (~is_late, is_late)]
    found = {}
    for characteristic in characteristics:
        codes = characteristic.bin_index(sample.rows)
        counts = [np.bincount(codes[half], minlength=len(characteristic.bins)) for half in (~is_late, is_late)]
        has_rows = (counts[0] + counts[1]) > 0
        early, late = (count[has_rows] for count in counts)
        found[characteristic.feature] = BinShift(psi(early, late), int(has_rows.sum()), customers[0], customers[1])
    return found
