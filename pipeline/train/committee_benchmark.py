"""Tests against others: champion and challenger, rules of thumb and rivals, and what each group of features adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.logistic import fit_logistic
from pipeline.statistics.paired import paired_gini, smallest_shown
from pipeline.train.committee_ground import counts_of
from pipeline.train.committee_process import inputs_of
from pipeline.train.committee_result import Result, unless_blind
from pipeline.train.measures import draws_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.score.model import Model
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Basis, Light
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

GROUP = "benchmark"
_CHALLENGE = "challenger - champion"


def benchmark_results(ground: Ground) -> Iterator[Result]:
    """Paired Gini differences on the same rows, by customer; then the marginal Gini of subjects and of sources."""
    role = "test" if ground.table.is_undated else "out_of_time"
    for name, by_role in ground.report["differences"].items():
        rival = "challenger" if name == _CHALLENGE else name.removeprefix("champion - ")
        yield _against(rival, by_role.get(role), ground.panel, ground)
    champion = ground.models.get("champion")
    if champion is None:
        return
    for rival, risk in ground.rivals.items():
        yield _rival(rival, champion, risk, ground)
    yield from _marginal(champion, ground)


def _rival(rival: str, champion: Model, risk: Floats, ground: Ground) -> Result:
    """On the rows that the rival rates, all of them rated by the champion as well."""
    is_rated = ~np.isnan(risk)
    sample = ground.panel.part(is_rated)
    if not ground.enough(sample):
        return _against(rival, None, sample, ground)
    found = paired_gini(champion.pd(sample.rows), risk[is_rated], sample.is_bad, draws_of(sample, ground.settings))
    return _against(rival, found.as_json(), sample, ground)


def _against(rival: str, told: Mapping[str, Any] | None, sample: Sample, ground: Ground) -> Result:
    """Of the challenger: amber where it is shown to be better. Of anyone else: green where the champion is, red where
    the rival is, amber where nothing is shown, for a model must earn its keep. `why` says where zero lies within the
    interval: `undecided` of an amber one, `not_better` of a challenger's green."""
    basis: Basis = "cohort" if ground.table.is_undated else "panel"
    common: dict[str, Any] = {**counts_of(sample), "against": 0.0, "unit": "gini"}
    if not told or told.get("low") is None or not ground.enough(sample):
        return Result("rival", GROUP, "grey", basis, "champion", rival, why="too_few", **common)
    tests, low, high = ground.settings.tests, told["low"], told["high"]
    z = float(stats.norm.ppf(0.5 + ground.settings.confidence / 2.0))
    error = told.get("error") or (high - low) / (2.0 * z)
    shown = smallest_shown(error, ground.settings.confidence, tests.power)
    is_blind = shown > 2.0 * tests.blind_auc
    light: Light
    if low > 0 or high < 0:
        light, why = _decided(rival, low), ""
    elif is_blind:
        light, why = "grey", "blind"
    else:
        light, why = ("green", "not_better") if rival == "challenger" else ("amber", "undecided")
    common |= {"value": told["value"], "low": low, "high": high, "shown": shown, "is_blind": is_blind}
    model = "challenger" if rival == "challenger" else "champion"
    against = "champion" if rival == "challenger" else rival
    return Result("rival", GROUP, light, basis, model, against, why=why, **common)


def _decided(rival: str, low: float) -> Light:
    """Of an interval that leaves zero out: bad news is a better challenger, or a champion worse than anyone else."""
    if rival == "challenger":
        return "amber" if low > 0 else "green"
    return "green" if low > 0 else "red"


def _marginal(champion: Model, ground: Ground) -> Iterator[Result]:
    """Gini with all features less Gini without those of a group, the logistic refitted on the training rows.

    Inputs are the contributions of the champion's features: bins and trees stay as they are, weights do not. Amber
    where a group is shown to do harm.
    """
    train, panel = ground.parts["train"], ground.panel
    counts = counts_of(panel)
    basis: Basis = "cohort" if ground.table.is_undated else "panel"
    if not (ground.enough(train) and ground.enough(panel)) or len(champion.features) < 2:
        for test in ("marginal_subject", "marginal_source"):
            yield Result(test, GROUP, "grey", basis, "champion", why="too_few", **counts)
        return
    inputs = inputs_of(champion, train), inputs_of(champion, panel)
    whole = _refitted(inputs, np.ones(len(champion.features), dtype=bool), train)
    entries = champion.catalogue_by_name
    for test in ("marginal_subject", "marginal_source"):
        key = test.removeprefix("marginal_")
        groups = _groups({name: entries[name].get(key) for name in champion.features})
        details = [_without(name, is_in, whole, inputs, ground) for name, is_in in groups.items()]
        details.sort(key=lambda one: (-(one["value"] or 0.0), one["part"]))
        if not details:
            yield Result(test, GROUP, "grey", basis, "champion", why="not_told", **counts)
            continue
        light, why = marginal_light(details, 2.0 * ground.settings.tests.blind_auc)
        best = details[0]
        common: dict[str, Any] = {"value": best["value"], "low": best["low"], "high": best["high"], "against": 0.0}
        common |= {"shown": best["shown"], "unit": "gini", "is_blind": light == "grey", "why": why}
        yield Result(test, GROUP, light, basis, "champion", best["part"], details=details, **common, **counts)


def marginal_light(details: Sequence[Mapping[str, Any]], blind: float) -> tuple[Light, str]:
    """Amber where a group is shown to do harm; grey where for some group no difference of Gini up to `blind` would have
    been shown, or none is known."""
    if any(one["high"] is not None and one["high"] < 0 for one in details):
        return "amber", ""
    is_blind = any(one["shown"] is None or not one["shown"] <= blind for one in details)
    return unless_blind("green", is_blind)


def _groups(told: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
    """Which features belong to each subject or read each table; a group of all features is none."""
    named = {name: [value] if isinstance(value, str) else list(value or ()) for name, value in told.items()}
    found = sorted({str(one) for values in named.values() for one in values})
    masks = {one: np.array([one in values for values in named.values()]) for one in found}
    return {one: mask for one, mask in masks.items() if not mask.all()}


def _refitted(inputs: tuple[Floats, Floats], is_in: NDArray[np.bool_], train: Sample) -> Floats:
    """Log odds of bad on the panel of a logistic fitted on the training rows with those features."""
    used = np.concatenate([[True], is_in & (np.ptp(inputs[0][:, 1:], axis=0) > 0)])
    fit = fit_logistic(inputs[0][:, used], train.is_bad, train.codes)
    found: Floats = inputs[1][:, used] @ fit.coefficients
    return found


def _without(
    name: str, is_in: NDArray[np.bool_], whole: Floats, inputs: tuple[Floats, Floats], ground: Ground
) -> dict[str, Any]:
    less = _refitted(inputs, ~is_in, ground.parts["train"])
    found = paired_gini(whole, less, ground.panel.is_bad, draws_of(ground.panel, ground.settings))
    told = {"part": name, "features": int(is_in.sum()), **found.as_json()}
    tests = ground.settings.tests
    told["shown"] = found.detectable(ground.settings.confidence, tests.power) if found.is_measured else None
    return told
