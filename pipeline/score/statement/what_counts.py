"""What counts for and against one customer, as far as it may be said to the customer itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Tells
from pipeline.score.reasons import points_told
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
    idea count together and adverse values alone cost points, as in the reasons (score/reasons.py); nor does an adverse
    value bring any. What is told from other customers is left out, and what the catalogue no longer has; what a third
    party told in confidence is named without its value.
    """
    names = list(model.features)
    points = np.array([[lost[name] for name in names]])
    is_adverse = model.is_adverse(pd.DataFrame({name: [row[name]] for name in names}))
    brought = -points_told(-points, None if is_adverse is None else ~is_adverse)
    against = _counted(model, row, dict(zip(names, points_told(points, is_adverse)[0].tolist(), strict=True)))
    in_favour = _counted(model, row, dict(zip(names, brought[0].tolist(), strict=True)))
    return (
        tuple(sorted((c for c in against if c.points < 0), key=lambda c: c.points)[:MOST]),
        tuple(sorted((c for c in in_favour if c.points > 0), key=lambda c: -c.points)[:MOST]),
    )


def _counted(model: Model, row: Mapping[str, Any], told: Mapping[str, float]) -> list[Counted]:
    """The ideas that may be told, in the order of features."""
    ideas: dict[str, list[str]] = {}
    for name in told:
        ideas.setdefault(str(model.catalogue_by_name[name]["idea"]), []).append(name)
    return [
        _idea(model, row, {name: told[name] for name in names}, idea)
        for idea, names in ideas.items()
        if all(_TELLS.get(name, Tells.NOTHING) is not Tells.NOTHING for name in names)
    ]


def _idea(model: Model, row: Mapping[str, Any], told: Mapping[str, float], idea: str) -> Counted:
    points = int(np.floor(sum(told.values()) + 0.5))
    teller = (min if points < 0 else max)(told, key=lambda name: told[name])
    entry = model.catalogue_by_name[teller]
    if _TELLS[teller] is Tells.TITLE:
        return Counted(idea, points, str(entry["title_en"]), str(entry["title_zh"]))
    return Counted(idea, points, sentence(entry, row[teller], "en"), sentence(entry, row[teller], "zh"))
