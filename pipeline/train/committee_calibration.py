"""Tests of level: whether the PDs are those that came true, by grade and in all; the line and the years with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.calibration import spiegelhalter
from pipeline.statistics.hosmer_lemeshow import hosmer_lemeshow, merged
from pipeline.statistics.power import (
    binomial_critical,
    change_shown,
    common_factor_shown,
    jeffreys_critical,
    level_shown,
    rejection_rate,
)
from pipeline.statistics.proportions import (
    binomial_p_value,
    holm,
    jeffreys_interval,
    jeffreys_p_value,
    jeffreys_too_low,
)
from pipeline.train.committee_ground import counts_of, names_of
from pipeline.train.committee_line import line_results
from pipeline.train.committee_result import Result, of_p_value, of_value, unless_blind
from pipeline.train.committee_years import years_results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Basis
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

GROUP = "calibration"
_RATES = {
    "jeffreys": (jeffreys_too_low, jeffreys_critical),
    "binomial": (binomial_p_value, binomial_critical),
}


def calibration_results(ground: Ground) -> Iterator[Result]:
    """For each model: total, grades, all grades at once, forecasts and line of the newest cohort and of the panel;
    every year; the long run; and the truth where it is known."""
    for name in names_of(list(ground.models)):
        model, newest = ground.models[name], ground.newest.sample
        pd = model.pd(newest.rows) if len(newest.is_bad) else np.empty(0)
        yield _total(name, pd, newest, ground)
        yield _grades("jeffreys", name, pd, newest, ground)
        yield _grades("binomial", name, pd, newest, ground)
        yield _hosmer_lemeshow(name, pd, newest, ground)
        bases: list[tuple[Basis, Sample]] = [("cohort", newest)]
        if not ground.table.is_undated:
            bases.append(("panel", ground.panel))
        for basis, sample in bases:
            values = pd if basis == "cohort" else model.pd(sample.rows)
            yield _spiegelhalter(name, basis, values, sample, ground)
            yield from line_results(name, basis, values, sample, ground)
        if not ground.table.is_undated:
            yield from years_results(name, ground)
        yield from _truth(name, ground)


def _total(name: str, pd: Floats, sample: Sample, ground: Ground) -> Result:
    """Jeffreys on the whole cohort, either way: the portfolio's PD too low or too high."""
    common: dict[str, Any] = {**counts_of(sample), "is_independent": True}
    if not ground.enough(sample):
        return Result("jeffreys_total", GROUP, "grey", "cohort", name, why="too_few", **common)
    tests = ground.settings.tests
    n, bads, mean = len(pd), int(sample.is_bad.sum()), float(pd.mean())
    low, high = jeffreys_interval(bads, n, ground.settings.confidence)
    too_low = jeffreys_p_value(mean, bads, n)
    # Two-sided: half the level on either side.
    p_value = min(1.0, 2.0 * min(too_low, 1.0 - too_low))
    shown = level_shown(mean, n, jeffreys_critical(mean, n, tests.p_value.amber / 2), tests.power)
    is_blind = shown > tests.blind_level
    light, why = unless_blind(of_p_value(p_value, tests.p_value), is_blind)
    common |= {"value": bads / n, "low": low, "high": high, "against": mean, "p_value": p_value}
    common |= {"threshold": tests.p_value.amber, "shown": shown, "unit": "factor", "is_blind": is_blind, "why": why}
    return Result("jeffreys_total", GROUP, light, "cohort", name, **common)


def _grades(test: str, name: str, pd: Floats, sample: Sample, ground: Ground) -> Result:
    """One-sided by grade, too low a PD; the smallest p-value after Holm decides."""
    tests = ground.settings.tests
    counts = counts_of(sample)
    identity = f"{test}_grades"
    told = [_grade(test, grade, pd, sample, ground) for grade in ground.scale.names]
    filled = [one for one in told if one["rows"]]
    if not filled or not ground.enough(sample):
        common: dict[str, Any] = {"is_independent": True, "why": "too_few", "details": told}
        return Result(identity, GROUP, "grey", "cohort", name, **common, **counts)
    for one, p_value in zip(filled, holm([one["p_value"] for one in filled]), strict=True):
        one["p_holm"] = p_value
    worst = min(filled, key=lambda one: (one["p_holm"], one["p_value"]))
    # What decides is the first step of Holm: every grade at the level over the number of filled grades.
    strict = tests.p_value.amber / len(filled)
    for one in filled:
        one["shown_holm"] = _shown(test, one["mean_pd"], one["rows"], strict, tests.power)
    keenest = min(filled, key=lambda one: one["shown_holm"])
    is_blind = keenest["shown_holm"] > tests.blind_level
    light, why = unless_blind(of_p_value(worst["p_holm"], tests.p_value), is_blind)
    return Result(
        identity,
        GROUP,
        light,
        "cohort",
        name,
        worst["grade"],
        value=worst["rate"],
        low=worst["low"],
        high=worst["high"],
        against=worst["mean_pd"],
        p_value=worst["p_holm"],
        threshold=tests.p_value.amber,
        is_independent=True,
        shown=keenest["shown_holm"],
        shown_part=keenest["grade"],
        unit="factor",
        blind_above=tests.blind_level,
        is_blind=is_blind,
        why=why,
        details=told,
        **counts,
    )


def _grade(test: str, grade: str, pd: Floats, sample: Sample, ground: Ground) -> dict[str, Any]:
    is_in = ground.scale.grade(pd) == grade if len(pd) else np.zeros(0, dtype=bool)
    n, bads = int(is_in.sum()), int(sample.is_bad[is_in].sum())
    told: dict[str, Any] = {"grade": grade, "rows": n, "bads": bads}
    told |= dict.fromkeys(("mean_pd", "rate", "low", "high", "p_value", "p_holm", "shown", "shown_holm", "size"))
    if not n:
        return told
    find, _ = _RATES[test]
    tests, mean = ground.settings.tests, float(pd[is_in].mean())
    low, high = jeffreys_interval(bads, n, ground.settings.confidence)
    told |= {"mean_pd": mean, "rate": bads / n, "low": low, "high": high, "p_value": find(mean, bads, n)}
    told["shown"] = _shown(test, mean, n, tests.p_value.amber, tests.power)
    # Exact: how often so many customers of the forecast PD give a p-value below the level of amber.
    told["size"] = rejection_rate(mean, n, _RATES[test][1](mean, n, tests.p_value.amber))
    return told


def _shown(test: str, pd: float, n: int, significance: float, power: float) -> float:
    return level_shown(pd, n, _RATES[test][1](pd, n, significance), power)


def _hosmer_lemeshow(name: str, pd: Floats, sample: Sample, ground: Ground) -> Result:
    common: dict[str, Any] = {**counts_of(sample), "is_independent": True}
    if not ground.enough(sample):
        return Result("hosmer_lemeshow", GROUP, "grey", "cohort", name, why="too_few", **common)
    tests, grades = ground.settings.tests, ground.scale.grade(pd)
    masks = [grades == grade for grade in ground.scale.names]
    means = [float(pd[m].mean()) if m.any() else 0.0 for m in masks]
    bads, n = [float(sample.is_bad[m].sum()) for m in masks], [float(m.sum()) for m in masks]
    groups = merged(means, bads, n, tests.expected_defaults)
    found = hosmer_lemeshow(*groups)
    shown = common_factor_shown(list(groups[0]), list(groups[2]), tests.p_value.amber, tests.power)
    is_blind = shown > tests.blind_level
    light, why = unless_blind(of_p_value(found.p_value, tests.p_value), is_blind)
    common |= {"value": found.statistic, "against": float(found.degrees), "p_value": found.p_value, "why": why}
    common |= {"threshold": tests.p_value.amber, "shown": shown, "unit": "factor", "is_blind": is_blind}
    return Result("hosmer_lemeshow", GROUP, light, "cohort", name, **common)


def _spiegelhalter(name: str, basis: Basis, pd: Floats, sample: Sample, ground: Ground) -> Result:
    common: dict[str, Any] = {**counts_of(sample), "is_independent": basis == "cohort" or None}
    if not ground.enough(sample):
        return Result("spiegelhalter", GROUP, "grey", basis, name, why="too_few", **common)
    found = spiegelhalter(pd, sample.is_bad, None if basis == "cohort" else sample.codes)
    tests = ground.settings.tests
    # A common factor f on every PD moves the sum by (f − 1) Σ (1 − 2p) p.
    unit = float(np.sum((1.0 - 2.0 * pd) * pd))
    parts = (sample.is_bad - pd) * (1.0 - 2.0 * pd)
    tied = np.bincount(sample.codes, weights=parts) ** 2
    single = (1.0 - 2.0 * pd) ** 2 * pd * (1.0 - pd)
    spread = float(np.sqrt(np.sum(single if basis == "cohort" else tied)))
    shown = 1.0 + change_shown(spread, tests.p_value.amber, tests.power) / unit if unit > 0 else float("inf")
    is_blind = not shown <= tests.blind_level
    light, why = unless_blind(of_p_value(found.p_value_by_cluster, tests.p_value), is_blind)
    common |= {"value": found.z_by_cluster, "against": 0.0, "p_value": found.p_value_by_cluster, "why": why}
    common |= {"threshold": tests.p_value.amber, "shown": shown, "unit": "factor", "is_blind": is_blind}
    return Result("spiegelhalter", GROUP, light, basis, name, **common)


def _truth(name: str, ground: Ground) -> Iterator[Result]:
    """Mean PD over the mean true PD, which is known of a demo book only: no sampling error, so bounds instead of p."""
    truth = (ground.report.get("truth") or {}).get("out_of_time")
    if truth is None:
        return
    ratio, bounds = float(truth["models"][name]["mean_pd_ratio"]), ground.settings.tests.truth_factor
    light = of_value(max(ratio, 1.0 / ratio) if ratio > 0 else None, bounds)
    common: dict[str, Any] = {"against": 1.0, "threshold": bounds.amber, "rows": len(ground.panel.is_bad)}
    yield Result("truth", GROUP, light, "panel", name, value=ratio, **common)
