"""The smallest deviation that a test of level or slope would have shown, from the interval beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.chapters.measured import times
from pipeline.statistics.paired import smallest_shown, smallest_shown_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def level_shown(ratio: Mapping[str, Any] | None, given: ReportInput, words: Words) -> str:
    """Observed over expected that would have been told from 1, as a factor either way (in logs, for a ratio); a dash
    without an interval or where it begins at 0."""
    low, high = _ends(ratio)
    if not (low > 0 and math.isfinite(high)):
        return figures.DASH
    shown = smallest_shown_beside(math.log(low), math.log(high), given.confidence, given.power)
    return times(math.exp(shown), words, 2)


def slope_shown(slope: Mapping[str, Any] | None, given: ReportInput, words: Words) -> str:
    """How far from 1 a slope would have been told from it; empty without an interval."""
    low, high = _ends(slope)
    if not math.isfinite(high - low):
        return ""
    shown = smallest_shown_beside(low, high, given.confidence, given.power)
    return words("calibration.slope_shown", value=figures.decimal(shown))


def brier_shown(brier: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """The factor common to all default rates from which Spiegelhalter's Z would have shown it; empty where the
    validation, of an earlier make, tells no error of it."""
    error = brier.get("factor_error")
    if not figures.is_known(error):
        return ""
    shown = 1.0 + smallest_shown(float(error or 0.0), given.confidence, given.power)
    return words("calibration.shown", value=times(shown, words, 2))


def error_shown(error: Mapping[str, Any], words: Words) -> str:
    """The calibration error from which the test would have shown it; empty where the validation does not tell it."""
    if not figures.is_known(error.get("shown")):
        return ""
    return words("calibration.shown", value=figures.probability(error["shown"]))


def _ends(interval: Mapping[str, Any] | None) -> tuple[float, float]:
    """NaN where an end is not known."""
    ends = [(interval or {}).get(name) for name in ("low", "high")]
    low, high = (float(end) if figures.is_known(end) else math.nan for end in ends)  # type: ignore[arg-type]
    return low, high
