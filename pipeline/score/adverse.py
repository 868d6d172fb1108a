"""Which values of a booster's features speak against a customer: its training sample went bad more often there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DamagedModelError
from pipeline.score.feature_columns import category_codes, number_column
from pipeline.score.scorecard import range_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cell:
    """Values that are judged alike: rows and bad rows of the training sample, and whether they are adverse."""

    rows: int
    bads: int
    is_adverse: bool


@dataclass(frozen=True)
class AdverseFeature:
    """The cells of one feature: of a number one more than its rising `splits` (lower <= value < upper), of a text one
    for each of `categories` (null for a number); beside them those of the special codes and of null.

    A category that the training sample did not have is not adverse: nothing is known of it. Raises DamagedModelError
    when cells and splits or categories do not fit each other.
    """

    cells: tuple[Cell, ...]
    missing: Cell
    splits: tuple[float, ...] = ()
    special: tuple[tuple[float, Cell], ...] = ()
    categories: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        needed = len(self.splits) + 1 if self.categories is None else len(self.categories)
        if len(self.cells) != needed or any(a >= b for a, b in zip(self.splits, self.splits[1:], strict=False)):
            raise DamagedModelError(
                f"adverse.json: a feature has {len(self.cells)} cells where {needed} are due, or splits that do not "
                "rise; fit the model again"
            )

    def of(self, frame: pd.DataFrame, name: str) -> Mask:
        """Whether each row's value is adverse. Raises ContractError on an infinite value or a wrong type."""
        flags = [cell.is_adverse for cell in self.cells]
        if self.categories is not None:
            codes, texts = category_codes(frame, name)
            at = dict(zip(self.categories, flags, strict=True))
            told: Mask = np.array([*(at.get(text, False) for text in texts), self.missing.is_adverse])[codes]
            return told
        values = number_column(frame, name)
        found: Mask = np.array(flags)[range_of(values, self.splits)]
        for code, cell in self.special:
            found[values == code] = cell.is_adverse
        found[np.isnan(values)] = self.missing.is_adverse
        return found


@dataclass(frozen=True)
class AdverseValues:
    """`bad_rate` is that of the training sample, which adverse values lie above; `features` are those of the model."""

    bad_rate: float
    features: Mapping[str, AdverseFeature]

    def of(self, frame: pd.DataFrame, names: Sequence[str]) -> Mask:
        """Whether a value is adverse, of shape (rows, names); errors as of one feature."""
        found = np.empty((len(names), len(frame)), dtype=bool)
        for row, name in zip(found, names, strict=True):
            row[:] = self.features[name].of(frame, name)
        return found.T

    def to_json(self) -> str:
        """JSON text that a person can read; numbers keep every digit."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> AdverseValues:
        """Reads `to_json`. Raises DamagedModelError when a part is missing or does not fit the rest."""
        try:
            raw: dict[str, Any] = json.loads(text)
            return cls(float(raw["bad_rate"]), {str(name): _feature(of) for name, of in raw["features"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedModelError(f"adverse.json cannot be read ({error!r}); fit the model again") from error


def _feature(raw: Mapping[str, Any]) -> AdverseFeature:
    return AdverseFeature(
        cells=tuple(Cell(**cell) for cell in raw["cells"]),
        missing=Cell(**raw["missing"]),
        splits=tuple(map(float, raw["splits"])),
        special=tuple((float(code), Cell(**cell)) for code, cell in raw["special"]),
        categories=None if raw["categories"] is None else tuple(map(str, raw["categories"])),
    )
