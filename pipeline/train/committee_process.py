"""Tests of data and process: who has no rating, what was put aside, overridden or left open, and whether it leaks."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.clustered import distinct
from pipeline.statistics.discrimination import auc
from pipeline.statistics.logistic import fit_logistic
from pipeline.statistics.power import change_shown
from pipeline.statistics.proportions import exact_interval
from pipeline.train.committee_ground import names_of
from pipeline.train.committee_poison import poison_result
from pipeline.train.committee_result import Result, of_p_value, of_value, unless_blind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.params import Bounds
    from pipeline.score.model import Model
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Light
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

GROUP = "process"
_GOLDEN_TOLERANCE = 1e-12
_ROLES = ("train", "calibration", "test")


def process_results(ground: Ground) -> Iterator[Result]:
    """Ratings and data of a ledger, then leaks, overlap, shuffled labels and the golden rows of each model."""
    yield from _ratings(ground)
    yield from _intake(ground)
    for name in names_of(list(ground.leaks)):
        yield from _leaks(name, ground)
    yield _overlap(ground)
    yield poison_result(ground)
    if "champion" in ground.models:
        yield shuffled_labels(ground.models["champion"], ground)
    for name in names_of(list(ground.models)):
        yield _golden(name, ground.models[name])


def _ratings(ground: Ground) -> Iterator[Result]:
    """Shares of the newest snapshot: customers who owe and have no grade, old accounts, grades set by people."""
    told, tests, confidence = ground.ledger.ratings.get("now"), ground.settings.tests, ground.settings.confidence
    if told is None:
        return
    owing = told[told["has_open"].to_numpy(dtype=bool)]
    yield _of_customers(_share("unrated", int(owing["grade"].isna().sum()), len(owing), tests.unrated), confidence)
    graded = told[np.isin(told["status"].to_numpy(dtype=object), ["rated", "thin_file"])]
    age = graded["accounts_age_months"].to_numpy(dtype=float)
    known = age[~np.isnan(age)]
    outdated = int((known > tests.accounts_max_age_months).sum())
    yield _of_customers(_share("outdated", outdated, len(known), tests.outdated), confidence)
    overridden = int(graded["is_overridden"].sum())
    yield _of_customers(_share("overridden", overridden, len(graded), tests.overridden), confidence)


def _intake(ground: Ground) -> Iterator[Result]:
    """The table of which most rows were put aside, and the settled windows that a dispute leaves open."""
    tests = ground.settings.tests
    if ground.ledger.intake:
        details: list[dict[str, Any]] = [
            {"table": name, "rows": int(one["rows"]), "quarantined": int(one["quarantined"])}
            for name, one in sorted(ground.ledger.intake.items())
        ]
        worst = max(details, key=lambda one: one["quarantined"] / max(one["rows"], 1))
        found = _share("quarantined", worst["quarantined"], worst["rows"], tests.quarantined, worst["table"])
        yield Result(**{**vars(found), "details": details})
    settled = {name: ground.ledger.outcomes.get(name, 0) for name in ("good", "bad", "indeterminate")}
    if sum(settled.values()):
        yield _share("technical", settled["indeterminate"], sum(settled.values()), tests.technical)


def _share(test: str, hits: int, n: int, bounds: Bounds, part: str = "") -> Result:
    if not n:
        return Result(test, GROUP, "grey", "snapshot", part=part, why="no_rows", rows=0)
    light = of_value(hits / n, bounds)
    common: dict[str, Any] = {"value": hits / n, "threshold": bounds.amber, "rows": n, "bads": None}
    return Result(test, GROUP, light, "snapshot", part=part, details=({"hits": hits},), **common)


def _of_customers(found: Result, confidence: float) -> Result:
    """The share with its exact interval: a customer stands once in it. Rows of a table and windows of one customer hang
    together and are counted in full, so that shares of them have none."""
    if not found.rows:
        return found
    low, high = exact_interval(found.details[0]["hits"], found.rows, confidence)
    return replace(found, low=low, high=high, is_independent=True)


def _leaks(name: str, ground: Ground) -> Iterator[Result]:
    """What the leak detector found on the training table, and by itself whether the last windows are cut short."""
    told = ground.leaks[name]
    findings = list(told.get("findings") or ())
    verdicts = [f["verdict"] for f in findings]
    counts = {verdict: verdicts.count(verdict) for verdict in ("refuse", "warn", "accepted")}
    light: Light = "red" if counts["refuse"] else "amber" if findings else "green"
    common: dict[str, Any] = {"model": name, "threshold": 0.0, "value": float(len(findings))}
    yield Result("leaks", GROUP, light, "run", details=(counts,), **common)
    unjudged = told.get("unjudged") or {}
    if "truncated_window" in unjudged:
        yield Result("truncated_window", GROUP, "grey", "run", name, why="unjudged")
        return
    cut = [f for f in findings if f["check"] == "truncated_window"]
    is_refused = any(f["verdict"] == "refuse" for f in cut)
    light = "red" if is_refused else "amber" if cut else "green"
    yield Result("truncated_window", GROUP, light, "run", name, value=float(len(cut)), threshold=0.0)


def _overlap(ground: Ground) -> Result:
    """Customer groups that stand in two of training, calibration and test; there must be none."""
    seen = {role: set(ground.parts[role].clusters.astype(str)) for role in _ROLES}
    shared = sum(len(seen[a] & seen[b]) for a, b in combinations(_ROLES, 2))
    light: Light = "red" if shared else "green"
    customers = sum(len(names) for names in seen.values())
    return Result("overlap", GROUP, light, "run", value=float(shared), threshold=0.0, customers=customers)


def shuffled_labels(model: Model, ground: Ground) -> Result:
    """AUC on the test of what the model's logistic learns from shuffled labels: one half, unless something leaks.

    The model's inputs (contributions to the log odds) are weighted anew on the training rows. Every customer is given
    the outcome of another one drawn from both samples, whether it ever turned bad, so that what is learned of a
    customer that stands on both sides would be found again.
    """
    tests, train, test = ground.settings.tests, ground.parts["train"], ground.parts["test"]
    if not (ground.enough(train) and ground.enough(test)):
        return Result("shuffled_labels", GROUP, "grey", "run", "champion", why="too_few")
    columns = [inputs_of(model, sample) for sample in (train, test)]
    names, codes = np.unique(np.concatenate([train.clusters, test.clusters]).astype(str), return_inverse=True)
    is_bad = np.concatenate([train.is_bad, test.is_bad])
    ever = np.zeros(len(names))
    np.maximum.at(ever, codes, is_bad)
    generator = np.random.Generator(np.random.PCG64(ground.settings.seed))
    n = len(train.is_bad)
    found = []
    for _ in range(tests.shuffles):
        drawn = generator.permutation(ever)[codes]
        early, late = drawn[:n], drawn[n:]
        if not (0 < early.sum() < n and 0 < late.sum() < len(late)):
            continue
        fit = fit_logistic(columns[0], early, codes[:n])
        found.append(auc(columns[1] @ fit.coefficients, late))
    if len(found) < 2:
        return Result("shuffled_labels", GROUP, "grey", "run", "champion", why="too_few")
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(found)))
    degrees = len(found) - 1
    p_value = float(stats.t.sf((mean - 0.5) / error, degrees))
    reach = float(stats.t.ppf(0.5 + ground.settings.confidence / 2.0, degrees)) * error
    shown = change_shown(error, tests.p_value.amber, tests.power)
    light, why = unless_blind(of_p_value(p_value, tests.p_value), shown > tests.blind_auc)
    common: dict[str, Any] = {"value": mean, "low": mean - reach, "high": mean + reach, "against": 0.5}
    common |= {"p_value": p_value, "threshold": tests.p_value.amber, "shown": shown, "unit": "order", "why": why}
    common |= {"rows": len(test.is_bad), "customers": distinct(test.codes), "is_blind": shown > tests.blind_auc}
    return Result("shuffled_labels", GROUP, light, "run", "champion", **common)


def inputs_of(model: Model, sample: Sample) -> Floats:
    """A constant and the contribution of each feature to the log odds of bad, one row per row of the sample."""
    told = model.contributions(sample.rows)[list(model.features)].to_numpy(dtype=float)
    return np.column_stack([np.ones(len(told)), told])


def _golden(name: str, model: Model) -> Result:
    """The golden rows scored now against what they were when the model was written."""
    if model.golden is None:
        return Result("golden_rows", GROUP, "grey", "run", name, why="unsaved")
    now = model.pd(model.golden.features)
    worst = float(np.abs(now - np.asarray(model.golden.pd)).max()) if len(now) else 0.0
    light: Light = "green" if worst <= _GOLDEN_TOLERANCE else "red"
    common: dict[str, Any] = {"value": worst, "threshold": _GOLDEN_TOLERANCE, "rows": len(now)}
    return Result("golden_rows", GROUP, light, "run", name, **common)
