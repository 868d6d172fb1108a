"""What a model must show before it takes a role, gate by gate, with interval, threshold and light; undecided is no."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pipeline.statistics.power import jeffreys_critical, level_shown
from pipeline.statistics.proportions import jeffreys_too_low
from pipeline.train.comparison import calibration_slope, compare_order, enough, observed_over_expected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.params import PromotionParams
    from pipeline.train.sample import Sample
    from pipeline.train.served import Served

    Floats = NDArray[np.float64]
    Texts = NDArray[np.object_]

Light = Literal["green", "amber", "red"]
# Which rows a gate counts.
_SERVED, _RATED, _THIN = "rows as served", "rows rated by the models", "thin rows"
ANSWERS: Mapping[Light, str] = {"green": "yes", "amber": "undecided", "red": "no"}


@dataclass(frozen=True)
class Gate:
    """One question and its answer. Green passes; amber is undecided and, as red does, refuses. `low` and `high` are the
    interval's ends, null where there is none; `told` says in words what stands behind it."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    threshold: str
    light: Light
    told: str

    @property
    def passes(self) -> bool:
        """Green only."""
        return self.light == "green"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def gini_gate(challenger: Floats, standing: Floats, sample: Sample, settings: PromotionParams) -> Gate:
    """Not inferior: the interval of the paired Gini difference lies above −margin; asked of rows the models rate.

    Where it does not, and does not lie below −margin either, the rows cannot decide; told with the smallest difference
    they would have shown. Source of the rule: ICH E9, section 3.3.2 (non-inferiority by a confidence interval).
    """
    threshold = f"above {-settings.margin:+.3f}"
    found = compare_order(challenger, standing, sample, settings)
    if found.difference is None or not found.difference.is_measured:
        return Gate("gini_not_inferior", None, None, None, threshold, "amber", _too_few(sample, settings, _RATED))
    value, low, high = found.difference.value, found.difference.low, found.difference.high
    if low > -settings.margin:
        return Gate("gini_not_inferior", value, low, high, threshold, "green", _counted(sample, _RATED))
    if high < -settings.margin:
        return Gate("gini_not_inferior", value, low, high, threshold, "red", f"inferior; {_counted(sample, _RATED)}")
    smallest = f"the smallest difference these rows would have shown is {found.detectable:.3f}"
    told = f"undecided: {_counted(sample, _RATED)}; {smallest}"
    return Gate("gini_not_inferior", value, low, high, threshold, "amber", told)


def unmeasured_gini_gate(why: str, settings: PromotionParams) -> Gate:
    """The comparison could not be made at all, and why."""
    return Gate("gini_not_inferior", None, None, None, f"above {-settings.margin:+.3f}", "amber", f"undecided: {why}")


def first_in_role_gate(settings: PromotionParams) -> Gate:
    """Nobody stands in the role, so there is nobody to be inferior to."""
    threshold = f"above {-settings.margin:+.3f}"
    return Gate("gini_not_inferior", None, None, None, threshold, "green", "no model stood in the role")


def level_gate(found: Served, sample: Sample, settings: PromotionParams) -> Gate:
    """Observed over expected of all rows as served lies within a factor, with its whole interval.

    The shift of a long-run rate is taken out: the years at hand cannot tell whether that rate is right.
    """
    factor = settings.max_level_factor
    ratio = observed_over_expected(found.at_observed_rate, sample, settings) if enough(sample, settings) else None
    gate = _within("observed_over_expected", ratio, (1 / factor, factor), (sample, _SERVED), settings)
    return replace(gate, told=f"{gate.told}{_taken_out(found)}")


def slope_gate(found: Served, sample: Sample, settings: PromotionParams) -> Gate:
    """The calibration slope of the rows that the model itself rates lies within its bounds, with its whole interval.

    Thin files are left out: their PDs stand at a bound of another level, which would bend the line of the model.
    """
    part = sample.part(found.is_rated)
    slope = calibration_slope(found.pd[found.is_rated], part, settings) if enough(part, settings) else None
    return _within("slope", slope, (settings.min_slope, settings.max_slope), (part, _RATED), settings)


def grades_gate(found: Served, grades: Texts, sample: Sample, settings: PromotionParams) -> Gate:
    """No grade is shown to default more than forecast: the smallest Jeffreys p-value times the filled grades (Holm's
    first step) is not below `grade_significance`. Customer groups are the evidence, as in the validation.

    `grades` are those that the rows would be served, a thin file's capped. The shift of a long-run rate is taken out.
    Source: ECB, Instructions for reporting the validation results of internal models (2019), section 2.5.3.1.
    """
    threshold = f"at least {settings.grade_significance:g}"
    if not enough(sample, settings):
        return Gate("grades", None, None, None, threshold, "amber", _too_few(sample, settings, _SERVED))
    pd = found.at_observed_rate
    filled = sorted({str(name) for name in grades})
    p_values = {name: _p_too_low(pd[grades == name], sample.part(grades == name)) for name in filled}
    worst = min(p_values, key=lambda name: p_values[name])
    adjusted = min(1.0, p_values[worst] * len(p_values))
    is_shown = adjusted < settings.grade_significance
    told = f"{worst} defaults more than forecast" if is_shown else f"least in {worst}, of {len(p_values)} filled grades"
    told += _taken_out(found)
    return Gate("grades", adjusted, None, None, threshold, "red" if is_shown else "green", told)


def thin_file_gate(found: Served, sample: Sample, settings: PromotionParams) -> Gate:
    """Customers with a thin file are not shown to default more than the PDs that serve them: Jeffreys, one-sided, with
    customer groups as the evidence, at `grade_significance`.

    Too high is no error, for these PDs stand at an upper bound of their pool on purpose. Few bad groups are no proof
    that the bound is right, and no reason to refuse, or no small book could ever promote a model: what they would have
    shown is told. The shift of a long-run rate is taken out, and nobody thin passes.
    """
    threshold = f"at least {settings.grade_significance:g}"
    if not len(sample.is_bad):
        return Gate("thin_file", None, None, None, threshold, "amber", "undecided: no row is unseen by either")
    thin, pd = sample.part(found.is_thin), found.at_observed_rate[found.is_thin]
    if not len(thin.is_bad):
        return Gate("thin_file", None, None, None, threshold, "green", "nobody is thin among the rows unseen by either")
    p_value, mean = _p_too_low(pd, thin), float(pd.mean())
    rates = f"{float(thin.is_bad.mean()):.2%} default, {mean:.2%} forecast{_taken_out(found)}; {_counted(thin, _THIN)}"
    if p_value < settings.grade_significance:
        return Gate("thin_file", p_value, None, None, threshold, "red", f"default more than forecast: {rates}")
    critical = jeffreys_critical(mean, thin.customers, settings.grade_significance)
    factor = level_shown(mean, thin.customers, critical, settings.power)
    shown = f"; from {factor:.1f} times the forecast on it would have been shown"
    told = f"not shown to default more: {rates}{shown if math.isfinite(factor) else '; nothing would have been shown'}"
    return Gate("thin_file", p_value, None, None, threshold, "green", told)


def _p_too_low(pd: Floats, sample: Sample) -> float:
    """Evidence that the mean of the PDs is too low for the default rate of the rows, customer groups as witnesses."""
    return jeffreys_too_low(float(pd.mean()), float(sample.is_bad.mean()) * sample.customers, sample.customers)


def _taken_out(found: Served) -> str:
    return f"; the long-run rate's {found.shift:+.2f} of ln odds taken out" if found.shift else ""


def stability_gate(value: float | None, noise: float | None, rows: int, settings: PromotionParams) -> Gate:
    """PSI of the score, development against the newest snapshot; above `max_psi` but within its noise is undecided."""
    threshold = f"at most {settings.max_psi:g}"
    if value is None or noise is None:
        return Gate("stability", None, None, None, threshold, "amber", f"undecided: {rows} rows to measure it on")
    told = f"PSI of the score on {rows:,} rows of the newest snapshot; sampling alone reaches {noise:.3f}"
    light: Light = "green" if value <= settings.max_psi else "amber" if value <= noise else "red"
    return Gate("stability", value, None, None, threshold, light, told)


def parity_gate(differences: Mapping[str, float], settings: PromotionParams) -> Gate:
    """The largest difference of PD between the model folder read back and each other way to the same score."""
    worst = max(differences, key=lambda name: differences[name])
    value = differences[worst]
    light: Light = "green" if value <= settings.parity_tolerance else "red"
    told = "against " + ", ".join(differences) if light == "green" else f"largest against {worst}"
    return Gate("parity", value, None, None, f"at most {settings.parity_tolerance:g}", light, told)


def leak_gate(findings: Sequence[Mapping[str, Any]] | None, features: Sequence[str]) -> Gate:
    """No finding of the leak detector that touches this model and that nobody has taken on themselves.

    A finding on a column the model does not read says nothing of it; one under leaks.accept is told and passes.
    """
    if findings is None:
        return Gate("leaks", None, None, None, "none", "amber", "undecided: what the leak detector found is not kept")
    own = [f for f in findings if f.get("column") is None or f["column"] in features]
    open_ones = [f for f in own if f["verdict"] != "accepted"]
    accepted = [str(f.get("column") or f["check"]) for f in own if f["verdict"] == "accepted"]
    if open_ones:
        first = open_ones[0]
        told = f"{first['check']} {first['verdict']}s {first.get('column') or 'the table'}; accept it or leave it out"
        return Gate("leaks", float(len(open_ones)), None, None, "none", "red", told)
    told = f"accepted: {', '.join(accepted)}" if accepted else "no finding on what the model reads"
    return Gate("leaks", 0.0, None, None, "none", "green", told)


def label_gate(own: Mapping[str, Any], asked: Mapping[str, Any]) -> Gate:
    """The model predicts what the project now asks for; another label is another model's business."""
    if dict(own) == dict(asked):
        return Gate("label", None, None, None, "the project's", "green", "the same label")
    differs = sorted(name for name in {*own, *asked} if own.get(name) != asked.get(name))
    told = f"{differs[0]} is {own.get(differs[0])!r}, the project asks for {asked.get(differs[0])!r}"
    return Gate("label", None, None, None, "the project's", "red", told)


def monitoring_gate(monitored: Mapping[str, Any] | None, version: str) -> Gate | None:
    """No red gate of the newest monitoring of this very model; null where it tells of another one or of none.

    Amber and grey ones are told and pass: they ask for a look, and a model that has served is judged here by what its
    published PDs came to (docs/monitoring.md), not by what it promised.
    """
    if monitored is None or monitored.get("model_version") != version:
        return None
    lights = {gate["name"]: gate["light"] for gate in monitored.get("gates", [])}
    red, amber = ([name for name, found in lights.items() if found == light] for light in ("red", "amber"))
    told = ", ".join(f"{name} {lights[name]}" for name in (*red, *amber)) or "nothing red or amber"
    light: Light = "red" if red else "green"
    return Gate("monitoring", float(len(red)), None, None, "none red", light, f"as of {monitored['as_of']}: {told}")


def refused(gates: Sequence[Gate]) -> list[Gate]:
    """The gates that do not pass."""
    return [gate for gate in gates if not gate.passes]


def _within(
    name: str,
    interval: Mapping[str, Any] | None,
    bounds: tuple[float, float],
    counted: tuple[Sample, str],
    settings: PromotionParams,
) -> Gate:
    (lower, upper), told = bounds, _counted(*counted)
    threshold = f"within {lower:g} to {upper:g}"
    if interval is None or interval["low"] is None:
        return Gate(name, None, None, None, threshold, "amber", _too_few(counted[0], settings, counted[1]))
    value, low, high = interval["value"], interval["low"], interval["high"]
    if lower <= low and high <= upper:
        return Gate(name, value, low, high, threshold, "green", told)
    if high < lower or low > upper:
        return Gate(name, value, low, high, threshold, "red", told)
    return Gate(name, value, low, high, threshold, "amber", f"undecided: {told}")


def _counted(sample: Sample, which: str) -> str:
    return (
        f"{len(sample.is_bad):,} {which} of {sample.customers:,} groups unseen by either, {sample.bad_customers:,} bad"
    )


def _too_few(sample: Sample, settings: PromotionParams, which: str) -> str:
    needed = f"{settings.min_bad_customers} bad groups and as many good ones are needed"
    return f"undecided: {_counted(sample, which)}; {needed}"
