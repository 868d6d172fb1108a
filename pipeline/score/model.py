"""A model in memory: predictor, calibration, scaling, thin-file pool and what it was fitted on; no file in sight."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from pandas import DataFrame

from pipeline.errors import DamagedModelError
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from pipeline.score.adverse import AdverseValues
    from pipeline.score.calibration import Calibration
    from pipeline.score.points import Scaling
    from pipeline.score.thin_file import ThinFile

GOLDEN_ROWS = 100
_TOLERANCE = 1e-12


class Predictor(Protocol):
    """What a scorecard and a booster have in common."""

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads, in order."""

    def log_odds(self, frame: DataFrame) -> npt.NDArray[np.float64]:
        """Ln odds of good before calibration."""

    def contributions(self, frame: DataFrame) -> DataFrame:
        """Log odds of bad per feature, then `base`."""


@dataclass(frozen=True)
class Formula:
    """What turns feature rows into answers, each row by itself: a row alone, in a batch and in the book are equal."""

    predictor: Predictor
    calibration: Calibration
    scaling: Scaling

    def log_odds(self, frame: DataFrame) -> npt.NDArray[np.float64]:
        """Raw ln odds of good, one per row."""
        return self.predictor.log_odds(frame)

    def pd(self, log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Calibrated PD of raw ln odds of good."""
        return self.calibration.pd(log_odds)

    def points_lost(self, frame: DataFrame, log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Score points per feature (columns) against the development mean: negative speaks against the customer.

        `log_odds` are those of the frame. With the score of the development mean the points add up to the score before
        rounding (for a broken calibration line by its mean slope between the two).
        """
        raw = self.predictor.contributions(frame)
        base = -float(raw["base"].iloc[0]) if len(raw) else 0.0
        slope = self.calibration.slope_between(log_odds, base)
        values = raw[list(self.predictor.features)].to_numpy(dtype=np.float64)
        points: npt.NDArray[np.float64] = -values * slope[:, None] * self.scaling.factor
        return points


@dataclass(frozen=True)
class Golden:
    """Feature rows with the raw log odds, PD and thin-file PD the model gave when written; rescored at reading."""

    features: DataFrame
    log_odds: tuple[float, ...]
    pd: tuple[float, ...]
    thin_pd: tuple[float, ...]


@dataclass(frozen=True)
class Model:
    """One fitted model. `label` holds kind, days, window_months, window_days; `development` the score distribution and
    feature bins that drift is measured from, rows, bads and the default rate. `basis` is what its weights rest on:
    outcomes, or the judgement of people. `adverse` tells which values of a booster's features speak against a customer;
    null for a card, whose points tell it, and for a booster fitted before it was kept. `version` is "unsaved" until
    written."""

    kind: Literal["scorecard", "booster"]
    label: Mapping[str, Any]
    features: tuple[str, ...]
    catalogue: Sequence[Mapping[str, Any]]
    predictor: Predictor
    calibration: Calibration
    scaling: Scaling
    thin_file: ThinFile
    development: Mapping[str, Any]
    basis: Literal["fitted", "expert"] = "fitted"
    adverse: AdverseValues | None = None
    version: str = "unsaved"
    golden: Golden | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if tuple(self.features) != tuple(self.predictor.features):
            raise DamagedModelError(
                f"model {self.version}: {len(self.features)} features listed, the predictor reads "
                f"{len(self.predictor.features)} or another order; fit the model again"
            )
        known = {entry["name"] for entry in self.catalogue}
        strangers = [name for name in self.reads if name not in known]
        if strangers:
            raise DamagedModelError(
                f"model {self.version}: {len(strangers)} feature(s) are not in its catalogue, e.g. {strangers[0]!r}; "
                "fit the model again"
            )
        untold = [name for name in self.features if self.adverse is not None and name not in self.adverse.features]
        if untold:
            raise DamagedModelError(
                f"model {self.version}: adverse.json lacks {len(untold)} of {len(self.features)} features, e.g. "
                f"{untold[0]!r}; fit the model again"
            )

    @property
    def reads(self) -> tuple[str, ...]:
        """The features of the model, then those that only the card of the thin pool reads."""
        return (*self.features, *(name for name in self.thin_file.features if name not in self.features))

    @property
    def formula(self) -> Formula:
        """The part that answers rows, and nothing told about it."""
        return Formula(self.predictor, self.calibration, self.scaling)

    def log_odds(self, frame: DataFrame) -> npt.NDArray[np.float64]:
        """Raw ln odds of good, one per row."""
        return self.predictor.log_odds(frame)

    def pd(self, frame: DataFrame) -> npt.NDArray[np.float64]:
        """Calibrated PD of the label, one per row."""
        return self.calibration.pd(self.log_odds(frame))

    def score(self, frame: DataFrame) -> npt.NDArray[np.int64]:
        """Whole score, one per row; higher is safer."""
        return self.scaling.score(self.pd(frame))

    def contributions(self, frame: DataFrame) -> DataFrame:
        """Raw log odds of bad per feature against the development mean (positive is riskier), then `base`."""
        return self.predictor.contributions(frame)

    def points_lost(self, frame: DataFrame) -> DataFrame:
        """Score points per feature against the development mean, as `Formula.points_lost` tells them."""
        points = self.formula.points_lost(frame, self.log_odds(frame))
        return DataFrame(points, columns=list(self.features), index=frame.index)

    def is_adverse(self, frame: DataFrame, lost: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.bool_] | None:
        """Whether the development sample speaks against each value, of shape (rows, features): by its bin on a
        card (`Scorecard.is_adverse`), by the adverse values of a booster; null for a booster fitted before they
        were kept. `lost` are the `points_lost` of the frame where they are at hand: they tell the bins of a card
        without another look at the values."""
        if not isinstance(self.predictor, Scorecard):
            return None if self.adverse is None else self.adverse.of(frame, self.features)
        if lost is not None and self.calibration.method == "identity":
            return self.predictor.is_adverse(lost * (-1.0 / self.scaling.factor))
        return self.predictor.is_adverse(self.predictor.contributions(frame)[list(self.features)].to_numpy(np.float64))

    @property
    def is_default_12m(self) -> bool:
        """The label is default within 12 months, so that its PD may stand in `pd_12m`."""
        return self.label.get("kind") == "default" and self.label.get("window_months") == 12

    @property
    def catalogue_by_name(self) -> dict[str, Mapping[str, Any]]:
        """Catalogue entries by feature name."""
        return {entry["name"]: entry for entry in self.catalogue}

    @property
    def catalogue_hash(self) -> str:
        """Sha256 of the catalogue the model was fitted with."""
        text = json.dumps(list(self.catalogue), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def golden_of(model: Model, rows: DataFrame) -> Golden:
    """The first 100 of the rows, restricted to what the model reads, with what the model gives for them."""
    frame = rows[list(model.reads)].head(GOLDEN_ROWS).reset_index(drop=True)
    log_odds, pd_now, thin = model.log_odds(frame), model.pd(frame), model.thin_file.pd_of(frame)
    return Golden(frame, tuple(log_odds.tolist()), tuple(pd_now.tolist()), tuple(thin.tolist()))


def check_golden(model: Model) -> None:
    """Scores the golden rows again. Raises DamagedModelError when one differs by more than 1e-12."""
    if model.golden is None or not len(model.golden.features):
        raise DamagedModelError(f"model {model.version}: no golden rows to check it by; fit the model again")
    log_odds, pd_now = model.log_odds(model.golden.features), model.pd(model.golden.features)
    thin = model.thin_file.pd_of(model.golden.features)
    differs = np.abs(pd_now - np.array(model.golden.pd)) > _TOLERANCE
    differs |= np.abs(thin - np.array(model.golden.thin_pd)) > _TOLERANCE
    differs |= np.abs(log_odds - np.array(model.golden.log_odds)) > _TOLERANCE * np.maximum(1.0, np.abs(log_odds))
    if differs.any():
        row = int(np.flatnonzero(differs)[0])
        raise DamagedModelError(
            f"model {model.version}: {int(differs.sum())} of {len(differs)} golden rows score differently, e.g. "
            f"row {row}: PD {pd_now[row]!r} for {model.golden.pd[row]!r}; check the library versions or fit it again"
        )
