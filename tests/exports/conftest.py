"""Four cards that hold every kind of bin, one of them fitted with points of the bins' own, and rows that try every edge
of them."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.score.calibration import Calibration
from pipeline.score.exports.exported_card import exported_card
from pipeline.score.model import Model, golden_of
from pipeline.score.points import Scaling
from pipeline.score.scorecard import Bin, Characteristic, Scorecard, fold
from pipeline.score.thin_file import ThinFile, ThinFileRule

sys.path.insert(0, str(Path(__file__).parent))

ROWS = 10_000
FACTOR = 20 / math.log(2)
# Signs that some form could trip over.
LISTS = [
    ("C", "F"),
    ("O'Neil", 'say "yes"', "back\\slash"),
    ("=1+1", "a|b", "`tick`"),
    ("${home}", "Ωé中", "two  words"),
]
SPLITS = {"days_late": [-3.5, 0.1, 7.3, 20.0], "overdue share": [1 / 3], "orders_count": [1.0, 2.0, 5.0], "debt": []}
CODES = {"orders_count": (-9.0, 96.0), "debt": (0.0,)}


def _bins(name: str, rng: np.random.Generator) -> list[Bin]:
    bounds = [None, *SPLITS[name], None]
    shells = [Bin(f"{low} to {high}", "range", 0, 0, lower=low, upper=high) for low, high in itertools.pairwise(bounds)]
    shells += [Bin(f"code {code:g}", "special", 0, 0, lower=code, upper=code) for code in CODES.get(name, ())]
    return [*shells, Bin("no value", "missing", 0, 0)]


def _characteristic(name: str, shells: list[Bin], rng: np.random.Generator) -> Characteristic:
    slope = float(rng.uniform(0.4, 1.1))
    bins = []
    for shell in shells:
        woe = float(rng.normal())
        count = int(rng.integers(20, 400))
        bins.append(replace(shell, woe=woe, points=FACTOR * slope * woe, count=count, bads=count // 20))
    mean = sum(b.points * b.count for b in bins) / sum(b.count for b in bins)
    return Characteristic(name, slope, tuple(bins), "rises", 0.2, mean)


def _card() -> Scorecard:
    rng = np.random.default_rng(11)
    lists = [Bin("/".join(names), "categories", 0, 0, categories=names) for names in LISTS]
    lists += [Bin("none", "categories", 0, 0, categories=())]
    lists += [Bin("no value", "missing", 0, 0), Bin("any other", "unseen", 0, 0)]
    told = [_characteristic(name, _bins(name, rng), rng) for name in SPLITS]
    told.insert(2, _characteristic("industry", lists, rng))
    return Scorecard(tuple(told), 600 + FACTOR * (3.1 - math.log(30.0)), 20.0, 600.0, 30.0)


def _in_whole_points(card: Scorecard) -> Scorecard:
    characteristics = tuple(
        replace(c, bins=tuple(replace(b, points=float(round(b.points))) for b in c.bins)) for c in card.characteristics
    )
    return replace(
        card, characteristics=characteristics, intercept_points=float(round(card.intercept_points)), rounding="whole"
    )


@functools.cache
def _with_own_points() -> Scorecard:
    """As the training fits it with `points_from: bins`, to outcomes that hang on every feature."""
    from pipeline.params import ScorecardParams
    from pipeline.train.sample import Sample
    from pipeline.train.scorecard import fit_scorecard

    # Scored, never fitted to: values beyond a float of 32 bits, and an empty text, which Excel cannot tell from null.
    rows = random_rows(4000, 5).replace({1e300: 60.0, "": "C"})
    draw = np.random.default_rng(6)
    logit = np.where(rows["industry"].isin(["C", "O'Neil"]), 0.5, -2.0)
    for name in SPLITS:
        values = rows[name].to_numpy()
        logit += np.where(np.isnan(values), 1.0, 0.0) + np.where(values > np.nanmedian(values), 1.0, 0.0)
    is_bad = (draw.random(len(rows)) < 1 / (1 + np.exp(-logit))).astype(float)
    names = np.array([f"c{i}" for i in range(len(rows))], dtype=object)
    catalogue = [
        {
            "name": name,
            "holds": "number",
            "risk": "rises",
            "special": [{"code": c, "en": f"{c:g}"} for c in CODES[name]],
        }
        if name in CODES
        else {"name": name, "holds": "number" if name in SPLITS else "category", "risk": "either"}
        for name in (*list(SPLITS)[:2], "industry", *list(SPLITS)[2:])
    ]
    sample = Sample(rows, is_bad, names, np.full(len(rows), dt.date(2025, 1, 31), dtype=object))
    settings = ScorecardParams(selection="all", points_from="bins", min_iv=0.0, max_correlation=0.99)
    card = fit_scorecard(sample, catalogue, settings, 1).scorecard
    by_name = {c.feature: c for c in card.characteristics}
    return replace(card, characteristics=tuple(by_name[str(f["name"])] for f in catalogue))


KNOTS = Calibration("knots", ((-2.0, -1.5), (1.0, 1.2), (3.0, 2.9), (5.0, 4.0)))
CARDS = {
    "folded": lambda: fold(_card(), Calibration.line("platt", 0.25, 0.85)),
    "broken line": lambda: (_card(), KNOTS),
    "whole points": lambda: (_in_whole_points(_card()), Calibration.line("platt", -0.1, 1.05)),
    "own points of bins": lambda: fold(_with_own_points(), Calibration.line("platt", 0.1, 0.9)),
}


def _model(card: Scorecard, calibration: Calibration) -> Model:
    catalogue = [
        {"name": name, "idea": name.replace(" ", "_"), "title_en": f"Title | of {name}", "title_zh": f"{name}标题"}
        for name in card.features
    ]
    model = Model(
        kind="scorecard",
        label={"kind": "default", "days": 90, "window_months": 12, "window_days": None},
        features=card.features,
        catalogue=catalogue,
        predictor=card,
        calibration=calibration,
        scaling=Scaling(20.0, 600.0, 30.0),
        thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3)),
        development={},
        version="scorecard-0123456789ab",
    )
    return replace(model, golden=golden_of(model, random_rows(50, 3)))


def random_rows(count: int, seed: int = 7) -> pd.DataFrame:
    """Nulls, unseen and empty categories, special codes, values on bounds and the doubles beside them."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for name, at in SPLITS.items():
        near = np.array(at or [0.0])
        values = rng.normal(near.mean(), 10.0, count)
        edges = np.concatenate(
            [near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf), CODES.get(name, ()), [-0.0]]
        )
        is_edge = rng.random(count) < 0.5
        values[is_edge] = rng.choice(edges, int(is_edge.sum()))
        values[rng.random(count) < 0.01] = 1e300
        values[rng.random(count) < 0.15] = np.nan
        columns[name] = values
    names = [name for names in LISTS for name in names]
    offered = np.array([*names, "never seen", "", "c", "O''Neil", "${HOME}", " C", None], dtype=object)
    columns["industry"] = rng.choice(offered, count)
    return pd.DataFrame(columns)


@pytest.fixture(params=sorted(CARDS))
def model(request) -> Model:
    return _model(*CARDS[request.param]())


@pytest.fixture
def exported(model):
    return exported_card(model)


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    return random_rows(ROWS)


@pytest.fixture
def must_equal():
    """Points equal exactly; the PD to 1e-12; the whole score exactly."""

    def compare(model: Model, rows: pd.DataFrame, points, pd_, score=None) -> None:
        assert np.array_equal(np.asarray(points, dtype=float), model.predictor.total_points(rows))
        assert np.abs(np.asarray(pd_, dtype=float) - model.pd(rows)).max() < 1e-12
        if score is not None:
            assert [int(value) for value in score] == model.score(rows).tolist()

    return compare
