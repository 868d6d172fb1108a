"""Tests of level by year and over the years, on cohorts that do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.power import change_shown_by_t, jeffreys_critical, level_shown
from pipeline.statistics.proportions import holm, jeffreys_interval, jeffreys_p_value
from pipeline.train.committee_result import Result, of_p_value, unless_blind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.train.committee_ground import Cohort, Ground

    Floats = NDArray[np.float64]

GROUP = "calibration"


def years_results(name: str, ground: Ground) -> Iterator[Result]:
    """Each year by itself, then all years as draws of the economy."""
    pds = [ground.models[name].pd(cohort.sample.rows) for cohort in ground.cohorts]
    yield _years(name, pds, ground)
    yield _long_run(name, pds, ground)


def _years(name: str, pds: list[Floats], ground: Ground) -> Result:
    """Each year's cohort by itself, either way; the smallest p-value after Holm decides."""
    tests = ground.settings.tests
    told = [_year(cohort, pd, ground) for cohort, pd in zip(ground.cohorts, pds, strict=True)]
    judged = [one for one in told if one["p_value"] is not None]
    common: dict[str, Any] = {"is_independent": True, "details": told}
    if not judged:
        return Result("years", GROUP, "grey", "years", name, why="too_few", **common)
    for one, p_value in zip(judged, holm([one["p_value"] for one in judged]), strict=True):
        one["p_holm"] = p_value
    worst = min(judged, key=lambda one: (one["p_holm"], one["p_value"]))
    for one in judged:
        one["shown_holm"] = _year_shown(one["mean_pd"], one["rows"], tests.p_value.amber / len(judged), tests.power)
    keenest = min(judged, key=lambda one: one["shown_holm"])
    is_blind = keenest["shown_holm"] > tests.blind_level
    light, why = unless_blind(of_p_value(worst["p_holm"], tests.p_value), is_blind)
    common |= {"value": worst["rate"], "low": worst["low"], "high": worst["high"], "against": worst["mean_pd"]}
    common |= {"p_value": worst["p_holm"], "threshold": tests.p_value.amber, "unit": "factor"}
    common |= {"shown": keenest["shown_holm"], "shown_part": keenest["day"], "blind_above": tests.blind_level}
    common |= {"rows": sum(one["rows"] for one in judged), "bads": sum(one["bads"] for one in judged)}
    return Result("years", GROUP, light, "years", name, worst["day"], is_blind=is_blind, why=why, **common)


def _year(cohort: Cohort, pd: Floats, ground: Ground) -> dict[str, Any]:
    n, bads = len(pd), int(cohort.sample.is_bad.sum())
    told: dict[str, Any] = {"day": "" if cohort.day is None else cohort.day.isoformat(), "rows": n, "bads": bads}
    told |= dict.fromkeys(("mean_pd", "rate", "low", "high", "p_value", "p_holm", "shown", "shown_holm"))
    if not n:
        return told
    tests, mean = ground.settings.tests, float(pd.mean())
    low, high = jeffreys_interval(bads, n, ground.settings.confidence)
    told |= {"mean_pd": mean, "rate": bads / n, "low": low, "high": high}
    if not ground.enough(cohort.sample):
        return told
    too_low = jeffreys_p_value(mean, bads, n)
    told |= {"p_value": min(1.0, 2.0 * min(too_low, 1.0 - too_low))}
    return {**told, "shown": _year_shown(mean, n, tests.p_value.amber, tests.power)}


def _year_shown(mean: float, n: int, significance: float, power: float) -> float:
    """Either way, so that each side has half the level."""
    return level_shown(mean, n, jeffreys_critical(mean, n, significance / 2), power)


def _long_run(name: str, pds: list[Floats], ground: Ground) -> Result:
    """Student's t over years of ln(observed / forecast): one good or bad year alone proves nothing.

    A year is one draw of the economy, however many customers it holds; half a default stands on both sides.
    """
    tests = ground.settings.tests
    pairs = [
        (float(cohort.sample.is_bad.sum()), float(pd.sum()), len(pd))
        for cohort, pd in zip(ground.cohorts, pds, strict=True)
        if ground.enough(cohort.sample)
    ]
    common: dict[str, Any] = {"is_independent": True, "rows": sum(n for _, _, n in pairs), "against": 1.0}
    common["bads"] = int(sum(d for d, _, _ in pairs))
    if len(pairs) < tests.min_years:
        return Result("long_run", GROUP, "grey", "years", name, str(len(pairs)), why="too_few_years", **common)
    logs = np.log([(d + 0.5) / (e + 0.5) for d, e, _ in pairs])
    mean, error = float(logs.mean()), float(logs.std(ddof=1) / np.sqrt(len(logs)))
    degrees = len(logs) - 1
    reach = float(stats.t.ppf(0.5 + ground.settings.confidence / 2.0, degrees)) * error
    p_value = float(2.0 * stats.t.sf(abs(mean) / error, degrees)) if error > 0 else None
    shown = float(np.exp(change_shown_by_t(error, degrees, tests.p_value.amber, tests.power)))
    is_blind = shown > tests.blind_level
    light, why = unless_blind(of_p_value(p_value, tests.p_value), is_blind)
    common |= {"value": float(np.exp(mean)), "low": float(np.exp(mean - reach)), "high": float(np.exp(mean + reach))}
    common |= {"p_value": p_value, "threshold": tests.p_value.amber, "shown": shown, "unit": "factor", "why": why}
    return Result("long_run", GROUP, light, "years", name, str(len(pairs)), is_blind=is_blind, **common)
