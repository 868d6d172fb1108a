"""Tests of order: how well each model tells bad from good, now, against its youth, and in each part of the book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.clustered import clustered_auc
from pipeline.statistics.delong import Auc, auc_against_known, auc_against_measured, auc_fall, delong
from pipeline.statistics.power import fall_shown, fall_shown_by_t
from pipeline.statistics.proportions import holm
from pipeline.train.committee_ground import counts_of, names_of
from pipeline.train.committee_result import Result, of_p_value, unless_blind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.score.model import Model
    from pipeline.statistics.delong import AucChange
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Basis, Light
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

GROUP = "discrimination"
# Parts that the model itself made: each holds few distinct PDs, so its AUC is low by construction and not judged.
CUT_BY_MODEL = "segment"


def discrimination_results(ground: Ground) -> Iterator[Result]:
    """For each model: its order in the newest cohort and in the panel, against development, and by part."""
    for name in names_of(list(ground.models)):
        model = ground.models[name]
        yield _order("auc", "cohort", _auc(model, ground.newest.sample), name, ground)
        if not ground.table.is_undated:
            yield _order("auc", "panel", _clustered(model, ground.panel), name, ground)
        yield from _against_development(name, model, ground)
        yield from part_results(name, model, ground)


def _order(test: str, basis: Basis, found: Auc | None, name: str, ground: Ground) -> Result:
    """Is there any order at all: one-sided against an AUC of one half, by Student's t (Brunner and Munzel 2000)."""
    sample = ground.newest.sample if basis == "cohort" else ground.panel
    common: dict[str, Any] = {**counts_of(sample), "is_independent": basis == "cohort" or None, "against": 0.5}
    if found is None or not ground.enough(sample):
        return Result(test, GROUP, "grey", basis, name, why="too_few", **common)
    tests = ground.settings.tests
    low, high = found.interval(ground.settings.confidence)
    shown = fall_shown_by_t(found.error, found.degrees, tests.p_value.amber, tests.power)
    p_value = found.p_value
    is_blind = shown > tests.blind_auc
    light, why = _order_light(p_value, high, tests.p_value.amber, is_blind)
    common |= {"low": low, "high": high, "p_value": p_value, "threshold": tests.p_value.amber, "why": why}
    return Result(
        test, GROUP, light, basis, name, value=found.value, shown=shown, unit="order", is_blind=is_blind, **common
    )  # fmt: skip


def _order_light(p_value: float, high: float, amber: float, is_blind: bool) -> tuple[Light, str]:  # noqa: FBT001 - one fact of the test
    """Green where order was found: a small p-value is what one wants here. Too few rows to find any show nothing: grey,
    unless the interval lies below one half, where the order is shown to be the wrong way round."""
    if p_value < amber:
        return "green", ""
    return ("grey", "blind") if is_blind and high >= 0.5 else ("red", "")


def _against_development(name: str, model: Model, ground: Ground) -> Iterator[Result]:
    """The ECB's test, the same with both errors, and the latter on the panel with errors by customer."""
    early, late = _auc(model, ground.development), _auc(model, ground.newest.sample)
    is_told = early is not None and late is not None and min(late.error, early.error) > 0
    is_told = is_told and ground.enough(ground.development) and ground.enough(ground.newest.sample)
    for test in ("auc_fall_ecb", "auc_fall"):
        if not is_told or early is None or late is None:
            counts = counts_of(ground.newest.sample)
            yield Result(test, GROUP, "grey", "cohort", name, is_independent=True, why="too_few", **counts)
            continue
        change = auc_against_known(early.value, late) if test == "auc_fall_ecb" else auc_fall(early, late)
        yield _fall(test, name, (early, late), change, basis="cohort", ground=ground)
    if ground.table.is_undated:
        return
    young, now = _clustered(model, ground.development), _clustered(model, ground.panel)
    if young and now and ground.enough(ground.development) and ground.enough(ground.panel):
        change = auc_fall(young, now)
        yield _fall("auc_fall", name, (young, now), change, basis="panel", ground=ground)


def _fall(test: str, name: str, aucs: tuple[Auc, Auc], change: AucChange, *, basis: Basis, ground: Ground) -> Result:
    tests = ground.settings.tests
    early, late = aucs
    sample = ground.newest.sample if basis == "cohort" else ground.panel
    shown = fall_shown_by_t(change.error, change.degrees, tests.p_value.amber, tests.power)
    is_blind = shown > tests.blind_auc
    light, why = unless_blind(of_p_value(change.p_value, tests.p_value), is_blind)
    low, high = late.interval(ground.settings.confidence)
    return Result(
        test,
        GROUP,
        light,
        basis,
        name,
        value=late.value,
        low=low,
        high=high,
        against=early.value,
        against_of=_estimate(early, ground.development, ground),
        p_value=change.p_value,
        threshold=tests.p_value.amber,
        is_independent=basis == "cohort" or None,
        shown=shown,
        unit="auc",
        is_blind=is_blind,
        why=why,
        **counts_of(sample),
    )


def _estimate(found: Auc, sample: Sample, ground: Ground) -> dict[str, Any]:
    """Interval and counts of an AUC that another one is held against."""
    low, high = found.interval(ground.settings.confidence)
    return {"low": low, "high": high, **counts_of(sample)}


def part_results(name: str, model: Model, ground: Ground) -> Iterator[Result]:
    """One result a division of the newest cohort: the part with the least p-value for being ordered worse than the
    rest."""
    is_in = ground.in_newest()
    sample = ground.newest.sample
    if len(sample.is_bad) != int(is_in.sum()):
        return
    risk = model.pd(sample.rows) if len(sample.is_bad) else np.empty(0)
    for division, values in ground.groups.items():
        yield _division(name, division, risk, values[is_in], ground)


def _division(name: str, division: str, risk: Floats, values: NDArray[np.object_], ground: Ground) -> Result:
    tests, sample = ground.settings.tests, ground.newest.sample
    told = [_part(str(part), risk, values, sample, ground) for part in sorted({v for v in values if v is not None})]
    judged = [one for one in told if one["p_value"] is not None]
    counts = counts_of(sample)
    if division == CUT_BY_MODEL or not judged:
        why = "cut_short" if division == CUT_BY_MODEL else "too_few"
        common: dict[str, Any] = {"part": division, "is_independent": True, "why": why, "details": told}
        return Result("auc_by_part", GROUP, "grey", "cohort", name, **common, **counts)
    for one, p_value in zip(judged, holm([one["p_value"] for one in judged]), strict=True):
        one["p_holm"] = p_value
        one["shown_holm"] = fall_shown(one["error"], tests.p_value.amber / len(judged), tests.power)
    least = min(judged, key=lambda one: (one["p_holm"], one["p_value"], one["part"]))
    # Of the part whose AUC is told: what a larger one would have shown says nothing of it.
    is_blind = least["shown_holm"] > tests.blind_auc
    light, why = unless_blind(of_p_value(least["p_holm"], tests.p_value), is_blind)
    return Result(
        "auc_by_part",
        GROUP,
        light,
        "cohort",
        name,
        division,
        value=least["value"],
        low=least["low"],
        high=least["high"],
        against=least["against"],
        against_of=least["against_of"],
        p_value=least["p_holm"],
        threshold=tests.p_value.amber,
        is_independent=True,
        shown=least["shown_holm"],
        shown_part=least["part"],
        unit="auc",
        blind_above=tests.blind_auc,
        is_blind=is_blind,
        why=why,
        details=told,
        **counts,
    )


def _part(part: str, risk: Floats, values: NDArray[np.object_], sample: Sample, ground: Ground) -> dict[str, Any]:
    """AUC of a part against that of all other told rows; no test where either side, which `too_few` names, has too few
    bad or good customers. `error` is that of the fall, on the scale of the AUC."""
    is_in, is_out = values == part, (values != part) & np.array([v is not None for v in values])
    inside, outside = sample.part(is_in), sample.part(is_out)
    told: dict[str, Any] = {"part": part, **counts_of(inside)}
    told |= dict.fromkeys(("value", "low", "high", "against", "error", "p_value", "p_holm"))
    told |= {"shown": None, "shown_holm": None, "against_of": {}}
    told["too_few"] = None if ground.enough(outside) else "rest"
    if not ground.enough(inside):
        told["too_few"] = "part"
    if told["too_few"]:
        return told
    own, others = delong(risk[is_in], inside.is_bad), delong(risk[is_out], outside.is_bad)
    told |= {"value": own.value, "against": others.value, "against_of": _estimate(others, outside, ground)}
    if not own.error > 0:
        return told
    change = auc_against_measured(others, own)
    told["low"], told["high"] = own.interval(ground.settings.confidence)
    tests = ground.settings.tests
    shown = fall_shown(change.error, tests.p_value.amber, tests.power)
    return {**told, "error": change.error, "p_value": change.p_value, "shown": shown}


def _auc(model: Model, sample: Sample) -> Auc | None:
    if len(sample.is_bad) == 0 or not 0 < sample.is_bad.sum() < len(sample.is_bad):
        return None
    return delong(model.pd(sample.rows), sample.is_bad)


def _clustered(model: Model, sample: Sample) -> Auc | None:
    """The same with the error by customer, for rows of many months."""
    if len(sample.is_bad) == 0:
        return None
    return auc_by_customer(model.pd(sample.rows), sample.is_bad, sample.codes)


def auc_by_customer(risk: Floats, is_bad: Floats, codes: NDArray[np.int64]) -> Auc | None:
    """AUC of rows of many months with the error by customer (`codes`), and as many degrees as bad customers less one,
    for nearly all of the error is theirs; null without a bad or without a good row."""
    levels = np.unique(risk, return_inverse=True)[1].astype(np.int64)
    found = clustered_auc(levels, is_bad, codes, 0.95)
    return None if found is None else Auc(found.value, found.error, found.bads, found.goods, found.bads - 1.0)
