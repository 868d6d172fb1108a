"""The swap set: whom one model accepts and the other refuses, how they fared, and what it would have cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.statistics.paired import paired_sum
from pipeline.statistics.proportions import jeffreys_of_groups
from pipeline.train.comparison import draws_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.params import PromotionParams
    from pipeline.train.sample import Sample

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

CELLS = ("both_accept", "only_first_accepts", "only_second_accepts", "both_refuse")


@dataclass(frozen=True)
class Swap:
    """`cells` by name (see CELLS), the `loss` of each with its interval by customer group; `cost` is what going from
    the first to the second model would have lost more (above zero) or less, a snapshot date in the mean; null where no
    loss is known. Its `bad_customers` counts the groups with a bad row among those moved: below `min_bad_customers`
    there is no interval, for so few decide nothing, and the same holds of the loss of a cell."""

    cells: dict[str, dict[str, Any]]
    cost: dict[str, Any] | None
    dates: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"cells": self.cells, "cost": self.cost, "dates": self.dates}


def swap_set(
    first_refuses: Bools, second_refuses: Bools, sample: Sample, losses: Floats | None, settings: PromotionParams
) -> Swap:
    """Who moves across the line between accept and refuse when the second model decides instead of the first.

    `losses` is what each row would lose if it turned bad (exposure at default × LGD, base currency, never null); null
    where no exposure is known. Only bad rows lose. A customer that stands in several month ends is counted
    in each, so that money is told a snapshot date.
    """
    dates = len({day for day in sample.days if day is not None}) or 1
    masks = {
        "both_accept": ~first_refuses & ~second_refuses,
        "only_first_accepts": ~first_refuses & second_refuses,
        "only_second_accepts": first_refuses & ~second_refuses,
        "both_refuse": first_refuses & second_refuses,
    }
    lost = None if losses is None else losses * sample.is_bad / dates
    cells = {name: _cell(sample, is_in, lost, settings) for name, is_in in masks.items()}
    return Swap(cells, None if lost is None or not len(lost) else _cost(masks, lost, sample, settings), dates)


def _cell(sample: Sample, is_in: Bools, lost: Floats | None, settings: PromotionParams) -> dict[str, Any]:
    """Counts, default rate and its Jeffreys interval, by rows with customer groups as the evidence, and the loss."""
    part = sample.part(is_in)
    told = part.counts()
    interval: dict[str, float | None] = {"low": None, "high": None}
    if told["rows"]:
        low, high = jeffreys_of_groups(told["default_rate"], part.customers, settings.confidence)
        interval = {"low": low, "high": high}
    return {**told, **interval, "loss": None if lost is None or not len(lost) else _sum(lost, is_in, sample, settings)}


def _cost(masks: dict[str, Bools], lost: Floats, sample: Sample, settings: PromotionParams) -> dict[str, Any]:
    gained, spared = masks["only_second_accepts"], masks["only_first_accepts"]
    return _sum(lost * gained - lost * spared, gained | spared, sample, settings)


def _sum(amounts: Floats, is_in: Bools, sample: Sample, settings: PromotionParams) -> dict[str, Any]:
    """The sum over the rows of a mask with its interval, and the groups with a bad row that it rests on."""
    bad_customers = sample.part(is_in).bad_customers
    draws = draws_for(sample, settings)
    if bad_customers < settings.min_bad_customers:
        draws = replace(draws, rounds=0)
    return {**paired_sum(amounts * is_in, draws).as_json(), "bad_customers": bad_customers}
