"""The levels of segments as points: a characteristic of the card, so that points still add up to the score."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.score.feature_columns import category_column
from pipeline.score.scorecard import Bin, Characteristic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.score.scorecard import Scorecard
    from pipeline.train.sample import Sample

    Counts = Mapping[str, tuple[int, int]]


# A coefficient below this does not turn a shift into a weight of evidence that a person could read.
_TELLING = 0.05


def with_segment_points(card: Scorecard, feature: str, shifts: Mapping[str, float], training: Sample) -> Scorecard:
    """The card whose raw ln odds are shifted by category: factor × shift points, by a bin of each shifted category.

    A card that weighs the column already has those categories cut out of its bins; another gets the column as its last
    characteristic, of coefficient 1 and with the shifts as weights of evidence. Counts are those of the training rows.
    The shifts of a card in whole points must be whole points.
    """
    counts = _counts(training, feature)
    held = next((c for c in card.characteristics if c.feature == feature), None)
    bins = (
        [Bin("no value", "missing", 0.0, 0.0), Bin("any other", "unseen", 0.0, 0.0)] if held is None else [*held.bins]
    )
    coefficient = 1.0 if held is None else held.coefficient
    bins = _cut(bins, shifts, card.factor, coefficient, is_whole=card.rounding == "whole")
    bins = [_counted(b, bins, counts) for b in bins]
    rows = sum(b.count for b in bins) or 1
    mean = math.fsum(b.points * b.count for b in bins) / rows
    if held is None:
        added = Characteristic(feature, coefficient, tuple(bins), "either", _information(bins), mean)
        return replace(card, characteristics=(*card.characteristics, added))
    mine = replace(held, bins=tuple(bins), mean_points=mean, iv=_information(bins))
    return replace(card, characteristics=tuple(mine if c is held else c for c in card.characteristics))


def _cut(
    bins: list[Bin], shifts: Mapping[str, float], factor: float, coefficient: float, *, is_whole: bool
) -> list[Bin]:
    """The bins with one of its own for each shifted category, which keeps what it had and adds its shift."""
    before = {name: b for b in bins if b.kind == "categories" for name in b.categories or ()}
    other = next(b for b in bins if b.kind == "unseen")
    own = []
    for name, shift in shifts.items():
        from_bin = before.get(name, other)
        points = from_bin.points + factor * shift
        # Points of the bins' own hang on the coefficient no longer, and it may be nothing.
        woe = from_bin.woe + (shift / coefficient if coefficient > _TELLING else shift)
        own.append(
            Bin(
                f"{name} (level of its own)",
                "categories",
                woe,
                math.floor(points + 0.5) + 0.0 if is_whole else points,
                categories=(name,),
            )
        )
    kept = []
    for b in bins:
        left = tuple(name for name in b.categories or () if name not in shifts)
        if b.kind != "categories":
            kept.append(b)
        elif left:
            kept.append(replace(b, label=", ".join(left), categories=left))
    return [*own, *kept]


def _counts(training: Sample, feature: str) -> dict[str | None, tuple[int, int]]:
    """Rows and bad rows by category; null under None."""
    values, is_null = category_column(training.rows, feature)
    found: dict[str | None, tuple[int, int]] = {}
    for value, null, bad in zip(values, is_null, training.is_bad, strict=True):
        key = None if null else str(value)
        rows, bads = found.get(key, (0, 0))
        found[key] = (rows + 1, bads + int(bad))
    return found


def _counted(b: Bin, bins: list[Bin], counts: Mapping[str | None, tuple[int, int]]) -> Bin:
    named = {name for other in bins for name in other.categories or ()}
    if b.kind == "missing":
        keys: set[str | None] = {None}
    elif b.kind == "unseen":
        keys = {key for key in counts if key is not None and key not in named}
    else:
        keys = set(b.categories or ())
    held = [counts[key] for key in keys if key in counts]
    return replace(b, count=sum(rows for rows, _ in held), bads=sum(bads for _, bads in held))


def _information(bins: list[Bin]) -> float:
    """Σ (share of goods − share of bads) · ln of their ratio, over bins that hold both; nothing to tell apart: 0."""
    goods, bads = sum(b.count - b.bads for b in bins), sum(b.bads for b in bins)
    shares = [((b.count - b.bads) / goods, b.bads / bads) for b in bins if 0 < b.bads < b.count]
    return math.fsum((good - bad) * math.log(good / bad) for good, bad in shares)
