"""Books in which nothing has moved or only the score has, for the tests of stability and of shuffled labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.sizes_book import SCALE, Known, simulated
from benchmarks.sizes_counts import NOMINAL_PSI, Counts
from benchmarks.sizes_tenures import Design
from pipeline.statistics.stability import clustered_spread, psi
from pipeline.train.committee_ground import Ground, Ledger
from pipeline.train.committee_process import shuffled_labels
from pipeline.train.committee_stability import stability_results

if TYPE_CHECKING:
    from pipeline.train.committee_result import Result

GRADES = ("mobility_upper.snapshot", "mobility_lower.snapshot", "neighbours.snapshot", "concentration.snapshot")
# The second asks whether it is beyond custom as well, without which there is no light.
SCORE, LABELS = ("psi.snapshot", "psi_lit.snapshot"), ("shuffled_labels.run",)
_BOOKS = 20
# Far enough from the other seeds that no book is used twice.
_FAR = 100_000_000
MONTHLY, TRAINING_MONTHS, LATER, BINS = 0.97, 13, 47, 10
STAYING = 0.7


@dataclass(frozen=True)
class Inputs(Known):
    """A model of three features, of which one knows the PD; its contributions are columns."""

    features: tuple[str, ...] = ("logit", "noise_1", "noise_2")

    def contributions(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The columns themselves."""
        return rows[list(self.features)]


def grades(design: Design, _: float, batch: int) -> Counts:
    """Migration and concentration of grades."""
    counts, ground = Counts(_BOOKS), simulated(Design("smallest", 20, design.rate), 0)
    for number in _numbers(batch):
        counts.add_all(unmoved_grades(ground, design, number), GRADES)
    return counts


def score(design: Design, drift: float, batch: int) -> Counts:
    """The stability index of a score that has moved by so many of its standard deviations."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        for name, is_beyond in zip(SCORE, moved_score(design, number, NOMINAL_PSI, drift), strict=True):
            counts.add(name, is_beyond)
    return counts


def labels(design: Design, _: float, batch: int) -> Counts:
    """Labels drawn from other customers."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        train, test = simulated(design, number), simulated(design, number + _FAR)
        counts.add_all([shuffled(train, test, number)], LABELS)
    return counts


def _numbers(batch: int) -> range:
    return range(batch * _BOOKS, (batch + 1) * _BOOKS)


def unmoved_grades(ground: Ground, design: Design, seed: int) -> list[Result]:
    """Mobility and concentration of grades that keep one law, log odds that wander year by year; and neighbours of
    moves that are all as likely, near or far: the null at its edge."""
    rng = np.random.default_rng([seed, 7, design.customers])
    yearly = MONTHLY**12
    level = rng.normal(size=design.customers)
    ratings = {}
    for moment in ("development", "two_years_before", "year_before", "now"):
        pd_ = 1 / (1 + np.exp(-(np.log(design.rate) + design.spread * level)))
        ratings[moment] = pd.DataFrame({"customer_id": np.arange(design.customers), "grade": SCALE.grade(pd_)})
        level = yearly * level + np.sqrt(1 - yearly**2) * rng.normal(size=design.customers)
    moving = stability_results(replace(ground, ledger=Ledger(ratings=ratings)))
    before = ratings["year_before"]
    at = SCALE.position(before["grade"]).astype(int)
    names = np.array(SCALE.names, dtype=object)
    away = (at + rng.integers(1, len(names), size=len(at))) % len(names)
    after = before.assign(grade=names[np.where(rng.random(len(at)) < STAYING, at, away)])
    flat = stability_results(replace(ground, ledger=Ledger(ratings={"year_before": before, "now": after})))
    return [one for one in moving if one.id != "neighbours"] + [one for one in flat if one.id == "neighbours"]


def moved_score(design: Design, seed: int, significance: float, drift: float) -> tuple[bool, bool]:
    """Whether the PSI exceeds its noise by customer, and whether it exceeds the custom of 0.10 as well.

    Development: thirteen months of six customers in ten; now: all, years later. A customer's score wanders, and
    all have moved by `drift` standard deviations.
    """
    rng = np.random.default_rng([seed, 9, design.customers])
    n = design.customers
    level = rng.normal(size=n)
    step = np.sqrt(1 - MONTHLY**2)
    months = []
    for _ in range(TRAINING_MONTHS):
        months.append(level[: int(0.6 * n)].copy())
        level = MONTHLY * level + step * rng.normal(size=n)
    far = MONTHLY**LATER
    now = drift + far * level + np.sqrt(1 - far**2) * rng.normal(size=n)
    early = np.concatenate(months)
    cuts = np.quantile(early, np.arange(1, BINS) / BINS)
    before, after = (np.searchsorted(cuts, x) for x in (early, now))
    clusters = np.tile(np.arange(len(months[0])), TRAINING_MONTHS), np.arange(n)
    value = psi(*(np.bincount(x, minlength=BINS) for x in (before, after)))
    noise = clustered_spread(before, after, clusters, BINS).noise(significance)
    return value > noise, value > max(noise, 0.10)


def shuffled(ground: Ground, other: Ground, seed: int) -> Result:
    """The test of shuffled labels where training and test share no customer and nothing leaks."""
    rng = np.random.default_rng([seed, 11])
    parts = {}
    for role, one in zip(("train", "test"), (ground, other), strict=True):
        rows = one.panel.rows
        logit = np.log(rows["pd"] / (1 - rows["pd"]))
        rows = rows.assign(logit=logit, noise_1=rng.normal(size=len(rows)), noise_2=rng.normal(size=len(rows)))
        named = np.array([f"{role}-{name}" for name in one.panel.clusters], dtype=object)
        parts[role] = replace(one.panel, rows=rows, clusters=named)
    parts["calibration"] = parts["train"].part(np.zeros(len(parts["train"].is_bad), dtype=bool))
    return shuffled_labels(Inputs(), replace(ground, parts={**ground.parts, **parts}))  # type: ignore[arg-type]
