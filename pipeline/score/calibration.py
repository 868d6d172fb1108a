"""From raw log odds to a PD: a monotone broken line over ln odds of good, straight beyond its ends."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DamagedModelError

if TYPE_CHECKING:
    import numpy.typing as npt

# Beyond 36 a double cannot tell 1 − PD from 1; a model never says 0 or 1, only the default definition does.
MAX_LOG_ODDS = 36.0


def pd_of_log_odds(log_odds: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """PD of ln odds of good, PD = 1 / (1 + odds); log odds are clipped to ±36, so 0 < PD < 1."""
    clipped = np.clip(np.asarray(log_odds, dtype=np.float64), -MAX_LOG_ODDS, MAX_LOG_ODDS)
    pd: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(clipped))
    return pd


def log_odds_of_pd(pd: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Ln odds of good of a PD, clipped to ±36; null (NaN) stays null."""
    value = np.clip(np.asarray(pd, dtype=np.float64), math.exp(-MAX_LOG_ODDS), 1.0 - 2.0**-53)
    log_odds: npt.NDArray[np.float64] = np.clip(np.log1p(-value) - np.log(value), -MAX_LOG_ODDS, MAX_LOG_ODDS)
    return log_odds


@dataclass(frozen=True)
class Calibration:
    """Knots (raw ln odds of good, calibrated ln odds of good), rising in both; linear between them and beyond.

    `folded` keeps the knots of a straight line that has been worked into a scorecard's points; the line in force is
    then the identity. Raises DamagedModelError when the knots do not rise.
    """

    method: str
    knots: tuple[tuple[float, float], ...]
    folded: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        breaches = _breaches(self.knots)
        if breaches:
            raise DamagedModelError(f"calibration: {'; '.join(breaches)}; fit the calibration again")

    @classmethod
    def identity(cls, folded: tuple[tuple[float, float], ...] | None = None) -> Calibration:
        """The line that changes nothing."""
        return cls("identity", ((0.0, 0.0), (1.0, 1.0)), folded)

    @classmethod
    def line(cls, method: str, intercept: float, slope: float) -> Calibration:
        """calibrated = intercept + slope × raw, as two knots at 0 and 1."""
        return cls(method, ((0.0, intercept), (1.0, intercept + slope)))

    @property
    def segments(self) -> tuple[tuple[float, float, float], ...]:
        """One (x, y, slope) per stretch between knots: calibrated = y + (raw − x) × slope."""
        return tuple((x0, y0, (y1 - y0) / (x1 - x0)) for (x0, y0), (x1, y1) in itertools.pairwise(self.knots))

    @property
    def is_straight(self) -> bool:
        """One stretch only."""
        return len(self.knots) == 2

    def log_odds(self, raw: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Calibrated ln odds of good; raw is any float array."""
        value = np.asarray(raw, dtype=np.float64)
        segments = np.array(self.segments)
        inner = np.array([x for x, _ in self.knots[1:-1]])
        at = np.searchsorted(inner, value, side="right")
        calibrated: npt.NDArray[np.float64] = segments[at, 1] + (value - segments[at, 0]) * segments[at, 2]
        return calibrated

    def pd(self, raw: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Calibrated PD of raw ln odds of good."""
        return pd_of_log_odds(self.log_odds(raw))

    def slope_between(self, raw: npt.ArrayLike, base: float) -> npt.NDArray[np.float64]:
        """Mean slope from `base` to each raw value: raw contributions times it still add up."""
        value = np.asarray(raw, dtype=np.float64)
        distance = value - base
        is_near = np.abs(distance) < 1e-9
        rise = self.log_odds(value) - self.log_odds(np.array([base]))[0]
        local = self.log_odds(value + 5e-7) - self.log_odds(value - 5e-7)
        return np.where(is_near, local / 1e-6, rise / np.where(is_near, 1.0, distance))

    def to_json(self) -> str:
        """JSON text; numbers keep every digit."""
        return json.dumps({"method": self.method, "knots": self.knots, "folded": self.folded}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Reads `to_json`. Raises DamagedModelError when a part is missing or the knots do not rise."""
        try:
            raw: dict[str, Any] = json.loads(text)
            return cls(str(raw["method"]), _knots(raw["knots"]), _knots(raw["folded"]) if raw.get("folded") else None)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedModelError(f"calibration.json cannot be read ({error!r}); fit the model again") from error


def _knots(raw: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in raw)


def _breaches(knots: tuple[tuple[float, float], ...]) -> list[str]:
    found = []
    if len(knots) < 2:
        found.append(f"{len(knots)} knot(s) where two are needed")
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in knots):
        found.append("a knot is not finite")
    pairs = list(itertools.pairwise(knots))
    if any(x1 <= x0 for (x0, _), (x1, _) in pairs):
        found.append("raw log odds do not rise from knot to knot")
    if any(y1 < y0 for (_, y0), (_, y1) in pairs):
        found.append("calibrated log odds fall between knots")
    return found
