"""The rows that the first page rests on: the one-year cohort of the validation tests, or else the test role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.chapters.measured import HELD_OUT, measures, slope_interval, z_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput

TEST = "test"
COHORT = "cohort"
_ENDS = ("value", "low", "high")


def basis_of(given: ReportInput) -> str:
    """`cohort` where order and level of the champion were measured on the one-year cohort, `test` elsewhere.

    A table of one's own without dates, and a validation from before the tests, have no cohort.
    """
    found = (result_of(given, name, "champion") for name in ("auc", "jeffreys_total"))
    return COHORT if all(one and figures.is_known(one.get("value")) for one in found) else TEST


def evidence(given: ReportInput, model: str) -> Mapping[str, Any]:
    """Counts, gini, auc, observed_over_expected, mean_pd and slope of a model on the rows of `basis_of`.

    In the cohort a customer has one row, so that bad rows are bad customers. Gini = 2 AUC - 1; observed over expected
    is the default rate with its Jeffreys interval over the mean PD. Empty where the model was not measured there.
    """
    if basis_of(given) == COHORT:
        return _of_cohort(given, model)
    told = measures(given, model, TEST)
    return {**told, "slope": slope_interval(told, z_of(given))} if told else {}


def _of_cohort(given: ReportInput, model: str) -> dict[str, Any]:
    order, rate = result_of(given, "auc", model), result_of(given, "jeffreys_total", model)
    counts = order or rate
    if not counts:
        return {}
    mean_pd = rate.get("against")
    return {
        **{name: counts.get(name) for name in ("rows", "customers", "bads")},
        "bad_customers": counts.get("bads"),
        "auc": _ends(order),
        "gini": _turned_to_gini(order),
        "mean_pd": mean_pd,
        "observed_over_expected": _over(rate, mean_pd),
        "slope": _ends(result_of(given, "slope", model)),
    }


def model_of(validation: Mapping[str, Any], version: str) -> str | None:
    """The role (`champion`, `challenger`) in which validation.json measured a version; null where it did not."""
    return next((name for name, told in validation["models"].items() if told["version"] == version), None)


def level_of(validation: Mapping[str, Any], version: str) -> dict[str, Any] | None:
    """Observed over expected defaults of a version on customers and dates it was not fitted on: value, low, high, the
    `sample` (the one-year cohort, else the test or the out-of-time rows) and its `bad_customers`.

    Null where validation.json did not measure the version, or tells no interval.
    """
    name = model_of(validation, version)
    if name is None:
        return None
    level = _cohort_level(validation, name)
    return _role_level(validation["models"][name]["roles"]) if level is None else {**level, "sample": COHORT}


def _cohort_level(validation: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """On the one-year cohort, by Jeffreys; null where the tests have no cohort or an end is not known."""
    rate = _told_by(validation, "jeffreys_total", model)
    found = _over(rate, rate.get("against"))
    if found is None or any(at is None for at in found.values()):
        return None
    return {**found, "bad_customers": rate["bads"]}


def _role_level(roles: Mapping[str, Any]) -> dict[str, Any] | None:
    for role in HELD_OUT:
        found = (roles.get(role) or {}).get("observed_over_expected") or {}
        if found.get("low") is not None and found.get("high") is not None:
            kept = {name: float(found[name]) for name in _ENDS}
            return {**kept, "sample": role, "bad_customers": int(roles[role]["bad_customers"])}
    return None


def result_of(given: ReportInput, test: str, model: str) -> Mapping[str, Any]:
    """The test of a model on the whole one-year cohort, whatever part of it decided; empty where it was not made."""
    return _told_by(given.validation, test, model)


def _told_by(validation: Mapping[str, Any], test: str, model: str) -> Mapping[str, Any]:
    told = validation.get("tests") or ()
    whole = (one for one in told if one["basis"] == COHORT)
    return next((one for one in whole if (one["id"], one["model"]) == (test, model)), {})


def _ends(one: Mapping[str, Any]) -> dict[str, Any] | None:
    return {name: one.get(name) for name in _ENDS} if figures.is_known(one.get("value")) else None


def _turned_to_gini(one: Mapping[str, Any]) -> dict[str, Any] | None:
    found = _ends(one)
    return found and {name: 2.0 * at - 1.0 if figures.is_known(at) else None for name, at in found.items()}


def _over(one: Mapping[str, Any], mean_pd: float | None) -> dict[str, Any] | None:
    found = _ends(one)
    if not found or not mean_pd:
        return None
    return {name: at / mean_pd if figures.is_known(at) else None for name, at in found.items()}
