"""What counts for and against one customer, as far as it may be said to the customer itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Tells
from pipeline.score.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.score.model import Model

MOST = 3
_TELLS = {feature.name: feature.tells for feature in FEATURES}


@dataclass(frozen=True)
class Counted:
    """One idea and the whole score points it brings against the development mean; its sentence in both languages."""

    idea: str
    points: int
    en: str
    zh: str


def what_counts(model: Model, row: Mapping[str, Any], lost: Mapping[str, float]) -> tuple[tuple[Counted, ...], ...]:
    """Up to three ideas against the customer, the gravest first, and up to three for it.

    `row` holds the features of one customer, `lost` the points of each (negative speaks against it). Windows of one
    idea count together, as in the reasons (score/reasons.py). What is told from other customers is left out, and what
    the catalogue no longer has; what a third party told in confidence is named without its value.
    """
    ideas: dict[str, list[str]] = {}
    for name in model.features:
        ideas.setdefault(str(model.catalogue_by_name[name]["idea"]), []).append(name)
    found = [
        counted
        for idea, names in ideas.items()
        if (counted := _counted(model, row, lost, idea, names)) is not None and counted.points
    ]
    against = sorted((c for c in found if c.points < 0), key=lambda c: c.points)
    in_favour = sorted((c for c in found if c.points > 0), key=lambda c: -c.points)
    return tuple(against[:MOST]), tuple(in_favour[:MOST])


def _counted(
    model: Model, row: Mapping[str, Any], lost: Mapping[str, float], idea: str, names: list[str]
) -> Counted | None:
    if any(_TELLS.get(name, Tells.NOTHING) is Tells.NOTHING for name in names):
        return None
    points = int(np.floor(sum(lost[name] for name in names) + 0.5))
    teller = (min if points < 0 else max)(names, key=lambda name: lost[name])
    entry = model.catalogue_by_name[teller]
    if _TELLS[teller] is Tells.TITLE:
        return Counted(idea, points, str(entry["title_en"]), str(entry["title_zh"]))
    return Counted(idea, points, sentence(entry, row[teller], "en"), sentence(entry, row[teller], "zh"))
