"""The level of each segment of customers: shrunk to the whole, and taken only where it predicts held-out customers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ParameterError
from pipeline.score.calibration import Calibration, pd_of_log_odds
from pipeline.train.calibration_choice import log_loss, measured
from pipeline.train.calibration_level import bads_of, level_at
from pipeline.train.customer_folds import folds_of
from pipeline.train.selection import serves_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import CalibrationParams
    from pipeline.train.calibration_shapes import Observed

    Floats = NDArray[np.float64]
    Knots = tuple[tuple[float, float], ...]

AUTO, USUAL = "auto", "size_class"
# The only table that one more invoice cannot move (docs/decisions/0008).
MASTER = "customers"


@dataclass(frozen=True)
class SegmentLevel:
    """One segment: rows, bad rows and bad customers of the calibration; `own` is its level against the whole in
    calibrated ln odds of good, `weight` what of it is kept, `shift` what is added to the raw ln odds. Null where the
    segment stays at the whole."""

    segment: str
    rows: int
    bads: int
    bad_customers: int
    own: float | None = None
    weight: float | None = None
    shift: float | None = None


@dataclass(frozen=True)
class SegmentFit:
    """Levels by the category of `feature` (null: no column serves), why they are or are not in force, and the
    cross-validated gain a row over one level for all (nats) with its standard error by cluster (null: not tried)."""

    feature: str | None
    reason: str
    levels: tuple[SegmentLevel, ...] = ()
    gain: float | None = None
    gain_error: float | None = None

    @property
    def shifts(self) -> dict[str, float]:
        """What is in force: the shift of each segment that has one."""
        return {level.segment: level.shift for level in self.levels if level.shift is not None}

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {**asdict(self), "levels": [asdict(level) for level in self.levels]}


def segment_feature(
    catalogue: Sequence[Mapping[str, Any]], settings: CalibrationParams, never_use: Sequence[str] = ()
) -> tuple[str | None, str]:
    """The column that divides the customers, or null and why there is none.

    `auto` is `size_class` where the catalogue has it. Raises ParameterError when the column named is unknown, never to
    be used, no category, for people alone, or told from anything but the customer master.
    """
    asked = settings.segment_by
    if asked is None:
        return None, "calibration.segment_by is null"
    entry = next((f for f in catalogue if f["name"] == (USUAL if asked == AUTO else asked)), None)
    why = _unfit(entry, never_use)
    if why is None and entry is not None:
        return str(entry["name"]), ""
    if asked == AUTO:
        return None, f"{USUAL}: {why}"
    known = [str(f["name"]) for f in catalogue if _unfit(f, never_use) is None]
    raise ParameterError(
        f"params.yaml: calibration.segment_by: {asked!r} {why}; a level of its own may rest only on what one more "
        f"invoice cannot move: name one of {', '.join(known) or '(none in this catalogue)'}, auto, or null"
    )


def _unfit(entry: Mapping[str, Any] | None, never_use: Sequence[str]) -> str | None:
    """Why a column cannot divide the customers; a table of one's own says nothing of its columns' sources, and is
    taken at its owner's word."""
    if entry is None:
        return "is no feature of the catalogue"
    if entry["name"] in never_use:
        return "stands on fit_scorecard.never_use"
    if not serves_models(entry):
        return "serves people alone"
    if entry["holds"] != "category" or entry["risk"] != "either":
        return "is no category without a direction"
    foreign = sorted({c.split(".")[0] for c in entry.get("columns") or ()} - {MASTER})
    return f"is told from {', '.join(foreign)}" if foreign else None


def fit_segments(
    observed: Observed, feature: str, knots: Knots, settings: CalibrationParams, step: float | None = None
) -> SegmentFit:
    """Levels of the segments in `observed.segments`, which are the categories of `feature`, beside these knots.

    A segment with `segment_from_bads` bad customers or more gets the level at which its expected equals its observed
    defaults, less that of the whole, with weight τ²/(τ² + 1/D): D its bad customers, τ² the variance between segments
    by moments (DerSimonian and Laird 1986). They are taken only if they lower the log loss on customers they were not
    fitted on by more than one standard error. `step`: raw shifts are whole multiples of it. A segment gets no shape of
    its own: with another slope points would no longer add up to the score.
    """
    plain = tuple(_counted(observed, name) for name in _names(observed))
    able = [level.segment for level in plain if level.bad_customers >= settings.segment_from_bads]
    if len(able) < 2:
        told = (
            f"{len(able) or 'none'} of {len(plain)} segments with {settings.segment_from_bads} bad customers or more, "
            "where two are needed: one level for all"
        )
        return SegmentFit(feature, told, plain)
    levels = {level.segment: level for level in _levels(observed, knots, able, step)}
    if not any(level.shift for level in levels.values()):
        return SegmentFit(feature, "the segments differ by no more than chance shows: one level for all", plain)
    found = _cross_validated(observed, knots, able, settings, step)
    gain, error = found["gain"], found["gain_error"]
    if gain <= error:
        told = f"levels of their own gain {gain:.2g} a row, no more than their standard error {error:.2g}"
        return SegmentFit(feature, f"{told}: one level for all", plain, gain, error)
    told = f"gains {gain:.2g} a row over one level for all, standard error {error:.2g}"
    return SegmentFit(feature, told, tuple(levels.get(p.segment, p) for p in plain), gain, error)


def _names(observed: Observed) -> list[str]:
    """The categories, in the order of the alphabet; rows without one are of no segment."""
    return sorted({str(name) for name in observed.segments_or_none if name is not None})


def _part(observed: Observed, name: str) -> Observed:
    return observed.part(observed.segments_or_none == name)


def _counted(observed: Observed, name: str) -> SegmentLevel:
    part = _part(observed, name)
    return SegmentLevel(name, len(part.is_bad), int(part.is_bad.sum()), part.bad_customers)


def _levels(observed: Observed, knots: Knots, able: Sequence[str], step: float | None) -> list[SegmentLevel]:
    parts = {name: part for name in able if len((part := _part(observed, name)).is_bad)}
    whole = level_at(observed, knots, bads_of(observed))
    own = np.array([level_at(part, knots, bads_of(part)) - whole for part in parts.values()])
    # A level in log odds is known to one over its bad customers, as in the credibility of the whole.
    noise = np.array([1.0 / max(part.bad_customers, 0.5) for part in parts.values()])
    between = _variance_between(own, noise)
    told = []
    for (name, part), level, error in zip(parts.items(), own, noise, strict=True):
        weight = float(between / (between + error))
        shift = _raw_shift(part, knots, weight * float(level))
        shift = step * float(np.floor(shift / step + 0.5)) if step else shift
        told.append(replace(_counted(observed, name), own=float(level), weight=weight, shift=shift))
    return told


def _variance_between(own: Floats, noise: Floats) -> float:
    """τ² by the method of moments; 0 where the levels differ by no more than their noise."""
    weight = 1.0 / noise
    spread = float(np.sum(weight * (own - np.sum(weight * own) / weight.sum()) ** 2))
    scale = float(weight.sum() - np.sum(weight**2) / weight.sum())
    return max(0.0, (spread - (len(own) - 1)) / scale) if scale > 0 else 0.0


def _raw_shift(part: Observed, knots: Knots, level: float) -> float:
    """The shift of the raw ln odds that moves the expected defaults of these rows as `level` moves the calibrated."""
    if level == 0.0:
        return 0.0
    line = Calibration("shape", knots)
    wanted = float(pd_of_log_odds(line.log_odds(part.raw_log_odds) + level).sum())
    low, high = -60.0, 60.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        expected = float(line.pd(part.raw_log_odds + middle).sum())
        low, high = (middle, high) if expected > wanted else (low, middle)
    return 0.5 * (low + high)


def _cross_validated(
    observed: Observed, knots: Knots, able: Sequence[str], settings: CalibrationParams, step: float | None
) -> dict[str, float]:
    """The gain of segments over the whole, both with the level of the other folds; the shape is that of all rows."""
    fold = folds_of(observed.clusters, settings.folds, settings.seed)
    whole, divided = np.full(len(fold), np.nan), np.full(len(fold), np.nan)
    for held_out in np.unique(fold):
        is_out = fold == held_out
        rest, out = observed.part(~is_out), observed.part(is_out)
        if not 0 < rest.is_bad.sum() < len(rest.is_bad):
            continue
        shifts = {level.segment: level.shift or 0.0 for level in _levels(rest, knots, able, step)}
        whole[is_out] = _loss(out, rest, knots, {})
        divided[is_out] = _loss(out, rest, knots, shifts)
    return measured(divided, whole, observed)


def _loss(out: Observed, rest: Observed, knots: Knots, shifts: Mapping[str, float]) -> Floats:
    level = level_at(rest.shifted(shifts), knots, bads_of(rest))
    logit = Calibration("shape", knots).log_odds(out.shifted(shifts).raw_log_odds) + level
    return log_loss(logit, out.is_bad)
