"""What fitting either kind needs, and where a candidate is left, with the story of the fit beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.datasets import write_json, write_text
from pipeline.durable import draft_folder
from pipeline.flows import log
from pipeline.flows.candidates import DETAILS
from pipeline.flows.fit_parameters import FITTED_WITH, fit_parameters
from pipeline.flows.policy_file import section_in
from pipeline.flows.training_source import label_of
from pipeline.score.model_folder import write_model
from pipeline.score.points import Scaling
from pipeline.score.policy_sections import ThinFileSection
from pipeline.train.fit import Setting as Ground
from pipeline.train.thin_file import CardGround

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting
    from pipeline.params import BoosterParams, ScorecardParams
    from pipeline.train.fit import FittedModel
    from pipeline.train.leaks import LeakReport


def ground_of(setting: Setting) -> Ground:
    """Label, scale of the points, calibration and thin-file rule: the same for both kinds."""
    card = setting.params.fit_scorecard
    thin = section_in(setting.project.thin_file, ThinFileSection)
    label = label_of(setting)
    return Ground(
        label=label,
        scaling=Scaling(card.pdo, card.base_score, card.base_odds),
        calibration=setting.params.calibration,
        # The rule reads invoices and history, which a table does not tell: there nobody is thin.
        thin_rule=None if label.is_of_table else thin.thin,
        thin_confidence=thin.confidence,
        thin_card=CardGround(
            frozenset(thin.card.tables), thin.card.max_variables, _of_pool(card), setting.params.calibration
        ),
        never_use=card.never_use,
    )


def _of_pool(card: ScorecardParams) -> ScorecardParams:
    """The scorecard's must-haves are no must of the pool's card, and its calibration is folded into exact points."""
    return replace(card, must_have=(), points="exact")


def keep(setting: Setting, fitted: FittedModel, leaks: LeakReport, parameters: ScorecardParams | BoosterParams) -> None:
    """Replaces the candidate of the kind whole: one folder named by the version, and the details, which tell the
    parameters of the fit; `parameters` are those of the kind's own section."""
    _tell_method(setting, fitted)
    told = {
        **fitted.details,
        "leaks": leaks.as_json(),
        FITTED_WITH: fit_parameters(setting, fitted.model.kind, parameters),
    }
    with draft_folder(setting.project.candidate(fitted.model.kind)) as draft:
        version = write_model(draft, fitted.model, fitted.golden_rows)
        write_json(told, draft / DETAILS)
        for name, text in fitted.texts.items():
            write_text(text, draft / name)
    counts = fitted.details["samples"]["train"]
    how = "fitted on" if fitted.model.basis == "fitted" else "points by people, read on"
    log.say(
        "model_fitted",
        f"{version}: {len(fitted.model.features)} features, {how} {counts['rows']:,} snapshots of "
        f"{counts['customers']:,} customer groups, {counts['bad_customers']:,} of them bad",
        model_version=version,
        rows=counts["rows"],
        bad_customers=counts["bad_customers"],
    )


def _tell_method(setting: Setting, fitted: FittedModel) -> None:
    """Says that the calibration did not take the method that calibration.method names, and why."""
    asked, choice = setting.params.calibration.method, (fitted.details.get("calibration") or {}).get("choice")
    if choice is None or asked in {"auto", choice["method"]}:
        return
    told = f"calibration of the {fitted.model.kind}: {choice['method']} is used, not {asked}: {choice['reason']}"
    log.say("calibration_method", told, kind=fitted.model.kind, asked=asked, used=choice["method"])
