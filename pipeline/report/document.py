"""A report as a whole, in one language: what `page` makes a page of and `paper` a PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.report.blocks import Chapter
    from pipeline.report.words import Words


@dataclass(frozen=True)
class Document:
    """`kind` stands small above the title; the first chapter is the first page; `words` name the furniture."""

    kind: str
    title: str
    subtitle: str
    chapters: tuple[Chapter, ...]
    words: Words

    @property
    def language(self) -> str:
        """The language of everything in it."""
        return self.words.language
