"""`creditbook compare A B`: is one model really better, and for whom; what the data cannot decide says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.datasets import write_json
from pipeline.flows import log
from pipeline.flows.comparison_words import comparison_text
from pipeline.flows.judged import judged, model_named
from pipeline.flows.scale import master_scale
from pipeline.flows.setting import open_setting
from pipeline.flows.training_book import positions_of
from pipeline.flows.training_source import label_of
from pipeline.score.master_scale import SEGMENTS
from pipeline.score.policy import read_policy
from pipeline.train.comparison import compare_loss, compare_order, compare_parts, level_measures
from pipeline.train.comparison_ground import book_groups, losses, risk_segments
from pipeline.train.comparison_swap import swap_set
from pipeline.train.thin_file import NOBODY, thin_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.flows.judged import Judged
    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model

    Floats = NDArray[np.float64]


def compare(root: Path, first: str, second: str, json_file: Path | None = None) -> None:
    """Prints the comparison of two models on the rows neither has seen; `json_file` takes all of it.

    Two names of one model are told to be that. Raises MissingInputError when a name is of no model.
    """
    setting = open_setting(root)
    models = model_named(setting, first), model_named(setting, second)
    told = comparison(setting, *models)
    if json_file is not None:
        write_json(told, json_file)
    if models[0].version == models[1].version:
        text = f"{first} and {second} are one model, {models[0].version}: the same PD for every customer"
        log.answer("models_compared", text)
        return
    log.answer("models_compared", comparison_text(told))


def comparison(setting: Setting, first: Model, second: Model) -> dict[str, Any]:
    """Everything the command tells, as plain values."""
    settings = setting.params.promotion
    ground = judged(setting, (first, second))
    told: dict[str, Any] = {
        "first": {"model_version": first.version, "kind": first.kind},
        "second": {"model_version": second.version, "kind": second.kind},
        "rows": ground.rows.as_json(),
        "why_none": ground.why_none,
        "confidence": settings.confidence,
        "power": settings.power,
        "min_bad_customers": settings.min_bad_customers,
    }
    if not len(ground.sample.is_bad):
        return told
    pds = ground.pd(first), ground.pd(second)
    return {
        **told,
        "gini": compare_order(*pds, ground.sample, settings).as_json(),
        "log_loss": compare_loss(*pds, ground.sample, settings),
        "calibration": [level_measures(pd_, ground.sample, settings) for pd_ in pds],
        **_of_the_book(setting, ground, pds, (_served(ground, first), _served(ground, second))),
    }


def _served(ground: Judged, model: Model) -> Floats:
    """The PDs customers would get: those with too thin a file by the card of the thin pool, not by the model."""
    rule, rows = model.thin_file.rule, ground.sample.rows
    if rule == NOBODY:
        return ground.pd(model)
    return np.where(thin_rows(rows, rule), model.thin_file.pd_of(rows), ground.pd(model))


def _of_the_book(
    setting: Setting, ground: Judged, pds: tuple[Floats, Floats], served: tuple[Floats, Floats]
) -> dict[str, Any]:
    """The swap set with its money, and the parts of the book; a table of one's own has neither money nor such parts.

    The swap set and the depths of data go by the PDs that would be served, everything else by those of the models.
    """
    settings, scale = setting.params.promotion, master_scale(setting)
    refused = SEGMENTS[SEGMENTS.index(settings.refuse_from) :]
    refuses = [np.isin(scale.segment(scale.grade(pd_)).astype(str), refused) for pd_ in served]
    groups, lost = {"segment": risk_segments(*pds, scale)}, None
    if not label_of(setting).is_of_table:
        policy = read_policy(setting.project.policy)
        stood = positions_of(setting, ground.sample.rows)
        groups = {**groups, **book_groups(stood, ground.sample, policy)}
        lost = losses(stood, policy)
    of_part = {name: served if name == "data_depth" else pds for name in groups}
    parts = {name: compare_parts(*of_part[name], ground.sample, groups[name], settings) for name in groups}
    parts["segment"] = {name: parts["segment"][name] for name in SEGMENTS if name in parts["segment"]}
    return {
        "refuse_from": settings.refuse_from,
        "swap": swap_set(refuses[0], refuses[1], ground.sample, lost, settings).as_json(),
        "parts": {name: {group: one.as_json() for group, one in found.items()} for name, found in parts.items()},
    }
