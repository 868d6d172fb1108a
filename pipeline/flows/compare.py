"""`creditbook compare A B`: is one model really better, and for whom; what the data cannot decide says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.datasets import write_json
from pipeline.flows import log
from pipeline.flows.comparison_words import comparison_text
from pipeline.flows.judged import judged, model_named
from pipeline.flows.setting import open_setting
from pipeline.flows.training_book import positions_of
from pipeline.flows.training_source import label_of
from pipeline.score.master_scale import SEGMENTS
from pipeline.score.policy import read_policy
from pipeline.train.comparison import compare_loss, compare_order, compare_parts, level_measures
from pipeline.train.comparison_ground import book_groups, losses, risk_segments
from pipeline.train.comparison_swap import swap_set

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.flows.judged import Judged
    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.train.served import Served


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
    """Everything the command tells, as plain values.

    PDs are those that would be served: of thin files by the card of the pool. `rated` and `thin` count the rows that
    the models and the cards rate; `gini_rated` is the order among the former, and their slopes stand beside the level.
    """
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
    both = ground.served(first), ground.served(second)
    pds, is_rated = (both[0].pd, both[1].pd), both[0].is_rated
    rated = ground.sample.part(is_rated)
    return {
        **told,
        "rated": rated.counts(),
        "thin": ground.sample.part(~is_rated).counts(),
        "gini": compare_order(*pds, ground.sample, settings).as_json(),
        "gini_rated": compare_order(pds[0][is_rated], pds[1][is_rated], rated, settings).as_json(),
        "log_loss": compare_loss(*pds, ground.sample, settings),
        "calibration": [level_measures(found, ground.sample, settings) for found in both],
        **_of_the_book(setting, ground, both),
    }


def _of_the_book(setting: Setting, ground: Judged, both: tuple[Served, Served]) -> dict[str, Any]:
    """The swap set with its money, and the parts of the book, by the PDs and grades that would be served; a table of
    one's own has neither money nor such parts."""
    settings, scale, pds = setting.params.promotion, ground.scale, (both[0].pd, both[1].pd)
    refused = SEGMENTS[SEGMENTS.index(settings.refuse_from) :]
    refuses = [np.isin(scale.segment(ground.grades(found)).astype(str), refused) for found in both]
    groups, lost = {"segment": risk_segments(*pds, scale)}, None
    if not label_of(setting).is_of_table:
        policy = read_policy(setting.project.policy)
        stood = positions_of(setting, ground.sample.rows)
        groups = {**groups, **book_groups(stood, ground.sample, policy)}
        lost = losses(stood, policy)
    parts = {name: compare_parts(*pds, ground.sample, groups[name], settings) for name in groups}
    parts["segment"] = {name: parts["segment"][name] for name in SEGMENTS if name in parts["segment"]}
    return {
        "refuse_from": settings.refuse_from,
        "swap": swap_set(refuses[0], refuses[1], ground.sample, lost, settings).as_json(),
        "parts": {name: {group: one.as_json() for group, one in found.items()} for name, found in parts.items()},
    }
