"""The model card: what the report says of both models, for machines and catalogues of models; plain values, sorted.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019): details, use, data, metrics,
limitations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.report.chapters.measured import MODELS
from pipeline.report.chapters.recommendation import recommendation, recommended
from pipeline.report.chapters.tests_figures import test_name
from pipeline.report.chapters.verdict import limitations
from pipeline.report.chapters.verdict_basis import COHORT, basis_of, evidence
from pipeline.report.words import words_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput

FORMAT = 1
_MEASURES = ("gini", "auc", "ks", "brier", "observed_over_expected")
_ROLES = ("test", "out_of_time", "calibration", "train")
_COUNTS = ("rows", "bads", "customers", "bad_customers")
_OF_TEST = ("id", "group", "model", "part", "basis", "light", "why", "value", "low", "high", "against", "p_value")


def model_card(given: ReportInput) -> dict[str, Any]:
    """Both models with their figures and intervals, what was tested and what is recommended, what they are for, what
    they rest on, and where they end; in English. `first_basis`: the rows that the report's first page stands on."""
    given = replace(given, language="en")
    words = words_in("en", *given.other_words)
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
        "samples": {**{role: given.validation["samples"].get(role) for role in _ROLES}, **_cohort_counts(given)},
        "first_basis": basis_of(given),
        "recommendation": {"light": recommended(given), "text": recommendation(given, words)},
        "tests": [
            {"name": test_name(one, given, words), **{key: one.get(key) for key in _OF_TEST}}
            for one in given.validation.get("tests") or ()
        ],
        "limitations": list(limitations(given, words)),
        "is_demo": bool(given.validation.get("truth")),
        "in_force": {role: record["model_version"] for role, record in given.in_force.items()},
        "before": given.before.get("model_version"),
        "provenance": dict(given.provenance),
    }


def _cohort_counts(given: ReportInput) -> dict[str, Any]:
    """Of the one-year cohort, as of the roles; nothing without one."""
    if basis_of(given) != COHORT:
        return {}
    told = evidence(given, "champion")
    return {COHORT: {name: told.get(name) for name in _COUNTS}}


def _model(role: str, given: ReportInput) -> dict[str, Any]:
    told: Mapping[str, Any] = given.validation["models"][role]
    fitted = given.details.get(told["kind"]) or {}
    is_card = told["kind"] == "scorecard" and given.scorecard is not None
    features = [c["feature"] for c in (given.scorecard or {})["characteristics"]] if is_card else sorted(given.weights)
    found = {name: told["roles"].get(name) or {} for name in _ROLES}
    if basis_of(given) == COHORT:
        found[COHORT] = dict(evidence(given, role))
    return {
        "version": told.get("version"),
        "kind": told["kind"],
        "basis": fitted.get("basis", "fitted"),
        "features": features,
        "metrics": {name: {m: one.get(m) for m in _MEASURES} for name, one in found.items()},
    }
