"""The figures of a replay: by policy, between policies, by month, by grade and by segment; plain values."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.portfolio.amounts import share, told
from pipeline.statistics.bootstrap import ratio_interval, resamples
from pipeline.statistics.paired import paired_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.night_params import BacktestParams
    from pipeline.statistics.bootstrap import Resamples

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]

QUANTITIES = ("refused", "refused_of_defaulters", "loss_avoided", "margin_forgone", "net")


@dataclass(frozen=True)
class Deliveries:
    """The deliveries of the replay, item by item: whole cents, the loss as cents with their fraction.

    `cluster`: the customer's group as a number; `grade` and `segment`: those of the policy in force today on the month
    end before, `none` where there was no grade. `lost` is LGD x what stood open at default, whether refused or not.
    `is_judged`: of a month that counts in sums and verdicts.
    """

    month: Ints
    cluster: Ints
    amount: Ints
    is_of_defaulter: Flags
    lost: Floats
    is_judged: Flags
    grade: NDArray[np.object_]
    segment: NDArray[np.object_]


@dataclass(frozen=True)
class _Sums:
    """What one policy did with the deliveries, row by row, in cents."""

    values: Mapping[str, Floats]

    @classmethod
    def of(cls, rows: Deliveries, refused: Flags, cost_share: float) -> _Sums:
        """Net = loss avoided − cost x refused: a refused delivery earns no margin and loses nothing."""
        amount = np.where(refused, rows.amount, 0).astype(np.float64)
        avoided = np.where(refused, rows.lost, 0.0)
        forgone = cost_share * amount
        of_defaulters = np.where(rows.is_of_defaulter, amount, 0.0)
        return cls(dict(zip(QUANTITIES, (amount, of_defaulters, avoided, forgone, avoided - forgone), strict=True)))


def figures_of(
    rows: Deliveries, refused: Mapping[str, Flags], cost_share: float, settings: BacktestParams
) -> dict[str, Any]:
    """Per policy its sums over the months that are judged, with intervals; per pair of policies the difference, the
    later one less the one before, with a verdict; by month, grade and segment the sums, and in months that are judged
    the interval of the net (`net_low`, `net_high`), null below `min_bad_customers` defaulted groups: so few tell none.

    Amounts are decimal text in the base currency. `cost_share` is what a refused sale costs per unit of its amount;
    `break_even_cost_share` the one at which loss avoided and cost are equal. Every interval draws the same groups of
    customers.
    """
    sums = {name: _Sums.of(rows, flags, cost_share) for name, flags in refused.items()}
    judged = rows.is_judged
    clusters = np.unique(rows.cluster[judged])
    draws = resamples(clusters, settings.rounds, settings.confidence, settings.seed) if len(clusters) else None
    compared = _Compared(rows, sums, refused, draws, settings)
    return {
        "delivered": _delivered(rows, judged),
        "policies_figures": {name: _policy(rows, one, draws) for name, one in sums.items()},
        "differences": [_difference(compared, first, second) for first, second in combinations(sums, 2)],
        "months": _by(compared, rows.month, np.ones_like(judged)),
        "grades": _by(compared, rows.grade.astype(str), judged),
        "segments": _by(compared, rows.segment.astype(str), judged),
    }


def _delivered(rows: Deliveries, judged: Flags) -> dict[str, Any]:
    bad = judged & rows.is_of_defaulter
    return {
        "deliveries": int(judged.sum()),
        "all_deliveries": len(judged),
        "amount": told(rows.amount[judged].sum()),
        "amount_of_defaulters": told(rows.amount[bad].sum()),
        "lost": told(rows.lost[judged].sum()),
        "customers": len(np.unique(rows.cluster[judged])),
        "defaulted_customers": len(np.unique(rows.cluster[bad])),
    }


def _policy(rows: Deliveries, sums: _Sums, draws: Resamples | None) -> dict[str, Any]:
    judged = rows.is_judged
    amounts = {name: _measured(_clustered(rows, values[judged]), draws) for name, values in sums.values.items()}
    shares = {
        "refused_share": _ratio(rows, sums.values["refused"], rows.amount, draws),
        "loss_avoided_share": _ratio(rows, sums.values["loss_avoided"], rows.lost, draws),
    }
    all_refused = sums.values["refused"]
    return {
        **amounts,
        **shares,
        "break_even_cost_share": _break_even(amounts),
        "refused_deliveries": int((judged & (all_refused > 0)).sum()),
        "refused_of_all_months": told(all_refused.sum()),
    }


@dataclass(frozen=True)
class _Compared:
    """What every pair of policies is compared on."""

    rows: Deliveries
    sums: Mapping[str, _Sums]
    refused: Mapping[str, Flags]
    draws: Resamples | None
    settings: BacktestParams


def _difference(compared: _Compared, first: str, second: str) -> dict[str, Any]:
    rows, sums, refused = compared.rows, compared.sums, compared.refused
    draws, settings = compared.draws, compared.settings
    judged = rows.is_judged
    differs = judged & (refused[first] != refused[second])
    found = {
        name: _measured(_clustered(rows, (sums[second].values[name] - sums[first].values[name])[judged]), draws)
        for name in QUANTITIES
    }
    witnesses = len(np.unique(rows.cluster[differs & (rows.lost > 0)]))
    return {
        "first": first,
        "second": second,
        **found,
        "break_even_cost_share": _break_even(found),
        "deliveries_that_differ": int(differs.sum()),
        "defaulted_customers_that_differ": witnesses,
        "verdict": "immature" if draws is None else _verdict(found["net"], int(differs.sum()), witnesses, settings),
    }


def _break_even(amounts: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Loss avoided over refused; null where the two do not point the same way, so that no cost makes them equal."""
    avoided, amount = float(amounts["loss_avoided"]["value"]), float(amounts["refused"]["value"])
    return avoided / amount if amount and avoided / amount > 0 else None


def _verdict(net: Mapping[str, Any], differing: int, witnesses: int, settings: BacktestParams) -> str:
    """`same`, `too_few` defaults where the two differ, `better` or `worse` (the second, by net), or `undecided`."""
    if not differing:
        return "same"
    if witnesses < settings.min_bad_customers or net["low"] is None:
        return "too_few"
    if float(net["low"]) > 0:
        return "better"
    return "worse" if float(net["high"]) < 0 else "undecided"


def _clustered(rows: Deliveries, values: Floats) -> Floats:
    """The values of judged rows summed by group of customers, so that a round draws groups and not rows."""
    names, at = np.unique(rows.cluster[rows.is_judged], return_inverse=True)
    summed: Floats = np.bincount(at, weights=values, minlength=len(names)).astype(np.float64)
    return summed


def _measured(by_cluster: Floats, draws: Resamples | None) -> dict[str, Any]:
    """A sum in decimal text with its interval; without rows it is 0 and has none."""
    if draws is None:
        return {"value": told(0), "low": None, "high": None}
    found = paired_sum(by_cluster, draws)
    ends = {"low": told(found.low), "high": told(found.high)} if found.is_measured else {"low": None, "high": None}
    return {"value": told(found.value), **ends}


def _ratio(rows: Deliveries, above: Floats, below: Ints | Floats, draws: Resamples | None) -> dict[str, Any] | None:
    judged = rows.is_judged
    bottom = _clustered(rows, below[judged].astype(np.float64))
    if draws is None or not bottom.sum():
        return None
    return ratio_interval(_clustered(rows, above[judged]), bottom, draws).as_json()


def _by(compared: _Compared, key: NDArray[Any], only: Flags) -> list[dict[str, Any]]:
    rows, found = compared.rows, []
    for value in np.unique(key[only]):
        is_in = (key == value) & only
        amount = int(rows.amount[is_in].sum())
        bads = len(np.unique(rows.cluster[is_in & rows.is_of_defaulter]))
        is_told = bool(rows.is_judged[is_in].all()) and bads >= compared.settings.min_bad_customers
        draws = compared.draws if is_told else None
        found.append(
            {
                "key": value.item() if hasattr(value, "item") else str(value),
                "deliveries": int(is_in.sum()),
                "amount": told(amount),
                "lost": told(rows.lost[is_in].sum()),
                "defaulted_customers": bads,
                "policies": {name: _part(rows, one, is_in, draws, amount) for name, one in compared.sums.items()},
            }
        )
    return found


def _part(rows: Deliveries, sums: _Sums, is_in: Flags, draws: Resamples | None, amount: int) -> dict[str, Any]:
    """What one policy did with some deliveries. Draws are of all judged groups: one without a delivery here adds 0."""
    net = _measured(_clustered(rows, np.where(is_in, sums.values["net"], 0.0)[rows.is_judged]), draws)
    return {
        **{name: told(values[is_in].sum()) for name, values in sums.values.items()},
        "net_low": net["low"],
        "net_high": net["high"],
        "refused_share": share(float(sums.values["refused"][is_in].sum()), amount),
    }
