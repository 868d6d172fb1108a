"""Whether a feature's bins held the same share of the book in the earlier and the later half of the training dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.statistics.stability import noise_quantile, psi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.score.scorecard import Characteristic
    from pipeline.train.sample import Sample


@dataclass(frozen=True)
class BinShift:
    """PSI of the bins' rows between the halves; `bins` in use, and the customers of each half."""

    psi: float
    bins: int
    earlier_customers: int
    later_customers: int

    def noise(self, significance: float) -> float:
        """The PSI that chance exceeds with that probability: months of one customer are one witness, so it counts
        customers."""
        return noise_quantile(self.bins, self.earlier_customers, self.later_customers, significance)


def bin_shifts(sample: Sample, characteristics: Sequence[Characteristic]) -> dict[str, BinShift]:
    """The shift of each feature; none where the rows have no dates, or one date only."""
    is_later = later_half(sample)
    if is_later is None:
        return {}
    earlier, later = (len(np.unique(sample.codes[half])) for half in (~is_later, is_later))
    found = {}
    for characteristic in characteristics:
        index, bins = characteristic.bin_index(sample.rows), len(characteristic.bins)
        first, second = (np.bincount(index[half], minlength=bins) for half in (~is_later, is_later))
        used = int(((first + second) > 0).sum())
        found[characteristic.feature] = BinShift(psi(first, second), used, earlier, later)
    return found


def later_half(sample: Sample) -> NDArray[np.bool_] | None:
    """True for rows of the later half of the dates; null where there are not two dates."""
    if any(day is None for day in sample.days):
        return None
    days = np.unique(sample.days.astype("datetime64[D]"))
    if len(days) < 2:
        return None
    is_later: NDArray[np.bool_] = sample.days.astype("datetime64[D]") >= days[len(days) // 2]
    return is_later
