"""Books in which nothing has moved, for the tests of stability, of shuffled labels and of two equally good scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.sizes_book import SCALE, Known, simulated
from benchmarks.sizes_counts import NOMINAL_PSI, Counts
from benchmarks.sizes_tenures import Design
from pipeline.statistics.paired import paired_gini
from pipeline.statistics.stability import clustered_spread, psi
from pipeline.train.committee_ground import Ground, Ledger
from pipeline.train.committee_process import shuffled_labels
from pipeline.train.committee_stability import stability_results
from pipeline.train.measures import draws_of

if TYPE_CHECKING:
    from pipeline.train.committee_result import Result

GRADES = ("mobility_upper.snapshot", "mobility_lower.snapshot", "neighbours.snapshot", "concentration.snapshot")
SCORE, LABELS, RIVAL = ("psi.snapshot",), ("shuffled_labels.run",), ("rival.panel",)
# Beyond custom as well, without which there is no light.
LIT = "psi_lit.snapshot"
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


def score(design: Design, _: float, batch: int) -> Counts:
    """The stability index of the score."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        is_beyond_noise, is_lit = unmoved_score(design, number, NOMINAL_PSI)
        counts.add(*SCORE, is_beyond_noise)
        counts.add(LIT, is_lit)
    return counts


def labels(design: Design, _: float, batch: int) -> Counts:
    """Labels drawn from other customers."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        train, test = simulated(design, number), simulated(design, number + _FAR)
        counts.add_all([shuffled(train, test, number)], LABELS)
    return counts


def rivals(design: Design, _: float, batch: int) -> Counts:
    """Two scores that are equally good."""
    counts = Counts(_BOOKS)
    for number in _numbers(batch):
        counts.add(*RIVAL, equal_rivals(simulated(design, number), number, 500))
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


def unmoved_score(design: Design, seed: int, significance: float) -> tuple[bool, bool]:
    """Whether the PSI exceeds its noise by customer, and whether it exceeds the custom of 0.10 as well.

    Development: thirteen months of six customers in ten; now: all, years later. A customer's score wanders.
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
    now = far * level + np.sqrt(1 - far**2) * rng.normal(size=n)
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


def equal_rivals(ground: Ground, seed: int, rounds: int) -> bool | None:
    """Whether the interval of the Gini difference of two equally blurred scores leaves zero out; null: too few bads."""
    settings = replace(ground.settings, bootstrap_rounds=rounds)
    sample = ground.panel
    if not ground.enough(sample):
        return None
    rng = np.random.default_rng([seed, 13])
    logit = np.log(sample.rows["pd"].to_numpy() / (1 - sample.rows["pd"].to_numpy()))
    # A score errs about a customer, not about a month.
    errors = rng.normal(size=(2, sample.customers))[:, sample.codes]
    found = paired_gini(logit + 0.5 * errors[0], logit + 0.5 * errors[1], sample.is_bad, draws_of(sample, settings))
    return not found.low <= 0 <= found.high
