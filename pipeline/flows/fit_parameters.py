"""The parameters a candidate was fitted with: kept beside it at the fit, registered with it, compared with today's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.flows import log
from pipeline.flows.training_source import label_of

if TYPE_CHECKING:
    from pipeline.flows.candidates import Candidate
    from pipeline.flows.setting import Setting
    from pipeline.params import BoosterParams, ScorecardParams

# The key in the details of a candidate.
FITTED_WITH = "fitted_with"
_NOT_KEPT = "not kept"


def fit_parameters(setting: Setting, kind: str, own: ScorecardParams | BoosterParams) -> dict[str, Any]:
    """The parameters of a fit by `section.name`, as JSON gives them back, and their hash: those of label, split and
    calibration and the section of the kind itself, `own`, but for its threads, which move no model."""
    label, params = label_of(setting), setting.params
    sections = {
        "label": label if label.is_of_table else params.label,
        "split": params.split,
        "calibration": params.calibration,
        f"fit_{kind}": own,
    }
    named = {
        f"{name}.{key}": value
        for name, section in sections.items()
        for key, value in asdict(section).items()
        if key != "threads"
    }
    text = json.dumps(named, sort_keys=True, ensure_ascii=False, default=str)
    return {"params": json.loads(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def fitted_with(candidate: Candidate, now: dict[str, Any]) -> dict[str, Any]:
    """What the candidate was fitted with, in the form of `fit_parameters`; `now` is what params.yaml says today.

    Says so where they differ, and where the fit of an earlier version kept none: then those of `now` stand in their
    place, with no hash.
    """
    version, kept = candidate.model.version, candidate.details.get(FITTED_WITH)
    if kept is None:
        told = f"{version}: its fit kept no parameters, so those of params.yaml are registered; fit it again to be sure"
        log.warn("fit_parameters_not_kept", told, model_version=version)
        return {"params": now["params"], "sha256": _NOT_KEPT}
    differing = _differing(kept["params"], now["params"])
    if differing:
        first = differing[0]
        told = (
            f"{version} was fitted with {len(differing)} other parameter(s) than params.yaml has now, e.g. {first}: "
            f"{_shown(kept['params'], first)}, now {_shown(now['params'], first)}. Registered are those of the fit; "
            "creditbook run fits again with those of params.yaml"
        )
        log.warn("fitted_otherwise", told, model_version=version, parameters=differing)
    return {"params": dict(kept["params"]), "sha256": str(kept["sha256"])}


def _differing(kept: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return sorted(name for name in {*kept, *now} if name not in kept or name not in now or kept[name] != now[name])


def _shown(params: dict[str, Any], name: str) -> str:
    return str(params[name]) if name in params else "none"
