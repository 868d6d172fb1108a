"""What a model must show before it takes a role, gate by gate, with interval, threshold and light; undecided is no."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.statistics.proportions import jeffreys_too_low
from pipeline.train.comparison import compare_order, enough, level_measures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.params import PromotionParams
    from pipeline.score.master_scale import MasterScale
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

Light = Literal["green", "amber", "red"]
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
    """Not inferior: the interval of the paired Gini difference lies above −margin.

    Where it does not, and does not lie below −margin either, the rows cannot decide; told with the smallest difference
    they would have shown. Source of the rule: ICH E9, section 3.3.2 (non-inferiority by a confidence interval).
    """
    threshold = f"above {-settings.margin:+.3f}"
    found = compare_order(challenger, standing, sample, settings)
    if found.difference is None or not found.difference.is_measured:
        return Gate("gini_not_inferior", None, None, None, threshold, "amber", _too_few(sample, settings))
    value, low, high = found.difference.value, found.difference.low, found.difference.high
    if low > -settings.margin:
        return Gate("gini_not_inferior", value, low, high, threshold, "green", _counted(sample))
    if high < -settings.margin:
        return Gate("gini_not_inferior", value, low, high, threshold, "red", f"inferior; {_counted(sample)}")
    told = (
        f"undecided: {_counted(sample)}; the smallest difference these rows would have shown is {found.detectable:.3f}"
    )
    return Gate("gini_not_inferior", value, low, high, threshold, "amber", told)


def unmeasured_gini_gate(why: str, settings: PromotionParams) -> Gate:
    """The comparison could not be made at all, and why."""
    return Gate("gini_not_inferior", None, None, None, f"above {-settings.margin:+.3f}", "amber", f"undecided: {why}")


def first_in_role_gate(settings: PromotionParams) -> Gate:
    """Nobody stands in the role, so there is nobody to be inferior to."""
    threshold = f"above {-settings.margin:+.3f}"
    return Gate("gini_not_inferior", None, None, None, threshold, "green", "no model stood in the role")


def level_gates(pd: Floats, sample: Sample, settings: PromotionParams) -> list[Gate]:
    """Observed over expected within a factor, and the calibration slope within its bounds, intervals and all."""
    factor = settings.max_level_factor
    bounds = {"observed_over_expected": (1 / factor, factor), "slope": (settings.min_slope, settings.max_slope)}
    found = level_measures(pd, sample, settings) if enough(sample, settings) else {}
    return [_within(name, found.get(name), bounds[name], sample, settings) for name in bounds]


def grades_gate(pd: Floats, sample: Sample, scale: MasterScale, settings: PromotionParams) -> Gate:
    """No grade is shown to default more than forecast: the smallest Jeffreys p-value times the filled grades (Holm's
    first step) is not below `grade_significance`. Customer groups are the evidence, as in the validation.

    Source: ECB, Instructions for reporting the validation results of internal models (2019), section 2.5.3.1.
    """
    threshold = f"at least {settings.grade_significance:g}"
    if not enough(sample, settings):
        return Gate("grades", None, None, None, threshold, "amber", _too_few(sample, settings))
    grades = scale.grade(pd)
    p_values = {}
    for name in scale.names:
        part = sample.part(grades == name)
        if not len(part.is_bad):
            continue
        rate = float(part.is_bad.sum()) / len(part.is_bad)
        p_values[name] = jeffreys_too_low(float(pd[grades == name].mean()), rate * part.customers, part.customers)
    worst = min(p_values, key=lambda name: p_values[name])
    adjusted = min(1.0, p_values[worst] * len(p_values))
    is_shown = adjusted < settings.grade_significance
    told = f"{worst} defaults more than forecast" if is_shown else f"least in {worst}, of {len(p_values)} filled grades"
    return Gate("grades", adjusted, None, None, threshold, "red" if is_shown else "green", told)


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
    sample: Sample,
    settings: PromotionParams,
) -> Gate:
    lower, upper = bounds
    threshold = f"within {lower:g} to {upper:g}"
    if interval is None or interval["low"] is None:
        return Gate(name, None, None, None, threshold, "amber", _too_few(sample, settings))
    value, low, high = interval["value"], interval["low"], interval["high"]
    if lower <= low and high <= upper:
        return Gate(name, value, low, high, threshold, "green", _counted(sample))
    if high < lower or low > upper:
        return Gate(name, value, low, high, threshold, "red", _counted(sample))
    return Gate(name, value, low, high, threshold, "amber", f"undecided: {_counted(sample)}")


def _counted(sample: Sample) -> str:
    return f"{len(sample.is_bad):,} rows of {sample.customers:,} groups unseen by either, {sample.bad_customers:,} bad"


def _too_few(sample: Sample, settings: PromotionParams) -> str:
    return f"undecided: {_counted(sample)}; {settings.min_bad_customers} bad groups and as many good ones are needed"
