"""YAML written by people: a repeated key, a day that does not exist, a number that reads as another one and a broken
file are told, never passed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path


def text_of(path: Path) -> str:
    """The text of a file written by people. Raises ParameterError where it is not UTF-8, the one way it is read in."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"{path}: byte {error.start + 1:,} is no text in UTF-8 (it may be GBK); save the file as UTF-8"
        ) from error


def read_yaml(text: str, origin: str) -> Any:
    """The content of a YAML text; an empty one is an empty mapping. Raises ParameterError naming `origin`.

    >>> read_yaml("a: 1", "here")
    {'a': 1}
    """
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ParameterError(f"{origin} is not YAML: {error}; correct the file") from error
    except ValueError as error:
        raise ParameterError(f"{origin}: a day or a number that does not exist: {error}; correct the file") from error
    return {} if content is None else content


class _Loader(yaml.SafeLoader):
    """The safe loader; it also refuses a key that stands twice, and 010 and 1:30, which would be read as 8 and 90."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    text = str(node.value)
    is_whole = node.tag.endswith(":int")
    value = loader.construct_yaml_int(node) if is_whole else loader.construct_yaml_float(node)
    if ":" in text or (is_whole and re.fullmatch(r"[-+]?0[0-7_]+", text)):
        raise yaml.constructor.ConstructorError(
            None,
            None,
            f"{text} would be read as {value}; write the number you mean, or put quotes around a text",
            node.start_mark,
        )
    return value


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
