"""Chooses a scorecard's characteristics in steps a committee can follow, and tells the fate of every feature."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.stability import noise_quantile
from pipeline.train.bin_figures import information_of
from pipeline.train.bin_shift import bin_shifts
from pipeline.train.stepwise import Search, walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import ScorecardParams
    from pipeline.train.bin_shift import BinShift
    from pipeline.train.binning import Binning
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

# One characteristic for so many bad customers; fewer make coefficients wild (Peduzzi et al. 1996 found ten).
BAD_CUSTOMERS_PER_CHARACTERISTIC = 8
# Above this correlation two columns are one in all that matters, and their coefficients cannot be told apart.
_ALMOST_ONE = 0.999
_FOR_PEOPLE = "serves people alone: one more invoice 90 days late could make a customer look safer by it"
_NEVER_USE = "on the list fit_scorecard.never_use"


def serves_models(feature: Mapping[str, Any]) -> bool:
    """Whether a model may use a feature of a catalogue; those of a table of one's own all serve models."""
    return str(feature.get("serves", "models")) == "models"


@dataclass(frozen=True)
class Fate:
    """What became of one feature. `fate` is selected, never_use, not_for_models, unbinnable, weak, unstable,
    correlated, same_idea, not_significant, wrong_sign or beyond_maximum.

    `iv`, with its interval by customer group (see `information_interval`), `p_value` and `psi` (of its bins between the
    halves of the training dates, with `psi_noise`, which chance exceeds with the probability `psi_significance`) are
    null where it did not come so far. `is_must_have`: it stands on the list of those that must be in the card.
    """

    feature: str
    fate: str
    reason: str
    iv: float | None = None
    bins: int | None = None
    p_value: float | None = None
    step: int | None = None
    psi: float | None = None
    is_must_have: bool = False
    iv_low: float | None = None
    iv_high: float | None = None
    psi_noise: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _Steps:
    """What every step reads, and the fates (fate, reason, p) and remarks it adds to."""

    sample: Sample
    binning: Binning
    settings: ScorecardParams
    held: frozenset[str]
    fates: dict[str, tuple[str, str, float | None]]
    remarks: dict[str, list[str]]


def open_to_selection(catalogue: Sequence[Mapping[str, Any]], settings: ScorecardParams) -> list[Mapping[str, Any]]:
    """The features that may be binned: those that serve models and are not on the never-use list."""
    return [f for f in catalogue if serves_models(f) and f["name"] not in settings.never_use]


def closed_to_selection(catalogue: Sequence[Mapping[str, Any]], settings: ScorecardParams) -> dict[str, str]:
    """Why each other feature of the catalogue is not binned, in the words of its fate."""
    closed = {str(f["name"]): _FOR_PEOPLE for f in catalogue if not serves_models(f)}
    return closed | dict.fromkeys(settings.never_use, _NEVER_USE)


def select(
    sample: Sample, binning: Binning, catalogue: Sequence[Mapping[str, Any]], settings: ScorecardParams
) -> tuple[list[str], list[Fate]]:
    """The chosen features in the order they came in, and one Fate for every feature of the catalogue.

    In turn: the feature may be used; bins exist; IV is at least `min_iv` and above what chance shows; the bins are
    stable between the earlier and the later half of the training dates; of features whose WoE correlate above
    `max_correlation` the one with the highest IV stays; then forward steps by the score test and backward steps by the
    Wald test, both by customer cluster, every coefficient in the direction of its WoE. With `selection: all` these
    steps are left out, and of what came so far the `max_variables` of highest IV are chosen.

    What is on the must-have list comes in first and passes every step with a remark, except bins and sign: without
    bins, or against its own WoE, it is left out and the reason told.
    """
    steps = _Steps(sample, binning, settings, frozenset(settings.must_have), {}, {})
    steps.fates.update({name: ("unbinnable", reason, None) for name, reason in binning.unbinnable.items()})
    steps.fates.update(
        {str(f["name"]): ("not_for_models", _FOR_PEOPLE, None) for f in catalogue if not serves_models(f)}
    )
    steps.fates.update(dict.fromkeys(settings.never_use, ("never_use", _NEVER_USE, None)))
    strong = _strong(steps)
    shifts = bin_shifts(sample, [binning.characteristics[name] for name in strong])
    apart = _uncorrelated(steps, _stable(steps, strong, shifts))
    chosen = _foremost(steps, apart) if settings.selection == "all" else _walked(steps, apart, catalogue)
    return chosen, [_told(str(f["name"]), chosen, steps, shifts) for f in catalogue]


def _foremost(steps: _Steps, names: list[str]) -> list[str]:
    """The first of the names, as many as the card may hold."""
    most = steps.settings.max_variables
    for name in names[most:]:
        steps.fates[name] = (
            "beyond_maximum",
            f"the card is full: {most} characteristics of higher information value",
            None,
        )
    return names[:most]


def _walked(steps: _Steps, apart: list[str], catalogue: Sequence[Mapping[str, Any]]) -> list[str]:
    """What forward and backward steps leave."""
    sample, settings = steps.sample, steps.settings
    search = Search(
        apart,
        steps.binning.woe(sample.rows, apart) if apart else np.empty((len(sample.is_bad), 0)),
        1.0 - sample.is_bad,
        sample.codes,
        {str(f["name"]): str(f.get("idea") or f["name"]) for f in catalogue},
        frozenset(str(f["name"]) for f in catalogue if f["risk"] == "either"),
        steps.held,
        settings,
        [],
        steps.fates,
        steps.remarks,
    )
    walk(search, most_characteristics(sample, settings))
    return [search.names[i] for i in search.chosen]


def most_characteristics(sample: Sample, settings: ScorecardParams) -> int:
    """How many characteristics a card may have: `max_variables`, or fewer where there are few bad customers."""
    return max(1, min(settings.max_variables, sample.bad_customers // BAD_CUSTOMERS_PER_CHARACTERISTIC))


def _strong(steps: _Steps) -> list[str]:
    """Must-haves in the order of their list, then features by falling IV that carry more than chance: the IV of pure
    noise is about χ²(B − 1)·(1/bads + 1/goods)."""
    binned, settings, sample = steps.binning.characteristics, steps.settings, steps.sample
    kept = [name for name in settings.must_have if name in binned]
    goods = max(sample.customers - sample.bad_customers, 1)
    for name in sorted(binned, key=lambda n: (-binned[n].iv, n)):
        iv = binned[name].iv
        noise = noise_quantile(sum(1 for b in binned[name].bins if b.count), sample.bad_customers, goods, 0.05)
        told = ""
        if iv < settings.min_iv:
            told = f"IV {iv:.3f} is below {settings.min_iv:g}"
        elif iv < noise:
            told = f"IV {iv:.3f} is no more than chance shows ({noise:.3f})"
        if _passes(steps, name, "weak", told) and name not in steps.held:
            kept.append(name)
    return kept


def _stable(steps: _Steps, names: list[str], shifts: Mapping[str, BinShift]) -> list[str]:
    """Features whose bins held about the same share of the rows early and late; all of them where dates cannot tell."""
    settings = steps.settings
    kept = []
    for name in names:
        shift = shifts.get(name)
        told = ""
        if shift is not None and shift.psi > max(settings.max_psi, shift.noise(settings.psi_significance)):
            told = (
                f"its bins moved between the halves of the training dates: PSI {shift.psi:.2f}, above "
                f"{settings.max_psi:g} and above what chance shows ({shift.noise(settings.psi_significance):.2f})"
            )
        if _passes(steps, name, "unstable", told):
            kept.append(name)
    return kept


def _uncorrelated(steps: _Steps, names: list[str]) -> list[str]:
    if not names:
        return []
    correlation = _correlation(steps.binning.woe(steps.sample.rows, names))
    kept: list[int] = []
    for i, name in enumerate(names):
        nearest = max(kept, key=lambda k: abs(correlation[i, k]), default=None)
        told = ""
        if nearest is not None and abs(correlation[i, nearest]) > steps.settings.max_correlation:
            why = "must be in the card" if names[nearest] in steps.held else "has the higher IV"
            told = f"correlates {correlation[i, nearest]:.2f} with {names[nearest]}, which {why}"
        if nearest is not None and abs(correlation[i, nearest]) > _ALMOST_ONE:
            # Two columns that are one cannot both have a coefficient, whoever wants them.
            steps.fates[name] = ("correlated", told, None)
        elif _passes(steps, name, "correlated", told):
            kept.append(i)
    return [names[i] for i in kept]


def _correlation(woe: Floats) -> Floats:
    centred = woe - woe.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    return np.asarray(np.einsum("ij,ik->jk", centred, centred) / np.outer(length, length))


def _passes(steps: _Steps, name: str, fate: str, told: str) -> bool:
    """True without a complaint. A must-have passes all the same and the complaint becomes a remark."""
    if told and name not in steps.held:
        steps.fates[name] = (fate, told, None)
        return False
    if told:
        steps.remarks.setdefault(name, []).append(told)
    return True


def _told(name: str, chosen: list[str], steps: _Steps, shifts: Mapping[str, BinShift]) -> Fate:
    found = steps.binning.characteristics.get(name)
    is_held = name in steps.held
    information = information_of(found, steps.sample, steps.settings.bin_confidence) if found else None
    told = Fate(
        name,
        "selected",
        "in the scorecard",
        iv=found.iv if found else None,
        bins=sum(1 for b in found.bins if b.count) if found else None,
        psi=shifts[name].psi if name in shifts else None,
        is_must_have=is_held,
        iv_low=information.low if information else None,
        iv_high=information.high if information else None,
        psi_noise=shifts[name].noise(steps.settings.psi_significance) if name in shifts else None,
    )
    if name in chosen:
        must = ["on the must-have list"] if is_held else []
        remarks = [*must, steps.binning.remarks.get(name, ""), *steps.remarks.get(name, [])]
        reason = "; ".join(filter(None, (told.reason, *remarks)))
        return replace(told, reason=reason, step=chosen.index(name) + 1)
    fate, reason, p = steps.fates[name]
    if is_held:
        reason = f"must-have left out: {reason}"
    return replace(told, fate=fate, reason=reason, p_value=p)
