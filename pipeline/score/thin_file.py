"""The thin-file model: one PD for the pool of customers with too little history to be told apart."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DamagedModelError

if TYPE_CHECKING:
    import numpy.typing as npt


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

    `confidence` is the level of the bound taken (0.5: the median); `rule` is the rule the pool was drawn by.
    """

    pd: float
    bads: int
    customers: int
    confidence: float
    rule: ThinFileRule

    def __post_init__(self) -> None:
        if not 0.0 < self.pd < 1.0:
            raise DamagedModelError(f"thin file: the pool's PD {self.pd} lies outside 0 to 1; fit the model again")

    def apply(self, rows: int) -> npt.NDArray[np.float64]:
        """The pool's PD for that many rows."""
        return np.full(rows, self.pd)

    def to_json(self) -> str:
        """JSON text; numbers keep every digit."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ThinFile:
        """Reads `to_json`. Raises DamagedModelError when a part is missing."""
        try:
            raw: dict[str, Any] = json.loads(text)
            return cls(**{**raw, "rule": ThinFileRule(**raw["rule"])})
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedModelError(f"thin_file.json cannot be read ({error!r}); fit the model again") from error
