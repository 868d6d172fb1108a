"""Sentences that were told in English before the report was written: fitting, leak detector, policy files.

`templates/sentences/<language>.yaml` holds pairs of a sentence and its translation, with named places. A place
called `number…` takes figures only; what another place holds is itself looked up.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from pipeline.plain_yaml import read_yaml

_NUMBER: Final = r"[-−+]?[\d.,]+(?:e[-−+]?\d+)?"
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True)
class Sentence:
    """A sentence to be known by its pattern, and how it reads in the other language."""

    pattern: re.Pattern[str]
    reads: str


def translated(text: str, language: str) -> str:
    """The sentence in the language; as it was told where nobody translated it, and in English always.

    Parts that stand in a row with "; " between them are known one by one.

    >>> translated("adds too little beside the others: p 0.458 above 0.1", "zh")
    '在其他特征之外增益太小：p值0.458，高于0.1'
    >>> translated("a remark of a person", "zh")
    'a remark of a person'
    """
    told = " ".join(text.split())
    known = sentences(language)
    if not known:
        return text
    found = _found(told, language)
    if found is not None:
        return found
    parts = [_found(part, language) for part in told.split("; ")]
    return text if None in parts else "；".join(part for part in parts if part is not None)


def _found(told: str, language: str) -> str | None:
    # Per cent stands with a space in English: "5 %".
    plain = re.sub(r"(\d)[ \u202f]%", r"\1%", told)
    for sentence in sentences(language):
        held = sentence.pattern.fullmatch(plain)
        if held:
            return sentence.reads.format(**{name: _held(text, language) for name, text in held.groupdict().items()})
    return None


def _held(text: str, language: str) -> str:
    """What stands in a place: a sentence of its own, a day, or itself."""
    day = _DAY.fullmatch(text)
    return "{}年{}月{}日".format(*map(int, day.groups())) if day else translated(text, language)


@cache
def sentences(language: str) -> tuple[Sentence, ...]:
    """The sentences of a language, in the order of its file; none for English."""
    name = f"{language}.yaml"
    source = resources.files("pipeline.report") / "templates" / "sentences" / name
    if not source.is_file():
        return ()
    pairs = read_yaml(source.read_text(encoding="utf-8"), f"sentences/{name}")
    return tuple(Sentence(_pattern(str(told)), str(reads)) for told, reads in pairs)


def _pattern(told: str) -> re.Pattern[str]:
    """The sentence as a pattern; per cent without its space, as it is looked up."""
    parts = []
    for literal, name, _, _ in string.Formatter().parse(re.sub(r"(\d) %", r"\1%", told)):
        parts.append(re.escape(literal))
        if name:
            parts.append(f"(?P<{name}>{_NUMBER if name.startswith('number') else '.+?'})")
    return re.compile("".join(parts), re.DOTALL)
