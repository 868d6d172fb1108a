"""What each feature adds to the raw score: with the base it is the raw score, which is checked whenever it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.errors import CreditbookError
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.model import Predictor

    Floats = npt.NDArray[np.float64]

Unit = Literal["points", "log_odds"]
# SHAP values are tabulated (score/tree_shap.py), points are the card's own.
TOLERANCE = {"points": 1e-9, "log_odds": 1e-5}


@dataclass(frozen=True)
class Contributions:
    """Of customers, row by row: `base` and the columns of `added`, one per name, add up to `raw`; above 0 is safer.

    A scorecard's are its points: the base is the intercept, the raw score their sum. A booster's are ln odds of good:
    its SHAP values with the sign turned. `log_odds` are the raw ln odds of good of either, before calibration. `bins`
    are positions in `labels`, the bins of each feature of a card; both are empty for a booster.
    """

    names: tuple[str, ...]
    unit: Unit
    base: Floats
    added: Floats
    raw: Floats
    log_odds: Floats
    bins: npt.NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        total = self.base.copy()
        # In the order of the card, so that points add up to the last bit.
        for column in self.added.T:
            total += column
        off = np.abs(total - self.raw)
        wrong = np.flatnonzero(~(off <= TOLERANCE[self.unit]))
        if wrong.size:
            at = wrong[0]
            raise CreditbookError(
                f"internal error: explanation: base and contributions of {wrong.size} of {len(off)} customers do not "
                f"add up to the raw score, e.g. {total[at]!r} for {self.raw[at]!r} {self.unit}; do not use them"
            )


def contributions_of(predictor: Predictor, rows: pd.DataFrame) -> Contributions:
    """The contributions of every feature that the predictor reads, for feature rows with those columns.

    Raises ContractError on a missing column or an infinite value, CreditbookError (70) when a sum is off by more than
    1e-9 points or 1e-5 ln odds.
    """
    return _points(predictor, rows) if isinstance(predictor, Scorecard) else _log_odds(predictor, rows)


def _points(card: Scorecard, rows: pd.DataFrame) -> Contributions:
    points = card.points_by_characteristic(rows)
    bins = [characteristic.bin_index(rows) for characteristic in card.characteristics]
    return Contributions(
        names=card.features,
        unit="points",
        base=np.full(len(rows), card.intercept_points),
        added=points.to_numpy(dtype=np.float64),
        raw=card.total_points(rows),
        log_odds=card.log_odds(rows),
        bins=np.column_stack(bins) if bins else np.empty((len(rows), 0), dtype=np.int64),
        labels=tuple(tuple(one.label for one in characteristic.bins) for characteristic in card.characteristics),
    )


def _log_odds(predictor: Predictor, rows: pd.DataFrame) -> Contributions:
    against = predictor.contributions(rows)
    raw = predictor.log_odds(rows)
    return Contributions(
        names=predictor.features,
        unit="log_odds",
        # From 0, so that nothing is told as minus nought.
        base=0.0 - against["base"].to_numpy(dtype=np.float64),
        added=0.0 - against[list(predictor.features)].to_numpy(dtype=np.float64),
        raw=raw,
        log_odds=raw,
        bins=np.empty((len(rows), 0), dtype=np.int64),
    )
