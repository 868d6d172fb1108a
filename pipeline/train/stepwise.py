"""Forward and backward steps over weights of evidence: who comes into the card, by tests clustered by customer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.logistic import cluster_sums, fit_logistic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams

    Floats = NDArray[np.float64]

# A second window of an idea already in the card must be much surer than another idea.
_SECOND_WINDOW = 0.1
# A feature whose direction the data chose is right by chance twice as often as one whose direction was declared.
_UNDIRECTED = 0.5


@dataclass
class Search:
    """The state of the search over the columns of one WoE matrix; what is `held` (must-haves) leaves for its sign only.

    `chosen` are positions in `names`, in the order they came in; `fates` holds (fate, reason, p) of those put out,
    `remarks` what those that are held would have failed.
    """

    names: list[str]
    woe: Floats
    good: Floats
    clusters: NDArray[Any]
    ideas: Mapping[str, str]
    undirected: frozenset[str]
    held: frozenset[str]
    settings: ScorecardParams
    chosen: list[int]
    fates: dict[str, tuple[str, str, float | None]]
    remarks: dict[str, list[str]] = field(default_factory=dict)


def walk(search: Search, most: int) -> None:
    """Forward by the surest candidate, backward by the worst coefficient; a feature that was put out stays out.

    What is held comes in first, in the order of `names`. At most `most` features are in at the end, unless more are
    held. A held feature that these tests would have put out, or for which there was no place, has a remark.
    """
    search.chosen.extend(i for i, name in enumerate(search.names) if name in search.held)
    _backward(search)
    _forward(search, most)
    _remark_held(search, most)


def _forward(search: Search, most: int) -> None:
    while True:
        columns, p_hat = _fitted(search)
        open_ones = [i for i, name in enumerate(search.names) if i not in search.chosen and name not in search.fates]
        if not open_ones:
            return
        z = np.array([_score_test(search, columns, p_hat, i) for i in open_ones])
        p_values = 2.0 * stats.norm.sf(np.abs(z))
        allowed = np.array([_is_allowed(search, i, zi, p) for i, zi, p in zip(open_ones, z, p_values, strict=True)])
        if not allowed.any() or len(search.chosen) >= most:
            _close(search, open_ones, z, p_values, most)
            return
        best = int(np.argmax(np.where(allowed, z, -np.inf)))
        search.chosen.append(open_ones[best])
        _backward(search)


def _is_allowed(search: Search, candidate: int, z: float, p: float) -> bool:
    return bool(z > 0 and p <= _limit(search, search.names[candidate]))


def _remark_held(search: Search, most: int) -> None:
    """Tells what the held features would have failed: the Wald test beside all that are in, at the limit of a feature
    that comes in after those before it; and a place among the `most`."""
    held = [place for place, i in enumerate(search.chosen) if search.names[i] in search.held]
    if not held:
        return
    columns = np.column_stack([np.ones(len(search.good)), search.woe[:, search.chosen]])
    p_values = fit_logistic(columns, search.good, search.clusters).p_values[1:]
    for place in held:
        name, p = search.names[search.chosen[place]], float(p_values[place])
        limit = _limit_after(search, name, search.chosen[:place])
        told = [f"not significant beside the others: p {p:.3f} above {limit:g}"] if p > limit else []
        told += [_full(search, most)] if place >= most else []
        if told:
            search.remarks.setdefault(name, []).extend(told)


def _limit(search: Search, name: str) -> float:
    return _limit_after(search, name, search.chosen)


def _limit_after(search: Search, name: str, before: list[int]) -> float:
    """The largest p-value of a feature that comes in after those before it."""
    ideas = {search.ideas[search.names[i]] for i in before}
    limit = search.settings.max_p_value * (_SECOND_WINDOW if search.ideas[name] in ideas else 1.0)
    return limit * (_UNDIRECTED if name in search.undirected else 1.0)


def _fitted(search: Search) -> tuple[Floats, Floats]:
    columns = np.column_stack([np.ones(len(search.good)), search.woe[:, search.chosen]])
    return columns, fit_logistic(columns, search.good, search.clusters).probabilities


def _score_test(search: Search, columns: Floats, p_hat: Floats, candidate: int) -> float:
    """Rao's score of adding one column, as a signed z with clustered variance; positive agrees with its WoE."""
    weights = p_hat * (1 - p_hat)
    column = search.woe[:, candidate]
    inner = np.einsum("ij,ik,i->jk", columns, columns, weights)
    beta = np.linalg.solve(inner, np.einsum("ij,i,i->j", columns, column, weights))
    rest = column - np.einsum("ij,j->i", columns, beta)
    sums = cluster_sums((rest * (search.good - p_hat))[:, None], search.clusters)[:, 0]
    spread = np.sqrt(np.sum(sums**2))
    return float(sums.sum() / spread) if spread > 1e-9 else 0.0


def _backward(search: Search) -> None:
    while search.chosen:
        columns = np.column_stack([np.ones(len(search.good)), search.woe[:, search.chosen]])
        fit = fit_logistic(columns, search.good, search.clusters)
        beta, p_values = fit.coefficients[1:], fit.p_values[1:]
        is_held = np.array([search.names[i] in search.held for i in search.chosen])
        badness = np.where(beta <= 0, 2.0, np.where(is_held, 0.0, p_values))
        worst = int(np.argmax(badness))
        if badness[worst] <= search.settings.max_p_value:
            return
        name = search.names[search.chosen.pop(worst)]
        if beta[worst] <= 0:
            told = f"its coefficient {beta[worst]:.2f} turned against its WoE beside the others"
            search.fates[name] = ("wrong_sign", told, float(p_values[worst]))
        else:
            told = f"p {p_values[worst]:.3f} rose above {search.settings.max_p_value:g} beside the others"
            search.fates[name] = ("not_significant", told, float(p_values[worst]))


def _close(search: Search, open_ones: list[int], z: Floats, p_values: Floats, most: int) -> None:
    for i, zi, p in zip(open_ones, z.tolist(), p_values.tolist(), strict=True):
        name = search.names[i]
        limit = _limit(search, name)
        ideas = {search.ideas[search.names[k]] for k in search.chosen}
        told = f"adds too little beside the others: p {p:.3f} above {limit:g}"
        if zi <= 0:
            search.fates[name] = ("wrong_sign", "beside the chosen ones it would count against its WoE", p)
        elif p <= limit:
            search.fates[name] = ("beyond_maximum", _full(search, most), p)
        elif search.ideas[name] in ideas:
            search.fates[name] = ("same_idea", f"another window of {search.ideas[name]} is in; it {told}", p)
        else:
            search.fates[name] = ("not_significant", told, p)


def _full(search: Search, most: int) -> str:
    """The limit that binds: the parameter where the bad customers would have carried as many or more."""
    if most == search.settings.max_variables:
        return f"the card is full: {most} characteristics, as many as fit_scorecard.max_variables allows"
    return f"the card is full: {most} characteristics for the bad customers there are"
