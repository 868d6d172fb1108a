"""Single features that tell more of the outcome than anything known beforehand could."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.clustered import auc_estimate, clustered_auc, distinct
from pipeline.train.leaks_ground import Finding, per_cent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.params import LeakParams
    from pipeline.statistics.clustered import Estimate
    from pipeline.train.leaks_ground import Column, Ground, Half

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

_REMEDY = (
    "find out when the column is filled; leave it out (`excluded` in the catalogue of a table) if that is after as_of, "
    "otherwise say why under leaks.accept"
)
# A half is cut by quantiles of all rows and by quantiles of its bads, so that a rare outcome has bins of its own.
_CUTS = 20
_BADS_PER_CUT = 3
_HEAVY = 0.005
_PERFECT = 1 - 1e-12
# Below this a name that sounds like an outcome is only a name.
_NAMED_AUC = 0.65
OUTCOME_NAME = re.compile(
    r"charged?_?off|chg_?off|(^|_)(default(ed)?|bad|target|label|outcome|write_?off|written_?off|recover(y|ies|ed)|loss"
    r"|losses|bankrupt(cy)?|insolven(t|cy)|good_bad|mis_status)(_?(amount|amt|date|day|flag|status|on|at|ind|code|value))?$"
)


@dataclass(frozen=True)
class Power:
    """How well a column alone orders bad before good.

    `overall`: bins of one half of the customers, a null a bin of its own, measured on the other half, both ways.
    `where_filled`: plain ranks among the rows with a value, in the better direction; null for categories.
    """

    column: str
    overall: Estimate
    where_filled: Estimate | None
    fill: float

    @property
    def best(self) -> Estimate:
        """The surer of the two: the one with the higher lower bound."""
        if self.where_filled is None or self.overall.low >= self.where_filled.low:
            return self.overall
        return self.where_filled

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        filled = self.where_filled.as_json() if self.where_filled else None
        return {"column": self.column, "overall": self.overall.as_json(), "where_filled": filled, "fill": self.fill}


def power(column: Column, ground: Ground) -> Power | None:
    """The power of one column; null where a half of the customers has no bad or no good row."""
    first, second = ground.halves
    if not (first.has_both and second.has_both):
        return None
    confidence = ground.settings.confidence
    found = [
        clustered_auc(_risk(column, fitted)[column.position[held.rows]], held.is_bad, held.codes, confidence)
        for fitted, held in ((first, second), (second, first))
    ]
    told = [half for half in found if half is not None]
    value = float(np.mean([half.value for half in told]))
    error = float(np.sqrt(sum(half.error**2 for half in told)) / len(told))
    overall = auc_estimate(value, error, sum(h.bads for h in told), sum(h.goods for h in told), confidence)
    return Power(column.name, overall, _where_filled(column, ground), float(column.is_known.mean()))


def power_findings(powers: Sequence[Power], ground: Ground) -> list[Finding]:
    """Refuses a lower bound above `refuse_auc` or a perfect order; warns above `warn_auc`, and of a lone giant."""
    findings = []
    for found in powers:
        verdict = _verdict(found.best, ground.settings)
        if verdict:
            findings.append(Finding("power", found.column, verdict, _told(found), _REMEDY, found.as_json()))
        elif OUTCOME_NAME.search(found.column.lower()) and found.best.low > _NAMED_AUC:
            told = f"is named like an outcome, and alone {_told(found)}"
            findings.append(Finding("named_like_outcome", found.column, "warn", told, _REMEDY, found.as_json()))
    return findings + _lone(powers, ground, {finding.column for finding in findings})


def _verdict(best: Estimate, settings: LeakParams) -> str | None:
    is_perfect = best.value >= _PERFECT and best.low > settings.warn_auc
    if best.low > settings.refuse_auc or is_perfect:
        return "refuse"
    return "warn" if best.low > settings.warn_auc or best.value > settings.refuse_auc else None


def _told(found: Power) -> str:
    best = found.best
    is_everywhere = best is found.overall or found.fill == 1
    where = "" if is_everywhere else f" among the {per_cent(found.fill)} of rows where it is filled"
    few = "; few bads, it may be chance" if best.low < 0.8 else ""
    return (
        f"orders bad before good with an AUC of {best.value:.3f} ({best.low:.3f} to {best.high:.3f}){where}, "
        f"on {best.bads:,} bad customers{few}"
    )


def _lone(powers: Sequence[Power], ground: Ground, known: set[str | None]) -> list[Finding]:
    """The strongest column, where it leaves every other far behind; relatives of it count as others."""
    ordered = sorted(powers, key=lambda p: (-p.overall.value, p.column))
    if len(ordered) < 3 or ordered[0].column in known:
        return []
    first, next_best = ordered[0].overall, ordered[1].overall
    if first.low - next_best.high <= ground.settings.warn_margin:
        return []
    told = f"{_told(ordered[0])}; the next best, {ordered[1].column}, reaches {next_best.value:.3f}"
    return [Finding("lone_power", ordered[0].column, "warn", told, _REMEDY, ordered[0].as_json())]


def _where_filled(column: Column, ground: Ground) -> Estimate | None:
    if column.is_category:
        return None
    sample, is_known = ground.sample, column.is_known
    position, is_bad = column.position[is_known], sample.is_bad[is_known]
    if not len(position):
        return None
    found = clustered_auc(position, is_bad, sample.codes[is_known], ground.settings.confidence)
    if found is None or found.value >= 0.5:
        return found
    return auc_estimate(1 - found.value, found.error, found.bads, found.goods, ground.settings.confidence)


def _risk(column: Column, fitted: Half) -> Codes:
    """Each distinct value's place in the order of risk, by the rows of one half; the last entry is that of null."""
    position = column.position[fitted.rows]
    bins = _bins(column, position, fitted)
    # Position −1, a null, reads the last entry.
    bin_of_value = np.append(bins, bins.max(initial=-1) + 1)
    rows = bin_of_value[position]
    n = np.bincount(rows, minlength=bin_of_value[-1] + 1)
    bads = np.bincount(rows, weights=fitted.is_bad, minlength=bin_of_value[-1] + 1)
    # One customer's rows at the base rate stand in every bin.
    prior = len(position) / distinct(fitted.codes)
    risk = (bads + prior * fitted.is_bad.mean()) / (n + prior)
    place: Codes = np.unique(risk, return_inverse=True)[1].astype(np.int64)[bin_of_value]
    return place


def _bins(column: Column, position: Codes, fitted: Half) -> Codes:
    """The bin of each distinct value: itself for categories, else between quantiles; heavy values stand alone."""
    values = len(column.distinct)
    if column.is_category or values <= _CUTS:
        return np.arange(values, dtype=np.int64)
    is_bad = (fitted.is_bad == 1) & (position >= 0)
    counts = np.bincount(position + 1, minlength=values + 1)[1:]
    bads = np.bincount(position[is_bad], minlength=values)
    by_bads = _quantiles(bads, min(_CUTS, distinct(fitted.codes[is_bad]) // _BADS_PER_CUT))
    heavy = np.flatnonzero(counts > _HEAVY * max(counts.sum(), 1))
    edges = np.unique(np.concatenate([_quantiles(counts, _CUTS), by_bads, heavy, heavy + 1]))
    return np.searchsorted(edges, np.arange(values), side="right").astype(np.int64)


def _quantiles(counts: NDArray[Any], cuts: int) -> Codes:
    """Positions that cut counts into about equal parts, each the first of its part; the first of all among them."""
    total = counts.sum()
    if not total or cuts < 1:
        return np.empty(0, dtype=np.int64)
    wanted = total * np.arange(cuts) / cuts
    first: Codes = np.searchsorted(np.cumsum(counts), wanted, side="right").astype(np.int64)
    return first
