"""Chooses a scorecard's characteristics in steps a committee can follow, and tells the fate of every feature."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.logistic import cluster_sums, fit_logistic
from pipeline.statistics.stability import noise_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.binning import Binning
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

# One characteristic for so many bad customers; fewer make coefficients wild (Peduzzi et al. 1996 found ten).
BAD_CUSTOMERS_PER_CHARACTERISTIC = 8
# A second window of an idea already in the card must be much surer than another idea.
_SECOND_WINDOW = 0.1
# A feature whose direction the data chose is right by chance twice as often as one whose direction was declared.
_UNDIRECTED = 0.5


@dataclass(frozen=True)
class Fate:
    """What became of one feature. `fate` is selected, unbinnable, weak, correlated, same_idea, not_significant,
    wrong_sign or beyond_maximum; `iv` and `p_value` are null where it did not come so far."""

    feature: str
    fate: str
    reason: str
    iv: float | None = None
    bins: int | None = None
    p_value: float | None = None
    step: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass
class _Search:
    """The state of the stepwise search over the columns of one WoE matrix."""

    names: list[str]
    woe: Floats
    good: Floats
    clusters: NDArray[Any]
    ideas: Mapping[str, str]
    undirected: frozenset[str]
    settings: ScorecardParams
    chosen: list[int]
    fates: dict[str, tuple[str, str, float | None]]


def select(
    sample: Sample, binning: Binning, catalogue: Sequence[Mapping[str, Any]], settings: ScorecardParams
) -> tuple[list[str], list[Fate]]:
    """The chosen features in the order they came in, and one Fate for every feature of the catalogue.

    In turn: bins exist; IV is at least `min_iv` and above what chance shows; of features whose WoE correlate above
    `max_correlation` the one with the highest IV stays; then forward steps by the score test and backward steps by the
    Wald test, both by customer cluster, every coefficient in the direction of its WoE.
    """
    fates: dict[str, tuple[str, str, float | None]] = {
        name: ("unbinnable", reason, None) for name, reason in binning.unbinnable.items()
    }
    strong = _strong(sample, binning, settings, fates)
    apart = _uncorrelated(sample, binning, strong, settings, fates)
    ideas = {str(f["name"]): str(f.get("idea") or f["name"]) for f in catalogue}
    search = _Search(
        apart,
        binning.woe(sample.rows, apart) if apart else np.empty((len(sample.is_bad), 0)),
        1.0 - sample.is_bad,
        sample.codes,
        ideas,
        frozenset(str(f["name"]) for f in catalogue if f["risk"] == "either"),
        settings,
        [],
        fates,
    )
    _walk(search, _most(sample, settings))
    chosen = [search.names[i] for i in search.chosen]
    return chosen, _told(chosen, fates, binning, catalogue)


def _most(sample: Sample, settings: ScorecardParams) -> int:
    return max(1, min(settings.max_variables, sample.bad_customers // BAD_CUSTOMERS_PER_CHARACTERISTIC))


def _strong(sample: Sample, binning: Binning, settings: ScorecardParams, fates: dict[str, Any]) -> list[str]:
    """Features by falling IV that carry more than chance: IV of pure noise is about χ²(B − 1)·(1/bads + 1/goods)."""
    kept = []
    goods = max(sample.customers - sample.bad_customers, 1)
    for name in sorted(binning.characteristics, key=lambda n: (-binning.characteristics[n].iv, n)):
        characteristic = binning.characteristics[name]
        used = sum(1 for b in characteristic.bins if b.count)
        noise = noise_quantile(used, sample.bad_customers, goods, 0.05)
        if characteristic.iv < settings.min_iv:
            fates[name] = ("weak", f"IV {characteristic.iv:.3f} is below {settings.min_iv:g}", None)
        elif characteristic.iv < noise:
            fates[name] = ("weak", f"IV {characteristic.iv:.3f} is no more than chance shows ({noise:.3f})", None)
        else:
            kept.append(name)
    return kept


def _uncorrelated(
    sample: Sample, binning: Binning, strong: list[str], settings: ScorecardParams, fates: dict[str, Any]
) -> list[str]:
    if not strong:
        return []
    centred = binning.woe(sample.rows, strong)
    centred = centred - centred.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    correlation = np.einsum("ij,ik->jk", centred, centred) / np.outer(length, length)
    kept: list[int] = []
    for i, name in enumerate(strong):
        nearest = max(kept, key=lambda k: abs(correlation[i, k]), default=None)
        if nearest is not None and abs(correlation[i, nearest]) > settings.max_correlation:
            told = f"correlates {correlation[i, nearest]:.2f} with {strong[nearest]}, which has the higher IV"
            fates[name] = ("correlated", told, None)
        else:
            kept.append(i)
    return [strong[i] for i in kept]


def _walk(search: _Search, most: int) -> None:
    """Forward by the surest candidate, backward by the worst coefficient; a feature that was put out stays out."""
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


def _is_allowed(search: _Search, candidate: int, z: float, p: float) -> bool:
    return bool(z > 0 and p <= _limit(search, search.names[candidate]))


def _limit(search: _Search, name: str) -> float:
    ideas = {search.ideas[search.names[i]] for i in search.chosen}
    limit = search.settings.max_p_value * (_SECOND_WINDOW if search.ideas[name] in ideas else 1.0)
    return limit * (_UNDIRECTED if name in search.undirected else 1.0)


def _fitted(search: _Search) -> tuple[Floats, Floats]:
    columns = np.column_stack([np.ones(len(search.good)), search.woe[:, search.chosen]])
    return columns, fit_logistic(columns, search.good, search.clusters).probabilities


def _score_test(search: _Search, columns: Floats, p_hat: Floats, candidate: int) -> float:
    """Rao's score of adding one column, as a signed z with clustered variance; positive agrees with its WoE."""
    weights = p_hat * (1 - p_hat)
    column = search.woe[:, candidate]
    inner = np.einsum("ij,ik,i->jk", columns, columns, weights)
    beta = np.linalg.solve(inner, np.einsum("ij,i,i->j", columns, column, weights))
    rest = column - np.einsum("ij,j->i", columns, beta)
    sums = cluster_sums((rest * (search.good - p_hat))[:, None], search.clusters)[:, 0]
    spread = np.sqrt(np.sum(sums**2))
    return float(sums.sum() / spread) if spread > 1e-9 else 0.0


def _backward(search: _Search) -> None:
    while search.chosen:
        columns = np.column_stack([np.ones(len(search.good)), search.woe[:, search.chosen]])
        fit = fit_logistic(columns, search.good, search.clusters)
        beta, p_values = fit.coefficients[1:], fit.p_values[1:]
        badness = np.where(beta <= 0, 2.0, p_values)
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


def _close(search: _Search, open_ones: list[int], z: Floats, p_values: Floats, most: int) -> None:
    for i, zi, p in zip(open_ones, z.tolist(), p_values.tolist(), strict=True):
        name = search.names[i]
        limit = _limit(search, name)
        ideas = {search.ideas[search.names[k]] for k in search.chosen}
        told = f"adds too little beside the others: p {p:.3f} above {limit:g}"
        if zi <= 0:
            search.fates[name] = ("wrong_sign", "beside the chosen ones it would count against its WoE", p)
        elif p <= limit:
            full = f"the card is full: {most} characteristics for the bad customers there are"
            search.fates[name] = ("beyond_maximum", full, p)
        elif search.ideas[name] in ideas:
            search.fates[name] = ("same_idea", f"another window of {search.ideas[name]} is in; it {told}", p)
        else:
            search.fates[name] = ("not_significant", told, p)


def _told(
    chosen: list[str], fates: Mapping[str, Any], binning: Binning, catalogue: Sequence[Mapping[str, Any]]
) -> list[Fate]:
    told = []
    for feature in catalogue:
        name = str(feature["name"])
        found = binning.characteristics.get(name)
        iv, bins = (found.iv, sum(1 for b in found.bins if b.count)) if found else (None, None)
        if name in chosen:
            reason = "; ".join(filter(None, ("in the scorecard", binning.remarks.get(name, ""))))
            told.append(Fate(name, "selected", reason, iv, bins, None, chosen.index(name) + 1))
        else:
            fate, reason, p = fates[name]
            told.append(Fate(name, fate, reason, iv, bins, p))
    return told
