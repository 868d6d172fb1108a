"""From amount to limit in steps: rounding, how far a limit may rise at a review, how far it may fall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.position_columns import cents, days, money, number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.limit_sections import LimitsSection, RoundingStep, StepRule

    Floats = npt.NDArray[np.float64]


def rounded_down(amounts: Floats, rounding: Sequence[RoundingStep]) -> Floats:
    """Amounts rounded down to the step of their size; null stays null."""
    whole, step = _steps(amounts, rounding)
    return np.where(np.isnan(amounts), np.nan, whole // step * step / 100.0)


def step_up(positions: pd.DataFrame, rule: StepRule, as_of: dt.date) -> Floats:
    """How far the present limit may rise: by the share, at least by the amount; null without one (a first limit).

    A limit younger than `up_after_days` does not rise again, or a step would be taken every night.
    """
    current = money(positions["limit_current"])
    raised = np.maximum(current * (1.0 + rule.up_share), current + rule.up_at_least)
    return np.where(_is_younger(positions, rule.up_after_days, as_of), current, raised)


def floor_of_a_cut(positions: pd.DataFrame, limits: LimitsSection, as_of: dt.date) -> Floats:
    """What a cut leaves at least: the present limit less the share, rounded up to a step, not above the present limit.

    Of a limit younger than `down_after_days` all is left, or a step would be taken every night. Null without a present
    limit, and where risk has shown itself: overdue as the rules of `hold` and `refer` have it, or defaults in the
    group. It lifts the soft caps only.
    """
    current = money(positions["limit_current"])
    whole, step = _steps(current * (1.0 - limits.step.down_share), limits.rounding)
    floor = np.minimum(-(-whole // step) * step / 100.0, current)
    floor = np.where(_is_younger(positions, limits.step.down_after_days, as_of), current, floor)
    days_late = np.nan_to_num(number(positions["max_days_past_due"]))
    has_overdue = money(positions["overdue_amount"]) > limits.hold.overdue_amount_above
    others = np.nan_to_num(number(positions["group_default_count"]))
    in_trouble = has_overdue & (days_late > limits.refer.days_past_due_above)
    in_trouble |= others >= limits.refer.group_defaults_from
    return np.where((current > 0) & ~in_trouble, floor, np.nan)


def _is_younger(positions: pd.DataFrame, least_days: int, as_of: dt.date) -> npt.NDArray[np.bool_]:
    """Where the present limit was set fewer days ago; never without a present limit."""
    age = (np.datetime64(as_of, "D") - days(positions["limit_valid_from"])).astype("timedelta64[D]")
    younger: npt.NDArray[np.bool_] = age < np.timedelta64(least_days, "D")
    return younger


def _steps(amounts: Floats, rounding: Sequence[RoundingStep]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Whole cents, and the step of that size in cents; null counts as 0."""
    known = np.where(np.isnan(amounts), 0.0, amounts)
    bounds = np.array([step.below for step in rounding[:-1]], dtype=np.float64)
    steps = cents(np.array([step.step for step in rounding]))
    return cents(known), steps[np.searchsorted(bounds, known, side="right")]
