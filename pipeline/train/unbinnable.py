"""Why a feature has no bins: which of the limits that every cut must keep is the one that none keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.train.optimal_bins import Constraints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.bin_counts import Outcomes

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class _Sides:
    """Of every cut between two values that occur (in rising order): what the smaller side holds at least, and whether
    bads are a greater share above it than below (1), a smaller one (−1) or the same (0)."""

    cuts: Floats
    rows: Ints
    bads: Ints
    bad_customers: Ints
    good_customers: Ints
    rise: Ints

    @classmethod
    def of(cls, values: Floats, outcomes: Outcomes) -> _Sides:
        order = np.argsort(values, kind="stable")
        ordered, bad, groups = values[order], outcomes.is_bad[order] == 1, outcomes.groups[order]
        cuts = np.unique(ordered)[1:]
        below = np.searchsorted(ordered, cuts, side="left")
        bads = np.concatenate([[0], np.cumsum(bad)])[below]
        n, all_bads = len(ordered), int(bad.sum())
        # Bads below / rows below against bads above / rows above, in whole numbers.
        rise = np.sign((all_bads - bads) * below - bads * (n - below))
        return cls(
            cuts,
            np.minimum(below, n - below),
            np.minimum(bads, all_bads - bads),
            _fewer_customers(ordered[bad], groups[bad], cuts),
            _fewer_customers(ordered[~bad], groups[~bad], cuts),
            rise,
        )


def _fewer_customers(ordered: Floats, groups: Ints, cuts: Floats) -> Ints:
    """Customer groups on the side of each cut that has fewer of them; one may stand on both."""
    lowest = np.sort(ordered[np.unique(groups, return_index=True)[1]])
    highest = np.sort(ordered[::-1][np.unique(groups[::-1], return_index=True)[1]])
    below = np.searchsorted(lowest, cuts, side="left")
    above = len(highest) - np.searchsorted(highest, cuts, side="left")
    return np.asarray(np.minimum(below, above))


def why_no_cut(values: Floats, outcomes: Outcomes, risk: str, settings: ScorecardParams) -> str:
    """The first limit that no cut keeps beside those before it, with the figures of the cut that comes nearest.

    In turn: two values; `min_bin_share` of the rows; `min_bads_per_bin` and `min_goods_per_bin` customers; as many bad
    rows as so many bad customers have; the direction. Where a single cut would keep them all, the solver did not see
    it among its fine bins. `values` hold no null and both outcomes occur.
    """
    if not np.ptp(values):
        return _one_value(len(values))
    sides = _Sides.of(values, outcomes)
    kept, told = _broken(sides, outcomes, risk, settings)
    if told:
        return told
    example = float(sides.cuts[kept][int(np.argmax(sides.bads[kept]))])
    return (
        f"no cut of the solver's fine bins keeps every limit, though {kept.sum():,} of {len(kept):,} cuts would alone, "
        f"e.g. {example!r}"
    )


def why_one_group(codes: Ints, is_enough: Bools, outcomes: Outcomes, settings: ScorecardParams) -> str:
    """As `why_no_cut` for categories: fewer than two hold enough customers (`is_enough`), or no parting of those that
    do, in the order of their bad rates, keeps the limits. `codes` number the category of each row."""
    if len(is_enough) < 2:
        return _one_value(len(codes))
    if is_enough.sum() < 2:
        return (
            f"{is_enough.sum()} of {len(is_enough):,} categories hold {settings.min_bads_per_bin} bad and "
            f"{settings.min_goods_per_bin} good customers, two are needed"
        )
    asked = is_enough[codes]
    rows = np.bincount(codes, minlength=len(is_enough))
    bads = np.bincount(codes, outcomes.is_bad, len(is_enough))
    ranks = np.argsort(np.argsort(bads / rows, kind="stable"), kind="stable").astype(float)
    part = outcomes.part(asked)
    _, told = _broken(_Sides.of(ranks[codes[asked]], part), part, "either", settings)
    told = told or "the solver joined them into one group"
    return f"{is_enough.sum()} categories in the order of their bad rates: {told}"


def _one_value(rows: int) -> str:
    return f"all {rows:,} rows with a value hold the same one"


def _broken(sides: _Sides, outcomes: Outcomes, risk: str, settings: ScorecardParams) -> tuple[Bools, str]:
    """The cuts that keep every limit, and what is told of the limit that none keeps; empty where some are left."""
    limits = Constraints.of(outcomes, settings)
    rows = len(outcomes.is_bad)
    share = f"{100 * settings.min_bin_share:g}%"
    kept = sides.rows >= limits.fewest_rows
    if not kept.any():
        best = 100 * sides.rows.max() / rows
        told = f"no cut leaves {share} of the rows on both sides (min_bin_share): the smaller side holds {best:.3g}%"
        return kept, told
    before, kept = kept, kept & _customers_are_enough(sides, settings)
    if not kept.any():
        return kept, _too_few_customers(sides, before, share, settings)
    before, kept = kept, kept & (sides.bads >= limits.fewest_bads)
    if not kept.any():
        return kept, (
            f"no cut leaves {limits.fewest_bads:,} bad rows on both sides, as many as {settings.min_bads_per_bin} bad "
            f"customers have: the smaller side holds {sides.bads[before].max():,}"
        )
    found, kept = int(kept.sum()), kept & {"rises": sides.rise > 0, "falls": sides.rise < 0}.get(risk, sides.rise != 0)
    if kept.any():
        return kept, ""
    if risk == "either":
        return kept, f"none of {found:,} cuts with enough on both sides shows a difference in bad rates"
    return kept, f"none of {found:,} cuts with enough on both sides goes in the declared direction ({risk})"


def _customers_are_enough(sides: _Sides, settings: ScorecardParams) -> Bools:
    return (sides.bad_customers >= settings.min_bads_per_bin) & (sides.good_customers >= settings.min_goods_per_bin)


def _too_few_customers(sides: _Sides, kept: Bools, share: str, settings: ScorecardParams) -> str:
    bads, goods = sides.bad_customers[kept], sides.good_customers[kept]
    reached = np.minimum(bads / settings.min_bads_per_bin, goods / settings.min_goods_per_bin)
    nearest = int(np.argmax(reached))
    return (
        f"no cut with {share} of the rows on both sides leaves {settings.min_bads_per_bin} bad and "
        f"{settings.min_goods_per_bin} good customers there: the nearest leaves {bads[nearest]:,} bad and "
        f"{goods[nearest]:,} good"
    )
