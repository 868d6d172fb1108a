"""Rows that stand on both sides of the split: the same customers, or the same row under another name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.score.feature_columns import category_column, number_column
from pipeline.train.leaks_ground import Finding, per_cent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.train.leaks_ground import Column, Ground

    Keys = NDArray[np.uint64]

_HELD_OUT = ("calibration", "test")
_SHOWN = 3


@dataclass(frozen=True)
class Trait:
    """What the comparison of rows needs to know of a column: its most common value and how much it can tell apart.

    `is_shared`: all rows of a day hold the same value (a market index), so that it tells days, not rows.
    """

    name: str
    is_category: bool
    values: int
    usual: Any
    is_shared: bool


@dataclass(frozen=True)
class _Fingerprints:
    """Two halves of every row as numbers: equal rows have equal numbers. `is_rich`: enough in either half to be told
    apart by."""

    first: Keys
    second: Keys
    is_rich: NDArray[np.bool_]

    @property
    def whole(self) -> Keys:
        return _mixed(self.first) + self.second


def trait_of(column: Column, ground: Ground) -> Trait:
    """The trait of a column over the labelled rows."""
    first = ground.first_of_day
    is_shared = bool(first[-1]) and bool((column.position == column.position[first]).all())
    usual = column.distinct[int(np.argmax(column.counts))] if len(column.distinct) else None
    return Trait(column.name, column.is_category, len(column.distinct), usual, is_shared)


def overlap_findings(ground: Ground) -> list[Finding]:
    """Customers and groups with rows in more than one role: there may be none."""
    findings = []
    for name in ("customer_id", "group_key"):
        keys = ground.sample.rows[name].to_numpy(dtype=str)
        roles = [np.unique(keys[ground.roles == role]) for role in ("train", *_HELD_OUT)]
        both = np.union1d(np.intersect1d(roles[0], np.union1d(*roles[1:])), np.intersect1d(roles[1], roles[2]))
        if not len(both):
            continue
        rows = int(np.isin(keys, both).sum())
        told = (
            f"{len(both):,} value(s) of {name} with {rows:,} rows stand in more than one of training, calibration and "
            "test"
        )
        remedy = "make one customer one group_key, so that the split keeps it together"
        numbers = {"key": name, "keys": len(both), "rows": rows}
        findings.append(Finding("overlap", None, "refuse", told, remedy, numbers, tuple(map(str, both[:_SHOWN]))))
    return findings


def twin_findings(traits: Sequence[Trait], ground: Ground) -> list[Finding]:
    """Held-out rows that equal a training row of another customer in every feature, beyond what chance explains.

    Chance is judged by the near misses. Two rows that agree because features are coarse agree more often in one half of
    the features than in both; copies agree in both or in none. So of the rows with a twin as many are put down to
    chance as agree in one half only (the smaller of the two counts: two coincidences must meet).
    """
    prints = _fingerprints(traits, ground)
    is_train = (ground.roles == "train") & prints.is_rich
    is_held = np.isin(ground.roles, _HELD_OUT)
    is_rich = is_held & prints.is_rich
    is_twin = is_rich & np.isin(prints.whole, prints.whole[is_train])
    twins, held = int(is_twin.sum()), int(is_held.sum())
    if not twins:
        return []
    near = [int((is_rich & ~is_twin & np.isin(half, half[is_train])).sum()) for half in (prints.first, prints.second)]
    excess = max(twins - min(near), 0)
    settings = ground.settings
    if excess < settings.warn_twin_share * held:
        return []
    verdict = "refuse" if excess >= settings.refuse_twin_share * held else "warn"
    whole, train, rows = prints.whole, np.flatnonzero(is_train), np.flatnonzero(is_twin)
    order = train[np.argsort(whole[train], kind="stable")]
    partners = order[np.searchsorted(whole[order], whole[rows])]
    numbers = {
        "twins": twins, "held_out": held, "by_chance": min(near), "share": excess / held,
        "opposite": int((ground.sample.is_bad[rows] != ground.sample.is_bad[partners]).sum()),
        "within_training": _twins_inside(whole[train], ground.sample.codes[train]),
    }  # fmt: skip
    keys = [f"{ground.key(int(a))} = {ground.key(int(b))}" for a, b in zip(rows, partners, strict=True)]
    remedy = "drop the copies, or give rows of one origin one group_key"
    return [Finding("identical_rows", None, verdict, _twins_told(numbers), remedy, numbers, tuple(keys[:_SHOWN]))]


def _twins_told(numbers: Mapping[str, Any]) -> str:
    return (
        f"{numbers['twins']:,} of {numbers['held_out']:,} held-out rows "
        f"({per_cent(numbers['twins'] / numbers['held_out'])}) equal a training row of another customer in every "
        f"feature, {numbers['opposite']:,} of them with the opposite outcome; {numbers['by_chance']:,} may be chance, "
        f"by the rows that agree in half of the features only; within training {numbers['within_training']:,} rows "
        "have such a twin"
    )


def _twins_inside(keys: Keys, clusters: NDArray[np.int64]) -> int:
    """Rows with an equal row of another cluster."""
    _, key = np.unique(keys, return_inverse=True)
    pairs = np.unique(np.column_stack([key, clusters]), axis=0)
    return int((np.bincount(pairs[:, 0])[key] > 1).sum()) if len(key) else 0


def _fingerprints(traits: Sequence[Trait], ground: Ground) -> _Fingerprints:
    """Columns take turns by how many values they have, so that either half can tell rows apart as well as the other."""
    told = sorted((t for t in traits if t.values > 1 and not t.is_shared), key=lambda t: (-t.values, t.name))
    rows = len(ground.sample.is_bad)
    halves = [np.zeros(rows, dtype=np.uint64), np.zeros(rows, dtype=np.uint64)]
    values = [np.zeros(rows, dtype=np.int32), np.zeros(rows, dtype=np.int32)]
    for i, trait in enumerate(told):
        bits, is_unusual = _bits(trait, ground)
        halves[i % 2] += _mixed(bits ^ _mixed(np.array([i + 1], dtype=np.uint64)))
        values[i % 2] += is_unusual
    fewest = ground.settings.fewest_values
    is_rich = (values[0] + values[1] >= fewest) & (np.minimum(*values) >= fewest // 2)
    return _Fingerprints(halves[0], halves[1], is_rich)


def _bits(trait: Trait, ground: Ground) -> tuple[Keys, NDArray[np.bool_]]:
    rows = ground.sample.rows
    if trait.is_category:
        texts, is_null = category_column(rows, trait.name)
        codes = pd.factorize(texts, sort=True)[0]
        return (codes + 1).astype(np.uint64), ~is_null & (texts != trait.usual)
    values = number_column(rows, trait.name) + 0.0
    values[np.isnan(values)] = np.nan
    return values.view(np.uint64), ~np.isnan(values) & (values != trait.usual)


def _mixed(keys: Keys) -> Keys:
    """Spreads every bit over all 64 and differently by position (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
