"""What fitting either kind needs, and where a candidate is left, with the story of the fit beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import write_json
from pipeline.durable import draft_folder
from pipeline.flows.candidates import DETAILS
from pipeline.flows.policy_file import section_in
from pipeline.flows.training_source import label_of
from pipeline.score.model_folder import write_model
from pipeline.score.points import Scaling
from pipeline.score.policy_sections import ThinFileSection
from pipeline.train.fit import Setting as Ground

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting
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
    )


def keep(setting: Setting, fitted: FittedModel, leaks: LeakReport) -> None:
    """Replaces the candidate of the kind whole: one folder named by the version, and the details."""
    with draft_folder(setting.project.candidate(fitted.model.kind)) as draft:
        version = write_model(draft, fitted.model, fitted.golden_rows)
        write_json({**fitted.details, "leaks": leaks.as_json()}, draft / DETAILS)
    counts = fitted.details["samples"]["train"]
    print(
        f"{version}: {len(fitted.model.features)} features, fitted on {counts['rows']:,} snapshots of "
        f"{counts['customers']:,} customer groups, {counts['bad_customers']:,} of them bad"
    )
