"""Tests of drift: score and features of the newest snapshot against development, with the chance level by customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.applied import PD
from pipeline.score.breakers import is_shared
from pipeline.score.drift import SCORE, Cuts, Drift, bin_codes, binned, bins_of, drift_light, drift_of, spread_in
from pipeline.score.watched_drift import BY_CALENDAR
from pipeline.statistics.power import spread_shown
from pipeline.statistics.stability import clustered_spread
from pipeline.train.committee_result import Result, unless_blind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.model import Model
    from pipeline.statistics.stability import Spread
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Light

GROUP = "stability"


@dataclass(frozen=True)
class _Drifted:
    """A distribution against development, and the PSI that these rows would have shown."""

    drift: Drift
    shown: float


def drift_results(name: str, ground: Ground) -> Iterator[Result]:
    """PSI of the score and of the customers' own feature that moved most; nothing without a newest snapshot."""
    model, tests = ground.models[name], ground.settings.tests
    if not len(ground.now):
        return
    rows = ground.now.assign(**{PD: model.pd(ground.now)})
    cuts = Cuts(tests.psi.amber, tests.psi.red, tests.psi_significance)
    score, *features = _judged(model, rows, cuts, ground)
    yield _psi("psi", name, score, score.drift.light, ground=ground)
    if not features:
        return
    # What the economy or the calendar moves for everybody is no drift of the customers: told, but not judged.
    entries = model.catalogue_by_name
    drifts = [one.drift for one in features]
    shared = {one.quantity for one in drifts if _is_shared(one.quantity, entries[one.quantity])}
    details = [_told(one, is_shared=one.quantity in shared) for one in drifts]
    own = [one for one in features if one.drift.quantity not in shared]
    if not own:
        yield Result("csi", GROUP, "grey", "snapshot", name, why="no_own_feature", details=details)
        return
    worst = own[0]
    found = _psi("csi", name, worst, _of_input(worst.drift.light), ground=ground)
    yield replace(found, part=worst.drift.quantity, details=details)


def _told(one: Drift, *, is_shared: bool) -> dict[str, Any]:
    """A row of the details. What all customers share takes no draw of customers: no chance level."""
    told = {"feature": one.quantity, "psi": one.psi, "noise": None if is_shared else one.noise}
    return {**told, "light": _of_input(one.light), "is_shared": is_shared}


def _of_input(light: Light) -> Light:
    """An input alone warns, amber at most: what it does to the score is judged there."""
    return "amber" if light == "red" else light


def _judged(model: Model, rows: pd.DataFrame, cuts: Cuts, ground: Ground) -> list[_Drifted]:
    """As `drift_of`, in its order; where the training rows are those of development, chance goes by their groups too.

    Of an expert's card these are not known any more: there it is what a night goes by (score/drift.py).
    """
    exact, tests = _spreads(model, rows, ground), ground.settings.tests
    is_told = len(ground.now_clusters) == len(rows)
    now = binned(model, rows, ground.now_clusters if is_told else np.full(len(rows), None))
    found = []
    for one in drift_of(model, now, cuts):
        spread = exact.get(one.quantity) or spread_in(model, now, one.quantity)
        if spread is None or one.psi is None:
            found.append(_Drifted(one, float("inf")))
            continue
        noise = spread.noise(cuts.significance)
        drift = replace(one, noise=noise, light=drift_light(one.psi, noise, cuts))
        found.append(_Drifted(drift, spread_shown(spread, cuts.significance, tests.power)))
    return found


def _spreads(model: Model, rows: pd.DataFrame, ground: Ground) -> dict[str, Spread]:
    """By quantity what its PSI shows by chance, by customer group; nothing where the training rows are not those that
    the model was developed on (an expert's card), whose groups are not known any more."""
    train = ground.parts.get("train")
    if train is None or len(train.is_bad) != model.development.get("rows") or len(rows) != len(ground.now_clusters):
        return {}
    known = train.rows.assign(**{PD: model.pd(train.rows)})
    clusters = _common_codes(train.clusters, ground.now_clusters)
    pairs = zip(bin_codes(model, known), bin_codes(model, rows), strict=True)
    told_of = {SCORE: model.development[SCORE], **model.development["features"]}
    return {
        quantity: clustered_spread(before, after, clusters, bins_of(told_of[quantity]))
        for (quantity, before), (_, after) in pairs
    }


def _common_codes(
    before: NDArray[np.object_], after: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    names = np.concatenate([before, after]).astype(str)
    codes = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return codes[: len(before)], codes[len(before) :]


def _psi(test: str, name: str, found: _Drifted, light: Light, *, ground: Ground) -> Result:
    """`light` as drift tells it, unless these rows would have shown no drift; without a part or details."""
    tests, drift = ground.settings.tests, found.drift
    is_blind = found.shown > tests.blind_psi
    light, why = unless_blind(light, is_blind)
    common: dict[str, Any] = {"value": drift.psi, "against": drift.noise, "threshold": tests.psi.amber}
    common |= {"rows": drift.rows, "shown": found.shown, "unit": "psi", "is_blind": is_blind, "why": why}
    return Result(test, GROUP, light, "snapshot", name, **common)


def _is_shared(feature: str, entry: Mapping[str, Any]) -> bool:
    """Moved by the economy, the group or the calendar, which a single day never shares with all days before."""
    return feature in BY_CALENDAR or is_shared(entry)
