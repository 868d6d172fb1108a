"""The definition of default in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.history.definition import DefaultDefinition, parse_definition
from pipeline.plain_yaml import text_of

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def default_definition(setting: Setting) -> DefaultDefinition:
    """Reads it from policy/. Raises MissingInputError when it is not there, ParameterError when it is wrong."""
    path = setting.project.definition
    if not path.is_file():
        raise MissingInputError(f"{path}: the definition of default is not there; restore the policy folder")
    return parse_definition(text_of(path), str(path))
