"""The mapping YAML a user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.plain_yaml import text_of
from pipeline.tables.mapping import Mapping, parse_mapping

if TYPE_CHECKING:
    from pathlib import Path


def mapping_in(path: Path) -> Mapping:
    """Reads a mapping. Raises MissingInputError without the file, ParameterError with every breach of it."""
    if not path.is_file():
        raise MissingInputError(f"{path}: no such mapping; name one such as those in data/mappings")
    return parse_mapping(text_of(path), str(path))
