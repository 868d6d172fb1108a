"""The recommendation of the first page: whether the model may be used, from the lights of its tests and its gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.chapters.tests_figures import test_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

# Without an answer to these nothing is known of order or level.
_NEEDED = ("auc", "jeffreys_total")


def recommendation(given: ReportInput, words: Words) -> str:
    """One sentence. A red test or gate bars use; so does a grey test of order or level; amber is told and does not.

    Tests of the champion and of the whole book count, not those of the challenger, nor what monitoring tells of a model
    that is not this one.
    """
    told = given.validation.get("tests") or ()
    if not told:
        return words("verdict.recommend.no_tests")
    name = words.or_name("kind_plain", given.validation["models"]["champion"]["kind"])
    own = [one for one in told if _counts(one)]
    red = [test_name(one, given, words) for one in own if one["light"] == "red"] + _red_gates(given, words)
    if red:
        return words("verdict.recommend.red", model=name, tests=figures.in_turn(red))
    unshown = [words(f"tests.name.{test}") for test in _NEEDED if not _is_answered(test, own)]
    if unshown:
        return words("verdict.recommend.grey", model=name, tests=figures.in_turn(unshown))
    amber = sum(one["light"] == "amber" for one in own)
    return words(f"verdict.recommend.{'amber' if amber else 'green'}", model=name, n=figures.count(amber))


def _counts(one: Mapping[str, Any]) -> bool:
    return one["model"] == "champion" or (not one["model"] and one["id"] != "monitored")


def _is_answered(test: str, own: list[Mapping[str, Any]]) -> bool:
    return any(one["id"] == test and one["model"] == "champion" and one["light"] != "grey" for one in own)


def _red_gates(given: ReportInput, words: Words) -> list[str]:
    """The red gates of this model's own promotion, where it is in force as champion."""
    record: Mapping[str, Any] = given.in_force.get("champion") or {}
    if record.get("model_version") != given.validation["models"]["champion"].get("version"):
        return []
    red = (gate["name"] for gate in record.get("gates") or () if gate["light"] == "red")
    return [words("verdict.recommend.gate", gate=words.or_name("gate", name)) for name in red]
