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
    found, own = recommended(given), _own(given)
    if found == "no_tests":
        return words("verdict.recommend.no_tests")
    name, named = words.or_name("kind_plain", given.validation["models"]["champion"]["kind"]), []
    if found == "red":
        named = [test_name(one, given, words) for one in own if one["light"] == "red"]
        named += [words("verdict.recommend.gate", gate=words.or_name("gate", gate)) for gate in _red_gates(given)]
    if found == "grey":
        named = [words(f"tests.name.{test}") for test in _unanswered(own)]
    amber = figures.count(sum(one["light"] == "amber" for one in own))
    return words(f"verdict.recommend.{found}", model=name, tests=figures.in_turn(named), n=amber)


def recommended(given: ReportInput) -> str:
    """`red`: not to be used; `grey`: no recommendation yet; `amber` and `green`: may be used; `no_tests`: none made."""
    if not given.validation.get("tests"):
        return "no_tests"
    own = _own(given)
    lights = {one["light"] for one in own}
    if "red" in lights or _red_gates(given):
        return "red"
    if _unanswered(own):
        return "grey"
    return "amber" if "amber" in lights else "green"


def _own(given: ReportInput) -> list[Mapping[str, Any]]:
    return [one for one in given.validation.get("tests") or () if bears_on(one)]


def bears_on(one: Mapping[str, Any]) -> bool:
    """A test of the champion or of the whole book, on which the recommendation rests."""
    return one["model"] == "champion" or (not one["model"] and one["id"] != "monitored")


def _unanswered(own: list[Mapping[str, Any]]) -> list[str]:
    answered = {one["id"] for one in own if one["model"] == "champion" and one["light"] != "grey"}
    return [test for test in _NEEDED if test not in answered]


def _red_gates(given: ReportInput) -> list[str]:
    """The names of the red gates of this model's own promotion, where it is in force as champion."""
    record: Mapping[str, Any] = given.in_force.get("champion") or {}
    if record.get("model_version") != given.validation["models"]["champion"].get("version"):
        return []
    return [gate["name"] for gate in record.get("gates") or () if gate["light"] == "red"]
