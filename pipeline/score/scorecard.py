"""A scorecard: a table of bins with points that a person can read; applied vectorised, the same alone as in a batch."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pipeline.errors import DamagedModelError
from pipeline.score.calibration import Calibration
from pipeline.score.feature_columns import category_codes, number_column, require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

BinKind = Literal["range", "categories", "special", "missing", "unseen"]
_ROWS_AT_A_TIME = 16_384


@dataclass(frozen=True)
class Bin:
    """One row of the card. A range holds lower <= value < upper (null: no bound); `woe` is ln(goods / bads) in shares.

    A special bin holds one code that stands in the place of a number: lower = upper = the code.
    `points` = factor × coefficient × woe in score points, where factor = pdo / ln 2.
    """

    label: str
    kind: BinKind
    woe: float
    points: float
    lower: float | None = None
    upper: float | None = None
    categories: tuple[str, ...] | None = None
    count: int = 0
    bads: int = 0


@dataclass(frozen=True)
class Characteristic:
    """A feature with its bins: rising ranges or category bins, one missing and (categories) one unseen bin; beside
    ranges a bin for each special code, which comes before them.

    `mean_points` is the mean over the development book: the baseline that reasons are measured from. Raises
    DamagedModelError when the bins leave a gap or overlap.
    """

    feature: str
    coefficient: float
    bins: tuple[Bin, ...]
    risk: str
    iv: float
    mean_points: float

    def __post_init__(self) -> None:
        breaches = _bin_breaches(self.bins)
        if breaches:
            raise DamagedModelError(f"scorecard, {self.feature}: {'; '.join(breaches)}; fit the scorecard again")

    @property
    def holds_categories(self) -> bool:
        """The feature is a text."""
        return any(b.kind == "categories" for b in self.bins)

    @property
    def splits(self) -> tuple[float, ...]:
        """The inner bounds of the ranges, rising."""
        return tuple(b.upper for b in self.bins if b.kind == "range" and b.upper is not None)

    @property
    def special(self) -> tuple[float, ...]:
        """The special codes, in the order of their bins."""
        return tuple(b.lower for b in self.bins if b.kind == "special" and b.lower is not None)

    def bin_index(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Position in `bins` for each row. Raises ContractError on an infinite value or a wrong type."""
        order, places = self._places(frame)
        index: npt.NDArray[np.int64] = order[places]
        return index

    def points(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Points of each row's bin."""
        points = np.empty(len(frame))
        self.of_bins(np.array([b.points for b in self.bins]), frame, points)
        return points

    def of_bins(self, values: npt.NDArray[np.float64], frame: pd.DataFrame, found: npt.NDArray[np.float64]) -> None:
        """Fills `found` with each row's value, given one value per bin; raises as `bin_index`."""
        order, places = self._places(frame)
        # The places are within bounds; "clip" spares NumPy the check and a copy.
        np.take(values[order], places, out=found, mode="clip")

    def _places(self, frame: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.integer[Any]]]:
        """Each row's place in an order of bins, and that order as positions in `bins`."""
        kinds = [b.kind for b in self.bins]
        missing = kinds.index("missing")
        if self.holds_categories:
            at = {c: i for i, b in enumerate(self.bins) for c in (b.categories or ()) if b.kind == "categories"}
            codes, texts = category_codes(frame, self.feature)
            order = np.array([*(at.get(text, kinds.index("unseen")) for text in texts), missing])
            return order, np.where(codes < 0, len(texts), codes)
        numbers = number_column(frame, self.feature)
        ranges, special = ([i for i, k in enumerate(kinds) if k == wanted] for wanted in ("range", "special"))
        places = range_of(numbers, self.splits)
        for place, code in enumerate(self.special, start=len(ranges)):
            places[numbers == code] = place
        places[np.isnan(numbers)] = len(ranges) + len(special)
        return np.array([*ranges, *special, missing]), places


@dataclass(frozen=True)
class Scorecard:
    """Points in score units: ln odds of good = ln base_odds + (sum of points − base_score) × ln 2 / pdo.

    `intercept_points` = base_score + factor × (intercept − ln base_odds) of the logistic regression on WoE. With
    `rounding` whole all points are whole numbers, and a calibration stays beside them. Raises DamagedModelError when
    they are not.
    """

    characteristics: tuple[Characteristic, ...]
    intercept_points: float
    pdo: float
    base_score: float
    base_odds: float
    rounding: Literal["exact", "whole"] = "exact"

    def __post_init__(self) -> None:
        points = [self.intercept_points, *(b.points for c in self.characteristics for b in c.bins)]
        broken = [p for p in points if not float(p).is_integer()] if self.rounding == "whole" else []
        if broken:
            raise DamagedModelError(
                f"scorecard: {len(broken)} of {len(points)} points are not whole, e.g. {broken[0]:g}; fit it again"
            )

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads, in the order in which points are added."""
        return tuple(c.feature for c in self.characteristics)

    @property
    def factor(self) -> float:
        """Points for one unit of log odds."""
        return self.pdo / math.log(2.0)

    def total_points(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Sum of points, added characteristic by characteristic, so that a row alone equals the row in a batch."""
        require_columns(frame, self.features)
        total = np.full(len(frame), self.intercept_points)
        for characteristic in self.characteristics:
            total += characteristic.points(frame)
        return total

    def log_odds(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Ln odds of good, before calibration unless the calibration is folded in; one per row of the frame."""
        return math.log(self.base_odds) + (self.total_points(frame) - self.base_score) / self.factor

    def points_by_characteristic(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Points per row and feature; with `intercept_points` they add up to the total."""
        require_columns(frame, self.features)
        return pd.DataFrame({c.feature: c.points(frame) for c in self.characteristics}, index=frame.index)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log odds of bad per feature against the development mean, then `base`; rows add up to −log_odds."""
        require_columns(frame, self.features)
        against = np.empty((len(self.characteristics) + 1, len(frame)))
        against[-1] = -self.base_log_odds
        by_bin, columns = self._contributed
        for c, values, row in zip(self.characteristics, by_bin, against, strict=False):
            c.of_bins(values, frame, row)
        return pd.DataFrame(against.T, columns=columns, index=frame.index, copy=False)

    def is_adverse(self, against: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Whether the value behind each of the `contributions`, of shape (rows, features), speaks against the customer:
        the points of its bin lie below 0 and, where bad rows were counted, it went bad more often than all rows did.

        Points alone do not tell: those of a level by segment, and those that bins have of their own, say what is left
        beside the other features. What rounding moved the contributions by is of no account.
        """
        first, further = self._turns
        found: npt.NDArray[np.bool_] = against > first
        for column, turn in further:
            found[:, column] ^= against[:, column] > turn
        return found

    @cached_property
    def _turns(self) -> tuple[npt.NDArray[np.float64], list[tuple[int, float]]]:
        """Per feature the contribution above which values are adverse (infinite: none is), and those at which that
        turns again, with the position of the feature; halfway between the contributions of two bins."""
        by_bin, _ = self._contributed
        turns = [_turns_of(c.bins, values) for c, values in zip(self.characteristics, by_bin, strict=True)]
        first = np.array([own[0] if own else np.inf for own in turns])
        return first, [(column, turn) for column, own in enumerate(turns) for turn in own[1:]]

    @cached_property
    def _contributed(self) -> tuple[list[npt.NDArray[np.float64]], pd.Index[str]]:
        """The contribution of every bin and the columns of `contributions`, made once for all batches."""
        by_bin = [(c.mean_points - np.array([b.points for b in c.bins])) / self.factor for c in self.characteristics]
        return by_bin, pd.Index([*self.features, "base"])

    @property
    def base_log_odds(self) -> float:
        """Ln odds of good of a customer with mean points everywhere."""
        total = self.intercept_points
        for characteristic in self.characteristics:
            total = total + characteristic.mean_points
        return math.log(self.base_odds) + (total - self.base_score) / self.factor

    def to_json(self) -> str:
        """JSON text that a person can read; numbers keep every digit."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Scorecard:
        """Reads `to_json`. Raises DamagedModelError when a part is missing or bins leave a gap."""
        try:
            raw: dict[str, Any] = json.loads(text)
            characteristics = tuple(
                Characteristic(**{**c, "bins": tuple(_bin(b) for b in c["bins"])}) for c in raw["characteristics"]
            )
            return cls(**{**raw, "characteristics": characteristics})
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedModelError(f"scorecard.json cannot be read ({error!r}); fit the model again") from error


def range_of(numbers: npt.NDArray[np.float64], splits: Sequence[float]) -> npt.NDArray[np.uint16]:
    """How many of the rising splits each number has reached; 0 for null.

    Counted split by split on stretches that stay in the processor's near memory: for the few splits of a card quicker
    than a binary search per number.

    >>> range_of(np.array([4.0, 5.0, np.nan, 9.0]), (5.0, 9.0)).tolist()
    [0, 1, 0, 2]
    """
    found = np.zeros(len(numbers), dtype=np.uint16)
    for start in range(0, len(numbers), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        for split in splits:
            found[rows] += numbers[rows] >= split
    return found


def fold(card: Scorecard, calibration: Calibration) -> tuple[Scorecard, Calibration]:
    """Works a straight calibration into the points, so that their sum is the score before rounding.

    calibrated = a + b × raw, so every bin's points and every coefficient are multiplied by b and the intercept moves.
    A broken line cannot be folded, and whole points would be whole no more: card and calibration come back as they are.
    """
    if card.rounding == "whole" or not calibration.is_straight or calibration.method == "identity":
        return card, calibration
    slope = calibration.segments[0][2]
    at_zero = float(calibration.log_odds(np.array([0.0]))[0])
    shift = math.log(card.base_odds)
    intercept = card.base_score + slope * (card.intercept_points - card.base_score)
    intercept += card.factor * (at_zero + slope * shift - shift)
    folded = tuple(
        replace(
            c,
            coefficient=c.coefficient * slope,
            mean_points=c.mean_points * slope,
            bins=tuple(replace(b, points=b.points * slope) for b in c.bins),
        )
        for c in card.characteristics
    )
    return replace(card, characteristics=folded, intercept_points=intercept), Calibration.identity(calibration.knots)


def _turns_of(bins: tuple[Bin, ...], contributions: npt.NDArray[np.float64]) -> list[float]:
    """Where, from the lowest contribution on, bins turn adverse and back; bins of one contribution are adverse where
    all of them are."""
    rows, bads = sum(b.count for b in bins), sum(b.bads for b in bins)
    adverse: dict[float, bool] = {}
    for b, value in zip(bins, contributions.tolist(), strict=True):
        is_above = not bads or b.bads * rows > bads * b.count
        adverse[value] = adverse.get(value, True) and b.points < 0 and is_above
    turns, before, was_adverse = list[float](), -math.inf, False
    for value in sorted(adverse):
        if adverse[value] != was_adverse:
            turns.append(before / 2 + value / 2)
        before, was_adverse = value, adverse[value]
    return turns


def _bin(raw: dict[str, Any]) -> Bin:
    return Bin(**{**raw, "categories": None if raw["categories"] is None else tuple(raw["categories"])})


def _bin_breaches(bins: tuple[Bin, ...]) -> list[str]:
    found = []
    ranges = [b for b in bins if b.kind == "range"]
    named = [c for b in bins if b.kind == "categories" for c in (b.categories or ())]
    if bool(ranges) == any(b.kind == "categories" for b in bins):
        found.append("bins must be ranges or categories, not both and not neither")
    if sum(b.kind == "missing" for b in bins) != 1:
        found.append("exactly one missing bin is needed")
    if named and sum(b.kind == "unseen" for b in bins) != 1:
        found.append("exactly one unseen bin is needed")
    if len(set(named)) != len(named):
        found.append("a category stands in two bins")
    if ranges and (ranges[0].lower is not None or ranges[-1].upper is not None):
        found.append("the outer ranges must be open")
    bounds = [(a.upper, b.lower) for a, b in itertools.pairwise(ranges)]
    if any(upper is None or upper != lower for upper, lower in bounds):
        found.append("ranges leave a gap or overlap")
    uppers = [b.upper for b in ranges[:-1] if b.upper is not None]
    if any(b <= a for a, b in itertools.pairwise(uppers)):
        found.append("ranges do not rise")
    codes = [b.lower for b in bins if b.kind == "special"]
    if codes and (not ranges or any(b.lower is None or b.lower != b.upper for b in bins if b.kind == "special")):
        found.append("a special bin stands beside ranges and holds one code (lower = upper)")
    if len(set(codes)) != len(codes):
        found.append("a special code stands in two bins")
    if not all(math.isfinite(b.points) for b in bins):
        found.append("points are not finite")
    return found
