"""The thin-file model: a small card of what a customer without history has, calibrated to the pool of those."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DamagedModelError
from pipeline.score.calibration import pd_of_log_odds
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    import numpy.typing as npt
    from pandas import DataFrame

    from pipeline.score.points import Scaling


@dataclass(frozen=True)
class ThinFileRule:
    """Who is thin: fewer than `min_invoices_due_12m` invoices due in 12 months, or fewer full months of history."""

    min_invoices_due_12m: int
    min_history_months: int

    def is_thin(self, invoices_due_12m: npt.ArrayLike, history_months: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """True where the rule bites; a null count or history counts as none."""
        due = np.nan_to_num(np.asarray(invoices_due_12m, dtype=np.float64))
        months = np.nan_to_num(np.asarray(history_months, dtype=np.float64))
        is_thin: npt.NDArray[np.bool_] = (due < self.min_invoices_due_12m) | (months < self.min_history_months)
        return is_thin


@dataclass(frozen=True)
class ThinFile:
    """PD of the thin pool, calibrated to its own `bads` of `customers`.

    `confidence` is the level of the bound taken (0.5: the median); `rule` is the rule the pool was drawn by. `card`
    tells the pool's customers apart by accounts, firmographics and outside events, its mean PD over the pool being
    `pd`; null where no such feature could carry one: everybody has `pd`.
    """

    pd: float
    bads: int
    customers: int
    confidence: float
    rule: ThinFileRule
    card: Scorecard | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.pd < 1.0:
            raise DamagedModelError(f"thin file: the pool's PD {self.pd} lies outside 0 to 1; fit the model again")

    @property
    def features(self) -> tuple[str, ...]:
        """What the card reads; nothing without one."""
        return self.card.features if self.card else ()

    def pd_of(self, frame: DataFrame) -> npt.NDArray[np.float64]:
        """PD as if every row were thin; the frame holds `features`."""
        if self.card is None:
            return np.full(len(frame), self.pd)
        return pd_of_log_odds(self.card.log_odds(frame))

    def points_lost(self, frame: DataFrame, scaling: Scaling) -> npt.NDArray[np.float64]:
        """Score points of shape (rows, `features`) against the development mean, below 0 what speaks against the
        customer; no column without a card.

        With the points of a customer that has mean points everywhere, `scaling.points(card.base_log_odds)`, they add up
        to the score before rounding.
        """
        if self.card is None:
            return np.empty((len(frame), 0))
        against = self.card.contributions(frame)[list(self.features)].to_numpy(dtype=np.float64)
        points: npt.NDArray[np.float64] = -against * scaling.factor
        return points

    def is_adverse(self, lost: npt.NDArray[np.float64], scaling: Scaling) -> npt.NDArray[np.bool_]:
        """Whether each value speaks against the customer (`Scorecard.is_adverse`), by its `points_lost`, of their
        shape."""
        if self.card is None:
            return np.empty(lost.shape, dtype=np.bool_)
        return self.card.is_adverse(lost * (-1.0 / scaling.factor))

    def to_json(self) -> str:
        """JSON text; numbers keep every digit."""
        told = {**asdict(self), "card": json.loads(self.card.to_json()) if self.card else None}
        return json.dumps(told, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ThinFile:
        """Reads `to_json`. Raises DamagedModelError when a part is missing."""
        try:
            raw: dict[str, Any] = json.loads(text)
            # Models written before there was a card for the pool name none.
            card = raw.get("card")
            read = Scorecard.from_json(json.dumps(card)) if card else None
            return cls(**{**raw, "rule": ThinFileRule(**raw["rule"]), "card": read})
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedModelError(f"thin_file.json cannot be read ({error!r}); fit the model again") from error
