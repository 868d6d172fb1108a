"""What monitoring tells the next validation and promotion: one gate a question, with value, threshold and light."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.score.watched_drift import worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.night_params import MonitorParams
    from pipeline.score.drift import Light
    from pipeline.score.watched_drift import Against, Watched

_BASES = {"cohort": "one-year cohort", "test": "test rows"}


@dataclass(frozen=True)
class MonitorGate:
    """One question. Grey: not enough data to answer; `low` and `high` are null where there is no interval.

    `against`: what a test of its own, with this `p_value`, compares the value with; null where there is none. `noise`:
    of a PSI, what chance exceeds with the level of the test (score/drift.py); null of anything else.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    threshold: str
    light: Light
    says: str
    against: float | None = None
    p_value: float | None = None
    noise: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `gates` of monitoring.json hold them."""
        return asdict(self)


def monitor_gates(
    drift: Sequence[Watched],
    cohort: Mapping[str, Any] | None,
    validated: Mapping[str, Any] | None,
    settings: MonitorParams,
) -> list[MonitorGate]:
    """Drift of score and inputs, level, grades and order, in a fixed order.

    `cohort`: the newest matured cohort none of whose outcomes the fit has seen (score/cohorts.py, with as_of); null
    where there is none yet. `validated`: value, low, high, confidence and basis (`cohort`, `test`) of the Gini at
    validation; null where unknown.
    """
    return [
        _drift(drift, "development", settings, score=True),
        _drift(drift, "month", settings, score=True),
        _drift(drift, "development", settings, score=False),
        _drift(drift, "month", settings, score=False),
        _drift(drift, "year", settings, score=False),
        _level(cohort, settings),
        _grades(cohort, settings),
        _order(cohort, validated, settings),
    ]


def _drift(found: Sequence[Watched], against: Against, settings: MonitorParams, *, score: bool) -> MonitorGate:
    name = f"{'score' if score else 'inputs'}_{against}"
    threshold = f"PSI {settings.psi_watch:g} amber, {settings.psi_act:g} red, above its noise"
    one = worst(found, against, score=score)
    if one is None:
        return MonitorGate(name, None, None, None, threshold, "grey", "nothing to compare with")
    noise = 0.0 if one.noise is None else one.noise
    says = f"{one.quantity}: {one.rows:,} customers, PSI of {noise:.3f} by chance"
    return MonitorGate(name, one.psi, None, None, threshold, one.light, says, noise=one.noise)


def _level(cohort: Mapping[str, Any] | None, settings: MonitorParams) -> MonitorGate:
    """Red when the interval leaves out 1 and the value lies beyond the factor; amber when it only leaves out 1."""
    threshold = f"1 within the interval; red beyond a factor of {settings.max_level_factor:g}"
    why = _too_few(cohort, settings)
    if cohort is None or cohort["level"] is None or why:
        return MonitorGate("level", None, None, None, threshold, "grey", why or "no customer")
    value, low, high = (cohort["level"][name] for name in ("value", "low", "high"))
    factor = settings.max_level_factor
    is_off = not low <= 1.0 <= high
    light: Light = "green" if not is_off else "amber" if 1 / factor <= value <= factor else "red"
    return MonitorGate("level", value, low, high, threshold, light, _counted(cohort))


def _grades(cohort: Mapping[str, Any] | None, settings: MonitorParams) -> MonitorGate:
    """The least Jeffreys p-value of a grade times the filled grades (Bonferroni)."""
    threshold = f"p at least {settings.significance:g} after the number of grades"
    why = _too_few(cohort, settings)
    if cohort is None or not cohort["grades"] or why:
        return MonitorGate("grades", None, None, None, threshold, "grey", why or "no grade")
    least = min(cohort["grades"], key=lambda one: (one["p_too_low"], one["grade"]))
    value = min(1.0, least["p_too_low"] * len(cohort["grades"]))
    light: Light = "green" if value >= settings.significance else "amber"
    says = f"{least['grade']}: {least['bads']} of {least['customers']} defaulted, PD {least['mean_pd']:.4f}"
    return MonitorGate("grades", value, None, None, threshold, light, says)


def _order(
    cohort: Mapping[str, Any] | None, validated: Mapping[str, Any] | None, settings: MonitorParams
) -> MonitorGate:
    """One-sided test of the Gini against validation's, both taken as uncertain: the intervals give the errors.

    ECB 2019, section 2.5.4, takes the earlier one as known, which alarms too often. Amber below `amber_significance`,
    red below `significance`.
    """
    amber, red = settings.amber_significance, settings.significance
    threshold = f"p of a fall since validation at least {amber:g}; red below {red:g}"
    why = _too_few(cohort, settings)
    gini = None if cohort is None else cohort["gini"]
    if cohort is None or why or gini is None or gini["high"] is None or validated is None or validated["high"] is None:
        return MonitorGate("order", None, None, None, threshold, "grey", why or "no Gini to compare")
    error = float(np.hypot(_error(gini, settings.confidence), _error(validated, validated["confidence"])))
    p_value = float(stats.norm.sf((validated["value"] - gini["value"]) / error)) if error > 0 else 1.0
    light: Light = "green" if p_value >= amber else "amber" if p_value >= red else "red"
    before = f"{validated['value']:.3f} at validation ({_BASES[validated['basis']]})"
    says = f"Gini {gini['value']:.3f}, {before}, p {p_value:.3f}; {_counted(cohort)}"
    ends = (gini["value"], gini["low"], gini["high"])
    return MonitorGate("order", *ends, threshold, light, says, float(validated["value"]), p_value)


def _error(interval: Mapping[str, Any], confidence: float) -> float:
    """The standard error that an interval stands for, taken as normal."""
    return float((interval["high"] - interval["low"]) / (2.0 * stats.norm.ppf(0.5 + confidence / 2.0)))


def _too_few(cohort: Mapping[str, Any] | None, settings: MonitorParams) -> str:
    if cohort is None:
        return "no published run whose window begins after the last outcome of the fit has matured"
    if cohort["bads"] < settings.min_bad_customers:
        return f"{cohort['bads']} bad customers of {cohort['as_of']} are too few to tell"
    return ""


def _counted(cohort: Mapping[str, Any]) -> str:
    counted = f"{cohort['bads']} of {cohort['customers']} defaulted, {cohort['expected']:.1f} expected"
    return f"run of {cohort['as_of']}: {counted}"
