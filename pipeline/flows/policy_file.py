"""One section of the policy, apart from the rest: models and validation depend on what they read, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import MissingInputError, ParameterError
from pipeline.plain_yaml import read_yaml, text_of
from pipeline.sections import build

if TYPE_CHECKING:
    from pathlib import Path

Section = TypeVar("Section")


def section_in(path: Path, kind: type[Section]) -> Section:
    """A policy file as its section. Raises MissingInputError without it, ParameterError with every breach of it."""
    section, breaches = section_and_breaches(path, kind)
    if breaches:
        raise ParameterError(f"{path}: {len(breaches)} breach(es): " + "; ".join(breaches))
    return section


def section_and_breaches(path: Path, kind: type[Section]) -> tuple[Section, list[str]]:
    """A policy file as far as it can be read, and the breaches of its form, for whoever has more to tell of it.

    Raises MissingInputError without it, ParameterError where it is not YAML.
    """
    if not path.is_file():
        raise MissingInputError(f"{path}: not there; restore the policy folder")
    breaches: list[str] = []
    section: Section = build(kind, read_yaml(text_of(path), str(path)), path.stem, breaches)
    return section, breaches
