"""Where defaults are too few: whether an expert card is called for, and the place of a challenger beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import write_json
from pipeline.durable import draft_folder
from pipeline.flows import log
from pipeline.flows.candidates import DETAILS, UNFIT
from pipeline.train.expert import too_few_defaults

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.flows.setting import Setting
    from pipeline.train.splits import Timetable


def is_expert_card_called_for(setting: Setting, book: pd.DataFrame, table: Timetable) -> bool:
    """Training holds fewer bad customers than fit_scorecard.expert.below_bad_customers."""
    return too_few_defaults(book, table, setting.params.fit_scorecard)


def leave_no_challenger(setting: Setting, why: str) -> None:
    """Leaves word that no booster could be fitted in the place of one, so that an expert card stands alone."""
    with draft_folder(setting.project.candidate("booster")) as draft:
        write_json({"kind": "booster", UNFIT: why}, draft / DETAILS)
    log.say("no_challenger", f"no challenger beside the expert card: {why}")
