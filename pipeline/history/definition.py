"""The default definition of policy/default_definition.yaml as a frozen object."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml


@dataclass(frozen=True)
class Source:
    """A published definition, as it is told apart from ours."""

    name: str
    title: str
    says: str


@dataclass(frozen=True)
class AbsoluteThreshold:
    """Amounts in base currency that the counting items must exceed: of companies, and of natural persons."""

    company: int
    natural_person: int


@dataclass(frozen=True)
class DefaultDefinition:
    """When a customer is in default; the figures and readings of the policy file.

    `days` past due at which an item counts · `absolute` thresholds by base currency · `relative_basis_points` of all
    that stands open · `probation_days` after the past-due cause · `write_off_above` an amount in base currency ·
    `write_off_days` in default after a write-off · `insolvency_events` kinds that are a default for ever.
    """

    version: str
    valid_from: dt.date
    sources: tuple[Source, ...]
    days: int
    absolute: dict[str, AbsoluteThreshold]
    relative_basis_points: int
    probation_days: int
    write_off_above: int
    write_off_days: int
    insolvency_events: tuple[str, ...]
    readings: dict[str, str]

    def threshold(self, base_currency: str) -> AbsoluteThreshold:
        """The absolute threshold in the ledger's base currency. Raises ParameterError when the policy names none."""
        found = self.absolute.get(base_currency)
        if found is None:
            raise ParameterError(
                f"policy/default_definition.yaml: choice.absolute has no line for the base currency {base_currency!r} "
                f"(it has {', '.join(sorted(self.absolute))}); add the amounts, they are never assumed"
            )
        return found

    def hash(self) -> str:
        """sha256 of all that the file says; its comments and the order of its keys do not count."""
        told = json.dumps(dataclasses.asdict(self), sort_keys=True, default=dt.date.isoformat)
        return hashlib.sha256(told.encode()).hexdigest()


_TOP = {"policy", "version", "valid_from", "sources", "choice", "readings"}
_CHOICE = {
    "days": (1, 365),
    "relative_basis_points": (0, 10_000),
    "probation_days": (0, 3650),
    "write_off_above": (0, 10**12),
    "write_off_days": (1, 3650),
}
_READINGS = {
    "per_item",
    "dispute",
    "credit",
    "bounced",
    "end_of_cause",
    "relapse",
    "knowledge",
    "indeterminate",
    "left",
}


def parse_definition(text: str, origin: str = "policy/default_definition.yaml") -> DefaultDefinition:
    """Reads the policy file. Raises ParameterError naming every unknown, missing or wrong key at once."""
    breaches: list[str] = []
    top = _section(read_yaml(text, origin), "", _TOP, breaches)
    choice = _section(top.get("choice"), "choice", {*_CHOICE, "absolute", "insolvency_events"}, breaches)
    readings = _section(top.get("readings"), "readings", _READINGS, breaches)
    if top.get("policy", "default_definition") != "default_definition":
        breaches.append(f"policy: expected 'default_definition', found {top['policy']!r}")
    figures = {name: _whole(choice, name, bounds, "choice.", breaches) for name, bounds in _CHOICE.items()}
    definition = DefaultDefinition(
        version=_text(top, "version", "", breaches),
        valid_from=_day(top, "valid_from", breaches),
        sources=_sources(top.get("sources"), breaches),
        absolute=_absolute(choice.get("absolute"), breaches),
        insolvency_events=_events(choice.get("insolvency_events"), breaches),
        readings={name: _text(readings, name, "readings.", breaches) for name in sorted(_READINGS)},
        **figures,
    )
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"{origin}: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named; none was ignored."
        )
    return definition


def _section(raw: object, path: str, known: set[str], breaches: list[str]) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        breaches.append(f"{path or 'the file'}: expected a section of keys, found {raw!r}")
        return {}
    prefix = f"{path}." if path else ""
    unknown = sorted(str(key) for key in raw if key not in known)
    breaches.extend(f"{prefix}{key}: unknown key; known here: {', '.join(sorted(known))}" for key in unknown)
    told = {key: value for key, value in raw.items() if key in known and value is not None}
    breaches.extend(f"{prefix}{key}: missing" for key in sorted(known - set(told)))
    return told


def _whole(section: dict[str, Any], name: str, bounds: tuple[int, int], path: str, breaches: list[str]) -> int:
    value = section.get(name, bounds[0])
    if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
        breaches.append(f"{path}{name}: expected a whole number from {bounds[0]} to {bounds[1]}, found {value!r}")
        return bounds[0]
    return value


def _text(section: dict[str, Any], name: str, path: str, breaches: list[str]) -> str:
    value = section.get(name, "")
    if not isinstance(value, str):
        breaches.append(f"{path}{name}: expected a text, found {value!r}")
    return str(value)


def _day(section: dict[str, Any], name: str, breaches: list[str]) -> dt.date:
    value = section.get(name, dt.date.min)
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        breaches.append(f"{name}: expected a day such as 2026-11-22, found {value!r}")
        return dt.date.min
    return value


def _sources(raw: object, breaches: list[str]) -> tuple[Source, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not raw:
        breaches.append(f"sources: expected a list of sources, found {raw!r}")
        return ()
    names = {f.name for f in dataclasses.fields(Source)}
    sections = [_section(one, f"sources[{place}]", names, breaches) for place, one in enumerate(raw)]
    texts = [{name: _text(s, name, f"sources[{i}].", breaches) for name in names} for i, s in enumerate(sections)]
    return tuple(Source(**text) for text in texts)


def _absolute(raw: object, breaches: list[str]) -> dict[str, AbsoluteThreshold]:
    if raw is None:
        return {}
    if not isinstance(raw, dict) or not raw:
        breaches.append(f"choice.absolute: expected currencies with their amounts, found {raw!r}")
        return {}
    found = {}
    for currency, amounts in sorted(raw.items(), key=lambda entry: str(entry[0])):
        path = f"choice.absolute.{currency}"
        section = _section(amounts, path, {"company", "natural_person"}, breaches)
        both = {n: _whole(section, n, (0, 10**12), f"{path}.", breaches) for n in ("company", "natural_person")}
        found[str(currency)] = AbsoluteThreshold(**both)
    return found


def _events(raw: object, breaches: list[str]) -> tuple[str, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not raw or not all(isinstance(kind, str) for kind in raw):
        breaches.append(f"choice.insolvency_events: expected a list of kinds of event, found {raw!r}")
        return ()
    return tuple(raw)
