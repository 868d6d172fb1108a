"""How to get the same figures again: versions, hashes, commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report.blocks import Block, Chapter, Commands, Facts, Missing, Text

if TYPE_CHECKING:
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def reproduction(given: ReportInput, words: Words) -> Chapter:
    """Provenance as it was handed in, and the commands."""
    pairs = tuple((words.or_name("provenance", name), str(value)) for name, value in given.provenance.items())
    blocks: list[Block] = [Facts(pairs) if pairs else Missing(words("reproduction.none"))]
    if given.commands:
        blocks += [Text(words("reproduction.commands")), Commands(tuple(given.commands))]
    return Chapter("reproduction", words("reproduction.title"), tuple(blocks), words("reproduction.lead"))
