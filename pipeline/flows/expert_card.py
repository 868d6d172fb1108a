"""The expert card of the policy, for a book with too few defaults to fit points on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pipeline.flows import log
from pipeline.flows.policy_file import section_and_breaches, section_in
from pipeline.flows.training_source import catalogue_of, label_of
from pipeline.tables.canonical import read_manifest
from pipeline.train.expert_card import ExpertCardSection, features_of, require_sound

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def expert_card_of(setting: Setting) -> ExpertCardSection | None:
    """policy/expert_card.yaml, checked against the catalogue; null, and told, where it is the card of other data: a
    table of one's own has none of its features. Raises MissingInputError or ParameterError."""
    path, catalogue = setting.project.expert_card, catalogue_of(setting)
    section, told = section_and_breaches(path, ExpertCardSection)
    if label_of(setting).is_of_table and not features_of(section) & {f["name"] for f in catalogue}:
        section_in(path, ExpertCardSection)
        text = f"{path}: tells of no feature of this table; a card of its own could rate it (docs/expert-card.md)"
        log.say("expert_card_unused", text)
        return None
    require_sound(
        section,
        catalogue,
        str(path),
        setting.params.fit_scorecard.never_use,
        told=told,
        known_to=_day_of_the_data(setting),
    )
    return section


def _day_of_the_data(setting: Setting) -> dt.date | None:
    """The extract date of the ledger; null for a table that tells no day."""
    day = read_manifest(setting.project.ledger)["extract_date"]
    return dt.date.fromisoformat(day) if day else None
