"""A bin of the scorecard in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.report.words import Words
    from pipeline.score.scorecard import Bin

_CUT: Final = r"-?\d\S*"
_RANGE: Final = re.compile(rf"below {_CUT}|{_CUT} to below {_CUT}|{_CUT} or more")
_HYPHEN: Final = re.compile(r"(?<!\S)-(?=\d)|(?<=e)-(?=\d)")


def bin_name(b: Bin, words: Words) -> str:
    """The label of a bin in the language of the report."""
    if b.kind in {"missing", "unseen"}:
        return words(f"scorecard.{b.kind}")
    return range_name(b.label, words) if b.kind == "range" else b.label


def range_name(label: str, words: Words) -> str:
    """The label of a range in the language of the report, with the minus sign of all figures; codes as they are."""
    if not _RANGE.fullmatch(label):
        return words.told(label)
    return words.told(_HYPHEN.sub("\u2212", label))
