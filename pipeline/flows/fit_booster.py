"""Fits the booster, on the same rows and in the same directions as the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UnfitForTrainingError
from pipeline.flows.bins_by_hand import bins_by_hand
from pipeline.flows.few_defaults import is_expert_card_called_for, leave_no_challenger
from pipeline.flows.fitted import ground_of, keep
from pipeline.flows.leak_check import leak_check
from pipeline.flows.study_file import study_file
from pipeline.flows.training_book import timetable_of, training_book
from pipeline.flows.training_source import catalogue_of
from pipeline.train.fit import train_booster
from pipeline.train.selection_lists import check_lists, usable

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def fit_booster(setting: Setting) -> None:
    """Leaves a candidate. Raises UnfitForTrainingError when the book carries no model, ParameterError for wrong lists
    or bins set by hand.

    Beside an expert card the first is no error, word is left that there is no challenger, and bins set by hand wait.
    """
    catalogue = catalogue_of(setting)
    check_lists(setting.params.fit_scorecard, [str(f["name"]) for f in catalogue])
    cuts = bins_by_hand(setting)
    book = training_book(setting)
    table = timetable_of(setting, book)
    leaks = leak_check(setting, book, table)
    ground, params = ground_of(setting), setting.params.fit_booster
    diary = study_file(setting.project.studies, book, usable(catalogue, ground.never_use), table, params)
    is_beside_expert = is_expert_card_called_for(setting, book, table)
    try:
        fitted = train_booster(
            book, catalogue, table, params, ground, diary=diary, cuts={} if is_beside_expert else cuts
        )
    except UnfitForTrainingError as error:
        if not is_beside_expert:
            raise
        leave_no_challenger(setting, str(error))
        return
    keep(setting, fitted, leaks, params)
