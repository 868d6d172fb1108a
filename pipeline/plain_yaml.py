"""YAML written by people: a repeated key, a day that does not exist and a broken file are told, never passed over."""

from __future__ import annotations

from typing import Any

import yaml

from pipeline.errors import ParameterError


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
    """The safe loader, which also refuses a key that stands twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
