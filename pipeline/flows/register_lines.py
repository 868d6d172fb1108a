"""The lines of models/REGISTER.md: written from a role file, and read back where the role file is lost."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NO_DATE, NOBODY, NO_GATES, NO_OVERRIDE = "no date", "nobody", "none asked", "–"
_CELLS = 10


@dataclass(frozen=True)
class Decision:
    """One line of the register. `day` is ISO text, null where the rows had no dates; `gates` is what was told of them,
    empty where none was asked; `from_version` null: nobody held the role; `override` null: none."""

    number: int
    day: str | None
    action: str
    role: str
    from_version: str | None
    to_version: str
    by: str
    reason: str
    gates: str
    override: str | None


def decisions_in(text: str) -> list[Decision]:
    """The decisions of a register, by number; what people wrote between the lines is passed over.

    >>> line = "| 7 | 2026-01-05 | promoted | champion | nobody | card-1 | Ann | a \\\\| b | none asked | – |"
    >>> decisions_in(line)[0].reason
    'a | b'
    """
    return sorted(filter(None, map(_decision, text.splitlines())), key=lambda found: found.number)


def _decision(line: str) -> Decision | None:
    cells = _cells(line)
    if len(cells) != _CELLS or not cells[0].isdecimal():
        return None
    number, day, action, role, from_version, to_version, by, reason, gates, override = cells
    return Decision(
        number=int(number),
        day=None if day == NO_DATE else day,
        action=action,
        role=role,
        from_version=None if from_version == NOBODY else from_version,
        to_version=to_version,
        by=by,
        reason=reason,
        gates="" if gates == NO_GATES else gates,
        override=None if override == NO_OVERRIDE else override,
    )


def _cells(line: str) -> list[str]:
    """What stands between the bars of a line; a bar, or any other sign, after a backslash is text."""
    found = re.fullmatch(r"\|((?:\\.|[^\\|])*\|)+\s*", line)
    parts = re.findall(r"((?:\\.|[^\\|])*)\|", line)[1:] if found else []
    return [re.sub(r"\\(.)", r"\1", part.strip()) for part in parts]


def last_day(decisions: Sequence[Decision]) -> dt.date | None:
    """The latest day of the decisions; null when none has one."""
    return max(filter(None, (_day(made.day) for made in decisions)), default=None)


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def last_number(text: str) -> int:
    """The highest number of the register; 0 when it holds no line."""
    return max((int(number) for number in re.findall(r"^\| *(\d+) *\|", text, flags=re.MULTILINE)), default=0)


def line_of(role: str, record: Mapping[str, Any]) -> str:
    """The line that a role file becomes."""
    cells = (
        record["number"],
        record["since"] or NO_DATE,
        record["action"],
        role,
        record["from"] or NOBODY,
        record["model_version"],
        record["promoted_by"],
        record["reason"],
        gates_told(record) or NO_GATES,
        record["override"] or NO_OVERRIDE,
    )
    return "| " + " | ".join(_cell(value) for value in cells) + " |"


def gates_told(record: Mapping[str, Any]) -> str:
    """What a role file says of its gates, in a line; one written again from a line has the words of that line."""
    return str(record.get("gates_told") or gates_in_a_line(record.get("gates", [])))


def gates_from_line(told: str) -> list[dict[str, Any]]:
    """The gates that did not pass, by name and light; a line tells of the others only how many they were.

    >>> [(gate["name"], gate["light"]) for gate in gates_from_line("6 of 8 passed; leaks refused 1; slope undecided")]
    [('leaks', 'red'), ('slope', 'amber')]
    """
    lights = {"refused": "red", "undecided": "amber"}
    return [
        {"name": name, "light": lights[word], "value": None, "low": None, "high": None}
        for name, word in re.findall(r"; (\w+) (refused|undecided)", told)
    ]


def gates_in_a_line(gates: Sequence[Mapping[str, Any]]) -> str:
    """How many passed, and each that did not with its value and interval.

    >>> gates_in_a_line([{"name": "leaks", "value": 0.0, "low": None, "high": None, "light": "green"}])
    '1 of 1 passed'
    """
    if not gates:
        return ""
    refused = [_refusal(gate) for gate in gates if gate["light"] != "green"]
    told = f"{len(gates) - len(refused)} of {len(gates)} passed"
    return f"{told}; {'; '.join(refused)}" if refused else told


def _refusal(gate: Mapping[str, Any]) -> str:
    word = "refused" if gate["light"] == "red" else "undecided"
    value = "" if gate["value"] is None else f" {gate['value']:.3g}"
    interval = "" if gate["low"] is None else f" ({gate['low']:.3g} to {gate['high']:.3g})"
    return f"{gate['name']} {word}{value}{interval}"


def _cell(value: object) -> str:
    """One line of text that cannot end its cell, nor stand for anything but itself."""
    text = " ".join(str(value).split())
    return re.sub(r"([\\|`*_<>\[\]])", r"\\\1", text) if not re.fullmatch(r"[\w.:–-]+", text) else text
