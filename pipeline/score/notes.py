"""What the manifest notes of a night: told once for the whole book, however many parts it was scored in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Note:
    """Something that holds for `count` rows, of which `example` is the first; `words` has a place for both.

    >>> str(Note("{count} names are odd, e.g. {example!r}", 2, "Zz"))
    "2 names are odd, e.g. 'Zz'"
    """

    words: str
    count: int
    example: str

    def __str__(self) -> str:
        return self.words.format(count=self.count, example=self.example)


def told_once(notes: Sequence[str | Note]) -> list[str]:
    """The notes of all parts as texts, in the order of the alphabet; counts of the same words are added up.

    >>> odd = "{count} odd, e.g. {example}"
    >>> told_once([Note(odd, 2, "a"), "plain", Note(odd, 1, "b"), "plain"])
    ['3 odd, e.g. a', 'plain']
    """
    plain = {note for note in notes if isinstance(note, str)}
    counted: dict[str, Note] = {}
    for note in notes:
        if isinstance(note, Note):
            before = counted.get(note.words)
            counted[note.words] = note if before is None else replace(before, count=before.count + note.count)
    return sorted([*plain, *map(str, counted.values())])
