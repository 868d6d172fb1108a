"""Reading of the validation's figures: intervals as text, and the exact reason where there is none."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

MODELS = ("champion", "challenger")
ROLES = ("test", "out_of_time", "calibration", "train")
HELD_OUT = ("test", "out_of_time")


def models(given: ReportInput) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(role of the model, what was measured), the champion first."""
    found = given.validation["models"]
    yield from ((name, found[name]) for name in MODELS if name in found)


def model_name(name: str, given: ReportInput, words: Words) -> str:
    """Such as "Scorecard (champion)"."""
    kind = words.or_name("kind", given.validation["models"][name]["kind"])
    return words(f"model.{name}", kind=kind)


def figure_cell(
    raw: Mapping[str, Any] | None,
    counts: Mapping[str, Any],
    words: Words,
    write: Callable[[Any], str] = figures.decimal,
) -> Cell:
    """A figure with its interval under it, or the reason why there is no interval or no figure."""
    told = figures.measured(raw, write)
    if told.interval:
        return Cell(told.value, note=told.interval)
    return Cell(told.value, note=why_none(raw, counts, words))


def why_none(raw: Mapping[str, Any] | None, counts: Mapping[str, Any], words: Words) -> str:
    """Why a figure or its interval is missing, from the counts of the sample."""
    rows, bads = int(counts.get("rows") or 0), int(counts.get("bads") or 0)
    if not rows:
        return words("why.no_rows")
    if not bads:
        return words("why.no_bads")
    if bads == rows:
        return words("why.no_goods")
    if reads(raw, 0.0) == "too_few":
        return words("why.too_few_bads")
    if raw and raw.get("rounds") is not None:
        return words("why.rounds", rounds=raw["rounds"])
    is_told = raw is not None and figures.is_known(raw.get("value"))
    return words("why.no_interval") if is_told else words("why.not_measured")


def measures(given: ReportInput, model: str, role: str) -> Mapping[str, Any]:
    """What was measured of a model in a role; empty where it was not."""
    found: Mapping[str, Any] = given.validation["models"].get(model, {}).get("roles", {}).get(role) or {}
    return found


def lies(interval: Mapping[str, Any] | None, point: float) -> str:
    """Where an interval lies: `above`, `below` or `around` the point; `unknown` without an interval."""
    if not interval or not (figures.is_known(interval.get("low")) and figures.is_known(interval.get("high"))):
        return "unknown"
    if interval["low"] > point:
        return "above"
    return "below" if interval["high"] < point else "around"


def reads(interval: Mapping[str, Any] | None, point: float) -> str:
    """As `lies`, and `too_few` of a figure for which no resample was drawn, as too few customers turned bad."""
    is_drawn = not interval or not figures.is_known(interval.get("value")) or interval.get("rounds") != 0
    return lies(interval, point) if is_drawn else "too_few"


def information_cell(told: Mapping[str, Any], name: str = "iv") -> Cell:
    """An information value with its interval, from the keys `<name>`, `<name>_low` and `<name>_high`."""
    raw = {"value": told.get(name), "low": told.get(f"{name}_low"), "high": told.get(f"{name}_high")}
    shown = figures.measured(raw, lambda value: figures.decimal(value, 3))
    return Cell(shown.value, note=shown.interval)


def times(value: float, words: Words, digits: int = 1) -> str:
    """A factor on a forecast, such as "2.8 ×"."""
    return words("tests.times", value=figures.decimal(value, digits))


def z_of(given: ReportInput) -> float:
    """The normal quantile of the report's confidence: 1.96 at 95 %."""
    return NormalDist().inv_cdf(0.5 + given.confidence / 2)


def slope_interval(told: Mapping[str, Any], z: float) -> dict[str, Any] | None:
    """The calibration slope with its interval by customer group: Student's t, in earlier validations normal."""
    low, high = (told.get(f"calibration_slope_{end}") for end in ("low", "high"))
    if figures.is_known(low) and figures.is_known(high):
        return {"value": told["calibration_slope"], "low": low, "high": high}
    return normal_interval(told, "calibration_slope", z)


def normal_interval(told: Mapping[str, Any], name: str, z: float) -> dict[str, Any] | None:
    """A measure with the normal interval of its `<name>_error`; null where either is unknown."""
    value, error = told.get(name), told.get(f"{name}_error")
    if not (figures.is_known(value) and figures.is_known(error)):
        return None
    return {"value": float(value), "low": float(value - z * error), "high": float(value + z * error)}  # type: ignore[arg-type,operator]
