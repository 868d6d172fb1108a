"""Cuts features into bins in their declared direction; each bin gets its weight of evidence from our own counts."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.feature_columns import category_column, codes_of, number_column, without_codes
from pipeline.score.scorecard import Bin, Characteristic
from pipeline.train.bin_counts import Outcomes, counted
from pipeline.train.bins_by_hand import ByHand, by_hand, require_usable
from pipeline.train.bins_file import told_number
from pipeline.train.optimal_bins import optimal_groups, optimal_splits
from pipeline.train.unbinnable import why_no_cut, why_one_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.bins_file import Cuts
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

_SPLIT_DIGITS = 4


@dataclass(frozen=True)
class Binning:
    """Binned features by name (points are the WoE), why others could not be binned, remarks on single features, and
    which bins were set by hand otherwise than the solver would have."""

    characteristics: Mapping[str, Characteristic]
    unbinnable: Mapping[str, str]
    remarks: Mapping[str, str]
    by_hand: tuple[ByHand, ...] = ()

    def woe(self, rows: pd.DataFrame, features: Sequence[str]) -> Floats:
        """WoE of the rows by the code that scores them; shape (rows, features)."""
        return np.column_stack([self.characteristics[name].points(rows) for name in features])


@dataclass(frozen=True)
class Evidence:
    """Counts the weights of evidence rest on: rows by outcome, and the half bad customer every bin is given.

    WoE = ln[((g + g₀)/(b + b₀)) · (B/G)] with b₀ = half a bad customer in rows (½ · bad rows / bad customers) and
    g₀ = b₀ · G/B: a bin without rows is neutral, one without bads stays finite, many rows leave it be.
    """

    bads: float
    goods: float
    prior_bads: float

    def woe(self, bads: Floats, goods: Floats) -> Floats:
        """Ln(share of goods / share of bads) of bins, smoothed; positive is safer.

        >>> Evidence(10, 90, 0.0).woe(np.array([5.0]), np.array([15.0])).round(4).tolist()
        [-1.0986]
        """
        odds = self.goods / self.bads
        return np.asarray(np.log((goods + self.prior_bads * odds) / (bads + self.prior_bads) / odds))


def evidence(sample: Sample | Outcomes) -> Evidence:
    """The evidence of a training sample, or of outcomes; bads and goods must be among them."""
    bads = float(sample.is_bad.sum())
    return Evidence(bads, len(sample.is_bad) - bads, 0.5 * bads / sample.bad_customers)


def fit_bins(
    sample: Sample,
    catalogue: Sequence[Mapping[str, Any]],
    settings: ScorecardParams,
    cuts: Mapping[str, Cuts] | None = None,
    closed: Mapping[str, str] | None = None,
) -> Binning:
    """Bins every feature of the catalogue. A feature that cannot be binned is listed with the reason, never guessed.

    `cuts` are bins set by hand, which stand instead of the solver's; weights of evidence are fitted either way. Of
    features that are not in the catalogue `closed` tells why. `min_bads_per_bin` and `min_goods_per_bin` count customer
    groups, not months. Raises ContractError on infinities, ParameterError with everything that keeps bins set by hand
    from being taken: none is left out in silence.
    """
    binned: dict[str, Characteristic] = {}
    unbinnable: dict[str, str] = {}
    remarks: dict[str, str] = {}
    changed: list[ByHand] = []
    hand: dict[str, Characteristic | str] = {}
    for feature in catalogue:
        name = feature["name"]
        if feature["holds"] == "category":
            result = _fit_categories(sample, name, feature["risk"], settings)
        else:
            result = _fit_numbers(sample, feature, settings)
        if cuts and name in cuts:
            solved = None if isinstance(result, str) else result
            result = hand[name] = _set_by_hand(sample, feature, cuts[name], settings)
            if not isinstance(result, str):
                told = by_hand(result, solved, sample, settings)
                changed += [told] if told else []
        if isinstance(result, str):
            unbinnable[name] = result
            continue
        binned[name] = result
        asked = {"missing", "special", "categories"} if name in hand else {"missing", "special"}
        neutral = [_neutral(b) for b in result.bins if b.kind in asked and b.count and b.woe == 0]
        if neutral:
            remarks[name] = "; ".join(neutral)
    require_usable(cuts or {}, hand, closed or {}, sample, settings)
    return Binning(binned, unbinnable, remarks, tuple(changed))


def _set_by_hand(
    sample: Sample, feature: Mapping[str, Any], cuts: Cuts, settings: ScorecardParams
) -> Characteristic | str:
    """The bins as they were written, even where they say nothing (`require_usable` judges them); the fault of a column
    that no cut could bin."""
    name, risk = str(feature["name"]), str(feature["risk"])
    if cuts.groups is not None:
        texts, is_null = category_column(sample.rows, name)
        fault = _fault(texts[~is_null], sample.is_bad[~is_null])
        bins = _grouped(sample, name, list(cuts.groups), settings)
    else:
        values = without_codes(number_column(sample.rows, name), codes_of(feature))
        is_known = ~np.isnan(values)
        fault = _fault(values[is_known], sample.is_bad[is_known])
        bins = _ranged(sample, feature, np.array(cuts.splits or (), dtype=float), settings, told_number)
    return fault or _weighing(name, risk, bins)


def _neutral(b: Bin) -> str:
    if b.kind == "categories":
        return f"{b.count:,} rows of the group {b.label} hold too few bads or goods: neutral (WoE 0)"
    what = "without a value" if b.kind == "missing" else f"with the code {b.label}"
    return f"{b.count:,} rows {what} hold too few bads or goods: neutral (WoE 0)"


def _fit_numbers(sample: Sample, feature: Mapping[str, Any], settings: ScorecardParams) -> Characteristic | str:
    """Ranges of the ordinary numbers; each special code has a bin of its own, weighed by its own counts."""
    name, risk, special = str(feature["name"]), str(feature["risk"]), codes_of(feature)
    raw = number_column(sample.rows, name)
    values = without_codes(raw, special)
    is_known = ~np.isnan(values)
    fault = _fault(values[is_known], sample.is_bad[is_known])
    if fault:
        return fault
    known = Outcomes.of(sample).part(is_known)
    found = optimal_splits(values[is_known], known, name, risk, settings)
    if isinstance(found, str):
        return found
    splits = _merged(values[is_known], known, _rounded(found), risk, settings)
    bins = _ranged(sample, feature, splits, settings)
    return _weighing(name, risk, bins) if _tells(bins) else why_no_cut(values[is_known], known, risk, settings)


def _ranged(
    sample: Sample,
    feature: Mapping[str, Any],
    splits: Floats,
    settings: ScorecardParams,
    told: Callable[[float], str] = "{:g}".format,
) -> tuple[Bin, ...]:
    """The bins between the splits, one for each special code and one for no value, weighed by their own counts; `told`
    writes a split in the name of a bin."""
    special = codes_of(feature)
    raw = number_column(sample.rows, str(feature["name"]))
    values = without_codes(raw, special)
    is_known = ~np.isnan(values)
    codes = np.where(is_known, np.searchsorted(splits, values, side="right"), len(splits) + 1 + len(special))
    for i, code in enumerate(special):
        codes = np.where(raw == code, len(splits) + 1 + i, codes)
    bounds = [None, *splits.tolist(), None]
    shells = [
        Bin(_range_label(low, high, told), "range", 0.0, 0.0, lower=low, upper=high)
        for low, high in itertools.pairwise(bounds)
    ]
    shells += [
        Bin(f"{code:g}: {words['en']}", "special", 0.0, 0.0, lower=code, upper=code)
        for code, words in zip(special, feature.get("special") or (), strict=True)
    ]
    return _weighed(sample, [*shells, Bin("no value", "missing", 0.0, 0.0)], codes, settings)


def _fit_categories(sample: Sample, name: str, risk: str, settings: ScorecardParams) -> Characteristic | str:
    values, is_null = category_column(sample.rows, name)
    known = values[~is_null].astype(str)
    fault = _fault(known, sample.is_bad[~is_null])
    if fault:
        return fault
    names, codes = np.unique(known, return_inverse=True)
    outcomes = Outcomes.of(sample).part(~is_null)
    enough = counted(codes, outcomes, len(names)).is_enough(settings)
    groups = optimal_groups(known[enough[codes]], outcomes.part(enough[codes]), name, settings)
    if isinstance(groups, str):
        return groups
    rare = tuple(names[~enough].tolist())
    bins = _grouped(sample, name, [*groups, rare] if rare else groups, settings)
    return _weighing(name, risk, bins) if _tells(bins) else why_one_group(codes, enough, outcomes, settings)


def _grouped(sample: Sample, name: str, groups: list[tuple[str, ...]], settings: ScorecardParams) -> tuple[Bin, ...]:
    """A bin for each group of categories, one for no value and one for any other, weighed by their own counts."""
    values, is_null = category_column(sample.rows, name)
    shells = [Bin(", ".join(group), "categories", 0.0, 0.0, categories=group) for group in groups]
    at = {category: i for i, group in enumerate(groups) for category in group}
    row_codes = np.array(
        [len(groups) if null else at.get(str(v), len(groups) + 1) for v, null in zip(values, is_null, strict=True)]
    )
    shells += [Bin("no value", "missing", 0.0, 0.0), Bin("any other", "unseen", 0.0, 0.0)]
    return _weighed(sample, shells, row_codes, settings)


def _fault(known: NDArray[Any], is_bad: Floats) -> str:
    if not len(known):
        return "null on every row"
    if not is_bad.any() or is_bad.all():
        return f"all {len(known):,} rows with a value have one outcome"
    return ""


def _weighed(sample: Sample, shells: list[Bin], codes: NDArray[Any], settings: ScorecardParams) -> tuple[Bin, ...]:
    """Weighs bins by their own counts; a missing or rare bin without enough of them is neutral.

    Few goods beside enough bads are no reason to be neutral where the bin is riskier than the rest: they show it.
    """
    counts = counted(codes, Outcomes.of(sample), len(shells))
    woe = evidence(sample).woe(counts.bads, counts.goods)
    is_told = counts.is_enough(settings) | ((counts.bad_customers >= settings.min_bads_per_bin) & (woe < 0))
    woe = np.where(is_told, woe, 0.0)
    return tuple(
        replace(shell, woe=float(w), points=float(w), count=int(b + g), bads=int(b))
        for shell, w, b, g in zip(shells, woe, counts.bads, counts.goods, strict=True)
    )


def _tells(bins: tuple[Bin, ...]) -> bool:
    """Some rows weigh otherwise than others."""
    return len({b.woe for b in bins if b.count}) > 1


def _weighing(name: str, risk: str, bins: tuple[Bin, ...]) -> Characteristic:
    return Characteristic(name, 1.0, bins, risk, information_value(bins), mean_points=0.0)


def information_value(bins: Sequence[Bin]) -> float:
    """Σ (share of goods − share of bads) · WoE over the bins. Source: Siddiqi 2006, chapter 6."""
    goods, bads = sum(b.count - b.bads for b in bins), sum(b.bads for b in bins)
    return math.fsum(((b.count - b.bads) / goods - b.bads / bads) * b.woe for b in bins)


def _merged(values: Floats, outcomes: Outcomes, splits: Floats, risk: str, settings: ScorecardParams) -> Floats:
    """Takes splits away until every bin has enough customers and WoE moves in the declared direction."""
    weights = evidence(outcomes)
    while len(splits):
        counts = counted(np.searchsorted(splits, values, side="right"), outcomes, len(splits) + 1)
        steps = np.diff(weights.woe(counts.bads, counts.goods))
        sign = {"rises": -1.0, "falls": 1.0}.get(risk, 1.0 if steps.sum() > 0 else -1.0)
        is_wrong = steps * sign <= 0
        thin = np.flatnonzero(~counts.is_enough(settings))
        if not is_wrong.any() and not len(thin):
            break
        if len(thin):
            sides = [i for i in (thin[0] - 1, thin[0]) if 0 <= i < len(splits)]
            taken = min(sides, key=lambda i: abs(steps[i]))
        else:
            taken = int(np.argmin(np.where(is_wrong, np.abs(steps), np.inf)))
        splits = np.delete(splits, taken)
    return splits


def _rounded(splits: Floats) -> Floats:
    """Splits with four significant digits, where they stay apart: a committee reads 8.814, not 8.81426811."""
    rounded = np.array([float(f"{split:.{_SPLIT_DIGITS}g}") for split in splits])
    return rounded if len(np.unique(rounded)) == len(splits) else splits


def _range_label(low: float | None, high: float | None, told: Callable[[float], str]) -> str:
    if low is None:
        return "any value" if high is None else f"below {told(high)}"
    return f"{told(low)} or more" if high is None else f"{told(low)} to below {told(high)}"
