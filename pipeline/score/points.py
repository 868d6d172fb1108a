"""Points and score: one scale for both kinds of model, where `pdo` points double the odds of good."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.calibration import log_odds_of_pd

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class Scaling:
    """Score = base_score + pdo / ln 2 × (ln odds of good − ln base_odds); higher is safer.

    Siddiqi, Intelligent Credit Scoring (2017), chapter 10: factor and offset.
    """

    pdo: float = 20.0
    base_score: float = 600.0
    base_odds: float = 30.0

    @property
    def factor(self) -> float:
        """Points for one unit of log odds."""
        return self.pdo / math.log(2.0)

    def points(self, log_odds: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Points before rounding of ln odds of good."""
        value = np.asarray(log_odds, dtype=np.float64)
        return self.base_score + self.factor * (value - math.log(self.base_odds))

    def score(self, pd: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Whole score of a PD, halves rounded up; the PD must not be null."""
        score: npt.NDArray[np.int64] = np.floor(self.points(log_odds_of_pd(pd)) + 0.5).astype(np.int64)
        return score
