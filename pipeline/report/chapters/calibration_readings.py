"""What a grade's outcome says of its forecast, held against the number of grades that are asked at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.statistics.proportions import holm, jeffreys_p_value

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Grade:
    """One grade of one model: `witnesses` are customer groups on the test rows, customers of the cohort.

    `rows` is null where it is the same number. Mean PD, rate, its interval and p are null for an empty grade.
    """

    name: str
    witnesses: int
    rows: int | None
    bads: int
    mean_pd: float | None
    rate: float | None
    low: float | None
    high: float | None
    p_value: float | None


@dataclass(frozen=True)
class Reading:
    """`says`: `low`, the PD is shown too low; `high`, too high; `perhaps_low` and `perhaps_high`, so it looks, and
    chance is not ruled out; `open`, nothing of either; `empty`, no rows. `p_holm` is the p-value of that side, raised
    for the number of grades (Holm); null without a side.
    """

    says: str
    p_holm: float | None = None


def readings(grades: Sequence[Grade], significance: float) -> list[Reading]:
    """The reading of each grade among all of them.

    A PD is shown wrong where the grade's interval leaves it out and its one-sided p-value, raised by Holm for the
    filled grades, is below `significance`. Without a bad p is 1 by rule, which says nothing of a PD that is too high:
    there the posterior itself is asked.
    """
    filled = [one for one in grades if one.p_value is not None and one.mean_pd is not None]
    too_low = [float(one.p_value or 0.0) for one in filled]
    too_high = [_too_high(one) for one in filled]
    found = {
        one.name: _reading(one, sides, significance)
        for one, *sides in zip(
            filled,
            zip(too_low, holm(too_low), strict=True),
            zip(too_high, holm(too_high), strict=True),
            strict=True,
        )
    }
    return [found.get(one.name, Reading("empty")) for one in grades]


def _too_high(told: Grade) -> float:
    """The chance, by Jeffreys, that the true rate lies above the forecast."""
    if told.bads:
        return 1.0 - float(told.p_value or 0.0)
    return 1.0 - jeffreys_p_value(float(told.mean_pd or 0.0), 0, told.witnesses)


def _reading(told: Grade, sides: Sequence[tuple[float, float]], significance: float) -> Reading:
    """`sides`: the p-value and the one raised for all grades, of a PD too low and of one too high."""
    for (p_value, raised), says in zip(sides, ("low", "high"), strict=True):
        if p_value >= significance:
            continue
        is_shown = raised < significance and _leaves_out(told, says)
        return Reading(says if is_shown else f"perhaps_{says}", raised)
    return Reading("open")


def _leaves_out(told: Grade, side: str) -> bool:
    if told.low is None or told.high is None or told.mean_pd is None:
        return False
    return told.low > told.mean_pd if side == "low" else told.high < told.mean_pd
