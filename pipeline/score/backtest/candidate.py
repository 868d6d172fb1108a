"""A policy that is not in force: the files of the one that is, with some of their sections replaced."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml
from pipeline.score.policy import SECTIONS, Policy, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Every section has them, so they tell none apart.
_OF_ALL = frozenset({"valid_from", "owner", "sources"})


@dataclass(frozen=True)
class Replaced:
    """A policy with the name it goes by, and what it changes: (path of the key, before, after), as YAML spells them."""

    name: str
    policy: Policy
    changes: tuple[tuple[str, str, str], ...]


def candidate_of(name: str, current: Policy, files: Mapping[str, str]) -> Replaced:
    """The current policy with the sections of the files in place of its own; `files` are texts by file name.

    A file is one section, known by its keys, or several, each under its name (`limits:`, `lgd_ead:`). Raises
    ParameterError when a file is of no section, when two are of the same, and with every unknown, missing or
    contradictory key of the whole policy at once.
    """
    replaced: dict[str, str] = {}
    for file, text in files.items():
        for section, spelled in _sections_in(read_yaml(text, file), file).items():
            if section in replaced:
                raise ParameterError(f"{file}: the section {section} a second time; leave one of them")
            replaced[section] = spelled
    if not replaced:
        raise ParameterError(f"{name}: no YAML file of a policy; name a file such as policy/limits.yaml, or a folder")
    try:
        policy = parse_policy({**current.texts, **replaced})
    except ParameterError as error:
        raise ParameterError(f"{', '.join(files)}: {error}") from error
    return Replaced(name, policy, tuple(_changes(current, policy)))


def _sections_in(raw: object, file: str) -> dict[str, str]:
    if isinstance(raw, dict) and raw and set(raw) <= set(SECTIONS):
        return {name: _spelled(section) for name, section in raw.items()}
    return {section_of(raw, file): _spelled(raw)}


def _spelled(raw: object) -> str:
    return yaml.safe_dump(raw, allow_unicode=True, sort_keys=True)


def section_of(raw: object, file: str) -> str:
    """The section that knows most of the file's keys. Raises ParameterError when none knows half of them."""
    keys = {str(key) for key in raw} - _OF_ALL if isinstance(raw, dict) else set()
    met = {name: len(keys & _keys(section)) for name, section in SECTIONS.items()}
    best = max(met.values())
    if not best or 2 * best < len(keys):
        known = "; ".join(f"{name} ({', '.join(sorted(_keys(section)))})" for name, section in SECTIONS.items())
        found = ", ".join(sorted(keys)) or "none"
        raise ParameterError(
            f"{file}: its keys ({found}) are those of no section that a replay can replace; they are {known}"
        )
    return next(name for name, count in met.items() if count == best)


def _keys(section: type) -> set[str]:
    return {field.name for field in fields(section)} - _OF_ALL


def _changes(before: Policy, after: Policy) -> Iterator[tuple[str, str, str]]:
    for name in sorted(SECTIONS):
        if before.hashes[name] == after.hashes[name]:
            continue
        was, is_now = _flat(yaml.safe_load(before.texts[name]), name), _flat(yaml.safe_load(after.texts[name]), name)
        for path in sorted({*was, *is_now}):
            if was.get(path) != is_now.get(path):
                yield path, was.get(path, "–"), is_now.get(path, "–")


def _flat(raw: Any, path: str) -> dict[str, str]:
    """Every plain value by its dotted path; a row of a list by its number from 1."""
    if isinstance(raw, dict):
        pairs = [(f"{path}.{key}", value) for key, value in raw.items()]
    elif isinstance(raw, list):
        pairs = [(f"{path}[{number}]", value) for number, value in enumerate(raw, 1)]
    else:
        return {path: "null" if raw is None else str(raw)}
    found: dict[str, str] = {}
    for name, value in pairs:
        found |= _flat(value, name)
    return found
