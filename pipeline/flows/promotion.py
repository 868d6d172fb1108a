"""Who is in force. The first pair promotes itself; a later fit is a candidate until somebody promotes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.flows.registration import aliases
from pipeline.score.model_folder import role_version, write_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model


def promote_first_pair(setting: Setting, pair: Mapping[str, Model]) -> str:
    """Writes models/champion.json and challenger.json when neither stands, mirrors them in MLflow; tells it."""
    folder = setting.project.models
    standing = {role: _standing(setting, role) for role in pair}
    if not any(standing.values()):
        for role, model in pair.items():
            record = {
                "model_version": model.version,
                "since": model.development["last_as_of"],
                "promoted_by": "creditbook",
                "reason": "the first pair promotes itself: no model was in force",
            }
            write_role(folder, role, record)  # type: ignore[arg-type]
        standing = {role: model.version for role, model in pair.items()}
    aliases(setting, {role: version for role, version in standing.items() if version})
    fitted = {role: model.version for role, model in pair.items()}
    if standing == fitted:
        return f"in force: champion {fitted['champion']}, challenger {fitted['challenger']}"
    return f"registered as candidates: {', '.join(fitted.values())}; in force stays {standing['champion']}"


def _standing(setting: Setting, role: str) -> str | None:
    try:
        return role_version(setting.project.models, role)  # type: ignore[arg-type]
    except MissingInputError:
        # Nobody holds the role yet.
        return None
