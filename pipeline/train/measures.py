"""What one set of forecasts is worth on one set of rows: order, level and grades, each with an interval by customer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.bootstrap import discrimination_intervals, ratio_interval, resamples
from pipeline.statistics.calibration import calibration_error, calibration_line, log_loss, spiegelhalter
from pipeline.statistics.proportions import jeffreys_of_groups, jeffreys_too_low

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.params import ValidateParams
    from pipeline.score.master_scale import MasterScale
    from pipeline.statistics.bootstrap import Resamples
    from pipeline.statistics.calibration import CalibrationLine
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]


def draws_of(sample: Sample, settings: ValidateParams) -> Resamples:
    """The resamples of a sample's customer groups; the same for every model measured on it, so that they pair.

    None below `min_bad_customers` bad ones, so that no interval rests on them: it would hold the few that happened to
    turn bad and nothing of those that might have.
    """
    rounds = settings.bootstrap_rounds if _enough(sample, settings) else 0
    return resamples(sample.codes, rounds, settings.confidence, settings.seed)


def _enough(sample: Sample, settings: ValidateParams) -> bool:
    return sample.bad_customers >= settings.min_bad_customers


def has_both(sample: Sample) -> bool:
    """There is a bad and a good row, so that discrimination can be measured."""
    return bool(0 < sample.is_bad.sum() < len(sample.is_bad))


def order_measures(risk: Floats, sample: Sample, settings: ValidateParams) -> dict[str, Any]:
    """AUC, Gini and KS with intervals (see `draws_of`); nulls where the sample lacks bads or goods."""
    if not has_both(sample):
        return dict.fromkeys(("auc", "gini", "ks"))
    found = discrimination_intervals(risk, sample.is_bad, draws_of(sample, settings))
    return {name: interval.as_json() for name, interval in found.items()}


def pd_measures(pd: Floats, sample: Sample, settings: ValidateParams) -> dict[str, Any]:
    """Counts, order, Brier score, observed over expected defaults, calibration line and tests of PDs on a sample."""
    if not len(pd):
        return {**sample.counts(), **dict.fromkeys((*_ORDER, *_LEVEL))}
    draws = draws_of(sample, settings)
    line = calibration_line(pd, sample.is_bad, sample.codes) if has_both(sample) else None
    return {
        **sample.counts(),
        **order_measures(pd, sample, settings),
        "brier": ratio_interval((pd - sample.is_bad) ** 2, np.ones(len(pd)), draws).as_json(),
        "observed_over_expected": ratio_interval(sample.is_bad, pd, draws).as_json(),
        "mean_pd": float(np.mean(pd)),
        "log_loss": log_loss(pd, sample.is_bad),
        **_line(line, settings.confidence),
        **_tests(pd, sample, settings),
    }


_ORDER = ("auc", "gini", "ks")
_LINE = ("slope", "slope_error", "intercept", "intercept_error", "at_large", "at_large_error")
_TESTS = ("calibration_error", "spiegelhalter")
_LEVEL = (
    "brier",
    "observed_over_expected",
    "mean_pd",
    "log_loss",
    *(f"calibration_{name}" for name in (*_LINE, "slope_low", "slope_high")),
    *_TESTS,
)


def _line(line: CalibrationLine | None, confidence: float) -> dict[str, Any]:
    told = {name: getattr(line, name) if line else float("nan") for name in _LINE}
    low, high = line.slope_interval(confidence) if line else (float("nan"), float("nan"))
    told |= {"slope_low": low, "slope_high": high}
    return {f"calibration_{name}": _finite(value) for name, value in told.items()}


def _tests(pd: Floats, sample: Sample, settings: ValidateParams) -> dict[str, Any]:
    """Expected calibration error and Spiegelhalter's Z, by cluster; null without a bad or a good row.

    What rests on the residuals of clusters is null below `min_bad_customers` bad ones: the next default would outweigh
    all of them, so that chance would look smaller than it is.
    """
    if not has_both(sample):
        return dict.fromkeys(_TESTS)
    found = calibration_error(
        pd,
        sample.is_bad,
        sample.codes,
        confidence=settings.confidence,
        power=settings.tests.power,
        seed=settings.seed,
    )
    error = {**asdict(found), "shown": _finite(found.shown)}
    brier = {name: _finite(value) for name, value in asdict(spiegelhalter(pd, sample.is_bad, sample.codes)).items()}
    if not _enough(sample, settings):
        error |= {"low": None, "high": None, "by_chance": None, "p_value": None, "shown": None}
        brier |= {"z_by_cluster": None, "p_value_by_cluster": None, "factor_error": None}
    return {"calibration_error": error, "spiegelhalter": brier}


def grade_measures(pd: Floats, sample: Sample, scale: MasterScale, confidence: float) -> list[dict[str, Any]]:
    """One entry per grade, best first: rows, customers, mean PD, observed rate, Jeffreys interval and p-value.

    The rate is by rows, the evidence counts customer groups: months of one customer are one witness. `p_value` is small
    where the PD is too low, 1 without a bad. Rate, interval and p-value are null for an empty grade.
    """
    grades = scale.grade(pd)
    return [_grade(name, pd, sample, grades == name, confidence) for name in scale.names]


def _grade(name: str, pd: Floats, sample: Sample, is_in: NDArray[np.bool_], confidence: float) -> dict[str, Any]:
    part = sample.part(is_in)
    n = len(part.is_bad)
    if not n:
        empty = dict.fromkeys(("mean_pd", "observed_rate", "low", "high", "p_value"))
        return {"grade": name, "rows": 0, "bads": 0, "customers": 0, "bad_customers": 0, **empty}
    rate, mean = float(part.is_bad.sum()) / n, float(np.mean(pd[is_in]))
    low, high = jeffreys_of_groups(rate, part.customers, confidence)
    return {
        "grade": name,
        "rows": n,
        "bads": int(part.is_bad.sum()),
        "customers": part.customers,
        "bad_customers": part.bad_customers,
        "mean_pd": mean,
        "observed_rate": rate,
        "low": low,
        "high": high,
        "p_value": jeffreys_too_low(mean, rate * part.customers, part.customers),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
