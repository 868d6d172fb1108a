"""Who is in force. The first pair promotes itself; a later fit is a candidate until somebody promotes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.flows import log
from pipeline.flows.registration import mirror_roles
from pipeline.flows.role_history import ROLES, Move, locked_roles, move, record_of, settle
from pipeline.flows.role_restoring import restore_roles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.score.model_folder import Role


def promote_first_pair(setting: Setting, pair: Mapping[str, Model], day: str | None) -> str:
    """Puts both roles and the register in place when no model is in force, mirrors the roles in MLflow; tells it.

    A model is in force, too, when only the register or MLflow's alias says so: its role file is then written again.
    `day` is the extract date, so that the same data give the same files; null for a table without dates.
    """
    folder = setting.project.models
    with locked_roles(folder):
        restore_roles(setting)
        if not any(record_of(folder, role) for role in ROLES):
            for role in ROLES:
                if role in pair:
                    move(folder, _first(role, pair[role], day))
        settle(folder)
        standing = {role: record["model_version"] for role in ROLES if (record := record_of(folder, role))}
        for role, told in mirror_roles(setting).items():
            log.warn("alias_out_of_step", told, role=role)
    fitted = {role: model.version for role, model in pair.items()}
    if standing == fitted:
        return f"in force: champion {fitted['champion']}, challenger {fitted.get('challenger', 'none')}"
    named = ", ".join(version for version in fitted.values() if version not in standing.values())
    stays = standing.get("champion", "no champion")
    return f"registered as candidates: {named or 'none that is new'}; in force stays {stays}"


def _first(role: Role, model: Model, day: str | None) -> Move:
    return Move(
        role=role,
        model_version=model.version,
        action="first pair",
        day=day,
        by="creditbook",
        reason="the first pair promotes itself: no model was in force",
    )
