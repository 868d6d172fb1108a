"""Points set by people: the sections of policy/expert_card.yaml, what may be wrong in them, and the card they give."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from pipeline.errors import ParameterError
from pipeline.score.feature_columns import codes_of
from pipeline.score.policy_sections import Source  # noqa: TC001 - the reader resolves the hints
from pipeline.score.scorecard import Bin, Characteristic, Scorecard
from pipeline.train.selection import serves_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pipeline.params import ScorecardParams

Item = TypeVar("Item")


@dataclass(frozen=True)
class ExpertBin:
    """A range up to, and not with, `below` (null: everything above), or a list of categories; with its points."""

    points: float
    below: float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpertCharacteristic:
    """A feature's bins in rising order, the points of a missing value and (categories) of any other; and why."""

    feature: str
    reason: str
    missing: float
    bins: tuple[ExpertBin, ...]
    other: float | None = None


@dataclass(frozen=True)
class CentralTendency:
    """What the mean PD of the book is set to: a rate with its source, or the upper bound of the book's own rate.

    `confidence` is the one-sided level of the Jeffreys bound.
    """

    kind: Literal["given", "upper_bound"]
    rate: float | None = None
    source: str | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class ExpertCardSection:
    """policy/expert_card.yaml."""

    valid_from: dt.date
    owner: str
    sources: tuple[Source, ...]
    central_tendency: CentralTendency
    characteristics: tuple[ExpertCharacteristic, ...]


def features_of(section: ExpertCardSection) -> set[str]:
    """The features of a section, as far as it can be read."""
    return {c.feature for c in _readable(section)}


def require_sound(
    section: ExpertCardSection,
    catalogue: Sequence[Mapping[str, Any]],
    origin: str,
    never_use: Sequence[str] = (),
    *,
    told: Sequence[str] = (),
    known_to: dt.date | None = None,
) -> None:
    """Raises ParameterError naming every breach: features unknown or never to be used, bins that leave gaps, points
    against a direction, and a card that is not valid yet on `known_to`, the last day of the data (null: not known).

    `told` are the breaches of the file's form. What it left null or of a wrong type is not judged again; the rest is.
    """
    entries = {str(f["name"]): f for f in catalogue}
    characteristics = _readable(section)
    breaches = [*told, *_of_head(section, known_to)]
    names = [c.feature for c in characteristics]
    breaches += [
        f"characteristics: {n!r} stands there {names.count(n)} times" for n in sorted(set(names)) if names.count(n) > 1
    ]
    breaches += [f"characteristics.{n}: stands on fit_scorecard.never_use" for n in sorted(set(names) & set(never_use))]
    for characteristic in characteristics:
        path = f"characteristics.{characteristic.feature}"
        entry = entries.get(characteristic.feature)
        if entry is None:
            breaches.append(f"{path}: no feature of the catalogue")
        else:
            breaches += [f"{path}: {told}" for told in _of_characteristic(characteristic, entry)]
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"{origin}: {len(breaches)} breach(es):\n{listed}\nCorrect them (docs/expert-card.md), or set "
            "fit_scorecard.expert.below_bad_customers to 0 to do without an expert card."
        )


def _readable(section: ExpertCardSection) -> tuple[ExpertCharacteristic, ...]:
    """The characteristics with a name, each with what are bins and texts: a file may hold anything in their place."""
    return tuple(
        replace(c, bins=tuple(_with_texts(b) for b in _items(c.bins, ExpertBin)))
        for c in _items(getattr(section, "characteristics", None), ExpertCharacteristic)
        if isinstance(c.feature, str)
    )


def _with_texts(told: ExpertBin) -> ExpertBin:
    return replace(told, categories=_items(told.categories, str))


def _items(raw: object, kind: type[Item]) -> tuple[Item, ...]:
    return tuple(item for item in raw if isinstance(item, kind)) if isinstance(raw, tuple) else ()


def _of_head(section: ExpertCardSection, known_to: dt.date | None) -> list[str]:
    if not isinstance(section, ExpertCardSection):
        return []
    found = ["characteristics: none is told"] if section.characteristics == () else []
    found += ["sources: none is told"] if section.sources == () else []
    day = section.valid_from
    if known_to is not None and isinstance(day, dt.date) and day > known_to:
        found.append(
            f"valid_from: {day} lies after {known_to}, the last day of the data: the card is not valid yet; hand in "
            "later data or date it by the day from which it was decided"
        )
    if isinstance(section.central_tendency, CentralTendency):
        found += _of_tendency(section.central_tendency)
    return found


def _of_tendency(told: CentralTendency) -> list[str]:
    found = []
    if told.kind == "given":
        if told.rate is None or not 0 < told.rate < 1:
            found.append(f"central_tendency.rate: expected a default rate between 0 and 1, found {told.rate}")
        if not (told.source or "").strip():
            found.append("central_tendency.source: say in words where the rate comes from")
    elif told.kind == "upper_bound" and (told.confidence is None or not 0.5 <= told.confidence < 1):
        found.append(f"central_tendency.confidence: expected a level from 0.5 to below 1, found {told.confidence}")
    return found


def _of_characteristic(told: ExpertCharacteristic, entry: Mapping[str, Any]) -> list[str]:
    found = ["reason: say in words why"] if isinstance(told.reason, str) and not told.reason.strip() else []
    if not serves_models(entry):
        found.append("serves people alone, no model may use it")
    if not told.bins:
        return [*found, "bins: none is told"]
    return found + (_of_lists(told) if entry["holds"] == "category" else _of_ranges(told, str(entry["risk"])))


def _of_lists(told: ExpertCharacteristic) -> list[str]:
    names = [name for b in told.bins for name in b.categories]
    found = [
        f"bins: {name!r} stands in {names.count(name)} lists" for name in sorted(set(names)) if names.count(name) > 1
    ]
    if any(b.below is not None or not b.categories for b in told.bins):
        found.append("bins: the feature holds texts; each bin needs categories and no below")
    if told.other is None:
        found.append("other: give the points of a category that no list names")
    return found


def _of_ranges(told: ExpertCharacteristic, risk: str) -> list[str]:
    found = []
    if any(b.categories for b in told.bins) or told.other is not None:
        found.append("bins: the feature holds numbers; give below, and neither categories nor other")
    inner, last = [b.below for b in told.bins[:-1]], told.bins[-1].below
    if last is not None or any(bound is None for bound in inner):
        found.append("bins: each bin but the last needs below, and the last has none")
    bounds = [bound for bound in inner if bound is not None]
    if any(high <= low for low, high in itertools.pairwise(bounds)):
        found.append(f"bins: below must rise, found {', '.join(f'{b:g}' for b in bounds)}")
    # Points without end are against a direction like others; a text has none.
    points = [b.points for b in told.bins if isinstance(b.points, int | float)]
    steps = [b - a for a, b in itertools.pairwise(points)]
    if (risk == "rises" and any(s > 0 for s in steps)) or (risk == "falls" and any(s < 0 for s in steps)):
        move = "rise" if risk == "rises" else "fall"
        found.append(f"bins: risk {risk} with the value, so points must not {move} with it")
    return found


def expert_scorecard(
    section: ExpertCardSection, rows: pd.DataFrame, catalogue: Sequence[Mapping[str, Any]], settings: ScorecardParams
) -> Scorecard:
    """The card of the section with the base score as its start value; counts and mean points are those of the rows.

    A bin's `woe` is what its points claim: points / factor. No outcome enters. A special code in the place of a number
    takes the points of a missing value.
    """
    factor = settings.pdo / math.log(2.0)
    entries = {str(f["name"]): f for f in catalogue}
    characteristics = []
    for told in section.characteristics:
        entry = entries[told.feature]
        shells = _list_bins(told) if entry["holds"] == "category" else _range_bins(told, entry)
        plain = Characteristic(
            told.feature, 1.0, tuple(replace(b, woe=b.points / factor) for b in shells), str(entry["risk"]), 0.0, 0.0
        )
        index = plain.bin_index(rows)
        counts = np.bincount(index, minlength=len(plain.bins)).tolist()
        bins = tuple(replace(b, count=int(n)) for b, n in zip(plain.bins, counts, strict=True))
        mean = math.fsum(b.points * b.count for b in bins) / max(len(index), 1)
        characteristics.append(replace(plain, bins=bins, mean_points=mean))
    start = float(settings.base_score)
    points = [start, *(b.points for c in characteristics for b in c.bins)]
    return Scorecard(
        tuple(characteristics),
        start,
        settings.pdo,
        settings.base_score,
        settings.base_odds,
        "whole" if all(p.is_integer() for p in points) else "exact",
    )


def _range_bins(told: ExpertCharacteristic, entry: Mapping[str, Any]) -> list[Bin]:
    bounds = [None, *(b.below for b in told.bins)]
    bins = [
        Bin(_label(low, high), "range", 0.0, b.points, lower=low, upper=high)
        for b, (low, high) in zip(told.bins, itertools.pairwise(bounds), strict=True)
    ]
    codes = [Bin(f"code {code:g}", "special", 0.0, told.missing, lower=code, upper=code) for code in codes_of(entry)]
    return [*bins, *codes, Bin("no value", "missing", 0.0, told.missing)]


def _list_bins(told: ExpertCharacteristic) -> list[Bin]:
    bins = [Bin(", ".join(b.categories), "categories", 0.0, b.points, categories=b.categories) for b in told.bins]
    return [
        *bins,
        Bin("no value", "missing", 0.0, told.missing),
        Bin("any other", "unseen", 0.0, float(told.other or 0)),
    ]


def _label(low: float | None, high: float | None) -> str:
    if low is None:
        return "any value" if high is None else f"below {high:g}"
    return f"{low:g} or more" if high is None else f"{low:g} to below {high:g}"
