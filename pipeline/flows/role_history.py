"""Who held a role when, and why: models/<role>.json decides, models/REGISTER.md is the book of all decisions.

The role file is replaced first and holds all that the line in the register says; a move that was cut short between
the two is therefore written into the register by whatever looks at it next (`settle`).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.durable import locked, replace_text
from pipeline.errors import DamagedModelError, LockedError
from pipeline.flows.register_lines import ROLLED_BACK, decisions_in, last_number, line_of, taken_over
from pipeline.score.model_folder import role_version, write_role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.flows.register_lines import Decision
    from pipeline.score.model_folder import Role

ROLES: tuple[Role, ...] = ("champion", "challenger")
Action = Literal["first pair", "promoted", "rolled back"]
REGISTER = "REGISTER.md"
_HEAD = """# Register of models in force

One line per decision, written by `creditbook`; lines are only ever added. The versions in force are those of
`champion.json` and `challenger.json`.

| No. | Day | Decision | Role | From | To | By | Reason | Gates | Override |
| --: | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Move:
    """One decision. `day` is ISO text (null: rows without dates), `gates` plain values, `override` the reason for
    promoting in spite of refused gates (null: none refused). `goes_back_to` is, of a rollback, the decision whose gates
    and override are in force again (null: the register tells none)."""

    role: Role
    model_version: str
    action: Action
    day: str | None
    by: str
    reason: str
    gates: Sequence[Mapping[str, Any]] = ()
    override: str | None = None
    goes_back_to: Decision | None = None


@contextmanager
def locked_roles(models: Path) -> Iterator[None]:
    """Holds the lock on the roles. Raises LockedError when another promotion is under way."""
    try:
        with locked(models / ".roles.lock"):
            yield
    except LockedError as error:
        raise LockedError(
            f"{models / '.roles.lock'}: another promotion, rollback or validation is under way; wait for it to end, "
            "then run again"
        ) from error


def record_of(models: Path, role: Role) -> dict[str, Any] | None:
    """What models/<role>.json says; null when nobody holds the role. Raises DamagedModelError when it says nothing."""
    path = models / f"{role}.json"
    if not path.is_file():
        return None
    role_version(models, role)
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    before = record.get("before", [])
    if not isinstance(before, list) or not all(isinstance(version, str) for version in before):
        raise DamagedModelError(
            f"{path}: `before` must list the versions that held the role; creditbook run, promote or rollback write "
            "it again"
        )
    return record


def move(models: Path, made: Move) -> dict[str, Any]:
    """Puts the role file in place, then the line in the register; gives back the record. Hold the lock.

    `before` is the stack of versions that held the role: a promotion puts the standing one on it, a rollback takes
    the one it goes back to off it.
    """
    settle(models)
    standing = record_of(models, made.role)
    before = [*(standing.get("before", []) if standing else [])]
    if made.action == ROLLED_BACK:
        before = before[:-1]
    elif standing is not None:
        before = [*before, standing["model_version"]]
    record = {
        "model_version": made.model_version,
        "since": made.day,
        "promoted_by": made.by,
        "reason": made.reason,
        "action": made.action,
        "from": standing["model_version"] if standing else None,
        "gates": [dict(gate) for gate in made.gates],
        "override": made.override,
        "before": before,
        "number": last_number(_register(models)) + 1,
    }
    if made.action == ROLLED_BACK:
        record |= taken_over(made.goes_back_to)
    write_role(models, made.role, record)
    settle(models)
    return record


def settle(models: Path) -> None:
    """Adds to the register what a role file says and the register does not: a move that was cut short."""
    text = _register(models)
    last, lines = last_number(text), []
    for role in ROLES:
        record = record_of(models, role)
        if record is not None and isinstance(record.get("number"), int) and record["number"] > last:
            lines.append((record["number"], line_of(role, record)))
    if lines:
        added = "".join(f"{line}\n" for _, line in sorted(lines))
        kept = text or _HEAD
        replace_text(models / REGISTER, kept + ("" if kept.endswith("\n") else "\n") + added)


def _register(models: Path) -> str:
    path = models / REGISTER
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def decisions(models: Path) -> list[Decision]:
    """Every decision in the register, by number; none where there is no register."""
    return decisions_in(_register(models))
