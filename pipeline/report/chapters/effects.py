"""What each feature does to the challenger's forecasts, drawn from its SHAP values; what it owes to other features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table
from pipeline.report.drawing import chart
from pipeline.report.effect_charts import Dependence, Spread, beeswarm, dependence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.report.report_input import Effects, ReportInput
    from pipeline.report.words import Words

    Floats = NDArray[np.float64]

_SPREAD, _DEPENDENCE, _INTERACTIONS = 12, 4, 10
_PARTS = 10
# Fewer rows than this say nothing of what a feature owes to others.
_FEWEST_ROWS = 200


def effects(given: ReportInput, words: Words) -> list[Block]:
    """The beeswarm, the dependence of the strongest features, and the interactions; nothing without SHAP values."""
    told = given.effects
    if told is None or not len(told.contributions):
        return []
    ranked = heaviest(told)
    return [_beeswarm(told, ranked, given, words), *_dependences(told, ranked, given, words),
            *_interactions(told, ranked, given, words)]  # fmt: skip


def heaviest(told: Effects) -> list[str]:
    """The features by their mean absolute effect, the largest first; those without any are left out."""
    weights = told.contributions.abs().mean()
    return sorted((str(name) for name in weights.index if weights[name] > 0), key=lambda name: (-weights[name], name))


def _beeswarm(told: Effects, ranked: list[str], given: ReportInput, words: Words) -> Block:
    shown = ranked[:_SPREAD]
    rows = [
        Spread(given.titles.get(name, name), told.contributions[name].to_numpy(float), _place(told.features[name]))
        for name in shown
    ]
    text = words("booster.alt_beeswarm", leading=figures.listed(row.name for row in rows[:6]), name="")
    drawing = beeswarm(rows, words("booster.axis"), (words("booster.low_value"), words("booster.high_value")))
    return chart("beeswarm", words("booster.beeswarm_title"), words("booster.says_beeswarm", name=""), text, drawing)


def _dependences(told: Effects, ranked: list[str], given: ReportInput, words: Words) -> list[Block]:
    panels = [_panel(told, name, given) for name in ranked[:_DEPENDENCE]]
    if not panels:
        return []
    names = figures.listed(panel.name for panel in panels)
    drawing = dependence(panels, words("booster.axis"))
    text = words("booster.dependence_described", names=names)
    title, caption = words("booster.dependence_title"), words("booster.dependence_caption")
    return [chart("dependence", title, caption, text, drawing)]


def _panel(told: Effects, name: str, given: ReportInput) -> Dependence:
    numbers, levels = _numbers(told.features[name])
    return Dependence(given.titles.get(name, name), numbers, told.contributions[name].to_numpy(float), levels)


def _numbers(column: pd.Series) -> tuple[Floats, tuple[str, ...]]:
    """A feature on an axis: a category as its position in the alphabet (with the names), null as NaN."""
    if column.map(lambda value: isinstance(value, str)).any():
        levels = tuple(sorted({str(value) for value in column.dropna()}))
        at = {level: float(i) for i, level in enumerate(levels)}
        return column.map(lambda value: at[str(value)] if isinstance(value, str) else np.nan).to_numpy(float), levels
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan), ()


def _place(column: pd.Series) -> Floats:
    """The rank of each value from 0 (lowest) to 1 (highest); NaN for null and for categories, which have no order."""
    numbers, levels = _numbers(column)
    if levels:
        return np.full(len(column), np.nan)
    ranks = pd.Series(numbers).rank(pct=True)
    places: Floats = np.asarray(ranks, dtype=np.float64)
    return places


def interaction_share(effect: Floats, own: NDArray[np.int64]) -> float:
    """How much of a feature's effect its own value does not explain: variance of the effect within parts of equal value
    over its variance; 0 for a curve of one feature, null (NaN) without any effect.

    >>> round(interaction_share(np.array([1.0, 1.0, 3.0, 3.0]), np.array([0, 0, 1, 1])), 3)
    0.0
    """
    whole = float(np.var(effect))
    return float("nan") if whole == 0 else float(np.var(_within(effect, own)) / whole)


def _within(effect: Floats, parts: NDArray[np.int64]) -> Floats:
    """The effect less the mean of its part."""
    means = np.bincount(parts, weights=effect) / np.maximum(np.bincount(parts), 1)
    return np.asarray(effect - means[parts], dtype=np.float64)


def _parts(column: pd.Series, parts: int) -> NDArray[np.int64]:
    """Every row in one of so many parts by rank, nulls apart; a category by its level."""
    numbers, levels = _numbers(column)
    if levels:
        return np.where(np.isnan(numbers), len(levels), np.nan_to_num(numbers)).astype(np.int64)
    ranks = pd.Series(numbers).rank(pct=True, method="average").to_numpy(float)
    cut = np.ceil(np.nan_to_num(ranks) * parts).astype(np.int64)
    return np.where(np.isnan(numbers), parts + 1, cut)


def _interactions(told: Effects, ranked: list[str], given: ReportInput, words: Words) -> list[Block]:
    """For each strong feature how much of its effect depends on others, and on which most."""
    if len(told.contributions) < _FEWEST_ROWS:
        return []
    # Fine parts for a feature's own curve, so that its slope inside a part is not taken for an interaction.
    own = {name: _parts(told.features[name], 5 * _PARTS) for name in ranked[:_INTERACTIONS]}
    coarse = {name: _parts(told.features[name], _PARTS) for name in ranked[:_INTERACTIONS]}
    rows = []
    for name, parts_of_own in own.items():
        effect = told.contributions[name].to_numpy(float)
        rest = _within(effect, parts_of_own)
        explained = {
            other: 1 - float(np.var(_within(rest, parts)) / np.var(rest))
            for other, parts in coarse.items()
            if other != name and np.var(rest) > 0
        }
        partner = max(sorted(explained), key=lambda other: explained[other], default="")
        rows.append(
            (
                Cell(given.titles.get(name, name), note=name),
                Cell(figures.decimal(float(np.abs(effect).mean()), 3)),
                Cell(figures.share(interaction_share(effect, parts_of_own), 0)),
                Cell(given.titles.get(partner, partner) or figures.DASH, note=partner),
                Cell(figures.share(explained.get(partner), 0)),
            )
        )
    columns = (
        Column(words("selection.feature")),
        Column(words("booster.weight"), is_number=True),
        Column(words("booster.owed"), is_number=True),
        Column(words("booster.partner")),
        Column(words("booster.by_partner"), is_number=True),
    )
    note = words("booster.interactions_note", n=figures.count(len(told.contributions)))
    return [Table(words("booster.interactions_caption"), columns, tuple(rows), (note,))]
