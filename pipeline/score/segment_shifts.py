"""The level of a segment of customers: what the category of one column adds to the raw ln odds of good."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import DamagedModelError
from pipeline.score.feature_columns import category_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from pipeline.score.booster import Booster


@dataclass(frozen=True)
class SegmentShifts:
    """`shifts` in raw ln odds of good by category of `feature`; any other category, and null, is shifted by nothing.

    `mean` is that of the training rows: the baseline reasons are measured from. Raises DamagedModelError when a shift
    is no finite number.
    """

    feature: str
    shifts: Mapping[str, float]
    mean: float

    def __post_init__(self) -> None:
        wrong = [name for name, shift in self.shifts.items() if not math.isfinite(shift)]
        if wrong or not self.shifts or not math.isfinite(self.mean):
            raise DamagedModelError(
                f"segment shifts of {self.feature}: {len(wrong)} of {len(self.shifts)} are no finite number, e.g. "
                f"{(wrong or ['the mean'])[0]!r}; fit the model again"
            )

    def of(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """The shift of each row."""
        return shifts_of(category_column(frame, self.feature)[0], self.shifts)

    def to_json(self) -> str:
        """JSON text; numbers keep every digit."""
        told = {"feature": self.feature, "shifts": dict(self.shifts), "mean": self.mean}
        return json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> SegmentShifts:
        """Reads `to_json`. Raises DamagedModelError when a part is missing."""
        try:
            raw: dict[str, Any] = json.loads(text)
            shifts = {str(name): float(shift) for name, shift in raw["shifts"].items()}
            return cls(str(raw["feature"]), shifts, float(raw["mean"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedModelError(f"segment_shifts.json cannot be read ({error!r}); fit the model again") from error


def shifts_of(categories: npt.ArrayLike, shifts: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """The shift of each category; one that has none, and null, is 0.

    >>> shifts_of(["micro", "large", None], {"micro": -0.4}).tolist()
    [-0.4, 0.0, 0.0]
    """
    at = pd.Index(list(shifts), dtype=object).get_indexer(pd.Index(np.asarray(categories, dtype=object)))
    return np.array([*shifts.values(), 0.0])[at]


@dataclass(frozen=True)
class ShiftedBooster:
    """A booster whose raw ln odds are shifted by segment; the shift counts as a contribution of the segment's column.

    A scorecard needs none of this: its shifts are points of a characteristic.
    """

    booster: Booster
    shifts: SegmentShifts

    @property
    def features(self) -> tuple[str, ...]:
        """Those of the booster, then the segment's column where the booster does not read it."""
        own = self.booster.features
        return own if self.shifts.feature in own else (*own, self.shifts.feature)

    def log_odds(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Ln odds of good before calibration, shifted; one per row."""
        return self.booster.log_odds(frame) + self.shifts.of(frame)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log odds of bad per feature (positive is riskier), then `base`; rows add up to −log_odds."""
        raw = self.booster.contributions(frame)
        name, against = self.shifts.feature, self.shifts.mean - self.shifts.of(frame)
        own = raw[name].to_numpy(dtype=np.float64) if name in raw else np.zeros(len(raw))
        shifted = raw.assign(base=raw["base"] - self.shifts.mean)
        shifted[name] = own + against
        return shifted[[*self.features, "base"]]
