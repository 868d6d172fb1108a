"""The run that a run was compared with when it was made, against the run that lies before it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.flows import log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.flows.published_runs import PublishedRun


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
