"""Two nights at once: what a run rests on is looked at again under the lock, before anything of it can be published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CreditbookError, OvertakenError
from pipeline.features.catalog import KINDS
from pipeline.flows.definition import default_definition
from pipeline.score.meanwhile import run_of_day, runs_before
from pipeline.score.model_folder import role_version
from pipeline.score.policy import read_policy
from pipeline.tables.canonical import read_manifest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pipeline.flows.setting import Setting
    from pipeline.history.definition import DefaultDefinition
    from pipeline.score.alert_sections import AlertsSection
    from pipeline.score.meanwhile import RunsBefore
    from pipeline.score.policy import Policy


@dataclass(frozen=True)
class RestsOn:
    """What a run of `as_of` found when it began to read.

    `own`: the run published for the day, null without one; it is looked at before anything else is read. `before`: the
    earlier runs it compares with. `versions`: of each thing it was reckoned from, by what a person calls it.
    """

    as_of: dt.date
    own: Path | None
    before: RunsBefore
    versions: Mapping[str, str]


def require_not_overtaken(
    out: Path, rests_on: RestsOn, section: AlertsSection, versions_now: Callable[[], Mapping[str, str]]
) -> None:
    """Raises OvertakenError when a run that began later, and so knows better, may have been published meanwhile.

    To be asked while the lock of `out` is held. The earlier runs must be those compared with. Where another run of the
    same day was published since this one began, all that this one read must still be what is in force: then a run that
    began now would be this one. Otherwise the one that was slower would turn readers back.
    """
    day = rests_on.as_of
    if runs_before(out, day, section) != rests_on.before:
        raise OvertakenError(
            f"score: an earlier day was published in {out} while {day} was reckoned, with which this run is to be "
            f"compared; nothing was published; score {day} again"
        )
    own = run_of_day(out, day)
    if own is None or own == rests_on.own:
        return
    now = _read(versions_now)
    moved = [name for name, version in rests_on.versions.items() if now.get(name) != version]
    if moved:
        raise OvertakenError(
            f"score: run {own.name} of {day} was published while this one was reckoned from {len(moved)} input(s) that "
            f"are replaced by now, e.g. the {moved[0]}; nothing was published; score {day} again"
        )


def _read(versions_now: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    try:
        return versions_now()
    except CreditbookError:
        # Just now being replaced, so that nothing of it is as it was read.
        return {}


def versions_of(ledger: str, model: str, policy: Policy, definition: DefaultDefinition) -> dict[str, str]:
    """The version of each thing that a run is reckoned from, by what a person calls it."""
    return {
        "ledger": ledger,
        "model in force": model,
        "policy": policy.version,
        "definition of default": definition.hash(),
    }


def versions_now(setting: Setting, tables: Path, models: Path) -> dict[str, str]:
    """The versions of what a run that began now would be reckoned from."""
    return versions_of(
        str(read_manifest(tables)["data_version"]),
        role_version(models, setting.params.score.role),
        read_policy(setting.project.policy, KINDS),
        default_definition(setting),
    )
