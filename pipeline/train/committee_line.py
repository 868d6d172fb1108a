"""Tests of the line of outcomes on forecasts: its slope, and its level at slope one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.calibration import calibration_line
from pipeline.statistics.power import change_shown, change_shown_by_t
from pipeline.train.committee_ground import counts_of
from pipeline.train.committee_result import Result, of_p_value, unless_blind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.statistics.calibration import CalibrationLine
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Basis
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

GROUP = "calibration"


def line_results(name: str, basis: Basis, pd: Floats, sample: Sample, ground: Ground) -> Iterator[Result]:
    """Slope against 1, and level (the intercept at slope 1, told as a factor on the odds) against 1."""
    common: dict[str, Any] = {**counts_of(sample), "is_independent": basis == "cohort" or None}
    if not ground.enough(sample):
        for test in ("slope", "level"):
            yield Result(test, GROUP, "grey", basis, name, why="too_few", **common)
        return
    line = calibration_line(pd, sample.is_bad, None if basis == "cohort" else sample.codes)
    yield _slope(name, basis, line, common, ground)
    tests = ground.settings.tests
    z = float(stats.norm.ppf(0.5 + ground.settings.confidence / 2.0))
    reach = z * line.at_large_error
    shown = float(np.exp(change_shown(line.at_large_error, tests.p_value.amber, tests.power)))
    is_blind = not shown <= tests.blind_level
    p_value = float(2.0 * stats.norm.sf(abs(line.at_large / line.at_large_error)))
    light, why = unless_blind(of_p_value(p_value, tests.p_value), is_blind)
    ends = {"low": float(np.exp(line.at_large - reach)), "high": float(np.exp(line.at_large + reach))}
    common |= {"value": float(np.exp(line.at_large)), **ends, "against": 1.0, "p_value": p_value, "why": why}
    common |= {"threshold": tests.p_value.amber, "shown": shown, "unit": "factor", "is_blind": is_blind}
    yield Result("level", GROUP, light, basis, name, **common)


def _slope(name: str, basis: Basis, line: CalibrationLine, common: dict[str, Any], ground: Ground) -> Result:
    """Student's t with Satterthwaite's degrees: the error itself is known from few bad customers only."""
    slope, error, degrees = line.slope, line.slope_error, line.slope_degrees
    if not (np.isfinite(slope) and error > 0):
        return Result("slope", GROUP, "grey", basis, name, why="one_pd", **common)
    tests = ground.settings.tests
    reach = float(stats.t.ppf(0.5 + ground.settings.confidence / 2.0, degrees)) * error
    shown = change_shown_by_t(error, degrees, tests.p_value.amber, tests.power)
    p_value, is_blind = line.slope_p_value, shown > tests.blind_slope
    light, why = unless_blind(of_p_value(p_value, tests.p_value), is_blind)
    told: dict[str, Any] = {"against": 1.0, "p_value": p_value, "value": slope}
    told |= {"low": slope - reach, "high": slope + reach}
    told |= {"threshold": tests.p_value.amber, "shown": shown, "unit": "slope", "is_blind": is_blind, "why": why}
    return Result("slope", GROUP, light, basis, name, **{**common, **told})
