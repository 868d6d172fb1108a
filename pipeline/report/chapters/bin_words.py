"""A bin of the scorecard in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.report.words import Words
    from pipeline.score.scorecard import Bin


def bin_name(b: Bin, words: Words) -> str:
    """The label of a bin in the language of the report."""
    if b.kind in {"missing", "unseen"}:
        return words(f"scorecard.{b.kind}")
    return words.told(b.label) if b.kind == "range" else b.label
