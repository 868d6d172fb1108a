"""Bins set by hand instead of the solver's, checked against the feature's direction, and what they cost in IV."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.train.bin_counts import Outcomes, counted
from pipeline.train.bin_figures import information_of
from pipeline.train.bins_file import cuts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.params import ScorecardParams
    from pipeline.score.scorecard import Characteristic
    from pipeline.statistics.clustered import Estimate
    from pipeline.train.bins_file import Cuts
    from pipeline.train.sample import Sample


@dataclass(frozen=True)
class ByHand:
    """One feature's bins set by hand beside the solver's (`solved` null: it could not be binned) and their IVs, each
    with its interval (null with the figure).

    `beyond` has the limits of the solver that they break: `bins` with `max_bins`, and `smallest_share` of the rows with
    an ordinary value with `min_bin_share`; it is empty where they keep both.
    """

    feature: str
    set: Cuts
    solved: Cuts | None
    iv: Estimate | None
    iv_solved: Estimate | None
    beyond: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            "feature": self.feature,
            "set": self.set.as_json(),
            "solved": self.solved.as_json() if self.solved else None,
            **_information("iv", self.iv),
            **_information("iv_solved", self.iv_solved),
            "beyond": dict(self.beyond),
        }


def _information(name: str, found: Estimate | None) -> dict[str, float | None]:
    ends = {f"{name}_low": found.low, f"{name}_high": found.high} if found else {}
    return {name: found.value if found else None, **ends}


def by_hand(
    set_by_hand: Characteristic, solved: Characteristic | None, sample: Sample, settings: ScorecardParams
) -> ByHand | None:
    """What a person changed, measured on the rows the bins were fitted on; null where the bins are those the solver
    found."""
    cuts = cuts_of(set_by_hand)
    before = cuts_of(solved) if solved else None
    if cuts == before:
        return None
    own, other = (
        information_of(found, sample, settings.bin_confidence) if found else None for found in (set_by_hand, solved)
    )
    return ByHand(set_by_hand.feature, cuts, before, own, other, _beyond(set_by_hand, settings))


def _beyond(characteristic: Characteristic, settings: ScorecardParams) -> dict[str, float]:
    """The limits of the solver that bins break; what no group of categories names counts among the rows."""
    asked = [b for b in characteristic.bins if b.kind in {"range", "categories"}]
    rows = sum(b.count for b in characteristic.bins if b.kind in {"range", "categories", "unseen"})
    smallest = min((b.count for b in asked), default=0) / rows if rows else 0.0
    found: dict[str, float] = {}
    if len(asked) > settings.max_bins:
        found |= {"bins": len(asked), "max_bins": settings.max_bins}
    if smallest < settings.min_bin_share:
        found |= {"smallest_share": smallest, "min_bin_share": settings.min_bin_share}
    return found


def require_usable(
    cuts: Mapping[str, Cuts],
    fitted: Mapping[str, Characteristic | str],
    closed: Mapping[str, str],
    sample: Sample,
    settings: ScorecardParams,
) -> None:
    """Raises ParameterError with everything that keeps bins set by hand from being taken as they are written.

    `fitted` has the bins of each feature that was asked, or why no cut can bin it; `closed` why others were not asked.
    A direction is a promise to the customer: a worse value never earns points. A range too small to be weighed would
    be neutral in the middle of it.
    """
    breaches = []
    for name in cuts:
        found = fitted.get(name)
        if found is None:
            why = closed.get(name, "it is no feature of this book")
            breaches.append(f"{name}: it is never binned ({why}); take it out of the file")
        elif isinstance(found, str):
            breaches.append(f"{name}: no cut can bin it in this book ({found}); take it out of the file")
        else:
            breaches += _of_bins(found, sample, settings)
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"policy/bins.yaml: {len(breaches)} breach(es) in the bins of {len(cuts)} feature(s), none was taken:\n"
            f"{listed}\nJoin or move these bins, or take the feature out of the file, and fit again."
        )


def _of_bins(characteristic: Characteristic, sample: Sample, settings: ScorecardParams) -> list[str]:
    name, bins = characteristic.feature, characteristic.bins
    filled = [i for i, b in enumerate(bins) if b.count]
    breaches = [
        f"{name}: no row falls to {b.label!r}" for b in bins if b.kind in {"range", "categories"} if not b.count
    ]
    if len(filled) == 1:
        (b,) = (bins[i] for i in filled)
        return [*breaches, f"{name}: all {b.count:,} snapshots fall to {b.label!r}, none is told apart"]
    needed = f"{settings.min_bads_per_bin} bad and {settings.min_goods_per_bin} good customers are needed"
    counts = counted(characteristic.bin_index(sample.rows), Outcomes.of(sample), len(bins))
    held = [
        f"{bad:,.0f} bad and {good:,.0f} good customers"
        for bad, good in zip(counts.bad_customers, counts.good_customers, strict=True)
    ]
    breaches += [
        f"{name}: {bins[i].label!r} holds too few customers to be weighed ({held[i]}; {needed})"
        for i in filled
        if bins[i].kind == "range" and bins[i].woe == 0.0
    ]
    breaches += _turns(name, characteristic)
    if not breaches and len({bins[i].woe for i in filled}) < 2:
        told = ", ".join(f"{bins[i].label!r} {held[i]}" for i in filled)
        breaches.append(f"{name}: all its bins would weigh the same ({told}; {needed} in two of them)")
    return breaches


def _turns(name: str, characteristic: Characteristic) -> list[str]:
    """Steps against the direction between ranges that are weighed; one too small for it turns nothing by its zero."""
    ranges = [b for b in characteristic.bins if b.kind == "range" and b.count and b.woe]
    sign = {"rises": -1.0, "falls": 1.0}.get(characteristic.risk)
    if sign is None:
        return []
    return [
        f"{name}: from {a.label!r} (WoE {a.woe:+.3f}) to {b.label!r} ({b.woe:+.3f}) the risk turns against its "
        f"direction ({characteristic.risk})"
        for a, b in itertools.pairwise(ranges)
        if (b.woe - a.woe) * sign < 0
    ]
