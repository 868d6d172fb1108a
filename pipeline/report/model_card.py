"""The model card: what the report says of both models, for machines and catalogues of models; plain values, sorted.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019): details, use, data, metrics,
limitations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report.chapters.measured import MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput

FORMAT = 1
_MEASURES = ("gini", "auc", "ks", "brier", "observed_over_expected")
_ROLES = ("test", "out_of_time", "calibration", "train")


def model_card(given: ReportInput) -> dict[str, Any]:
    """Both models with their figures and intervals, what they are for, what they rest on, and where they end."""
    table = given.validation.get("timetable") or {}
    return {
        "format": FORMAT,
        "label": dict(given.label),
        "intended_use": "default probabilities, grades and limits for the customers of one supplier's ledger",
        "not_for": "customers of other suppliers, consumer credit, pricing without a judgement of its own",
        "models": {role: _model(role, given) for role in MODELS if role in given.validation["models"]},
        "timetable": {
            name: [days[0], days[-1]] if (days := table.get(name) or ()) else None
            for name in ("train", "calibration", "test", "purged")
        },
        "purge": table.get("purge"),
        "confidence": given.confidence,
        "samples": {role: given.validation["samples"].get(role) for role in _ROLES},
        "limitations": [*(table.get("limitations") or ()), *given.limitations],
        "is_demo": bool(given.validation.get("truth")),
        "in_force": {role: record["model_version"] for role, record in given.in_force.items()},
        "before": given.before.get("model_version"),
        "provenance": dict(given.provenance),
    }


def _model(role: str, given: ReportInput) -> dict[str, Any]:
    told: Mapping[str, Any] = given.validation["models"][role]
    fitted = given.details.get(told["kind"]) or {}
    is_card = told["kind"] == "scorecard" and given.scorecard is not None
    features = [c["feature"] for c in (given.scorecard or {})["characteristics"]] if is_card else sorted(given.weights)
    roles = {name: told["roles"].get(name) or {} for name in _ROLES}
    return {
        "version": told.get("version"),
        "kind": told["kind"],
        "basis": fitted.get("basis", "fitted"),
        "features": features,
        "metrics": {name: {m: found.get(m) for m in _MEASURES} for name, found in roles.items()},
    }
