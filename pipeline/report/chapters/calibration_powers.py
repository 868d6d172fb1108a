"""What the grades could have shown of a PD that is wrong, either way, at the level that all of them share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.chapters.measured import times
from pipeline.statistics.power import jeffreys_critical, jeffreys_critical_high, level_shown, level_shown_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.chapters.calibration_readings import Grade
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def grade_powers(grades: Sequence[Grade], given: ReportInput, words: Words) -> tuple[str, ...]:
    """How many of the filled grades could not have shown a deviation that matters, and which shows most, for a PD too
    low and for one too high; nothing without a filled grade."""
    filled = [one for one in grades if one.mean_pd is not None and one.witnesses]
    if not filled:
        return ()
    level = _strict(given, len(filled))
    low, high = {}, {}
    for one in filled:
        mean, n = float(one.mean_pd or 0.0), one.witnesses
        low[one.name] = level_shown(mean, n, jeffreys_critical(mean, n, level), given.power)
        high[one.name] = level_shown_below(mean, n, jeffreys_critical_high(mean, n, level), given.power)
    told = words("calibration.power_note", power=figures.as_set(given.power))
    return (figures.sentences(told, _low(low, given.blind_level, words), _high(high, given.blind_level, words)),)


def _strict(given: ReportInput, n: int) -> float:
    """The level of the first step of Holm among n grades, at which the interval of the grade leaves its PD out too."""
    return min(given.significance / n, (1.0 - given.confidence) / 2.0)


def _low(shown: Mapping[str, float], factor: float, words: Words) -> str:
    blind = sum(one > factor for one in shown.values())
    counted = _counted("low", blind, len(shown), factor, words)
    most = min(shown, key=lambda name: shown[name])
    if not math.isfinite(shown[most]):
        return counted
    return figures.sentences(counted, words("calibration.keenest_low", part=most, value=times(shown[most], words)))


def _high(shown: Mapping[str, float], factor: float, words: Words) -> str:
    blind = sum(one < 1.0 / factor for one in shown.values())
    counted = _counted("high", blind, len(shown), factor, words)
    most = max(shown, key=lambda name: shown[name])
    if not shown[most]:
        return counted
    value = times(shown[most], words, 2)
    return figures.sentences(counted, words("calibration.keenest_high", part=most, value=value))


def _counted(side: str, blind: int, tested: int, factor: float, words: Words) -> str:
    """How many of the tested grades could not have shown a deviation by the factor, to the side of `low` or `high`."""
    bound = figures.plain(factor)
    if not blind:
        return words(f"calibration.none_blind_{side}", each=words.counted("each_grade", tested), factor=bound)
    counts = {"blind": figures.count(blind), "tested": words.counted("grade", tested)}
    return words(f"calibration.blind_{side}", factor=bound, **counts)
