"""What monitoring left of the model in force, for the validation that comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import file_hash, read_json
from pipeline.flows.role_history import ROLES, record_of
from pipeline.train.committee_monitored import Monitored

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def monitored_before(setting: Setting) -> Monitored | None:
    """The gates of the last run that was monitored; null before the first one and where no ledger is scored.

    Read from where it was left, as scoring reads the run before: validation comes first in the chain of stages and
    monitoring last, so that no stage can wait for it (docs/decisions/0012). Its hash is kept beside what it said.
    """
    path = setting.project.monitoring / "monitoring.json"
    told = read_json(path, made_by="monitor") if path.is_file() else {}
    if not told.get("gates"):
        return None
    version = str(told["model_version"])
    records = (record_of(setting.project.models, role) for role in ROLES)
    is_in_force = version in {record["model_version"] for record in records if record}
    return Monitored(
        sha256=file_hash(path),
        model_version=version,
        as_of=str(told["as_of"]),
        run_id=str(told["run_id"]),
        gates=tuple(told["gates"]),
        why="" if is_in_force else "other_model",
    )
