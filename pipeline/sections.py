"""Plain YAML values into frozen dataclasses: unknown and missing keys and wrong types are gathered, none is ignored.

A field with a default may be left out; every other is needed, and null in a section of which a breach tells so.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
import types
import typing
from typing import Any

Breaches = list[str]


def build(hint: Any, raw: object, path: str, breaches: Breaches) -> Any:
    """The value of type `hint` that `raw` spells; a breach is added, naming the path, where it spells none."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _section(hint, raw, path, breaches)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    # Union: what `Literal[...] | None` becomes.
    if origin in (types.UnionType, typing.Union):
        return _one_of(arguments, raw, path, breaches)
    if origin is tuple and (isinstance(raw, list) or _is_one_word(arguments[0], raw)):
        return _listed(arguments[0], raw, path, breaches)
    if origin is dict and isinstance(raw, dict):
        return {str(key): build(arguments[1], item, joined(path, key), breaches) for key, item in raw.items()}
    return _plain(hint, raw, path, breaches)


def _one_of(kinds: tuple[Any, ...], raw: object, path: str, breaches: Breaches) -> Any:
    """The value of the first kind that `raw` spells; what is wrong is told of the first kind."""
    plain = [kind for kind in kinds if kind is not type(None)]
    if raw is None and len(plain) < len(kinds):
        return None
    first: Breaches = []
    for kind in plain:
        told: Breaches = []
        value = build(kind, raw, path, told)
        if not told:
            return value
        first = first or told
    others = [_spelled(kind) for kind in plain[1:]] + ["null"] * (len(plain) < len(kinds))
    beside = f" or {' or '.join(others)}, found "
    breaches.extend(breach.replace(", found ", beside, 1) for breach in first)
    return None


def _is_one_word(hint: Any, raw: object) -> bool:
    """One word where a list of given words is asked for: `language: en` stands for `language: [en]`."""
    return isinstance(raw, str) and typing.get_origin(hint) is typing.Literal


def _listed(hint: Any, raw: Any, path: str, breaches: Breaches) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        return (build(hint, raw, path, breaches),)
    return tuple(build(hint, item, f"{path}[{i}]", breaches) for i, item in enumerate(raw))


def _section(hint: type, raw: object, path: str, breaches: Breaches) -> Any:
    fields = {f.name: f for f in dataclasses.fields(hint)}
    if not isinstance(raw, dict):
        breaches.append(f"{path or 'the file'}: expected a section with the keys {', '.join(fields)}, found {raw!r}")
        return None
    hints = typing.get_type_hints(hint)
    unknown = sorted(str(key) for key in raw if key not in fields)
    breaches.extend(f"{joined(path, key)}: unknown key; known here: {', '.join(fields)}" for key in unknown)
    missing = [
        name
        for name, told in fields.items()
        if name not in raw and told.default is dataclasses.MISSING and told.default_factory is dataclasses.MISSING
    ]
    breaches.extend(f"{joined(path, name)}: missing" for name in missing)
    values = {name: build(hints[name], raw[name], joined(path, name), breaches) for name in fields if name in raw}
    return hint(**dict.fromkeys(missing), **values)


def joined(path: str, name: object) -> str:
    """The dotted path of a key.

    >>> joined("engine", "threads"), joined("", "engine")
    ('engine.threads', 'engine')
    """
    return f"{path}.{name}" if path else str(name)


def _plain(hint: Any, raw: object, path: str, breaches: Breaches) -> Any:
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) <= sys.float_info.max
    if hint is float and is_number:
        return float(typing.cast("float", raw))
    fits = (
        (typing.get_origin(hint) is typing.Literal and raw in typing.get_args(hint))
        or (hint is int and isinstance(raw, int) and not isinstance(raw, bool))
        or (hint is str and isinstance(raw, str))
        or (hint is dt.date and isinstance(raw, dt.date) and not isinstance(raw, dt.datetime))
    )
    if not fits:
        breaches.append(f"{path}: expected {_spelled(hint)}, found {raw!r}")
    return raw


def _spelled(hint: Any) -> str:
    spelled = {str: "a text", int: "a whole number", float: "a number", dt.date: "a day such as 2025-12-31"}
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return "a list"
    if typing.get_origin(hint) is dict:
        return "a table of keys"
    return spelled.get(hint, str(hint))
