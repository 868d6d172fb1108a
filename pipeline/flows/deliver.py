"""`creditbook deliver`, and what follows a publication: published runs are handed on to the targets of params.yaml."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from pipeline.deliver.delta import delta_target
from pipeline.deliver.postgres import postgres_target
from pipeline.deliver.published import PublishedDay, published_day
from pipeline.deliver.target import Outcome, Target, bring_in_step
from pipeline.durable import locked
from pipeline.errors import CreditbookError, ParameterError, PartlyDoneError
from pipeline.flows import log
from pipeline.flows.published_runs import linked_runs, run_of
from pipeline.flows.setting import Setting, open_setting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path


def deliver_published(root: Path, as_of: dt.date | None) -> None:
    """The command: hands on a day, or every published day a target lacks, and tells what each target holds.

    A day that is named is read back where it is there already. Raises ParameterError without a target,
    MissingInputError when nothing is published, and what `hand_on` raises.
    """
    setting = open_setting(root)
    out = setting.project.root / setting.params.score.out
    targets = open_targets(setting, out)
    if not targets:
        raise ParameterError(
            "deliver: params.yaml names no target; set deliver.postgres or deliver.delta (docs/targets.md)"
        )
    run_of(out, as_of)
    _hand_on(setting, targets, None if as_of is None else (as_of,))


def open_targets(setting: Setting, out: Path) -> list[Target]:
    """The targets of what is published under `out`, none reached yet.

    Runs published anywhere but in `score.out` are trials, and have none. Raises TargetUnreachableError where a client
    is not installed, ParameterError where the environment lacks what one needs: before a night's work, not after it.
    """
    settings = setting.params.deliver
    targets: list[Target] = []
    if out.resolve() != (setting.project.root / setting.params.score.out).resolve():
        if settings.postgres is not None or settings.delta is not None:
            log.progress("not_handed_on", f"not handed on: {out} is not score.out, from which targets are served")
        return targets
    if settings.postgres is not None:
        variable = settings.postgres.dsn_env
        dsn = os.environ.get(variable)
        targets.append(postgres_target(dsn, variable, settings.postgres.schema, settings.wait_seconds))
    if settings.delta is not None:
        targets.append(delta_target((setting.project.root / settings.delta.folder).resolve()))
    return targets


def hand_on(setting: Setting, targets: Sequence[Target]) -> None:
    """After a publication: brings every target in step with the published days.

    Raises the target's own error when no target is in step, PartlyDoneError when some took what others did not,
    LockedError.
    """
    if targets:
        _hand_on(setting, targets, None)


def _hand_on(setting: Setting, targets: Sequence[Target], days: tuple[dt.date, ...] | None) -> None:
    settings = setting.params.deliver
    out = setting.project.root / setting.params.score.out
    with locked(out / ".deliver.lock", settings.wait_seconds):
        runs = [published_day(run.as_of, run.folder) for run in linked_runs(out)]
        if days is not None:
            runs = [run for run in runs if run.as_of in days]
        elif settings.first_day is not None:
            runs = [run for run in runs if run.as_of >= settings.first_day]
        read_back = () if days is None else runs
        outcomes = [bring_in_step(target, runs, read_back, partial(_tell_of_run, target)) for target in targets]
    for outcome in outcomes:
        _tell(outcome)
    _raise_failures(outcomes)


def _tell_of_run(target: Target, run: PublishedDay) -> None:
    rows = run.manifest["rows"]["scored_book"]
    log.say(
        "handed_on",
        f"handed on to {target.name}: {run.as_of} (run {run.run_id}), {rows:,} customers, read back",
        target=target.name,
        as_of=run.as_of,
        run_id=run.run_id,
        customers=rows,
    )


def _tell(outcome: Outcome) -> None:
    log.say(
        "target_holds",
        _holds(outcome),
        target=outcome.target,
        holds=outcome.holds,
        published=outcome.published,
        taken=len(outcome.taken),
        beyond=outcome.beyond,
    )


def _holds(outcome: Outcome) -> str:
    if outcome.beyond is None:
        return f"{outcome.target} could not be asked what it holds"
    beyond = f", and {outcome.beyond} that are not published any more" if outcome.beyond else ""
    return f"{outcome.target} holds {outcome.holds} of {outcome.published} published day(s){beyond}"


def _raise_failures(outcomes: Sequence[Outcome]) -> None:
    """Nothing when all are in step; 76 when one is and another is not, or one took a part; else the error itself."""
    failed = [(outcome, day, error) for outcome in outcomes for day, error in outcome.failures]
    if not failed:
        return
    listed = "\n".join(
        f"  - {o.target}{f', {day}' if day else ''}: {str(error).removeprefix(f'{o.target}: ')}"
        for o, day, error in failed
    )
    stands = "; ".join(map(_holds, outcomes))
    text = f"deliver: what is published is whole, and not everywhere yet: {stands}\n{listed}"
    if any(outcome.taken or not outcome.failures for outcome in outcomes):
        raise PartlyDoneError(f"{text}\nMend what is named, then run creditbook deliver: it hands on what is missing.")
    first: CreditbookError = failed[0][2]
    raise type(first)(text)
