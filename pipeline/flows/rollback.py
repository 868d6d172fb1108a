"""`creditbook rollback`: a role goes back to the version that held it before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.flows.decision import user_of
from pipeline.flows.decision_order import day_in_order
from pipeline.flows.promote_version import mirror, tell_next
from pipeline.flows.register_lines import decision_on
from pipeline.flows.role_history import REGISTER, Move, decisions, locked_roles, move, record_of, settle
from pipeline.flows.role_restoring import restore_roles
from pipeline.flows.setting import open_setting
from pipeline.score.model_folder import read_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from pipeline.flows.promote_version import Asked
    from pipeline.score.model_folder import Role


def rollback(root: Path, asked: Asked) -> None:
    """Moves the role back by one decision, records it and mirrors it in MLflow; no gate is asked.

    The gates and the override of the decision that last promoted that version are in force again with it.

    It needs no MLflow, unless role file and register are both lost: when that does not answer, or has lost the version,
    the role has moved all the same and PartlyDoneError says so. Raises MissingInputError when nobody held the role
    before or the folder of that model is gone, DamagedModelError when that model was changed, UsageError when the day
    does not fit the register.
    """
    setting = open_setting(root)
    models = setting.project.models
    with locked_roles(models):
        restore_roles(setting)
        settle(models)
        version = _held_before(models, asked.role)
        day = day_in_order(setting, asked.on)
        model = read_model(models / version)
        made = Move(
            role=asked.role,
            model_version=model.version,
            action="rolled back",
            day=day.isoformat(),
            by=user_of(asked.by),
            reason=asked.reason or "rolled back",
            goes_back_to=decision_on(decisions(models), asked.role, model.version),
        )
        record = move(models, made)
        _tell_override(asked.role, record)
        left = str(record["from"])
        try:
            mirror(setting, asked.role, f"{model.version} is {asked.role} again from {made.day} on")
            tell_next(setting, asked.role, model.version, left)
        finally:
            # The move is made whatever MLflow does.
            log.say("undo", f"undone by creditbook promote {left} --role {asked.role}: it asks its gates again")


def _held_before(models: Path, role: Role) -> str:
    """The version that held the role before. Raises MissingInputError when none did, or its folder is not there."""
    standing = record_of(models, role)
    before = [] if standing is None else standing.get("before", [])
    instead = f"creditbook promote VERSION --role {role} puts another in its place"
    if not before:
        raise MissingInputError(f"{models / f'{role}.json'}: nobody was {role} before; {instead}")
    version = str(before[-1])
    if not (models / version / "manifest.json").is_file():
        raise MissingInputError(
            f"{models / version}: {version} was {role} before, but its folder is not there; bring it back from a "
            f"backup or from MLflow's artifacts of that version, then run again, or {instead}. Nothing was changed"
        )
    return version


def _tell_override(role: str, record: Mapping[str, Any]) -> None:
    """Says that an override is in force again with the version, or that the register does not tell whether one is."""
    version, source = record["model_version"], record["of_decision"]
    if source is None:
        told = f"{REGISTER} tells no decision that made {version} {role}: whether gates were overridden is not known"
        log.warn("override_not_known", told, role=role, model_version=version)
    elif record["override"]:
        told = f"{version} is {role} against the gates, by decision {source['number']} ({source['by']})"
        log.warn("override_in_force", f"{told}: {record['override']}", role=role, model_version=version)
