"""Fits the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.flows import log
from pipeline.flows.bins_by_hand import bins_by_hand
from pipeline.flows.expert_card import expert_card_of
from pipeline.flows.few_defaults import is_expert_card_called_for
from pipeline.flows.fitted import ground_of, keep
from pipeline.flows.leak_check import leak_check
from pipeline.flows.training_book import timetable_of, training_book
from pipeline.flows.training_source import catalogue_of
from pipeline.train.expert import train_expert_card
from pipeline.train.fit import train_scorecard
from pipeline.train.selection_lists import check_lists

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipeline.flows.setting import Setting
    from pipeline.train.bins_file import Cuts
    from pipeline.train.fit import FittedModel
    from pipeline.train.splits import Timetable


def fit_scorecard(setting: Setting) -> None:
    """Leaves a candidate: a fitted card, or with too few defaults the expert card of the policy.

    Raises UnfitForTrainingError when the book cannot carry a model, ParameterError when a list or the card is wrong.
    """
    check_lists(setting.params.fit_scorecard, [str(f["name"]) for f in catalogue_of(setting)])
    cuts = bins_by_hand(setting)
    book = training_book(setting)
    table = timetable_of(setting, book)
    log.say("timetable", table.text())
    leaks = leak_check(setting, book, table)
    fitted = card_on(setting, book, table, cuts)
    for fate in fitted.details["selection"]:
        if fate.get("is_must_have") and fate["fate"] != "selected":
            log.say("must_have_left_out", f"{fate['feature']}: {fate['reason']}")
    keep(setting, fitted, leaks, setting.params.fit_scorecard)


def card_on(setting: Setting, book: pd.DataFrame, table: Timetable, cuts: Mapping[str, Cuts]) -> FittedModel:
    """The card that a book carries: fitted, with bins set by hand where `cuts` has some, or the expert card of the
    policy where the book has too few defaults. Raises as `fit_scorecard`; nothing is written."""
    catalogue, params, ground = catalogue_of(setting), setting.params.fit_scorecard, ground_of(setting)
    section = expert_card_of(setting) if is_expert_card_called_for(setting, book, table) else None
    if section is None:
        return train_scorecard(book, catalogue, table, params, ground, cuts=cuts)
    text = f"EXPERT CARD: fewer than {params.expert.below_bad_customers} bad customers to fit points on"
    log.say("expert_card", text)
    if cuts:
        log.say("bins_by_hand_wait", f"{len(cuts)} feature(s) of policy/bins.yaml, e.g. {min(cuts)}: nothing is fitted")
    return train_expert_card(book, catalogue, table, params, setting=ground, section=section)
