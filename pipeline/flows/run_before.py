"""The runs that a run was compared with when it was made, against those that lie before it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import CreditbookError
from pipeline.flows import log
from pipeline.flows.published_runs import linked_runs
from pipeline.score.alert_columns import day_looked_back_to

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.flows.published_runs import PublishedRun
    from pipeline.score.alert_sections import AlertsSection

_NAMED = 3


def run_before(every: Sequence[PublishedRun]) -> dict[str, Any]:
    """`compared_on`: the day of the run that the last of `every` was compared with; `lies_on`: of the one before it
    now; both null where there is none. `is_overtaken`: another run lies before it than it was compared with, so that
    what its alerts call new is not new against that one. A run whose predecessor is no longer kept is not overtaken.

    `every`: the published runs up to the run told of, oldest first.
    """
    recorded = every[-1].manifest.get("previous")
    now = every[-2] if len(every) > 1 else None
    was = {"as_of": "", "run_id": ""} if recorded is None else recorded
    is_later = now is not None and now.as_of.isoformat() >= was["as_of"]
    return {
        "compared_on": None if recorded is None else recorded["as_of"],
        "lies_on": None if now is None else now.as_of.isoformat(),
        "is_overtaken": now is not None and is_later and now.manifest["run_id"] != was["run_id"],
    }


def warn_of_overtaken(day: str, before: dict[str, Any]) -> None:
    """Tells that the alerts of the day are not compared with the run before it, and what to do; silent otherwise."""
    if not before["is_overtaken"]:
        return
    with_what = "no run at all" if before["compared_on"] is None else f"another run, of {before['compared_on']}"
    log.warn(
        "run_before_is_another",
        f"warning: the run of {day} was compared with {with_what}; the run of {before['lies_on']} was published after "
        f"it and lies before it now, so that its new and open alerts are not told against that one; score {day} again "
        f"(creditbook score --as-of {day})",
        as_of=day,
        **before,
    )


def warn_of_later_runs(out: Path, scored: Sequence[dt.date], section: AlertsSection) -> None:
    """Tells which later runs would become others if they were scored again, since a run just scored lies before them
    that they were not made with, and by which command; silent where there is none."""
    days = overtaken_by(out, scored, section)
    if not days:
        return
    named = "; ".join(f"creditbook score --as-of {day}" for day in days[:_NAMED])
    left = f"; and so on for {len(days) - _NAMED} more" if len(days) > _NAMED else ""
    log.warn(
        "later_runs_overtaken",
        f"warning: {len(days)} later run(s) were compared with other runs than lie before them now, and so were their "
        f"alerts and changes; score again, oldest first: {named}{left}",
        days=days,
    )


def overtaken_by(out: Path, scored: Sequence[dt.date], section: AlertsSection) -> list[dt.date]:
    """Days beside those scored, oldest first, whose run was made with another run before it, or another that alert
    rules look back to, where that of a day scored lies now. A run whose manifest is damaged is passed by."""
    runs = {run.as_of: run for run in linked_runs(out)}
    found = []
    for day, run in runs.items():
        earlier = [one for one in runs if one < day]
        if day in scored or not earlier:
            continue
        now = {"previous": earlier[-1]}
        looked_back = day_looked_back_to(earlier, day, section.look_back) if section.looks_back else None
        now |= {} if looked_back is None else {"looked_back": looked_back}
        if any(_is_another(run, name, runs[one]) for name, one in now.items() if one in scored):
            found.append(day)
    return found


def _is_another(run: PublishedRun, name: str, there: PublishedRun) -> bool:
    """Whether the run was made with another one under that name than lies there, or with none."""
    try:
        recorded = run.manifest.get(name)
    except CreditbookError:
        return False
    return recorded is None or recorded["run_id"] != there.folder.name
