"""The sheet that people sign: who developed, validated and decided; names, roles and days are filled in by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report.blocks import Chapter, Signatures, Text
from pipeline.report.standing import standing

if TYPE_CHECKING:
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

SIGNERS = ("developer", "validator", "owner", "committee")
FIELDS = ("name", "signature", "day")
DECISIONS = ("approve", "conditions", "reject")


def sign_off(given: ReportInput, words: Words) -> Chapter:
    """What is decided on, the answers to tick, and a line for each who answers for it."""
    told = str(given.provenance.get("champion", "–"))
    answers = "   ".join(f"☐ {words(f'sign_off.{name}')}" for name in DECISIONS)
    blocks = (
        Text(words("sign_off.what", version=told, standing=standing(given, words))),
        Text(f"{words('sign_off.decision')}   {answers}"),
        Signatures(
            tuple(words(f"sign_off.{name}") for name in (*SIGNERS, "conditions_told")),
            tuple(words(f"sign_off.{name}") for name in FIELDS),
        ),
    )
    return Chapter("sign-off", words("sign_off.title"), blocks, words("sign_off.lead"))
