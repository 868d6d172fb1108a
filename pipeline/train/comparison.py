"""Is one model really better than another, and for whom: paired on the same rows, with what the data cannot decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.statistics.bootstrap import discrimination_intervals, ratio_interval, resamples
from pipeline.statistics.calibration import calibration_line, log_loss, log_losses
from pipeline.statistics.paired import paired_gini, paired_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.params import PromotionParams
    from pipeline.statistics.bootstrap import Resamples
    from pipeline.statistics.paired import Difference
    from pipeline.train.sample import Sample
    from pipeline.train.served import Served

    Floats = NDArray[np.float64]

Verdict = Literal["first", "second", "same", "undecided", "too_few"]


@dataclass(frozen=True)
class Compared:
    """The Gini difference (first less second) on some rows; `difference` is null where too few turned bad."""

    counts: Mapping[str, Any]
    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None
    difference: Difference | None
    detectable: float | None
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN is null."""
        return {
            **self.counts,
            "gini_first": self.first,
            "gini_second": self.second,
            "difference": None if self.difference is None else self.difference.as_json(),
            "detectable": self.detectable,
            "verdict": self.verdict,
        }


def draws_for(sample: Sample, settings: PromotionParams) -> Resamples:
    """The resamples of the customer groups, the same for everything compared on these rows; none without `enough`."""
    return resamples(
        sample.codes, settings.rounds if enough(sample, settings) else 0, settings.confidence, settings.seed
    )


def compare_order(first: Floats, second: Floats, sample: Sample, settings: PromotionParams) -> Compared:
    """Which of two sets of PDs orders the rows better, if `min_bad_customers` groups turned bad and as many did not.

    `verdict` is the model whose Gini is shown to be higher; `same` where every resample orders alike, `undecided` where
    the interval holds zero, `too_few` where it is not worth an interval. `detectable` is the smallest difference that
    the rows would have shown.
    """
    if not enough(sample, settings):
        return Compared(sample.counts(), None, None, None, None, "too_few")
    draws = draws_for(sample, settings)
    a, b = (discrimination_intervals(pd, sample.is_bad, draws)["gini"].as_json() for pd in (first, second))
    found = paired_gini(first, second, sample.is_bad, draws)
    if not found.is_measured:
        return Compared(sample.counts(), a, b, found, None, "undecided")
    if found.value == 0 and found.error == 0:
        return Compared(sample.counts(), a, b, found, None, "same")
    verdict: Verdict = "first" if found.low > 0 else "second" if found.high < 0 else "undecided"
    detectable = found.detectable(settings.confidence, settings.power)
    return Compared(sample.counts(), a, b, found, detectable, verdict)


def enough(sample: Sample, settings: PromotionParams) -> bool:
    """`min_bad_customers` groups with a bad row, and as many with a good one."""
    good_customers = len(np.unique(sample.codes[sample.is_bad == 0]))
    return min(sample.bad_customers, good_customers) >= settings.min_bad_customers


def level_measures(found: Served, sample: Sample, settings: PromotionParams) -> dict[str, Any]:
    """Level of the PDs that would be served, slope of the model's own, and the log-loss in nats a row.

    `observed_over_expected` and `log_loss` are of all rows as served; `at_observed_rate` is the former with the `shift`
    of a long-run rate taken out (null without one); `slope` is of the rows that the model itself rates, for a bound of
    the thin pool has no slope to be right.
    """
    is_moved = found.shift != 0.0
    return {
        "observed_over_expected": observed_over_expected(found.pd, sample, settings),
        "shift": found.shift,
        "at_observed_rate": observed_over_expected(found.at_observed_rate, sample, settings) if is_moved else None,
        "slope": calibration_slope(found.pd[found.is_rated], sample.part(found.is_rated), settings),
        "log_loss": log_loss(found.pd, sample.is_bad) if _has_both(sample) else None,
    }


def observed_over_expected(pd: Floats, sample: Sample, settings: PromotionParams) -> dict[str, Any] | None:
    """With its interval where there is `enough`; null where no row is bad or none is good."""
    return ratio_interval(sample.is_bad, pd, draws_for(sample, settings)).as_json() if _has_both(sample) else None


def calibration_slope(pd: Floats, sample: Sample, settings: PromotionParams) -> dict[str, Any] | None:
    """With its interval where there is `enough`; null where no row is bad or none is good, or all PDs are equal."""
    if not _has_both(sample):
        return None
    line = calibration_line(pd, sample.is_bad, sample.codes)
    low, high = line.slope_interval(settings.confidence)
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    ends = {"low": low, "high": high} if enough(sample, settings) else {"low": None, "high": None}
    return {"value": line.slope, **ends}


def _has_both(sample: Sample) -> bool:
    return bool(0 < sample.is_bad.sum() < len(sample.is_bad))


def compare_loss(first: Floats, second: Floats, sample: Sample, settings: PromotionParams) -> dict[str, Any] | None:
    """Log-loss of the first less that of the second, nats a row, paired; below zero speaks for the first."""
    if not enough(sample, settings):
        return None
    rows = log_losses(first, sample.is_bad) - log_losses(second, sample.is_bad)
    return paired_sum(rows / len(rows), draws_for(sample, settings)).as_json()


def compare_parts(
    first: Floats, second: Floats, sample: Sample, groups: NDArray[np.object_], settings: PromotionParams
) -> dict[str, Compared]:
    """`compare_order` for the rows of each group, in order of the names; rows without a group are left out.

    Many groups are many questions: at a confidence of 0.9 one in ten that differ in nothing is called better or worse.
    """
    names = sorted({str(name) for name in groups if name is not None})
    found = {}
    for name in names:
        is_in = groups == name
        found[name] = compare_order(first[is_in], second[is_in], sample.part(is_in), settings)
    return found
