"""The lines of models/REGISTER.md: written from a role file, and read back where the role file is lost."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NO_DATE, NOBODY, NO_GATES, NO_OVERRIDE = "no date", "nobody", "none asked", "–"
ROLLED_BACK = "rolled back"
# Of a rollback to a version of which no line tells how it came into its role.
NOT_KNOWN = "not known"
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


def decision_on(decisions: Sequence[Decision], role: str, version: str) -> Decision | None:
    """The last decision, in order, that put a version in a role and was no rollback; null where no line tells one."""
    own = (made for made in decisions if (made.role, made.to_version) == (role, version))
    return max((made for made in own if made.action != ROLLED_BACK), key=lambda made: made.number, default=None)


def taken_over(decision: Decision | None) -> dict[str, Any]:
    """What the role file of a rollback takes over: gates and override of the decision on the version that is in force
    again, and which decision that was. Null: the register tells none, so nothing is known of either."""
    if decision is None:
        return {"gates": [], "gates_told": NOT_KNOWN, "override": None, "of_decision": None}
    return {
        "gates": gates_from_line(decision.gates),
        "gates_told": decision.gates,
        "override": decision.override,
        "of_decision": {"number": decision.number, "day": decision.day, "by": decision.by},
    }


def marked(record: Mapping[str, Any], told: str) -> str:
    """Words on gates or override, with the number of the decision they were taken over from.

    >>> marked({"of_decision": {"number": 3}}, "minutes 7")
    'of decision 3: minutes 7'
    """
    source = record.get("of_decision")
    return f"of decision {source['number']}: {told}" if source and told else told


def read_back(gates: str, override: str | None) -> dict[str, Any]:
    """What `taken_over` had given, from the words of a rollback alone; who decided, and when, they do not tell.

    >>> read_back("of decision 3: 7 of 8 passed; leaks refused 1", "of decision 3: minutes 7")["override"]
    'minutes 7'
    """
    source, gates_of_it = _unmarked(gates)
    also, override_of_it = _unmarked(override or "")
    number = source or also
    return {
        "gates": gates_from_line(gates_of_it),
        "gates_told": gates_of_it or ("" if number else NOT_KNOWN),
        "override": override_of_it or None,
        "of_decision": None if number is None else {"number": number, "day": None, "by": None},
    }


def _unmarked(told: str) -> tuple[int | None, str]:
    """The number of the decision that `marked` has put before the words, null where it has put none, and the words."""
    found = re.fullmatch(r"of decision (\d+): (.*)", told, flags=re.DOTALL)
    return (int(found[1]), found[2]) if found else (None, told)


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
        marked(record, gates_told(record)) or NO_GATES,
        marked(record, record["override"] or "") or NO_OVERRIDE,
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
