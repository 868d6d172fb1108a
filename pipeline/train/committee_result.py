"""What one validation test says: a figure with its doubt, its light, and what it could have shown at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.params import Bounds

Light = Literal["green", "amber", "red", "grey"]
Basis = Literal["cohort", "panel", "years", "snapshot", "run", "published"]
GROUPS = ("discrimination", "calibration", "stability", "process", "benchmark", "monitoring")
LIGHTS: tuple[Light, ...] = ("red", "amber", "grey", "green")


@dataclass(frozen=True)
class Result:
    """One test of one subject.

    `model` is a role, or empty where the test is of the book. `part` names a division or a rival where the test is of
    one. `basis` tells the rows: `cohort` one year's, one row a customer; `years` several such, not overlapping; `panel`
    all month ends, with errors by customer; `snapshot` a day's book; `run` this run; `published` runs that were scored
    and watched. `is_independent` says whether the test's assumption that rows are independent holds; null where it
    makes none. `value` is held against `against`; where that is an estimate, too, `against_of` tells its interval and
    counts (low, high, rows, customers, bads), else it is empty. `threshold` is the bound of amber. `shown` is the
    smallest deviation that these rows would have shown, in `unit`: `auc`, `order` (an AUC above one half), `factor` on
    the PD, `slope`, `psi`, `gini`, `distance`, or a number of `columns`; `shown_part` is the grade, year or part of a
    division it is of where each was tested. `is_blind` where it is too large to matter, above `blind_above`. `why` is
    the code of the reason of a grey light; `prudent` on a green one: the PD is too high; `undecided` on an amber and
    `not_better` on a green comparison: zero lies within the interval. `details` are rows of the same test by grade,
    part, feature or year, of plain values.
    """

    id: str
    group: str
    light: Light
    basis: Basis
    model: str = ""
    part: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    against: float | None = None
    p_value: float | None = None
    threshold: float | None = None
    rows: int | None = None
    customers: int | None = None
    bads: int | None = None
    is_independent: bool | None = None
    shown: float | None = None
    shown_part: str = ""
    unit: str = ""
    blind_above: float | None = None
    is_blind: bool | None = None
    why: str = ""
    against_of: Mapping[str, Any] = field(default_factory=dict)
    details: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN and infinity are null."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def of_p_value(p_value: float | None, bounds: Bounds) -> Light:
    """Red and amber below their bounds; grey without a p-value."""
    if p_value is None or not np.isfinite(p_value):
        return "grey"
    return "red" if p_value < bounds.red else "amber" if p_value < bounds.amber else "green"


def of_value(value: float | None, bounds: Bounds) -> Light:
    """Red and amber above their bounds; grey without a value."""
    if value is None or not np.isfinite(value):
        return "grey"
    return "red" if value > bounds.red else "amber" if value > bounds.amber else "green"


def unless_blind(light: Light, is_blind: bool) -> tuple[Light, str]:  # noqa: FBT001 - one fact of the test
    """A test that found nothing and could have found nothing is grey; what it did find stands."""
    return ("grey", "blind") if light == "green" and is_blind else (light, "")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
