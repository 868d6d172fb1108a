"""A role file that is lost or damaged, written again from the register, or from MLflow's alias without a register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import DamagedModelError, MissingInputError
from pipeline.flows import log
from pipeline.flows.register_lines import (
    NO_DATE,
    NO_GATES,
    NOBODY,
    ROLLED_BACK,
    decision_on,
    gates_from_line,
    read_back,
    taken_over,
)
from pipeline.flows.registration import registry_of
from pipeline.flows.role_history import REGISTER, ROLES, decisions, record_of
from pipeline.score.model_folder import write_role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.flows.register_lines import Decision
    from pipeline.flows.setting import Setting
    from pipeline.score.model_folder import Role


def restore_roles(setting: Setting) -> None:
    """Writes models/<role>.json again where it is missing or damaged and somebody holds the role. Hold the lock.

    Who holds it is what the last line of the register says. Where the register says nothing of the role, MLflow's alias
    is asked, but only when the file is damaged or the whole register is lost: otherwise nobody holds the role. Raises
    MissingInputError when the model of the holder is not there, DamagedModelError when a file is damaged and nothing
    tells who held the role, TargetUnreachableError when MLflow has to be asked and does not answer.
    """
    models = setting.project.models
    if not any(models.glob("*-*/manifest.json")) and not any((models / f"{role}.json").is_file() for role in ROLES):
        return
    made = decisions(models)
    for role in ROLES:
        damage = _damage(models, role)
        if damage is None and (models / f"{role}.json").is_file():
            continue
        own = [decision for decision in made if decision.role == role]
        if own:
            _write(models, role, record_from_lines(own), f"line {own[-1].number} of {models / REGISTER}")
        elif damage is not None or not made:
            _from_alias(setting, role, damage)


def _damage(models: Path, role: Role) -> DamagedModelError | None:
    try:
        record_of(models, role)
    except DamagedModelError as error:
        return error
    return None


def record_from_lines(own: Sequence[Decision]) -> dict[str, Any]:
    """The role file as the decisions on one role, in order, have left it; of the gates what the last line tells, or
    after a rollback that of the decision it went back to."""
    before: list[str] = []
    for decision in own:
        if decision.action == ROLLED_BACK:
            before = before[:-1]
        elif decision.from_version is not None:
            before = [*before, decision.from_version]
    last = own[-1]
    record = {
        "model_version": last.to_version,
        "since": last.day,
        "promoted_by": last.by,
        "reason": last.reason,
        "action": last.action,
        "from": last.from_version,
        "gates": gates_from_line(last.gates),
        "gates_told": last.gates,
        "override": last.override,
        "before": before,
        "number": last.number,
    }
    if last.action != ROLLED_BACK:
        return record
    promoted = decision_on(own, last.role, last.to_version)
    return record | (taken_over(promoted) if promoted else read_back(last.gates, last.override))


def _from_alias(setting: Setting, role: Role, damage: DamagedModelError | None) -> None:
    """What MLflow's version of the role tells; nothing is written where no version has the alias and no file stood."""
    models, store = setting.project.models, registry_of(setting)
    found = store.holder(role)
    if found is not None and found.model_version is not None:
        record = record_from_tags(role, found.model_version, found.tags)
        number = record["number"] or max((made.number for made in decisions(models)), default=0) + 1
        _write(models, role, {**record, "number": number}, f"MLflow's alias {role} of {store.model_name}")
    elif damage is not None:
        raise DamagedModelError(
            f"{models / f'{role}.json'} is damaged, and neither {REGISTER} nor MLflow tells who was {role}; restore "
            f"the file, or remove it and put a model in force with creditbook promote VERSION --role {role}"
        ) from damage


def record_from_tags(role: Role, version: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """The role file as `registration.mirror_roles` has told it to MLflow; earlier holders but the last are not told."""
    told = {name: tags.get(f"{role}.{name}", "") for name in ("since", "by", "reason", "decision", "from", "gates")}
    gates = "" if told["gates"] == NO_GATES else told["gates"]
    said, number = tags.get(f"{role}.override", "none"), tags.get(f"{role}.register_number", "")
    override = None if said == "none" else said
    from_version = None if told["from"] in {"", NOBODY} else told["from"]
    record = {
        "model_version": version,
        "since": None if told["since"] in {"", NO_DATE} else told["since"],
        "promoted_by": told["by"],
        "reason": told["reason"],
        "action": told["decision"],
        "from": from_version,
        "gates": gates_from_line(gates),
        "gates_told": gates,
        "override": override,
        "before": [] if from_version is None or told["decision"] == ROLLED_BACK else [from_version],
        "number": int(number) if number.isdecimal() else None,
    }
    return record | read_back(gates, override) if told["decision"] == ROLLED_BACK else record


def _write(models: Path, role: Role, record: Mapping[str, Any], source: str) -> None:
    version = record["model_version"]
    if not (models / version / "manifest.json").is_file():
        raise MissingInputError(
            f"{models / version}: {source} names {version} as {role}, but its folder is not there; bring the folder "
            "back from a backup or from MLflow's artifacts of that version, then run again. Where the alias is another "
            "project's, give this one a registry.model_name of its own"
        )
    write_role(models, role, record)
    told = f"{models / f'{role}.json'} was lost or damaged; written again from {source}: {version}"
    log.warn("role_restored", told, role=role, model_version=version)
