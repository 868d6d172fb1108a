"""The master scale: PD to grade, grade to segment. Boundaries are set by people in policy, never fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

DEFAULT_GRADE = "D"
SEGMENTS = ("low", "medium", "high")


@dataclass(frozen=True)
class Grade:
    """One grade: lower <= PD < upper; `pd` is its representative (the geometric middle, or as policy says)."""

    name: str
    lower: float
    upper: float
    pd: float
    segment: str


@dataclass(frozen=True)
class MasterScale:
    """Grades from best to worst; `D` (segment `default`) is given by the default definition, not by a PD."""

    grades: tuple[Grade, ...]

    @classmethod
    def load(cls, section: dict[str, Any]) -> MasterScale:
        """Builds the scale from policy/master_scale.yaml. Raises ParameterError naming every breach."""
        listed = section["grades"]
        uppers = [float(g["pd_below"]) for g in listed]
        lowers = [0.0, *uppers[:-1]]
        breaches = [
            f"master_scale.grades: {g['grade']} ends at {upper:g}, which is not above {lower:g}"
            for g, lower, upper in zip(listed, lowers, uppers, strict=True)
            if not lower < upper
        ]
        if uppers and uppers[-1] != 1.0:
            breaches.append(f"master_scale.grades: the last grade must reach 1, it ends at {uppers[-1]:g}")
        names = [str(g["grade"]) for g in listed]
        if len(set(names)) != len(names) or DEFAULT_GRADE in names:
            breaches.append("master_scale.grades: names must differ, and D is kept for default")
        ranks = [SEGMENTS.index(g["segment"]) for g in listed]
        if ranks != sorted(ranks):
            breaches.append("master_scale.grades: segments must go from low over medium to high")
        breaches += [
            f"master_scale.grades: the representative PD {float(g['pd']):g} of {g['grade']} lies outside the grade"
            for g, lower, upper in zip(listed, lowers, uppers, strict=True)
            if not lower <= float(g["pd"]) < upper
        ]
        if breaches:
            raise ParameterError("policy: " + "; ".join(breaches) + "; correct master_scale.yaml")
        return cls(
            tuple(
                Grade(str(g["grade"]), lower, upper, float(g["pd"]), str(g["segment"]))
                for g, lower, upper in zip(listed, lowers, uppers, strict=True)
            )
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Grades from best to worst, without `D`."""
        return tuple(g.name for g in self.grades)

    @property
    def names_with_default(self) -> tuple[str, ...]:
        """Grades from best to worst, then `D`; a grade's position here counts notches."""
        return (*self.names, DEFAULT_GRADE)

    @property
    def midpoints(self) -> dict[str, float]:
        """Representative PD by grade; 1 for `D`."""
        return {**{g.name: g.pd for g in self.grades}, DEFAULT_GRADE: 1.0}

    def grade(self, pd: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Grade of each PD; a PD on a boundary belongs to the worse grade; null (NaN) has no grade (None)."""
        value = np.asarray(pd, dtype=np.float64)
        inner = np.array([g.upper for g in self.grades[:-1]])
        names = np.array(self.names, dtype=object)
        graded: npt.NDArray[np.object_] = names[np.searchsorted(inner, value, side="right").clip(0, len(names) - 1)]
        graded[np.isnan(value)] = None
        return graded

    def segment(self, grade: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Segment of each grade; null has none (None). Raises ParameterError on a grade the scale does not have."""
        asked = np.asarray(grade, dtype=object)
        flat = asked.ravel()
        places = _places(self.names_with_default, flat)
        unknown = sorted({str(name) for name in flat[places < 0] if name is not None})
        if unknown:
            raise ParameterError(f"master scale: no grade {unknown[0]!r}; it has {', '.join(self.names_with_default)}")
        segments = np.array([*(g.segment for g in self.grades), "default", None], dtype=object)
        return segments[places].reshape(asked.shape)

    def position(self, grade: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Notch of each grade, 0 for the best; NaN for null or a grade the scale does not have."""
        names = self.names_with_default
        # What the scale does not have is told as -1: the null at the end.
        return np.array([*range(len(names)), np.nan])[_places(names, np.asarray(grade, dtype=object))]


def _places(names: Sequence[str], asked: npt.NDArray[np.object_]) -> npt.NDArray[np.intp]:
    """Where each of those asked for stands among the names; -1 where it does not."""
    places: npt.NDArray[np.intp] = pd.Index(np.array(names, dtype=object)).get_indexer(pd.Index(asked))
    return places
