"""Which model is in force, and which one the report tells of: they are one until a later fit leaves a candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def standing(given: ReportInput, words: Words) -> str:
    """The champion in force by models/champion.json and, where it is another, the candidate told of here."""
    told = str(given.provenance.get("champion", "–"))
    record = given.in_force.get("champion")
    if record is None:
        return words("page.nobody_in_force", told=told)
    champion = str(record["model_version"])
    if champion == told:
        return words("page.in_force", champion=champion)
    if champion == given.provenance.get("challenger"):
        return words("page.challenger_in_force", champion=champion, told=told)
    return words("page.candidate_told", champion=champion, told=told)
